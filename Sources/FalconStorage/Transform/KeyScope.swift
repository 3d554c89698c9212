/// What a wrapping key is for: files of two scopes never share one, and no file holds data of two.
public struct KeyScope: Hashable, Sendable, CustomStringConvertible {
    /// Values live on disk.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Log segments.
        case log = 1
        /// Tables and blob files with the rows of one database.
        case table = 2
        /// MANIFEST, and tables and blob files of the catalog or of keys that name no database.
        case shared = 3
        /// Log and MANIFEST of a checkpoint.
        case backup = 4
        /// What transactions spill.
        case temporary = 5
    }
    /// What the key is for.
    public var kind: Kind
    /// Of ``Kind/table``; else 0.
    public var database: UInt32

    /// A scope; `database` counts with ``Kind/table`` alone.
    public init(_ kind: Kind, database: UInt32 = 0) {
        self.kind = kind
        self.database = database
    }

    static let log = KeyScope(.log)
    static let shared = KeyScope(.shared)
    static let backup = KeyScope(.backup)
    static let temporary = KeyScope(.temporary)

    /// The scope of a key that begins with a database and a storage id, where ids below `catalogLimit` are the
    /// catalog's; with a limit of 0 keys name no database.
    static func ofKey(_ key: UnsafeRawBufferPointer, catalogLimit: UInt32) -> KeyScope {
        guard catalogLimit > 0, key.count >= 8 else { return .shared }
        func number(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        return number(4) < catalogLimit ? .shared : KeyScope(.table, database: number(0))
    }

    static func ofKey(_ key: [UInt8], catalogLimit: UInt32) -> KeyScope {
        key.withUnsafeBytes { ofKey($0, catalogLimit: catalogLimit) }
    }

    public var description: String {
        switch kind {
        case .log: "wal"
        case .table: "table:\(database)"
        case .shared: "sst"
        case .backup: "backup"
        case .temporary: "temporary"
        }
    }
}
