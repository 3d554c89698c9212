/// A PostgreSQL object identifier.
public struct OID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public init(integerLiteral value: UInt32) { rawValue = value }
    public static let invalid = OID(0)
    @inlinable public static func < (a: OID, b: OID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

extension OID {
    public static let bool: OID = 16
    public static let bytea: OID = 17
    public static let char: OID = 18
    public static let name: OID = 19
    public static let int8: OID = 20
    public static let int2: OID = 21
    public static let int4: OID = 23
    public static let regproc: OID = 24
    public static let text: OID = 25
    public static let oid: OID = 26
    public static let json: OID = 114
    public static let float4: OID = 700
    public static let float8: OID = 701
    public static let unknown: OID = 705
    public static let bpchar: OID = 1042
    public static let varchar: OID = 1043
    public static let date: OID = 1082
    public static let time: OID = 1083
    public static let timestamp: OID = 1114
    public static let timestamptz: OID = 1184
    public static let interval: OID = 1186
    public static let numeric: OID = 1700
    public static let regclass: OID = 2205
    public static let regtype: OID = 2206
    public static let record: OID = 2249
    public static let cstring: OID = 2275
    public static let void: OID = 2278
    public static let uuid: OID = 2950
}

/// A type as an expression or column has it: the type's OID and its modifier (-1 for none;
/// varchar(n) is n + 4, numeric(p, s) is ((p << 16) | s) + 4).
public struct SQLType: Hashable, Sendable {
    public var oid: OID
    public var modifier: Int32
    @inlinable public init(_ oid: OID, modifier: Int32 = -1) {
        self.oid = oid
        self.modifier = modifier
    }
    public static let bool = SQLType(.bool)
    public static let int2 = SQLType(.int2)
    public static let int4 = SQLType(.int4)
    public static let int8 = SQLType(.int8)
    public static let float4 = SQLType(.float4)
    public static let float8 = SQLType(.float8)
    public static let numeric = SQLType(.numeric)
    public static let text = SQLType(.text)
    public static let unknown = SQLType(.unknown)
    public static let date = SQLType(.date)
    public static let timestamp = SQLType(.timestamp)
    public static let timestamptz = SQLType(.timestamptz)
}
