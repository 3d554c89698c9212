import FalconSchema

/// SQL's spellings of types.
enum TypeNames {
    /// As format_type shows a type in messages.
    static func text(_ oid: OID) -> String {
        switch oid {
        case .bool: return "boolean"
        case .int2: return "smallint"
        case .int4: return "integer"
        case .int8: return "bigint"
        case .float4: return "real"
        case .float8: return "double precision"
        case .varchar: return "character varying"
        case .bpchar: return "character"
        case .char: return "\"char\""
        case .time: return "time without time zone"
        case .timetz: return "time with time zone"
        case .timestamp: return "timestamp without time zone"
        case .timestamptz: return "timestamp with time zone"
        case .varbit: return "bit varying"
        default: break
        }
        if let element = TypeRegistry.elementType(of: oid),
            TypeRegistry.descriptor(oid)?.isArray == true
        {
            return text(element) + "[]"
        }
        return TypeRegistry.descriptor(oid)?.name ?? "???"
    }

    /// With its modifier: `character varying(10)`.
    static func text(_ type: SQLType) -> String {
        let modifier = type.modifier
        guard modifier >= 0 else { return text(type.oid) }
        switch type.oid {
        case .varchar, .bpchar:
            return text(type.oid) + "(\(modifier - 4))"
        case .numeric:
            let packed = modifier - 4
            return "numeric(\((packed >> 16) & 0xFFFF),\(packed & 0x7FF))"
        case .timestamp: return "timestamp(\(modifier)) without time zone"
        case .timestamptz: return "timestamp(\(modifier)) with time zone"
        case .time: return "time(\(modifier)) without time zone"
        case .timetz: return "time(\(modifier)) with time zone"
        case .bit, .varbit: return text(type.oid) + "(\(modifier))"
        default: return text(type.oid)
        }
    }

    /// The type a written name stands for.
    static func resolve(_ name: AST.TypeName) throws(SQLError) -> SQLType {
        let schema = name.name.schema
        guard schema == nil || schema == "pg_catalog",
            var descriptor = TypeRegistry.descriptor(named: name.name.last)
        else {
            throw SQLError(
                .undefinedObject, "type \"\(name.name.text)\" does not exist",
                byteOffset: name.location >= 0 ? name.location : nil)
        }
        let modifier = try modifier(name, descriptor.oid)
        if name.arrayDimensions > 0 {
            guard let array = TypeRegistry.descriptor(descriptor.array) else {
                throw SQLError(
                    .undefinedObject, "type \"\(name.name.text)[]\" does not exist",
                    byteOffset: name.location >= 0 ? name.location : nil)
            }
            descriptor = array
        }
        return SQLType(descriptor.oid, modifier: modifier)
    }

    private static func modifier(_ name: AST.TypeName, _ oid: OID) throws(SQLError) -> Int32 {
        if name.modifiers.isEmpty { return -1 }
        var numbers: [Int32] = []
        for modifier in name.modifiers {
            guard case .constant(.integer(let value), _) = modifier else {
                throw SQLError(
                    .syntaxError, "type modifiers must be simple constants or identifiers",
                    byteOffset: name.location)
            }
            numbers.append(value)
        }
        func invalid(_ message: String) -> SQLError {
            SQLError(.invalidParameterValue, message, byteOffset: name.location)
        }
        let first = numbers[0]
        switch oid {
        case .varchar, .bpchar:
            let label = oid == .varchar ? "varchar" : "char"
            guard numbers.count == 1 else { throw invalid("invalid type modifier") }
            guard first >= 1 else { throw invalid("length for type \(label) must be at least 1") }
            guard first <= 10_485_760 else {
                throw invalid("length for type \(label) cannot exceed 10485760")
            }
            return first + 4
        case .numeric:
            guard numbers.count <= 2 else { throw invalid("invalid NUMERIC type modifier") }
            guard first >= 1, first <= 1000 else {
                throw invalid("NUMERIC precision \(first) must be between 1 and 1000")
            }
            let scale = numbers.count == 2 ? numbers[1] : 0
            guard scale >= -1000, scale <= 1000 else {
                throw invalid("NUMERIC scale \(scale) must be between -1000 and 1000")
            }
            return ((first << 16) | (scale & 0x7FF)) + 4
        case .timestamp, .timestamptz, .time, .timetz:
            guard first >= 0 else { throw invalid("precision must not be negative") }
            return min(first, 6)
        case .bit, .varbit:
            guard first >= 1 else { throw invalid("length for type bit must be at least 1") }
            return first
        case .interval:
            // Fields and precision: only the full range with a precision is kept.
            return numbers.count == 2 ? (first << 16) | (numbers[1] & 0xFFFF) : first
        default:
            throw SQLError(
                .syntaxError, "type modifier is not allowed for type \"\(name.name.last)\"",
                byteOffset: name.location)
        }
    }
}
