/// A bounded list of what was committed: who, when and which keys. It is derived from the write-ahead
/// log behind the commits' backs, so that no commit pays for it.
///
///     entry    key: LSN u64 BE; value: ``AuditEntry/encoded()``
///     cursor   ``AuditCursor``, in the same commit as the entries before it
///
/// ``advance(limit:)`` takes in what was published since; after a crash it goes on where the surviving
/// cursor stands, and no entry is lost or twice. The engine must keep its log until then
/// (``EngineOptions/walRetainBytes``): what was released unread becomes a ``AuditEntry/Kind/gap``.
/// Thread-safe; one advances at a time.
public final class TransactionAuditLog: @unchecked Sendable {
    /// A listed key is cut off here.
    public static let keyBytes = 256
    /// Entries that one commit of the audit log takes in.
    private static let entriesPerCommit = 256

    private let engine: StorageEngine
    private let options: AuditOptions
    private let advancing = Monitor()

    /// An audit log over `engine`, which it keeps alive. Reads nothing before ``advance(limit:)``.
    public init(_ engine: StorageEngine, _ options: AuditOptions = .init()) {
        self.engine = engine
        self.options = options
    }

    /// Takes in what was committed since the last time, at most `limit` transactions, then drops what
    /// is too old or too much.
    /// - Returns: how many entries were added. Fewer than `limit`: nothing is left for now.
    @discardableResult
    public func advance(limit: Int = .max) throws(StorageError) -> Int {
        let side = try engine.writable()
        advancing.lock()
        defer { advancing.unlock() }
        let published = side.pipeline.publishedEnd
        var cursor = try readCursor() ?? AuditCursor(lsn: .zero)
        var added = 0
        var batch = WriteBatch()
        var gap = try gap(before: cursor.lsn)
        let reader = try ChangeReader(
            root: engine.path, fileSystem: engine.environment.fileSystem,
            from: gap?.endLSN ?? cursor.lsn, mode: .live)
        reader.vouch(for: published)
        // A transaction that the gap cuts is known by the first that follows.
        var ahead = gap == nil ? nil : try reader.next()
        if let passed = reader.passedEnd, passed <= published { gap?.endLSN = passed }
        if let gap {
            try add(gap, to: batch, &cursor)
            cursor.lsn = gap.endLSN
            added += 1
        }
        while added < limit {
            var found = ahead
            ahead = nil
            if found == nil { found = try reader.next() }
            guard let event = found else { break }
            guard let entry = try entry(event) else { continue }
            try add(entry, to: batch, &cursor)
            cursor.lsn = entry.endLSN
            added += 1
            if batch.operationCount >= Self.entriesPerCommit {
                try commit(batch, cursor)
                batch = WriteBatch()
            }
        }
        let before = cursor
        try prune(&cursor, batch)
        if !batch.isEmpty || cursor != before { try commit(batch, cursor) }
        return added
    }

    /// Where ``advance(limit:)`` goes on; zero before its first entry.
    public var position: LSN {
        get throws(StorageError) { try readCursor()?.lsn ?? .zero }
    }

    /// The kept entries from `start` on, oldest first.
    /// - Parameter prefix: only those that list a key which begins with it.
    public func entries(
        from start: LSN = .zero, prefix: [UInt8] = [], limit: Int = .max
    ) throws(StorageError) -> [AuditEntry] {
        var found: [AuditEntry] = []
        if limit <= 0 { return found }
        let range = KeyRange(
            lower: SystemKey.make(.auditEntries, start.rawValue),
            upper: SystemKey.range(.auditEntries).upper)
        try engine.forEach(in: range) { key, value throws(StorageError) in
            guard let lsn = SystemKey.parse(key)?.number,
                let entry = AuditEntry(lsn: LSN(lsn), value)
            else { throw Self.damaged }
            if prefix.isEmpty || entry.keys.contains(where: { $0.starts(with: prefix) }) {
                found.append(entry)
            }
            return found.count < limit
        }
        return found
    }

    // MARK: - From the log

    /// Nil for what the audit log itself has written, and for the schema's checkpoints.
    private func entry(_ event: ChangeEvent) throws(StorageError) -> AuditEntry? {
        switch event {
        case .checkpoint: return nil
        case .ingest(let record, let lsn, let end):
            return AuditEntry(
                kind: .ingest, lsn: lsn, endLSN: end, timestamp: record.timestamp,
                wallMicros: record.wallMicros, operationCount: record.entryCount)
        case .transaction(let transaction):
            var entry = AuditEntry(
                kind: .commit, lsn: transaction.lsn, endLSN: transaction.endLSN,
                transaction: transaction.header.transaction,
                timestamp: transaction.header.timestamp,
                wallMicros: transaction.header.wallMicros,
                database: transaction.header.database, epoch: transaction.header.epoch)
            let own = SystemKey.prefix(.auditCursor)
            var isOwn = false
            try transaction.forEachOperation { operation throws(StorageError) in
                if operation.operationClass == .system, operation.key.starts(with: own) {
                    isOwn = true
                    return false
                }
                entry.operationCount += 1
                let isListed =
                    operation.operationClass == .row || operation.operationClass == .catalog
                if isListed, entry.keys.count < options.maximumKeys {
                    entry.keys.append(Array(operation.key.prefix(Self.keyBytes)))
                }
                return true
            }
            return isOwn ? nil : entry
        }
    }

    /// What lies between the cursor and the kept log, if anything was missed there.
    private func gap(before cursor: LSN) throws(StorageError) -> AuditEntry? {
        guard cursor > .zero else { return nil }
        let probe = try WALReader(
            directory: FileNames(root: engine.path).walDirectory,
            fileSystem: engine.environment.fileSystem, mode: .follow)
        _ = try probe.next()
        guard let header = probe.segmentHeader, header.firstLSN > cursor,
            let predecessor = header.predecessor, predecessor.lastLSN > cursor
        else { return nil }
        return AuditEntry(
            kind: .gap, lsn: cursor, endLSN: header.firstLSN,
            wallMicros: engine.storeMicros)
    }

    // MARK: - Rows

    private func add(
        _ entry: AuditEntry, to batch: WriteBatch, _ cursor: inout AuditCursor
    ) throws(StorageError) {
        let key = SystemKey.make(.auditEntries, entry.lsn.rawValue)
        let value = entry.encoded()
        try batch.putSystem(key, value)
        cursor.entryCount &+= 1
        cursor.byteCount &+= UInt64(key.count + value.count)
    }

    /// The cursor comes first: by it the audit log knows its own commits again.
    private func commit(_ batch: WriteBatch, _ cursor: AuditCursor) throws(StorageError) {
        let whole = WriteBatch()
        try whole.putSystem(SystemKey.prefix(.auditCursor), cursor.encoded())
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = try batch.operation(at: ordinal) else { continue }
            if operation.kind == .rangeDelete {
                try whole.deleteRange(
                    lower: operation.key, upper: operation.value, class: .system)
            } else {
                try whole.put(key: operation.key, value: operation.value, class: .system)
            }
        }
        try engine.commitAndWait(whole, CommitOptions(durability: .written))
    }

    /// Drops the oldest entries while they are too old or all are too many bytes.
    private func prune(
        _ cursor: inout AuditCursor, _ batch: WriteBatch
    ) throws(StorageError) {
        let moment = engine.storeMicros
        let oldest =
            options.maximumAgeMicros == 0
            ? 0 : moment &- min(moment, options.maximumAgeMicros)
        let rows = try engine.makeIterator(SystemKey.range(.auditEntries), at: .max)
        try rows.seekToFirst()
        var last: [UInt8]?
        while rows.isValid {
            guard let lsn = SystemKey.parse(rows.key)?.number,
                let entry = AuditEntry(lsn: LSN(lsn), rows.value)
            else { throw Self.damaged }
            guard entry.ageMicros < oldest || cursor.byteCount > options.maximumBytes else {
                break
            }
            let bytes = UInt64(rows.key.count + rows.value.count)
            cursor.byteCount &-= min(bytes, cursor.byteCount)
            cursor.entryCount &-= min(1, cursor.entryCount)
            last = rows.keyBytes
            try rows.next()
        }
        guard let last else { return }
        try SystemKey.prefix(.auditEntries).withStorageBytes { lower throws(StorageError) in
            try (last + [0]).withStorageBytes { upper throws(StorageError) in
                try batch.deleteRange(lower: lower, upper: upper, class: .system)
            }
        }
    }

    private func readCursor() throws(StorageError) -> AuditCursor? {
        guard let value = try engine.get(SystemKey.prefix(.auditCursor)) else { return nil }
        guard let cursor = AuditCursor(value) else { throw Self.damaged }
        return cursor
    }

    private static var damaged: StorageError {
        StorageError(
            .corruption, kind: .bug, "A row of the audit log makes no sense.",
            hint: "Its own keys must be left to it: storage ids 37 and 38 of database 0.")
    }
}
