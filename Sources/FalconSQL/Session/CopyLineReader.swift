import FalconSchema

/// Cuts COPY data into lines and fields, whatever the message boundaries.
///
/// Fields are ranges of `field bytes` after unescaping; nil is NULL.
struct CopyLineReader {
    let options: CopyOptions
    private var buffer: [UInt8] = []
    private var start = 0
    /// Where the search for the end of the current line goes on, and whether it is inside quotes.
    private var scan = 0
    private var inQuotes = false
    /// Ends of lines within the quotes of the line being read: they count as lines of the data. As in
    /// PostgreSQL a line feed does once a line has ended with one.
    private var innerLines: Int64 = 0
    private var wasEscape = false
    private var newline = NewlineKind.unknown
    /// The data holds bytes that are no ASCII characters, or zeros.
    private var mayNeedValidation = false
    /// The current line is known as a whole: error contexts may show it.
    private(set) var hasLine = false
    private(set) var lineNumber: Int64 = 0
    private(set) var isAtEnd = false

    /// The fields of the current line, each a slice of `bytes`.
    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Range<Int>?] = []
    private(set) var wasQuoted: [Bool] = []
    private var line: Range<Int> = 0..<0

    init(options: CopyOptions) { self.options = options }

    mutating func append(_ data: [UInt8]) {
        if !mayNeedValidation {
            // One pass that the compiler makes wide.
            var high: UInt8 = 0
            var hasZero = false
            for byte in data {
                high |= byte
                hasZero = hasZero || byte == 0
            }
            mayNeedValidation = high >= 0x80 || hasZero
        }
        if start == buffer.count {
            buffer = data
            scan = 0
            start = 0
            return
        }
        if start > 1 << 16 {
            buffer.removeSubrange(..<start)
            scan -= start
            start = 0
        }
        buffer.append(contentsOf: data)
    }

    /// Bytes of data and of the current line's fields.
    var memoryBytes: Int { buffer.capacity &+ bytes.capacity }

    /// The text of the current line, for error contexts.
    var lineText: String { Self.shown(buffer[line]) }

    func text(_ field: Range<Int>) -> String { String(decoding: bytes[field], as: UTF8.self) }

    /// A field for error contexts.
    func shown(_ field: Range<Int>) -> String { Self.shown(bytes[field]) }

    /// As PostgreSQL shows data: a hundred bytes at most, cut at a character.
    private static func shown(_ data: ArraySlice<UInt8>) -> String {
        guard data.count > 100 else { return String(decoding: data, as: UTF8.self) }
        var end = data.startIndex + 100
        while end > data.startIndex, data[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: data[data.startIndex..<end], as: UTF8.self) + "..."
    }

    /// Cuts the next line into fields. False: more data is needed (at `isFinal`: there is no more).
    mutating func next(isFinal: Bool) throws(SQLError) -> Bool {
        if isAtEnd { return false }
        hasLine = false
        let end: LineEnd
        do throws(SQLError) {
            guard let found = try findEnd(isFinal: isFinal) else {
                guard isFinal, start < buffer.count else { return false }
                countLine()
                line = start..<buffer.count
                hasLine = true
                throw SQLError(.badCopyFileFormat, "unterminated CSV quoted field")
            }
            end = found
        } catch {
            if !hasLine { countLine() }
            throw error
        }
        countLine()
        line = start..<end.content
        if mayNeedValidation { try validate(start..<min(end.next, buffer.count)) }
        start = end.next
        scan = end.next
        inQuotes = false
        wasEscape = false
        isAtEnd = end.isMarker
        if end.isMarker, line.isEmpty { return false }
        hasLine = true
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        wasQuoted.removeAll(keepingCapacity: true)
        if options.isCSV { try cutCSV() } else { try cutText() }
        return true
    }

    private mutating func countLine() {
        lineNumber += 1 + innerLines
        innerLines = 0
    }

    private func validate(_ range: Range<Int>) throws(SQLError) {
        try buffer.withRaw { raw throws(SQLError) in
            try TypeIO.validate(UnsafeRawBufferPointer(rebasing: raw[range]))
        }
    }

    /// Where a line ends, where the next begins, and whether it was the end-of-copy marker.
    private struct LineEnd {
        var content: Int
        var next: Int
        var isMarker = false
    }

    /// The kind of line end in use, which the first one decides.
    private enum NewlineKind { case unknown, lineFeed, carriageReturn, both }

    private func literal(_ name: String, _ letter: String) -> SQLError {
        options.isCSV
            ? SQLError(
                .badCopyFileFormat, "unquoted \(name) found in data",
                hint: "Use quoted CSV field to represent \(name).")
            : SQLError(
                .badCopyFileFormat, "literal \(name) found in data",
                hint: "Use \"\\\(letter)\" to represent \(name).")
    }

    private mutating func findEnd(isFinal: Bool) throws(SQLError) -> LineEnd? {
        let count = buffer.count
        let isCSV = options.isCSV
        let quote = options.quote
        let escape: UInt8? = options.escape == quote ? nil : options.escape
        while scan < count {
            let byte = buffer[scan]
            // Also when it is the quote or the escape.
            if isCSV, byte == 0x5C, scan == start {
                switch try marker(isFinal: isFinal) {
                case .needsMore: return nil
                case .end(let end): return end
                case .data: break
                }
            }
            if isCSV, byte == quote || byte == escape {
                if inQuotes, byte == escape { wasEscape.toggle() }
                if byte == quote, !wasEscape { inQuotes.toggle() }
                if byte != escape { wasEscape = false }
                scan += 1
                continue
            }
            wasEscape = false
            guard byte <= 0x0D || byte == 0x5C, !inQuotes else {
                if inQuotes, byte == (newline == .lineFeed ? 0x0A : 0x0D) { innerLines += 1 }
                scan += 1
                continue
            }
            switch byte {
            case 0x0A:
                if newline == .carriageReturn || newline == .both {
                    throw literal("newline", "n")
                }
                newline = .lineFeed
                return LineEnd(content: scan, next: scan + 1)
            case 0x0D:
                if newline == .lineFeed { throw literal("carriage return", "r") }
                if newline != .carriageReturn {
                    if scan + 1 >= count, !isFinal { return nil }
                    if scan + 1 < count, buffer[scan + 1] == 0x0A {
                        newline = .both
                        return LineEnd(content: scan, next: scan + 2)
                    }
                    if newline == .both { throw literal("carriage return", "r") }
                    newline = .carriageReturn
                }
                return LineEnd(content: scan, next: scan + 1)
            case 0x5C where !isCSV:
                switch try marker(isFinal: isFinal) {
                case .needsMore: return nil
                case .end(let end): return end
                case .data: scan += 2
                }
            default: scan += 1
            }
        }
        if scan > count { scan = count }
        if isFinal, start < count, !inQuotes { return LineEnd(content: count, next: count) }
        return nil
    }

    private enum Marker {
        case needsMore
        case data
        case end(LineEnd)
    }

    /// What the backslash at `scan` is: with a full stop it ends the data when the line ends with it, in the same
    /// way as the lines before.
    private func marker(isFinal: Bool) throws(SQLError) -> Marker {
        guard scan + 1 < buffer.count else { return isFinal ? .data : .needsMore }
        guard buffer[scan + 1] == 0x2E else { return .data }
        let corrupt = SQLError(.badCopyFileFormat, "end-of-copy marker corrupt")
        let other = SQLError(
            .badCopyFileFormat, "end-of-copy marker does not match previous newline style")
        var place = scan + 2
        func byte() -> UInt8? { place < buffer.count ? buffer[place] : nil }
        func missing() throws(SQLError) -> Marker {
            if !isFinal { return .needsMore }
            if options.isCSV { return .data }
            throw corrupt
        }
        guard var last = byte() else { return try missing() }
        if newline == .both {
            if last == 0x0A {
                if options.isCSV { return .data }
                throw other
            }
            guard last == 0x0D else {
                if options.isCSV { return .data }
                throw corrupt
            }
            place += 1
            guard let following = byte() else { return try missing() }
            last = following
        }
        guard last == 0x0A || last == 0x0D else {
            if options.isCSV { return .data }
            throw corrupt
        }
        if newline == .lineFeed && last != 0x0A || newline == .both && last != 0x0A
            || newline == .carriageReturn && last != 0x0D
        {
            throw other
        }
        return .end(LineEnd(content: scan, next: place + 1, isMarker: true))
    }

    private mutating func cutText() throws(SQLError) {
        let delimiter = options.delimiter
        var i = line.lowerBound
        let end = line.upperBound
        while true {
            let fieldStart = i
            let outStart = bytes.count
            var hasEscape = false
            while i < end, buffer[i] != delimiter {
                if buffer[i] == 0x5C {
                    hasEscape = true
                    i += 1
                }
                i += 1
            }
            let fieldEnd = min(i, end)
            let raw = buffer[fieldStart..<fieldEnd]
            wasQuoted.append(false)
            if raw.elementsEqual(options.null) {
                fields.append(nil)
            } else if hasEscape {
                if unescape(fieldStart, fieldEnd) {
                    try bytes.withRaw { raw throws(SQLError) in
                        try TypeIO.validate(UnsafeRawBufferPointer(rebasing: raw[outStart...]))
                    }
                }
                fields.append(outStart..<bytes.count)
            } else {
                bytes.append(contentsOf: raw)
                fields.append(outStart..<bytes.count)
            }
            if i >= end { return }
            i += 1
        }
    }

    /// True when an escape stood for a byte that is no ASCII character, or for zero.
    private mutating func unescape(_ from: Int, _ to: Int) -> Bool {
        var i = from
        var isSuspect = false
        func hex(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        while i < to {
            let byte = buffer[i]
            i += 1
            guard byte == 0x5C else {
                bytes.append(byte)
                continue
            }
            // A backslash at the very end of the data stands for nothing.
            guard i < to else { break }
            let next = buffer[i]
            i += 1
            switch next {
            case 0x62: bytes.append(0x08)
            case 0x66: bytes.append(0x0C)
            case 0x6E: bytes.append(0x0A)
            case 0x72: bytes.append(0x0D)
            case 0x74: bytes.append(0x09)
            case 0x76: bytes.append(0x0B)
            case 0x30...0x37:
                var value = Int(next - 0x30)
                var digits = 1
                while digits < 3, i < to, (0x30...0x37).contains(buffer[i]) {
                    value = value * 8 + Int(buffer[i] - 0x30)
                    i += 1
                    digits += 1
                }
                let made = UInt8(truncatingIfNeeded: value)
                if made == 0 || made >= 0x80 { isSuspect = true }
                bytes.append(made)
            case 0x78:
                guard i < to, let high = hex(buffer[i]) else {
                    bytes.append(next)
                    continue
                }
                i += 1
                if i < to, let low = hex(buffer[i]) {
                    i += 1
                    let made = high << 4 | low
                    if made == 0 || made >= 0x80 { isSuspect = true }
                    bytes.append(made)
                } else {
                    if high == 0 { isSuspect = true }
                    bytes.append(high)
                }
            default: bytes.append(next)
            }
        }
        return isSuspect
    }

    private mutating func cutCSV() throws(SQLError) {
        let delimiter = options.delimiter
        let quote = options.quote
        let escape = options.escape
        var i = line.lowerBound
        let end = line.upperBound
        while true {
            let outStart = bytes.count
            var quoted = false
            var inside = false
            while i < end {
                let byte = buffer[i]
                if inside {
                    if byte == escape, i + 1 < end,
                        buffer[i + 1] == quote || buffer[i + 1] == escape
                    {
                        bytes.append(buffer[i + 1])
                        i += 2
                        continue
                    }
                    if byte == quote {
                        inside = false
                    } else {
                        bytes.append(byte)
                    }
                } else if byte == quote {
                    inside = true
                    quoted = true
                } else if byte == delimiter {
                    break
                } else {
                    bytes.append(byte)
                }
                i += 1
            }
            let range = outStart..<bytes.count
            wasQuoted.append(quoted)
            if !quoted, bytes[range].elementsEqual(options.null) {
                fields.append(nil)
            } else {
                fields.append(range)
            }
            if i >= end { return }
            i += 1
        }
    }
}
