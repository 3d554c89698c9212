import FalconStorage

/// Reads JSON text, as far as the tools' own files need it: a number becomes ``JSONValue/double(_:)``.
struct JSONReader {
    private static let deepest = 64
    private let bytes: [UInt8]
    private var position = 0

    /// Nil when `bytes` are not one JSON value.
    static func value(of bytes: [UInt8]) -> JSONValue? {
        var reader = JSONReader(bytes: bytes)
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.position == bytes.count ? value : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }

    private mutating func eat(_ byte: Unicode.Scalar) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        guard depth < Self.deepest, let first = current else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map(JSONValue.string)
        case UInt8(ascii: "t"): return word("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return word("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return word("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func word(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func number() -> JSONValue? {
        let start = position
        while let byte = current, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
        return Double(String(decoding: bytes[start..<position], as: UTF8.self))
            .map(JSONValue.double)
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        guard eat("[") else { return nil }
        var values: [JSONValue] = []
        if eat("]") { return .array(values) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        } while eat(",")
        return eat("]") ? .array(values) : nil
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        guard eat("{") else { return nil }
        var fields: [(String, JSONValue)] = []
        if eat("}") { return .object(fields) }
        repeat {
            skipSpace()
            guard let name = string(), eat(":"), let value = value(depth: depth + 1) else {
                return nil
            }
            fields.append((name, value))
        } while eat(",")
        return eat("}") ? .object(fields) : nil
    }

    private mutating func string() -> String? {
        guard eat("\"") else { return nil }
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                text.append(contentsOf: String(escaped).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Character? {
        guard let byte = current else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Character(Unicode.Scalar(byte))
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { return nil }
            let digits = String(decoding: bytes[position..<(position + 4)], as: UTF8.self)
            position += 4
            return UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init).map(Character.init)
        default: return nil
        }
    }
}

extension JSONValue {
    /// The field of an object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields.first { $0.0 == name }?.1
    }
    var doubleValue: Double? {
        switch self {
        case .double(let value): value
        case .int(let value): Double(value)
        case .unsigned(let value): Double(value)
        default: nil
        }
    }
    var stringValue: String? {
        if case .string(let text) = self { return text }
        return nil
    }
    var elements: [JSONValue]? {
        if case .array(let values) = self { return values }
        return nil
    }
}
