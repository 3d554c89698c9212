import FalconStorage

/// Arrays as `{1,2,NULL}`, nested and with explicit bounds (`[0:1]={a,b}`); the two vectors
/// (int2vector, oidvector) as numbers apart by spaces.
enum ArrayText {
    static func append(
        _ array: ArrayValue, type: OID, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        if type == .int2vector || type == .oidvector {
            for (index, element) in array.elements.enumerated() {
                if index > 0 { writer.append(UInt8(ascii: " ")) }
                TypeIO.appendText(
                    element, type: array.elementType, settings: settings, to: &writer)
            }
            return
        }
        if array.elements.isEmpty { return writer.append(ascii: "{}") }
        if array.dimensions.contains(where: { $0.lowerBound != 1 }) {
            for dimension in array.dimensions {
                writer.append(UInt8(ascii: "["))
                writer.appendDecimal(Int64(dimension.lowerBound))
                writer.append(UInt8(ascii: ":"))
                writer.appendDecimal(Int64(dimension.lowerBound) + Int64(dimension.length) - 1)
                writer.append(UInt8(ascii: "]"))
            }
            writer.append(UInt8(ascii: "="))
        }
        let delimiter = TypeRegistry.descriptor(array.elementType)?.delimiter ?? UInt8(ascii: ",")
        var next = 0
        appendLevel(array, 0, &next, delimiter, settings, &writer)
    }

    private static func appendLevel(
        _ array: ArrayValue, _ level: Int, _ next: inout Int, _ delimiter: UInt8,
        _ settings: DisplaySettings, _ writer: inout ByteWriter
    ) {
        writer.append(UInt8(ascii: "{"))
        let count =
            level < array.dimensions.count
            ? Int(array.dimensions[level].length) : array.elements.count
        for index in 0..<count {
            if index > 0 { writer.append(delimiter) }
            if level + 1 < array.dimensions.count {
                appendLevel(array, level + 1, &next, delimiter, settings, &writer)
            } else if next < array.elements.count {
                appendElement(
                    array.elements[next], array.elementType, delimiter, settings, &writer)
                next += 1
            }
        }
        writer.append(UInt8(ascii: "}"))
    }

    private static func appendElement(
        _ element: Datum, _ type: OID, _ delimiter: UInt8, _ settings: DisplaySettings,
        _ writer: inout ByteWriter
    ) {
        if element.isNull { return writer.append(ascii: "NULL") }
        let start = writer.count
        TypeIO.appendText(element, type: type, settings: settings, to: &writer)
        // Numbers and dates need no quotes and pay no more than this scan.
        var needsQuotes = writer.count == start
        for index in start..<writer.count {
            let byte = writer.bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "{")
                || byte == UInt8(ascii: "}") || byte == delimiter || byte.isSpace
            {
                needsQuotes = true
                break
            }
        }
        if !needsQuotes, writer.count - start == 4 {
            needsQuotes = zip(writer.bytes[start...], "null".utf8).allSatisfy {
                $0.asciiLowered == $1
            }
        }
        guard needsQuotes else { return }
        let plain = Array(writer.bytes[start...])
        writer.bytes.removeSubrange(start...)
        writer.append(UInt8(ascii: "\""))
        for byte in plain {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                writer.append(UInt8(ascii: "\\"))
            }
            writer.append(byte)
        }
        writer.append(UInt8(ascii: "\""))
    }

    // MARK: Input

    static func parse(
        _ text: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> ArrayValue {
        guard let element = TypeRegistry.elementType(of: type.oid) else {
            throw malformed(text, nil)
        }
        if type.oid == .int2vector || type.oid == .oidvector {
            return try parseVector(text, element: element, settings: settings)
        }
        var parser = Parser(
            text: text, cursor: TextCursor(text),
            elementType: SQLType(element, modifier: type.modifier),
            delimiter: TypeRegistry.descriptor(element)?.delimiter ?? UInt8(ascii: ","),
            settings: settings)
        return try parser.run()
    }

    private static func parseVector(
        _ text: UnsafeRawBufferPointer, element: OID, settings: DisplaySettings
    ) throws(SQLError) -> ArrayValue {
        var elements: [Datum] = []
        for part in text.split(whereSeparator: { $0.isSpace }) {
            elements.append(
                try TypeIO.parseText(
                    UnsafeRawBufferPointer(rebasing: part), type: SQLType(element),
                    settings: settings))
        }
        return ArrayValue(
            elementType: element,
            dimensions: [(length: Int32(clamping: elements.count), lowerBound: 0)],
            elements: elements)
    }

    static func malformed(_ text: UnsafeRawBufferPointer, _ detail: String?) -> SQLError {
        SQLError(
            .invalidTextRepresentation,
            "malformed array literal: \"\(String(decoding: text, as: UTF8.self))\"", detail: detail)
    }

    private struct Parser {
        let text: UnsafeRawBufferPointer
        var cursor: TextCursor
        let elementType: SQLType
        let delimiter: UInt8
        let settings: DisplaySettings
        var elements: [Datum] = []
        /// Length per level once the first list of that level has closed, else -1.
        var lengths: [Int] = []
        var depth = 0

        mutating func run() throws(SQLError) -> ArrayValue {
            cursor.skipSpaces()
            var bounds: [(lower: Int32, upper: Int32)] = []
            while cursor.peek == UInt8(ascii: "[") {
                cursor.advance()
                guard bounds.count < 6 else {
                    throw SQLError(
                        SQLState("54000"),
                        "number of array dimensions (7) exceeds the maximum allowed (6)")
                }
                let first = try bound()
                if cursor.take(UInt8(ascii: ":")) {
                    let second = try bound()
                    bounds.append((first, second))
                } else {
                    bounds.append((1, first))
                }
                guard cursor.take(UInt8(ascii: "]")) else {
                    throw malformed(text, "Missing \"]\" after array dimensions.")
                }
                if let last = bounds.last, last.upper < last.lower {
                    throw SQLError(
                        SQLState("2202E"), "upper bound cannot be less than lower bound")
                }
            }
            if !bounds.isEmpty {
                cursor.skipSpaces()
                guard cursor.take(UInt8(ascii: "=")) else {
                    throw malformed(text, "Missing \"=\" after array dimensions.")
                }
                cursor.skipSpaces()
            }
            guard cursor.peek == UInt8(ascii: "{") else {
                throw malformed(
                    text,
                    bounds.isEmpty
                        ? "Array value must start with \"{\" or dimension information."
                        : "Array contents must start with \"{\".")
            }
            try list()
            cursor.skipSpaces()
            guard cursor.isAtEnd else {
                throw malformed(text, "Junk after closing right brace.")
            }
            if elements.isEmpty {
                return ArrayValue(elementType: elementType.oid, dimensions: [], elements: [])
            }
            if !bounds.isEmpty {
                guard bounds.count == lengths.count,
                    zip(bounds, lengths).allSatisfy({
                        Int($0.upper) - Int($0.lower) + 1 == $1
                    })
                else {
                    throw malformed(
                        text, "Specified array dimensions do not match array contents.")
                }
            }
            var dimensions: [(length: Int32, lowerBound: Int32)] = []
            for (level, length) in lengths.enumerated() {
                dimensions.append(
                    (Int32(clamping: length), bounds.isEmpty ? 1 : bounds[level].lower))
            }
            return ArrayValue(
                elementType: elementType.oid, dimensions: dimensions, elements: elements)
        }

        private mutating func bound() throws(SQLError) -> Int32 {
            let start = cursor.position
            _ = cursor.take(where: { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") })
            while let byte = cursor.peek, byte.isDigit { cursor.advance() }
            guard
                let value = Int32(String(decoding: text[start..<cursor.position], as: UTF8.self))
            else {
                throw malformed(
                    text, "\"[\" must introduce explicitly-specified array dimensions.")
            }
            return value
        }

        private var mismatch: SQLError {
            malformed(
                text, "Multidimensional arrays must have sub-arrays with matching dimensions.")
        }

        /// One `{…}`; its elements are all lists or all values.
        private mutating func list() throws(SQLError) {
            cursor.advance()
            let level = depth
            depth += 1
            defer { depth -= 1 }
            guard level < 6 else {
                throw SQLError(
                    SQLState("54000"),
                    "number of array dimensions (\(level + 1)) exceeds the maximum allowed (6)")
            }
            if lengths.count == level { lengths.append(-1) }
            var count = 0
            cursor.skipSpaces()
            if cursor.peek == UInt8(ascii: "}") {
                // Only the outermost list may be empty.
                if level > 0 { throw malformed(text, "Unexpected \"}\" character.") }
                cursor.advance()
                return
            }
            var holdsLists: Bool?
            while true {
                cursor.skipSpaces()
                let isList = cursor.peek == UInt8(ascii: "{")
                if let holdsLists, holdsLists != isList { throw mismatch }
                if holdsLists == nil {
                    holdsLists = isList
                    // Values where an earlier sibling held lists, or the reverse.
                    if !isList, lengths.count > level + 1 { throw mismatch }
                    if isList, lengths[level] > 0, lengths.count == level + 1 { throw mismatch }
                }
                if isList { try list() } else { try element() }
                count += 1
                cursor.skipSpaces()
                if cursor.take(delimiter) { continue }
                if cursor.take(UInt8(ascii: "}")) { break }
                if cursor.isAtEnd { throw malformed(text, "Unexpected end of input.") }
                throw malformed(text, "Unexpected array element.")
            }
            if lengths[level] == -1 {
                lengths[level] = count
            } else if lengths[level] != count {
                throw mismatch
            }
        }

        private mutating func element() throws(SQLError) {
            var value: [UInt8] = []
            if cursor.take(UInt8(ascii: "\"")) {
                while true {
                    guard let byte = cursor.peek else {
                        throw malformed(text, "Unexpected end of input.")
                    }
                    cursor.advance()
                    if byte == UInt8(ascii: "\"") { break }
                    if byte == UInt8(ascii: "\\") {
                        guard let escaped = cursor.peek else {
                            throw malformed(text, "Unexpected end of input.")
                        }
                        cursor.advance()
                        value.append(escaped)
                    } else {
                        value.append(byte)
                    }
                }
                return try append(value)
            }
            var wasEscaped = false
            var kept = 0
            while let byte = cursor.peek, byte != delimiter, byte != UInt8(ascii: "}") {
                if byte == UInt8(ascii: "{") {
                    throw malformed(text, "Unexpected \"{\" character.")
                }
                if byte == UInt8(ascii: "\"") { throw malformed(text, "Unexpected array element.") }
                cursor.advance()
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = cursor.peek else {
                        throw malformed(text, "Unexpected end of input.")
                    }
                    cursor.advance()
                    value.append(escaped)
                    wasEscaped = true
                    kept = value.count
                } else {
                    value.append(byte)
                    if !byte.isSpace { kept = value.count }
                }
            }
            if cursor.isAtEnd { throw malformed(text, "Unexpected end of input.") }
            value.removeSubrange(kept...)
            if value.isEmpty {
                let shown = cursor.peek.map { Character(UnicodeScalar($0)) } ?? " "
                throw malformed(text, "Unexpected \"\(shown)\" character.")
            }
            if !wasEscaped, value.count == 4,
                zip(value, "null".utf8).allSatisfy({ $0.asciiLowered == $1 })
            {
                elements.append(.null)
                return
            }
            try append(value)
        }

        private mutating func append(_ value: [UInt8]) throws(SQLError) {
            let type = elementType
            let settings = settings
            let parsed: Result<Datum, SQLError> = value.withUnsafeBytes { bytes in
                do throws(SQLError) {
                    return .success(try TypeIO.parseText(bytes, type: type, settings: settings))
                } catch {
                    return .failure(error)
                }
            }
            elements.append(try parsed.get())
        }
    }
}
