import FalconSchema

/// Walks a json value's own text, so that what json's operators hand out is the text as it was
/// written. The text is valid: json values are checked when they are made.
struct JSONSlice {
    enum Kind { case null, bool, number, string, array, object }
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ text: String) {
        bytes = Array(text.utf8)
        range = Self.trimmed(bytes, 0..<bytes.count)
    }
    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = Self.trimmed(bytes, range)
    }

    private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
        }
        while start < end, isSpace(bytes[start]) { start += 1 }
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    var text: String { String(decoding: bytes[range], as: UTF8.self) }

    var kind: Kind {
        guard let first = bytes[range].first else { return .null }
        switch first {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: return .number
        }
    }

    /// The value as text: a string without quotes and escapes, NULL for null.
    func plain() throws(SQLError) -> Datum {
        switch kind {
        case .null: return .null
        case .string: return .text(try string())
        default: return .text(text)
        }
    }

    func string() throws(SQLError) -> String {
        if case .string(let value) = try JSONText.parse(text) { return value }
        return ""
    }

    /// The ranges between the commas of an array or object.
    private var pieces: [Range<Int>] {
        guard range.count >= 2 else { return [] }
        var pieces: [Range<Int>] = []
        var depth = 0
        var start = range.lowerBound + 1
        var index = start
        while index < range.upperBound - 1 {
            switch bytes[index] {
            case UInt8(ascii: "\""): index = endOfString(index)
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                pieces.append(start..<index)
                start = index + 1
            default: break
            }
            index += 1
        }
        let last = start..<(range.upperBound - 1)
        if !pieces.isEmpty || !Self.trimmed(bytes, last).isEmpty { pieces.append(last) }
        return pieces
    }

    /// The index of the quote that ends the string which begins at `start`.
    private func endOfString(_ start: Int) -> Int {
        var index = start + 1
        while index < range.upperBound, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index, range.upperBound - 1)
    }

    var elements: [JSONSlice] { pieces.map { JSONSlice(bytes, $0) } }

    func members() throws(SQLError) -> [(key: String, value: JSONSlice)] {
        var result: [(key: String, value: JSONSlice)] = []
        for piece in pieces {
            let body = Self.trimmed(bytes, piece)
            guard !body.isEmpty, bytes[body.lowerBound] == UInt8(ascii: "\"") else { continue }
            let end = endOfString(body.lowerBound)
            let key = try JSONSlice(bytes, body.lowerBound..<(end + 1)).string()
            guard let colon = bytes[(end + 1)..<body.upperBound].firstIndex(of: UInt8(ascii: ":"))
            else { continue }
            result.append((key, JSONSlice(bytes, (colon + 1)..<body.upperBound)))
        }
        return result
    }

    func member(_ key: String) throws(SQLError) -> JSONSlice? {
        guard kind == .object else { return nil }
        return try members().last { DatumOrder.equalText($0.key, key) }?.value
    }

    func element(_ index: Int64) -> JSONSlice? {
        guard kind == .array else { return nil }
        let all = elements
        let position = index < 0 ? Int64(all.count) + index : index
        guard position >= 0, position < Int64(all.count) else { return nil }
        return all[Int(position)]
    }

    func path(_ steps: [Datum]) throws(SQLError) -> JSONSlice? {
        var current: JSONSlice? = self
        for step in steps {
            guard let value = current, case .text(let key) = step else { return nil }
            switch value.kind {
            case .object: current = try value.member(key)
            case .array: current = Int64(key).flatMap { value.element($0) }
            default: return nil
            }
        }
        return current
    }
}
