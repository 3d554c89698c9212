import FalconStorage

/// Keys: database u32 BE, storage id u32 BE, then columns so that unsigned byte order is SQL order.
public enum KeyCodec {
    public static let prefixLength = 8

    public static func appendPrefix(
        database: DatabaseID, storage: StorageID, to writer: inout ByteWriter
    ) {}

    public static func prefix(database: DatabaseID, storage: StorageID) -> [UInt8] { [] }

    /// The database and storage id of a key; nil when it is too short.
    public static func parsePrefix(
        _ key: UnsafeRawBufferPointer
    ) -> (database: DatabaseID, storage: StorageID)? { nil }

    public static func appendRowID(_ rowID: UInt64, to writer: inout ByteWriter) {}

    /// Appends one column; `type` is the column's. 
    public static func append(
        _ datum: Datum, type: OID, descending: Bool = false, nullsFirst: Bool = false,
        to writer: inout ByteWriter
    ) throws(SQLError) {}

    /// Decodes one column. Exact but for what the encoding loses (numeric scale, -0.0, char
    /// padding, interval fields, "lossy" types): see ``isLossless(_:)``.
    public static func decode(
        _ reader: inout ByteReader, type: OID, descending: Bool = false, nullsFirst: Bool = false
    ) throws(SQLError) -> Datum { .null }

    /// True when ``decode`` gives back exactly what ``append`` was given: an index on such columns
    /// can answer a query without its table.
    public static func isLossless(_ type: OID) -> Bool { false }

    /// True when the type can be a key column.
    public static func isKeyable(_ type: OID) -> Bool { true }
}
