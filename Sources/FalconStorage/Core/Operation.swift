/// What an operation does to its key. Values live on disk and never change meaning; 0 is reserved.
public enum OperationKind: UInt8, Sendable {
    /// The key has the value from now on.
    case put = 1
    /// The key has no value from now on.
    case delete = 2
    /// No key at or after the first and before the second has a value from now on.
    case rangeDelete = 3
    /// The value is a reference into a blob file.
    case valueReference = 4
    /// A prepared write of a cross-shard transaction; invisible to readers.
    case intent = 5
    /// Reserved: no writer makes it yet.
    case merge = 6
}

/// Which layer owns an operation's key. Values live on disk; 0 is reserved.
public enum OperationClass: UInt8, Sendable {
    /// A row of a table.
    case row = 1
    /// An entry of an index, derived from a row.
    case index = 2
    /// A row of the catalog: the schema.
    case catalog = 3
    /// The engine's own, as its stores write it.
    case system = 4
}

/// The SQL statement kind behind an operation, for change capture. Values live on disk.
public enum SQLOperation: UInt8, Sendable {
    /// No SQL statement.
    case none = 0
    /// INSERT, or what adds rows as it does.
    case insert = 1
    /// UPDATE.
    case update = 2
    /// DELETE.
    case delete = 3
    /// TRUNCATE.
    case truncate = 4
}

/// How much a commit has survived when it returns.
public enum Durability: UInt8, Sendable {
    /// In the process's memory: lost with the process.
    case buffered = 0
    /// Handed to the operating system: survives SIGKILL, not a power cut.
    case written = 1
    /// Forced to the device: survives a power cut.
    case synced = 2
}
