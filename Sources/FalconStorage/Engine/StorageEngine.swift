/// One shard replica's storage: WAL, memtables, sorted tables and their manifest in one directory.
///
/// Every method may be called from any thread.
public final class StorageEngine: @unchecked Sendable {
    /// The data directory, as it was given to ``open(at:options:environment:)``.
    public let path: String
    /// What it was opened with.
    public let options: EngineOptions
    let environment: StorageEnvironment
    let store: TableStore
    let tree: Tree
    let cell: ReadStateCell
    let tracker: SnapshotTracker
    let scanCounters = ScanCounters()
    /// Nil when opened read-only.
    let writeSide: WriteSide?
    /// Up to here an engine that was opened read-only shows the log; nil: it was opened to be written to.
    public let replayedLSN: LSN?

    init(
        path: String, options: EngineOptions, environment: StorageEnvironment, store: TableStore,
        tree: Tree, tracker: SnapshotTracker, writeSide: WriteSide?, replayedLSN: LSN? = nil
    ) {
        self.path = path
        self.options = options
        self.environment = environment
        self.store = store
        self.tree = tree
        cell = tree.cell
        self.tracker = tracker
        self.writeSide = writeSide
        self.replayedLSN = replayedLSN
    }

    deinit { try? writeSide?.close() }

    /// Waits for commits under way, makes the log durable, ends the threads and gives up the lock.
    /// Memtables are not flushed: the log has them. Idempotent; iterators and snapshots may outlive
    /// it.
    public func close() throws(StorageError) { try writeSide?.close() }

    /// The newest commit that readers may see.
    public var publishedTimestamp: Timestamp { tracker.publishedTimestamp }
    /// The oldest timestamp that a living snapshot reads at; the published one when there is none.
    public var oldestSnapshotTimestamp: Timestamp { tracker.safepoint() }

    /// A snapshot at ``publishedTimestamp``. `owner` names its holder to whoever wonders why old
    /// versions stay; up to 15 bytes cost no allocation.
    public func makeSnapshot(owner: String = "") -> Snapshot { tracker.makeSnapshot(owner: owner) }

    /// Another snapshot of the moment of `other`; nil when that has been released.
    public func makeSnapshot(like other: Snapshot, owner: String = "") -> Snapshot? {
        tracker.makeSnapshot(like: other, owner: owner)
    }

    /// Who keeps old versions alive, and how far back.
    public func safepointReport() -> SafepointReport {
        let oldest = tracker.oldest()
        let held = writeSide?.background.safepoint() ?? tracker.safepoint()
        let published = tracker.publishedTimestamp
        let holder: SafepointReport.Holder
        if let oldest, oldest.timestamp <= held {
            holder = .snapshot(owner: oldest.owner)
        } else {
            holder = held < published ? .retention : .none
        }
        return SafepointReport(
            timestamp: held, holder: holder,
            lagMicros: published.microsSince2000 - min(held, published).microsSince2000,
            snapshots: oldest?.count ?? 0)
    }

    func writable() throws(StorageError) -> WriteSide {
        guard let writeSide else { throw openedReadOnly }
        if writeSide.hasEnded {
            throw StorageError(.closed, kind: .user, "The engine is closed.")
        }
        return writeSide
    }

    /// Why an engine that was opened read-only takes no writes, and what helps.
    public var openedReadOnly: StorageError {
        StorageError(
            .readOnly, kind: .user, "The engine was opened read-only.",
            hint: "Of a restore's inspection, 'pitr-restore advance \(path) --promote' makes a "
                + "database.")
    }
}
