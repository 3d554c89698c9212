import FalconStorage

/// json as checked text, jsonb as PostgreSQL prints it: keys by length then bytes, the last of
/// duplicates, `", "` and `": "`, numbers as NUMERIC prints them.
public enum JSONText {
    /// The text itself, when it is one JSON value.
    public static func validate(_ text: UnsafeRawBufferPointer) throws(SQLError) -> String {
        let string = try TypeIO.validated(text)
        var parser = JSONParser(text)
        _ = try parser.document(building: false)
        return string
    }

    public static func normalize(_ text: UnsafeRawBufferPointer) throws(SQLError) -> String {
        let value = try parse(text)
        var writer = ByteWriter(capacity: text.count)
        value.append(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    public static func parse(_ text: UnsafeRawBufferPointer) throws(SQLError) -> JSONValue {
        _ = try TypeIO.validated(text)
        var parser = JSONParser(text)
        return try parser.document(building: true)
    }

    public static func parse(_ text: String) throws(SQLError) -> JSONValue {
        try withUTF8Bytes(of: text) { (bytes) throws(SQLError) in try parse(bytes) }
    }

    /// A string as JSON writes it, quotes included.
    public static func quoted(_ text: String) -> String {
        var writer = ByteWriter(capacity: text.utf8.count + 2)
        appendQuoted(text, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The same, appended.
    public static func appendQuoted(_ text: String, to writer: inout ByteWriter) {
        writer.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): writer.append(ascii: "\\\"")
            case UInt8(ascii: "\\"): writer.append(ascii: "\\\\")
            case 0x08: writer.append(ascii: "\\b")
            case 0x0C: writer.append(ascii: "\\f")
            case 0x0A: writer.append(ascii: "\\n")
            case 0x0D: writer.append(ascii: "\\r")
            case 0x09: writer.append(ascii: "\\t")
            case 0..<0x20:
                writer.append(ascii: "\\u00")
                writer.append(ByteaText.hexDigits.utf8Start[Int(byte >> 4)])
                writer.append(ByteaText.hexDigits.utf8Start[Int(byte & 15)])
            default: writer.append(byte)
            }
        }
        writer.append(UInt8(ascii: "\""))
    }
}

/// A JSON value as jsonb holds it.
public indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(NumericValue)
    case string(String)
    case array([JSONValue])
    /// Sorted by key length, then bytes; no key twice.
    case object([(key: String, value: JSONValue)])

    public func append(to writer: inout ByteWriter) {
        switch self {
        case .null: writer.append(ascii: "null")
        case .bool(let value): writer.append(utf8: value ? "true" : "false")
        case .number(let value): value.append(to: &writer)
        case .string(let value): JSONText.appendQuoted(value, to: &writer)
        case .array(let values):
            writer.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { writer.append(ascii: ", ") }
                value.append(to: &writer)
            }
            writer.append(UInt8(ascii: "]"))
        case .object(let members):
            writer.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { writer.append(ascii: ", ") }
                JSONText.appendQuoted(member.key, to: &writer)
                writer.append(ascii: ": ")
                member.value.append(to: &writer)
            }
            writer.append(UInt8(ascii: "}"))
        }
    }

    public var text: String {
        var writer = ByteWriter()
        append(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Members in jsonb's order, the last of duplicates.
    public static func object(unsorted members: [(key: String, value: JSONValue)]) -> JSONValue {
        func before(_ a: String, _ b: String) -> Bool {
            let x = a.utf8.count
            let y = b.utf8.count
            return x != y ? x < y : DatumOrder.compareText(a, b) < 0
        }
        let sorted = members.enumerated().sorted {
            if before($0.element.key, $1.element.key) { return true }
            if before($1.element.key, $0.element.key) { return false }
            return $0.offset < $1.offset
        }
        var kept: [(key: String, value: JSONValue)] = []
        for (_, member) in sorted {
            if let last = kept.last, DatumOrder.equalText(last.key, member.key) {
                kept.removeLast()
            }
            kept.append(member)
        }
        return .object(kept)
    }
}

/// RFC 8259, with PostgreSQL's errors.
private struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0
    private static let depthLimit = 512

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private func invalid(_ detail: String) -> SQLError {
        SQLError(
            .invalidTextRepresentation, "invalid input syntax for type json", detail: detail)
    }

    /// The token at the cursor, for messages.
    private var token: String {
        var end = position
        while end < bytes.count, isWordByte(bytes[end]) { end += 1 }
        if end == position, end < bytes.count {
            end += 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }
    private func isWordByte(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == 0x5F || byte >= 0x80
    }
    private func expected(_ what: String) -> SQLError {
        position >= bytes.count
            ? invalid("The input string ended unexpectedly.")
            : invalid("Expected \(what), but found \"\(token)\".")
    }

    private mutating func skipSpaces() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    mutating func document(building: Bool) throws(SQLError) -> JSONValue {
        let result = try value(building)
        skipSpaces()
        if position < bytes.count { throw expected("end of input") }
        return result
    }

    private mutating func value(_ building: Bool) throws(SQLError) -> JSONValue {
        skipSpaces()
        guard position < bytes.count else { throw expected("JSON value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(building)
        case UInt8(ascii: "["): return try array(building)
        case UInt8(ascii: "\""): return .string(try string(building))
        case UInt8(ascii: "-"), 48...57: return try number(building)
        default:
            guard isWordByte(bytes[position]) else { throw expected("JSON value") }
            let word = token
            let start = position
            position += word.utf8.count
            switch word {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .null
            default:
                position = start
                throw invalid("Token \"\(word)\" is invalid.")
            }
        }
    }

    private mutating func enter() throws(SQLError) {
        depth += 1
        if depth > Self.depthLimit {
            throw SQLError(
                .statementTooComplex, "stack depth limit exceeded",
                detail: "The JSON value is nested more than \(Self.depthLimit) levels deep.")
        }
    }

    private mutating func object(_ building: Bool) throws(SQLError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        position += 1
        var members: [(key: String, value: JSONValue)] = []
        skipSpaces()
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        while true {
            skipSpaces()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw expected(members.isEmpty ? "string or \"}\"" : "string")
            }
            let key = try string(building)
            skipSpaces()
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
                throw expected("\":\"")
            }
            position += 1
            let value = try value(building)
            if building { members.append((key, value)) }
            skipSpaces()
            guard position < bytes.count else { throw expected("\",\" or \"}\"") }
            if bytes[position] == UInt8(ascii: ",") {
                position += 1
            } else if bytes[position] == UInt8(ascii: "}") {
                position += 1
                return building ? .object(unsorted: members) : .null
            } else {
                throw expected("\",\" or \"}\"")
            }
        }
    }

    private mutating func array(_ building: Bool) throws(SQLError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        position += 1
        var values: [JSONValue] = []
        skipSpaces()
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            let next = try value(building)
            if building { values.append(next) }
            skipSpaces()
            guard position < bytes.count else { throw expected("\",\" or \"]\"") }
            if bytes[position] == UInt8(ascii: ",") {
                position += 1
            } else if bytes[position] == UInt8(ascii: "]") {
                position += 1
                return .array(values)
            } else {
                throw expected("\",\" or \"]\"")
            }
        }
    }

    private mutating func number(_ building: Bool) throws(SQLError) -> JSONValue {
        let start = position
        func digits() -> Bool {
            let first = position
            while position < bytes.count, bytes[position].isDigit { position += 1 }
            return position > first
        }
        func bad() -> SQLError {
            while position < bytes.count, isWordByte(bytes[position]) { position += 1 }
            return invalid(
                "Token \"\(String(decoding: bytes[start..<position], as: UTF8.self))\" is invalid.")
        }
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == 48 {
            position += 1
        } else if !digits() {
            throw bad()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            if !digits() { throw bad() }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            if !digits() { throw bad() }
        }
        if position < bytes.count, isWordByte(bytes[position]) { throw bad() }
        if !building { return .null }
        return .number(
            try NumericValue(parsing: UnsafeRawBufferPointer(rebasing: bytes[start..<position])))
    }

    private mutating func string(_ building: Bool) throws(SQLError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        var high: UInt32?
        func unterminated() -> SQLError {
            invalid(
                "Token \"\(String(decoding: bytes[start...], as: UTF8.self))\" is invalid.")
        }
        while true {
            guard position < bytes.count else { throw unterminated() }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 {
                let hex = String(byte, radix: 16)
                throw invalid(
                    "Character with value 0x\(byte < 16 ? "0" : "")\(hex) must be escaped.")
            }
            guard byte == UInt8(ascii: "\\") else {
                if high != nil {
                    throw surrogate("Unicode low surrogate must follow a high surrogate.")
                }
                if building { text.append(byte) }
                continue
            }
            guard position < bytes.count else { throw unterminated() }
            let escape = bytes[position]
            position += 1
            if escape == UInt8(ascii: "u") {
                var code: UInt32 = 0
                for _ in 0..<4 {
                    guard position < bytes.count else { throw unterminated() }
                    guard let digit = bytes[position].hexValue else {
                        throw invalid("\"\\u\" must be followed by four hexadecimal digits.")
                    }
                    code = code << 4 | UInt32(digit)
                    position += 1
                }
                // json keeps escapes as they are: only jsonb must be able to show them.
                guard building else { continue }
                if let first = high {
                    guard code >= 0xDC00, code <= 0xDFFF else {
                        throw surrogate("Unicode low surrogate must follow a high surrogate.")
                    }
                    code = 0x10000 + (first - 0xD800) << 10 + (code - 0xDC00)
                    high = nil
                } else if code >= 0xD800, code <= 0xDBFF {
                    high = code
                    continue
                } else if code >= 0xDC00, code <= 0xDFFF {
                    throw surrogate("Unicode low surrogate must follow a high surrogate.")
                }
                if code == 0 {
                    throw SQLError(
                        SQLState("22P05"), "unsupported Unicode escape sequence",
                        detail: "\\u0000 cannot be converted to text.")
                }
                if let scalar = Unicode.Scalar(code) {
                    text.append(contentsOf: String(Character(scalar)).utf8)
                }
                continue
            }
            if high != nil {
                throw surrogate("Unicode low surrogate must follow a high surrogate.")
            }
            let plain: UInt8
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = escape
            case UInt8(ascii: "b"): plain = 0x08
            case UInt8(ascii: "f"): plain = 0x0C
            case UInt8(ascii: "n"): plain = 0x0A
            case UInt8(ascii: "r"): plain = 0x0D
            case UInt8(ascii: "t"): plain = 0x09
            default:
                throw invalid(
                    "Escape sequence \"\\\(String(decoding: [escape], as: UTF8.self))\" is invalid."
                )
            }
            if building { text.append(plain) }
        }
        if high != nil { throw surrogate("Unicode low surrogate must follow a high surrogate.") }
        return String(decoding: text, as: UTF8.self)
    }

    private func surrogate(_ detail: String) -> SQLError { invalid(detail) }
}
