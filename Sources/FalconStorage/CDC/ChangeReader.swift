/// Reads the committed transactions of a log in commit order: the feed of change capture and of
/// restore. Read-only, beside a live writer or after a dead one. Not thread-safe.
///
/// What counts as committed: beside a live writer, what its chunk headers state (the *committed
/// LSN*); after a dead one, everything that its recovery would replay, for that is what every later
/// reader of the directory will see. A transaction's parts are held in memory until its COMMIT while they
/// are small; those of a large one are read again from the log.
public final class ChangeReader {
    /// How the end of the log is treated.
    public enum Mode: Sendable {
        /// The writer is gone: all that recovery would replay is committed.
        case dead
        /// The writer may be running: up to the committed LSN, as of now.
        case live
        /// As `live`; after a nil, `next` may be called again and finds what was added since.
        case follow
    }

    private let walDirectory: String
    private let fileSystem: any FileSystem
    private let mode: Mode
    private let reader: WALReader
    private typealias Pending = (start: LSN, end: LSN, event: ChangeEvent)
    /// Read, and not yet known to be committed.
    private var pending: [Pending] = []
    private var pendingHead = 0
    /// Of the transaction whose COMMIT has yet to come.
    private var open: TransactionParts?
    private let heldPartBytes: Int
    private var segment: WALSegmentNumber?
    private var segmentCount = 0
    private var incarnation: UInt64 = 0
    /// Where the record of the event that `next` gave last begins.
    private(set) var eventLSN = LSN.zero
    /// Known to be committed from a later incarnation's header.
    private var inheritedCommit = LSN.zero
    private var logEnded = false
    /// The end of the COMMIT that was passed over because its first parts went with the log before them.
    private(set) var passedEnd: LSN?
    private var vouchedLSN = LSN.zero
    private var newestClosed = Timestamp.zero
    /// No commit at or below it follows those that `next` has given, once `next` has returned nil.
    public var closedTimestamp: Timestamp {
        pendingHead < pending.count ? .zero : newestClosed
    }
    /// What each later incarnation did not take over from the one before, as far as it was read.
    public private(set) var abandoned: [(after: LSN, until: LSN)] = []

    /// Reads `root`'s log from the first record at or after `start`.
    /// - Parameters:
    ///   - passesDamage: goes on behind damage instead of ending at it; see ``damages``.
    ///   - heldPartBytes: what of a transaction's parts is held in memory at the most.
    public init(
        root: String, fileSystem: any FileSystem, from start: LSN = .zero, mode: Mode,
        passesDamage: Bool = false, heldPartBytes: Int = 8 << 20
    ) throws(StorageError) {
        self.heldPartBytes = heldPartBytes
        walDirectory = FileNames(root: root).walDirectory
        self.fileSystem = fileSystem
        self.mode = mode
        reader = try WALReader(
            directory: walDirectory, fileSystem: fileSystem, from: start,
            mode: mode != .dead ? .follow : passesDamage ? .tolerant : .strict)
    }

    /// Where every log begins.
    public static var beginningLSN: LSN { WALContinuation.beginning.firstLSN }

    /// Where the log kept in `root` begins; nil without segments.
    public static func firstLSN(
        root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> LSN? {
        let directory = FileNames(root: root).walDirectory
        guard try fileSystem.exists(directory) else { return nil }
        let probe = try WALReader(directory: directory, fileSystem: fileSystem, mode: .follow)
        _ = try probe.next()
        return probe.firstLSN
    }

    /// The shard whose log is kept in `root`; nil without segments.
    public static func identity(
        root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> UID? {
        let directory = FileNames(root: root).walDirectory
        guard try fileSystem.exists(directory) else { return nil }
        let probe = try WALReader(directory: directory, fileSystem: fileSystem, mode: .follow)
        probe.skipsEncrypted = true
        _ = try probe.next()
        return probe.segmentHeader?.identity.shard
    }

    /// The first CHECKPOINT of the kept log that holds a schema; nil when there is none before damage.
    public static func firstCheckpoint(
        root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> CheckpointRecord? {
        let probe = try WALReader(
            directory: FileNames(root: root).walDirectory, fileSystem: fileSystem, mode: .follow)
        while let record = try probe.next() {
            guard record.tag == .checkpoint, let found = CheckpointRecord(record.body),
                !found.catalog.isEmpty
            else { continue }
            return found
        }
        return nil
    }

    /// How the log ends; valid after `next` returned nil.
    public var verdict: WALVerdict { reader.verdict }
    /// Damage that was passed over so far, in log order; empty unless the reader was made to pass it.
    public var damages: [WALDamage] { reader.damages }
    /// What ends at or before it is known to be committed; what was read beyond it is kept back until then.
    public var committedLSN: LSN { max(reader.committedLSN, inheritedCommit, vouchedLSN) }
    /// One beyond the last byte read.
    public var position: LSN { reader.position }
    /// What a live writer has committed and `next` has given, once it returned nil: nothing that ends at or
    /// before it follows.
    public var resolvedLSN: LSN { min(committedLSN, position) }

    /// Says that what ends at or before `end` is committed: for the writer's own process, which knows
    /// before its log does.
    func vouch(for end: LSN) { vouchedLSN = max(vouchedLSN, end) }

    /// The end of the log was met.
    public var hasEnded: Bool { logEnded }

    /// What the log lacks by what MANIFEST says; see ``LogExpectation``.
    public func missingEnd(
        _ expectation: LogExpectation
    ) throws(StorageError) -> WALDamage? { try expectation.missingEnd(of: reader) }
    /// What the log lacks at its beginning by what MANIFEST says; nil when nothing is missing.
    public func missingBeginning(_ expectation: LogExpectation) -> WALDamage? {
        expectation.missingBeginning(of: reader)
    }

    /// The next committed event, or nil at the end (in `follow` mode: for now). Throws
    /// `target-unreachable` when a segment was taken away before it was read, `corruption` when a
    /// live log is damaged; other damage is the ``verdict``.
    public func next() throws(StorageError) -> ChangeEvent? {
        while true {
            if pendingHead < pending.count {
                let first = pending[pendingHead]
                if isCommitted(first.end) {
                    eventLSN = first.start
                    pendingHead += 1
                    if pendingHead == pending.count || pendingHead > 1024 {
                        pending.removeFirst(pendingHead)
                        pendingHead = 0
                    }
                    return first.event
                }
            }
            if logEnded { return nil }
            guard let record = try readRecord() else {
                noteSegment()
                if case .corruption(let damage) = reader.verdict { try explain(damage) }
                if mode != .follow { logEnded = true }
                if pendingHead < pending.count, isCommitted(pending[pendingHead].end) { continue }
                return nil
            }
            noteSegment()
            guard let taken = try take(record) else { continue }
            // Of a dead writer's log all is committed: nothing waits.
            if pendingHead == pending.count, isCommitted(taken.end) {
                eventLSN = taken.start
                return taken.event
            }
            pending.append(taken)
        }
    }

    private func isCommitted(_ end: LSN) -> Bool {
        switch mode {
        case .dead: true
        case .live, .follow: end <= committedLSN
        }
    }

    private func readRecord() throws(StorageError) -> WALRecord? {
        do throws(StorageError) {
            return try reader.next()
        } catch  where error.code == .notFound {
            throw Self.vanished(error.location?.path ?? walDirectory)
        }
    }

    /// A damaged log is the verdict of a dead one. Of a live one, a missing old segment was released
    /// by its writer.
    private func explain(_ damage: WALDamage) throws(StorageError) {
        guard damage.kind == .missingSegment,
            case .walSegment(let missing) = FileNames.parse(VFSPath.name(of: damage.path))
        else {
            if mode == .follow { throw damage.error }
            return
        }
        for name in try fileSystem.list(walDirectory) {
            if case .walSegment(let number) = FileNames.parse(name), number < missing {
                if mode == .follow { throw damage.error }
                return
            }
        }
        throw Self.vanished(damage.path)
    }

    static func vanished(_ path: String) -> StorageError {
        StorageError(
            .targetUnreachable, kind: .user,
            "A log segment was released before it was read; the changes in it cannot be shown.",
            location: .init(path: path),
            hint: "Read faster, or keep more log (wal retention); then start over from a snapshot.")
    }

    private func noteSegment() {
        // For each record: a header is much to copy.
        guard reader.segmentCount != segmentCount else { return }
        segmentCount = reader.segmentCount
        guard let header = reader.segmentHeader, header.segment != segment else { return }
        if segment != nil, header.identity.incarnation != incarnation,
            let last = header.predecessor?.lastLSN
        {
            // A new incarnation: what its recovery replayed is committed, the rest never was.
            inheritedCommit = max(inheritedCommit, last)
            pending.removeSubrange(0..<pendingHead)
            pendingHead = 0
            pending.removeAll { $0.end > last }
            open = nil
            if last < header.firstLSN { abandoned.append((last, header.firstLSN)) }
        }
        segment = header.segment
        incarnation = header.identity.incarnation
    }

    /// The event that ends with `record`; nil: none does.
    private func take(_ record: WALRecord) throws(StorageError) -> Pending? {
        switch record.tag {
        case .batchPart:
            guard let part = BatchPartView(record.body) else { throw unreadable(record) }
            // A transaction's parts and its COMMIT lie side by side: what was open is an orphan.
            if part.part == 0 || open?.transaction != part.transaction {
                open = parts(of: part, at: record, in: reader)
            }
            open?.add(record.body, limit: heldPartBytes)
        case .commit:
            guard let view = CommitRecordView(record.body) else { throw unreadable(record) }
            var own = open?.transaction == view.header.transaction ? open : nil
            open = nil
            if view.header.partCount == 0 {
                own = nil
            } else if own?.count != Int(view.header.partCount) {
                guard let collected = try collectParts(of: view.header, before: record.lsn) else {
                    passedEnd = record.end
                    return nil
                }
                own = collected
            }
            return (
                record.lsn, record.end,
                .transaction(
                    ChangeTransaction(
                        lsn: record.lsn, endLSN: record.end, header: view.header, parts: own,
                        commit: Array(record.body)))
            )
        case .checkpoint:
            guard let checkpoint = CheckpointRecord(record.body) else { throw unreadable(record) }
            if checkpoint.catalog.isEmpty { return nil }
            return (record.lsn, record.end, .checkpoint(checkpoint))
        case .ingest:
            open = nil
            guard let ingest = IngestRecord(record.body) else { throw unreadable(record) }
            return (record.lsn, record.end, .ingest(ingest, lsn: record.lsn, endLSN: record.end))
        case .incarnation:
            open = nil
        case .closedTimestamp:
            guard let closed = ClosedTimestampRecord(record.body) else { throw unreadable(record) }
            newestClosed = max(newestClosed, closed.timestamp)
        default:
            break
        }
        return nil
    }

    private func parts(
        of part: BatchPartView, at record: WALRecord, in reader: WALReader
    ) -> TransactionParts {
        TransactionParts(
            part.transaction, from: reader.bookmark(of: record), directory: walDirectory,
            fileSystem: fileSystem)
    }

    /// The parts of a transaction that began before the reader did. Nil when the log begins amid them: the
    /// first went with the segments before it, and the transaction lies before what is kept.
    private func collectParts(
        of header: CommitHeader, before end: LSN
    ) throws(StorageError) -> TransactionParts? {
        let earlier = try WALReader(directory: walDirectory, fileSystem: fileSystem)
        var found: TransactionParts?
        var isFirst = true
        /// Of the log's very first record, when it is one of the parts.
        var trimmed: UInt32 = 0
        while let record = try earlier.next(), record.lsn < end {
            defer { isFirst = false }
            guard record.tag == .batchPart, let part = BatchPartView(record.body),
                part.transaction == header.transaction
            else { continue }
            if isFirst { trimmed = part.part }
            if part.part == 0 || found == nil { found = parts(of: part, at: record, in: earlier) }
            found?.add(record.body, limit: heldPartBytes)
        }
        // All of them may have gone, and the log begin with the COMMIT.
        if isFirst, (earlier.firstLSN ?? .zero) > Self.beginningLSN { return nil }
        let count = found?.count ?? 0
        guard count == Int(header.partCount) else {
            if trimmed > 0, count + Int(trimmed) == Int(header.partCount) { return nil }
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The first parts of transaction \(header.transaction.rawValue), which commits at "
                    + "\(end), are no longer in the log.")
        }
        return found
    }

    private func unreadable(_ record: WALRecord) -> StorageError {
        StorageError(
            .corruption, kind: .bug,
            "The \(record.tag) record at \(record.lsn) has a valid checksum and makes no sense.",
            location: .init(path: walDirectory))
    }
}
