/// A committed transaction as the log tells it: what change capture and restore work with.
public struct LoggedTransaction {
    public var header: CommitHeader
    /// The COMMIT record, and one beyond its last byte.
    public var lsn: LSN
    public var end: LSN
    /// BATCH_PART bodies in order, then the COMMIT's body. Owned.
    var parts: [[UInt8]]
    var body: [UInt8]

    /// Calls `visit` with every operation in order; false when a record is damaged.
    public func forEachOperation<E: Error>(
        _ visit: (WALOperation) throws(E) -> Void
    ) throws(E) -> Bool {
        for part in parts {
            let good = try Self.walk(part, { BatchPartView($0)?.operations() }, visit)
            if !good { return false }
        }
        return try Self.walk(body, { CommitRecordView($0)?.operations() }, visit)
    }

    private static func walk<E: Error>(
        _ bytes: [UInt8], _ open: (UnsafeRawBufferPointer) -> WALOperationIterator?,
        _ visit: (WALOperation) throws(E) -> Void
    ) throws(E) -> Bool {
        var failure: E?
        let good = bytes.withUnsafeBytes { buffer in
            guard var operations = open(buffer) else { return false }
            while let operation = operations.next() {
                do throws(E) {
                    try visit(operation)
                } catch {
                    failure = error
                    return false
                }
            }
            return !operations.isDamaged
        }
        if let failure { throw failure }
        return good
    }
}

/// Puts the transactions of a log together from its records.
///
/// Offline (`strict`, `tolerant`) it gives every transaction that recovery would replay. Following a
/// live writer it gives a transaction only once a chunk header says that it was published.
public final class TransactionReader {
    /// Something the log says in commit order.
    public enum Event {
        case transaction(LoggedTransaction)
        case incarnation(IncarnationRecord, LSN)
        case checkpoint(CheckpointRecord, LSN)
        case restorePoint(RestorePointRecord, LSN)
        case closedTimestamp(ClosedTimestampRecord, LSN)
    }

    public let reader: WALReader
    private let isFollowing: Bool
    private var parts: [TransactionID: [[UInt8]]] = [:]
    /// Read and not yet published, when following.
    private var waiting: [Event] = []
    private var waitingHead = 0
    /// Undecodable records met, by LSN.
    public private(set) var damagedRecords: [LSN] = []
    /// Transactions whose BATCH_PARTs wait for a COMMIT; orphans at the end of the log.
    public var incompleteTransactions: Int { parts.count }

    public init(
        directory: String, fileSystem: any FileSystem, from start: LSN = .zero,
        mode: WALReader.Mode = .strict
    ) throws(StorageError) {
        reader = try WALReader(
            directory: directory, fileSystem: fileSystem, from: start, mode: mode)
        isFollowing = mode == .follow
    }

    /// The next event, or nil at the (present) end.
    public func next() throws(StorageError) -> Event? {
        guard isFollowing else { return try read() }
        while true {
            if waitingHead < waiting.count {
                let event = waiting[waitingHead]
                if case .transaction(let transaction) = event,
                    transaction.end > reader.committedLSN
                {
                    guard let more = try read() else { return nil }
                    waiting.append(more)
                    continue
                }
                waitingHead += 1
                if waitingHead == waiting.count {
                    waiting.removeAll(keepingCapacity: true)
                    waitingHead = 0
                }
                return event
            }
            guard let event = try read() else { return nil }
            waiting.append(event)
        }
    }

    private func read() throws(StorageError) -> Event? {
        while let record = try reader.next() {
            switch record.tag {
            case .commit:
                guard let view = CommitRecordView(record.body) else { break }
                let mine = parts.removeValue(forKey: view.header.transaction) ?? []
                guard mine.count == Int(view.header.partCount) else {
                    // The parts lie before the start, or were lost with damaged bytes.
                    break
                }
                return .transaction(
                    LoggedTransaction(
                        header: view.header, lsn: record.lsn, end: record.end, parts: mine,
                        body: Array(record.body)))
            case .batchPart:
                guard let view = BatchPartView(record.body) else { break }
                if view.part == 0 { parts[view.transaction] = [] }
                parts[view.transaction, default: []].append(Array(record.body))
                continue
            case .incarnation:
                guard let found = IncarnationRecord(record.body) else { break }
                // A restart: what was under way before it never commits.
                parts.removeAll()
                return .incarnation(found, record.lsn)
            case .checkpoint:
                guard let found = CheckpointRecord(record.body) else { break }
                return .checkpoint(found, record.lsn)
            case .restorePoint:
                guard let found = RestorePointRecord(record.body) else { break }
                return .restorePoint(found, record.lsn)
            case .closedTimestamp:
                guard let found = ClosedTimestampRecord(record.body) else { break }
                return .closedTimestamp(found, record.lsn)
            default:
                if !record.tag.isCritical || record.tag == .ingest || record.tag == .prepare
                    || record.tag == .outcome
                {
                    continue
                }
            }
            damagedRecords.append(record.lsn)
        }
        return nil
    }
}
