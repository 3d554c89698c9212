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
    private(set) var lineNumber: Int64 = 0
    private(set) var isAtEnd = false

    /// The fields of the current line, each a slice of `bytes`.
    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Range<Int>?] = []
    private(set) var wasQuoted: [Bool] = []
    private var line: Range<Int> = 0..<0

    init(options: CopyOptions) { self.options = options }

    mutating func append(_ data: [UInt8]) {
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

    /// The text of the current line, for error contexts.
    var lineText: String { String(decoding: buffer[line].prefix(200), as: UTF8.self) }

    func text(_ field: Range<Int>) -> String { String(decoding: bytes[field], as: UTF8.self) }

    /// Cuts the next line into fields. False: more data is needed (at `isFinal`: there is no more).
    mutating func next(isFinal: Bool) throws(SQLError) -> Bool {
        if isAtEnd { return false }
        guard let end = findEnd(isFinal: isFinal) else {
            if isFinal, inQuotes {
                throw SQLError(.badCopyFileFormat, "unterminated CSV quoted field")
            }
            return false
        }
        lineNumber += 1
        var contentEnd = end.content
        if contentEnd > start, buffer[contentEnd - 1] == 0x0D, !end.wasCR { contentEnd -= 1 }
        line = start..<contentEnd
        start = end.next
        scan = end.next
        inQuotes = false
        if line.count == 2, buffer[line.lowerBound] == 0x5C, buffer[line.lowerBound + 1] == 0x2E {
            isAtEnd = true
            return false
        }
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        wasQuoted.removeAll(keepingCapacity: true)
        if options.isCSV { try cutCSV() } else { try cutText() }
        return true
    }

    private mutating func findEnd(
        isFinal: Bool
    ) -> (content: Int, next: Int, wasCR: Bool)? {
        let count = buffer.count
        if options.isCSV {
            let quote = options.quote
            let escape = options.escape
            while scan < count {
                let byte = buffer[scan]
                if inQuotes, byte == escape, escape != quote {
                    if scan + 1 >= count, !isFinal { return nil }
                    scan += 2
                    continue
                }
                if byte == quote {
                    inQuotes.toggle()
                } else if byte == 0x0A, !inQuotes {
                    return (scan, scan + 1, false)
                }
                scan += 1
            }
            scan = min(scan, count)
        } else {
            while scan < count {
                let byte = buffer[scan]
                if byte == 0x5C {
                    if scan + 1 >= count { break }
                    scan += 2
                    continue
                }
                if byte == 0x0A { return (scan, scan + 1, false) }
                scan += 1
            }
        }
        if isFinal, start < count, !inQuotes { return (count, count, false) }
        return nil
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
                if buffer[i] == 0x5C, i + 1 < end {
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
                unescape(fieldStart, fieldEnd)
                fields.append(outStart..<bytes.count)
            } else {
                bytes.append(contentsOf: raw)
                fields.append(outStart..<bytes.count)
            }
            if i >= end { return }
            i += 1
        }
    }

    private mutating func unescape(_ from: Int, _ to: Int) {
        var i = from
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
            guard byte == 0x5C, i < to else {
                bytes.append(byte)
                continue
            }
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
                bytes.append(UInt8(truncatingIfNeeded: value))
            case 0x78:
                guard i < to, let high = hex(buffer[i]) else {
                    bytes.append(next)
                    continue
                }
                i += 1
                if i < to, let low = hex(buffer[i]) {
                    i += 1
                    bytes.append(high << 4 | low)
                } else {
                    bytes.append(high)
                }
            default: bytes.append(next)
            }
        }
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
