import FalconSchema
import FalconStorage

/// WHERE CURRENT OF: the row that a cursor of the session stands on, as the statement sees it. At most
/// one, wherever it has gone since the cursor read it.
final class CurrentOfOperator: TableReadOperator {
    private let cursor: String
    private var key: [UInt8]?

    init(_ executor: PlanExecutor, _ node: ScanNode, cursor: String) {
        self.cursor = cursor
        super.init(executor, node)
    }

    override func open() throws(SQLError) {
        let session = try FunctionLibrary.sqlSession(of: executor.row.functions)
        let row = try session.currentRow(of: cursor, in: node.table)
        key = nil
        if let row { key = try follow(row) }
    }

    override func next() throws(SQLError) -> Bool {
        guard let key else { return false }
        self.key = nil
        return try key.withRaw { key throws(SQLError) -> Bool in
            guard try self.load(key) else { return false }
            return try self.accept(key)
        }
    }

    /// The row's key by now; nil when the row is gone and its key another's.
    private func follow(_ row: CursorRow) throws(SQLError) -> [UInt8]? {
        let transaction = executor.transaction
        var key = row.key
        let isCommitted = try key.withRaw { key throws(SQLError) -> Bool in
            if case .value = try transaction.written(key, below: row.readOrdinal) { return false }
            return !transaction.createdStorage.contains(node.table.storageID)
        }
        if !row.isLocked, isCommitted {
            let moved = transaction.database.movedRows
            var place = MovedRows.Place(timestamp: row.readTimestamp, ordinal: .max)
            while !moved.isEmpty, let hop = key.withRaw({ moved.next(from: $0, after: place) }),
                hop.place.timestamp <= executor.readTimestamp
            {
                if hop.key.isEmpty { return nil }
                (key, place) = hop
            }
            if try wasDeleted(key, since: place.timestamp) { return nil }
        }
        for move in transaction.moves where move.ordinal > row.readOrdinal && move.from == key {
            if move.to.isEmpty { return nil }
            key = move.to
        }
        return key
    }

    /// Whether the committed row that was at `key` at `since` is gone by the statement's snapshot, be there
    /// a later one at its key or not.
    private func wasDeleted(_ key: [UInt8], since: Timestamp) throws(SQLError) -> Bool {
        let engine = executor.engine
        let mayWait = executor.transaction.mayWait
        var at = executor.readTimestamp
        while at > since {
            let moment = at
            let commit = try storage { () throws(StorageError) in
                try key.withRaw { key throws(StorageError) in
                    try engine.visibleCommit(of: key, at: moment, mayWait: mayWait)
                }
            }
            guard let commit else { return true }
            at = Timestamp(commit.rawValue &- 1)
        }
        return false
    }
}
