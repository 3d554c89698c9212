import FalconStorage

/// One row's change, its bytes borrowed for the call.
struct RowChange {
    enum Kind: String {
        case insert, update, delete, truncate, drop
        /// A row of a snapshot.
        case read
        /// Of storage that no known descriptor describes.
        case put, remove
        case removeRange = "remove-range"
    }

    var kind: Kind
    /// Nil for storage that no known descriptor describes.
    var table: TableForm?
    /// `storage:5/1001` where there is no table.
    var storage = ""
    var key: UnsafeRawBufferPointer
    /// The row of a put, the upper bound of a removed range.
    var value = UnsafeRawBufferPointer(start: nil, count: 0)
    var before: UnsafeRawBufferPointer?
    /// A delete of the old key of a row whose key was changed, or the put of that row under the new one.
    var movesKey = false
    /// Its place among the transaction's lines of rows, from 1, and among those of its table.
    var ordinal = 0
    var tableOrdinal = 0
}

/// A table was made, changed or dropped.
struct SchemaChange {
    enum Kind: String {
        case create, alter, drop
        /// As a snapshot found it.
        case read
    }

    var kind: Kind
    var table: TableForm
}

/// A sign of life: how far the stream has come.
package struct Heartbeat {
    /// All changes that end at or before it have been shown.
    var resolved: LSN
    var nowMicros: UInt64
    /// The moment of the newest commit shown.
    var lastMicros: UInt64?
    /// Log that is known to be there and not shown yet.
    var lagBytes: UInt64
    /// How long the oldest of it waits; 0 when all is shown.
    var lagMicros: UInt64

    package init(
        resolved: LSN, nowMicros: UInt64, lastMicros: UInt64?, lagBytes: UInt64, lagMicros: UInt64
    ) {
        self.resolved = resolved
        self.nowMicros = nowMicros
        self.lastMicros = lastMicros
        self.lagBytes = lagBytes
        self.lagMicros = lagMicros
    }
}
