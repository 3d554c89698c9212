/// The built-in types by OID and by name. Types that a database defines itself join through its
/// catalog; what is here is true for every database.
public enum TypeRegistry {
    public static let all: [TypeDescriptor] = parseFacts()

    private static let byOID: [UInt32: Int] = {
        var map: [UInt32: Int] = [:]
        for (index, type) in all.enumerated() { map[type.oid.rawValue] = index }
        return map
    }()
    private static let byName: [String: Int] = {
        var map: [String: Int] = [:]
        for (index, type) in all.enumerated() { map[type.name] = index }
        return map
    }()

    public static func descriptor(_ oid: OID) -> TypeDescriptor? {
        guard let index = byOID[oid.rawValue] else { return nil }
        return all[index]
    }

    /// By pg_type.typname (`int4`, `_text`), not by SQL spelling.
    public static func descriptor(named name: String) -> TypeDescriptor? {
        guard let index = byName[name] else { return nil }
        return all[index]
    }

    /// The physical form of values of `oid`.
    @inlinable
    public static func physical(_ oid: OID) -> PhysicalKind {
        switch oid {
        case .int4, .date: .int4
        case .int8, .timestamp, .timestamptz, .time: .int8
        case .text, .varchar, .bpchar, .name: .text
        case .bool: .bool
        case .int2: .int2
        case .float8: .float8
        case .numeric: .numeric
        default: physicalSlow(oid)
        }
    }

    @usableFromInline
    static func physicalSlow(_ oid: OID) -> PhysicalKind { descriptor(oid)?.physical ?? .none }

    public static func arrayType(of element: OID) -> OID { descriptor(element)?.array ?? .invalid }

    /// The element type when `oid` is a true array type, or one of the two vectors.
    public static func elementType(of oid: OID) -> OID? {
        guard let type = descriptor(oid), type.isArray else { return nil }
        return type.element
    }

    private static func parseFacts() -> [TypeDescriptor] {
        var types: [TypeDescriptor] = []
        for line in builtInTypeFacts.split(separator: "\n") {
            let f = line.split(separator: " ")
            guard f.count == 21, let category = f[5].utf8.first, let delimiter = f[7].utf8.first,
                let alignment = f[11].utf8.first, let storage = f[12].utf8.first,
                let kindByte = f[4].utf8.first, let kind = TypeDescriptor.Kind(rawValue: kindByte)
            else { continue }
            func oid(_ index: Int) -> OID { OID(UInt32(f[index]) ?? 0) }
            var type = TypeDescriptor(
                oid: oid(0), name: String(f[1]), length: Int16(f[2]) ?? -1,
                isByValue: f[3] == "t", kind: kind, category: category,
                isPreferred: f[6] == "t", delimiter: delimiter, element: oid(8), array: oid(9),
                collation: oid(10), alignment: alignment, storage: storage, baseType: oid(13),
                input: oid(14), output: oid(15), receive: oid(16), send: oid(17),
                modifierInput: oid(18), modifierOutput: oid(19), subscripting: oid(20),
                physical: .none)
            type.physical = physicalForm(of: type)
            types.append(type)
        }
        return types
    }

    private static func physicalForm(of type: TypeDescriptor) -> PhysicalKind {
        switch type.oid {
        case .bool: return .bool
        case .char: return .byte
        case .int2: return .int2
        case .int4, .date: return .int4
        case .int8, .timestamp, .timestamptz, .time, .xid8, .pgLSN: return .int8
        case .oid, .xid, .cid, .regproc, .regprocedure, .regoper, .regoperator, .regclass,
            .regtype, .regrole, .regnamespace, .regcollation, .regconfig, .regdictionary:
            return .oid
        case .float4: return .float4
        case .float8: return .float8
        case .numeric: return .numeric
        case .text, .varchar, .bpchar, .name, .json, .jsonb, .unknown, .cstring, .refcursor,
            .pgNodeTree, .aclitem, .pgSnapshot, .txidSnapshot:
            return .text
        case .bytea: return .bytes
        case .uuid: return .uuid
        case .interval: return .interval
        // void is what a function without a result gives: the empty text.
        case .void: return .text
        default:
            return type.isArray ? .array : .none
        }
    }
}
