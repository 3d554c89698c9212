/// SQL spellings of types: what format_type prints and regtype reads.
public enum TypeNames {
    /// format_type(oid, NULL): the name without a modifier; `???` for an unknown type.
    public static func format(_ oid: OID) -> String { format(SQLType(oid)) }

    /// format_type(oid, typmod).
    public static func format(_ type: SQLType) -> String {
        if type.oid == .invalid { return "-" }
        if let descriptor = TypeRegistry.descriptor(type.oid) {
            if descriptor.isArray, type.oid != .int2vector, type.oid != .oidvector {
                return format(SQLType(descriptor.element, modifier: type.modifier)) + "[]"
            }
            return scalar(type, descriptor)
        }
        return "???"
    }

    private static func scalar(_ type: SQLType, _ descriptor: TypeDescriptor) -> String {
        let modifier = type.modifier
        switch type.oid {
        case .bool: return "boolean"
        case .int2: return "smallint"
        case .int4: return "integer"
        case .int8: return "bigint"
        case .float4: return "real"
        case .float8: return "double precision"
        case .any: return "\"any\""
        case .char: return "\"char\""
        case .bpchar: return modifier >= 4 ? "character(\(modifier - 4))" : "character"
        case .varchar:
            return modifier >= 4 ? "character varying(\(modifier - 4))" : "character varying"
        case .bit: return modifier >= 0 ? "bit(\(modifier))" : "bit"
        case .varbit: return modifier >= 0 ? "bit varying(\(modifier))" : "bit varying"
        case .numeric:
            guard modifier >= 4 else { return "numeric" }
            let packed = modifier - 4
            return "numeric(\((packed >> 16) & 0xFFFF),\(((packed & 0x7FF) ^ 1024) - 1024))"
        case .time: return "time\(precision(modifier)) without time zone"
        case .timetz: return "time\(precision(modifier)) with time zone"
        case .timestamp: return "timestamp\(precision(modifier)) without time zone"
        case .timestamptz: return "timestamp\(precision(modifier)) with time zone"
        case .interval: return interval(modifier)
        default: return descriptor.name
        }
    }

    private static func precision(_ modifier: Int32) -> String {
        modifier >= 0 ? "(\(modifier))" : ""
    }

    private static func interval(_ modifier: Int32) -> String {
        guard modifier >= 0 else { return "interval" }
        let fields: [(Int32, String)] = [
            (1 << 2, "year"), (1 << 1, "month"), (1 << 3, "day"), (1 << 10, "hour"),
            (1 << 11, "minute"), (1 << 12, "second"),
        ]
        let range = (modifier >> 16) & 0x7FFF
        var text = "interval"
        if range != 0x7FFF {
            let kept = fields.filter { range & $0.0 != 0 }
            if let first = kept.first, let last = kept.last {
                text += " " + first.1
                if kept.count > 1 { text += " to " + last.1 }
            }
        }
        let digits = modifier & 0xFFFF
        return digits < 7 ? text + "(\(digits))" : text
    }

    private static let aliases: [String: OID] = [
        "boolean": .bool, "smallint": .int2, "integer": .int4, "int": .int4, "bigint": .int8,
        "real": .float4, "double precision": .float8, "float": .float8, "decimal": .numeric,
        "dec": .numeric, "character": .bpchar, "char": .bpchar, "\"char\"": .char,
        "character varying": .varchar, "char varying": .varchar, "varchar": .varchar,
        "bit varying": .varbit, "time without time zone": .time,
        "time with time zone": .timetz, "timestamp without time zone": .timestamp,
        "timestamp with time zone": .timestamptz,
    ]

    /// A built-in type by SQL spelling or catalog name, with `[]` and `pg_catalog.`; a modifier in
    /// parentheses is skipped. Nil when it is no built-in type.
    public static func parse(_ text: String) -> OID? {
        var name = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
        var isArray = false
        while name.hasSuffix("]"), let open = name.lastIndex(of: "[") {
            isArray = true
            name = String(name[..<open])
            while name.hasSuffix(" ") { name.removeLast() }
        }
        if let open = name.firstIndex(of: "("), let close = name.lastIndex(of: ")"), open < close {
            let rest = name[name.index(after: close)...]
            name = String(name[..<open]) + rest
            name = name.split(separator: " ").joined(separator: " ")
        }
        if name.lowercased().hasPrefix("pg_catalog.") { name = String(name.dropFirst(11)) }
        let folded = name.lowercased()
        var found = aliases[folded]
        if found == nil {
            var plain = folded
            if name.hasPrefix("\""), name.hasSuffix("\""), name.utf8.count > 2 {
                plain = String(name.dropFirst().dropLast())
            }
            found = TypeRegistry.descriptor(named: plain)?.oid
        }
        guard let found else { return nil }
        if !isArray { return found }
        let array = TypeRegistry.arrayType(of: found)
        return array == .invalid ? nil : array
    }
}
