/// How values of a type are held and stored, whatever their SQL type.
public enum PhysicalKind: UInt8, Sendable {
    case bool
    /// `Datum.int` of one unsigned byte ("char").
    case byte
    case int2, int4, int8
    /// `Datum.int` of 32 bits without sign (oid, reg*, xid, cid).
    case oid
    case float4, float8
    case numeric
    case text
    case bytes
    /// 16 bytes exactly.
    case uuid
    case interval
    case array
    /// No value of this type can exist here (pseudo-types, and types not built yet).
    case none
}

/// What the system knows about one type: pg_type's facts.
public struct TypeDescriptor: Sendable {
    public enum Kind: UInt8, Sendable {
        case base = 0x62, pseudo = 0x70, range = 0x72, multirange = 0x6D
        case composite = 0x63, domain = 0x64, enumeration = 0x65
    }
    public var oid: OID
    public var name: String
    /// typlen: positive fixed, -1 varlena, -2 C string.
    public var length: Int16
    public var isByValue: Bool
    public var kind: Kind
    /// typcategory's letter.
    public var category: UInt8
    public var isPreferred: Bool
    public var delimiter: UInt8
    /// The element type of a true array or a subscriptable type (typelem).
    public var element: OID
    /// The type of arrays of this one.
    public var array: OID
    public var collation: OID
    public var alignment: UInt8
    public var storage: UInt8
    public var baseType: OID
    public var input: OID
    public var output: OID
    public var receive: OID
    public var send: OID
    public var modifierInput: OID
    public var modifierOutput: OID
    public var subscripting: OID
    public var physical: PhysicalKind

    /// A true array type: category A and elements by typelem.
    public var isArray: Bool { category == 0x41 && element != .invalid }
    public var isPseudo: Bool { kind == .pseudo }
}
