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
        key = row.flatMap(follow)
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
    private func follow(_ row: CursorRow) -> [UInt8]? {
        let transaction = executor.transaction
        var key = row.key
        let moved = transaction.database.movedRows
        if !row.isLocked, !moved.isEmpty {
            var place = MovedRows.Place(timestamp: row.readTimestamp, ordinal: .max)
            while let hop = key.withRaw({ moved.next(from: $0, after: place) }),
                hop.place.timestamp <= executor.readTimestamp
            {
                if hop.key.isEmpty { return nil }
                (key, place) = hop
            }
        }
        for move in transaction.moves where move.ordinal > row.readOrdinal && move.from == key {
            if move.to.isEmpty { return nil }
            key = move.to
        }
        return key
    }
}
