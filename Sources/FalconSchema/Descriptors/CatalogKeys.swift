import FalconStorage

/// Where the catalog's rows live: reserved storage ids, below every table's.
///
///     key    database u32 BE | storage id u32 BE | OID u32 BE
///     1      shared keyspace (database 0): a database; value: DatabaseID u32 LE, name
///            [flags u8 (1 template, 2 no connections), connection limit i32 LE]
///     2      shared keyspace: counters, key OID 0; value: next OID u32 LE, next storage id u32 LE
///     3      a schema; value: owner OID u32 LE, name
///     4      a table; value: ``TableDescriptor/encoded()``
///     5      a view; value: owner u32 LE, schema OID u32 LE, name, definition
///     6      a sequence; value: schema OID u32 LE, name, start, increment, minimum, maximum i64 LE,
///            cycles u8, owner table OID u32 LE, owner attribute i16 LE
///            [type OID u32 LE, cache i64 LE, state's OID u32 LE, first state as under 7]
///            (absent: bigint, 1, the sequence's own, its start and 0)
///     7      a sequence's state, by the OID that its definition names: ALTER SEQUENCE begins a new
///            one; value: last reserved value i64 LE, was given out u8
///     8      shared keyspace: a role; value: flags u8 (1 login, 2 replication, 4 create databases,
///            8 create roles, 16 no inheritance, 32 bypasses row security, 64 dropped: the name is kept so
///            that nobody logs in with it), name
///     9      a comment: the OID is the object's (of databases and roles in the shared keyspace), followed by
///            the OID of the system relation that has the object, u32 BE, and the column's number, or 0,
///            i32 BE; value: the text
///     10     what ANALYZE found, by the storage id of a table or an index; value: `TableStatistics` of FalconSQL
///
/// Storage ids 32 to 63 of database 0 are the engine's own stores (docs/formats/stores.md).
///
/// Names are length-prefixed UTF-8. Operations on these keys have class `.catalog`.
public enum CatalogKeys {
    public static let shared = DatabaseID(0)
    public static let databases = StorageID(1)
    public static let counters = StorageID(2)
    public static let schemas = StorageID(3)
    public static let tables = StorageID(4)
    public static let views = StorageID(5)
    public static let sequences = StorageID(6)
    public static let sequenceStates = StorageID(7)
    public static let roles = StorageID(8)
    public static let comments = StorageID(9)
    /// What ANALYZE found, by storage id in place of an OID.
    public static let statistics = StorageID(10)
    /// The first storage id a table or index may have.
    public static let firstUserStorage: UInt32 = 1000
    /// The first OID that is not PostgreSQL's own.
    public static let firstUserOID: UInt32 = 16384

    /// The key of an object's catalog row.
    public static func key(_ database: DatabaseID, _ storage: StorageID, _ oid: OID) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(12)
        appendBigEndian(database.rawValue, to: &key)
        appendBigEndian(storage.rawValue, to: &key)
        appendBigEndian(oid.rawValue, to: &key)
        return key
    }

    /// The prefix of every key of one storage id.
    public static func prefix(_ database: DatabaseID, _ storage: StorageID) -> [UInt8] {
        Array(key(database, storage, .invalid).prefix(8))
    }

    private static func appendBigEndian(_ value: UInt32, to key: inout [UInt8]) {
        key.append(UInt8(truncatingIfNeeded: value >> 24))
        key.append(UInt8(truncatingIfNeeded: value >> 16))
        key.append(UInt8(truncatingIfNeeded: value >> 8))
        key.append(UInt8(truncatingIfNeeded: value))
    }
}
