import FalconChanges
import FalconSchema
import FalconStorage

/// The rows of the tables at one moment, from which the log leads on.
///
/// A snapshot is named by the commit timestamp it is read at: it holds every transaction at or below it, and
/// the stream shows every one above it. The LSN that its rows carry is the end of the last of them.
extension ChangeStream {
    /// False: it was broken off.
    func takeSnapshot() throws(StorageError) -> Bool {
        let engine = try StorageEngine.look(
            at: root, cacheBytes: 8 << 20, environment: context.environment)
        defer { try? engine.close() }
        var point = try newestCommit(upTo: engine.publishedTimestamp)
        let tables = SchemaHistory()
        do throws(StorageError) {
            try tables.load(engine, at: point.timestamp)
        } catch  where error.code == .snapshotTooOld {
            // Compaction went on after the last commit in the log: the newest state is the only one.
            point.timestamp = engine.publishedTimestamp
            try tables.load(engine, at: point.timestamp)
        }
        let head = ChangeHead(snapshot: point.timestamp, at: point.end)
        let isWhole = try formatter.showSnapshot(head, tables.currentTables) {
            table, emit throws(StorageError) in
            try self.walk(table, engine, at: point.timestamp, emit)
        }
        guard isWhole else { return false }
        output.cursor.snapshot = point.timestamp
        try output.boundary(point.end)
        try output.settle(isLast: true)
        return true
    }

    private func walk(
        _ table: TableForm, _ engine: StorageEngine, at timestamp: Timestamp,
        _ emit: ChangeFormatter.EmitRow
    ) throws(StorageError) -> Bool {
        let descriptor = table.descriptor
        var range = KeyRange(
            prefix: CatalogKeys.prefix(descriptor.database, descriptor.storageID))
        if let lower = table.keyRange.lower { range.lower = lower }
        if let upper = table.keyRange.upper { range.upper = upper }
        let rows = try engine.makeIterator(range, at: timestamp)
        try rows.seekToFirst()
        var seen = 0
        while rows.isValid {
            try emit(rows.key, rows.value)
            try rows.next()
            seen += 1
            if seen & 0xFFF == 0, context.shouldStop { return false }
        }
        return true
    }

    /// The last transaction that the log states as committed, of those at or below `limit`: beside a live
    /// server the newest ones may yet be lost with the machine.
    private func newestCommit(
        upTo limit: Timestamp
    ) throws(StorageError) -> (timestamp: Timestamp, end: LSN) {
        let scan = try ChangeReader(
            root: root, fileSystem: context.fileSystem, mode: isLive ? .live : .dead)
        var found: (timestamp: Timestamp, end: LSN)?
        while let event = try scan.next() {
            switch event {
            case .transaction(let transaction) where transaction.header.timestamp <= limit:
                found = (transaction.header.timestamp, transaction.endLSN)
            case .ingest(let record, _, let end) where record.timestamp <= limit:
                found = (record.timestamp, end)
            default: break
            }
        }
        if let found { return found }
        let first = try ChangeReader.firstLSN(root: root, context.fileSystem)
        return (limit, first ?? ChangeReader.beginningLSN)
    }
}
