import FalconChanges

/// A JSON value whose objects keep the order of their fields, so that output is deterministic.
public indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    /// A number already in JSON's form, of any length.
    case number(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// A number of things.
    public static func count(_ value: Int) -> JSONValue { .int(Int64(value)) }
    /// The text of `value`, or null.
    public static func text(_ value: (some CustomStringConvertible)?) -> JSONValue {
        value.map { .string($0.description) } ?? .null
    }

    /// The text form, on one line.
    public var encoded: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text form to `bytes`.
    public func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .unsigned(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value):
            // JSON has no NaN and no infinity; PostgreSQL's spelling as a string keeps them apart.
            if value.isNaN {
                bytes.append(contentsOf: "\"NaN\"".utf8)
            } else if value.isInfinite {
                bytes.append(contentsOf: (value < 0 ? "\"-Infinity\"" : "\"Infinity\"").utf8)
            } else {
                bytes.append(contentsOf: value.description.utf8)
            }
        case .string(let value): Self.appendQuoted(value, to: &bytes)
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let fields):
            bytes.append(UInt8(ascii: "{"))
            for (index, (name, value)) in fields.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.appendQuoted(name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        JSONLineWriter.appendQuoted(text, to: &bytes)
    }

    /// One cell of a CSV row: bare text, quoted where it must be; null is empty.
    var csvCell: String {
        let plain =
            switch self {
            case .null: ""
            case .string(let value): value
            default: encoded
            }
        return CSVDialect.cell(plain)
    }
}
