/// What the log says beside the commits.
extension CommitPipeline {
    /// Logs that no commit at or below the present moment follows. The last one is written on close,
    /// when no further commit is ordered.
    func closeTimestamp(isLast: Bool = false) throws(StorageError) {
        section.lock()
        defer { section.unlock() }
        guard let wal, isLast || !isRefusing else { throw refusal() }
        let (timestamp, wall) = clock.close()
        try wal.append(
            .closedTimestamp,
            ClosedTimestampRecord(timestamp: timestamp, wallMicros: wall).encoded())
        awaitsFirstCommit = !isLast
    }

    /// Logs a named place to restore to: all commits before it are in a restore to it, none that is ordered later.
    /// Returns where its record ends.
    func logRestorePoint(_ name: String) throws(StorageError) -> LSN {
        section.lock()
        defer { section.unlock() }
        guard let wal, !isRefusing else { throw refusal() }
        let (timestamp, wall) = clock.close()
        return try wal.append(
            .restorePoint,
            RestorePointRecord(name: name, timestamp: timestamp, wallMicros: wall).encoded()
        ).end
    }

    /// Logs a CHECKPOINT with the catalog read at `timestamp`. Nil when the catalog has changed since:
    /// the record must hold what every earlier record of the log made of it, and no less.
    func logCheckpoint(
        _ catalog: [CheckpointRecord.Entry], readAt timestamp: Timestamp, replay: LSN,
        wallMicros: UInt64
    ) throws(StorageError) -> LSN? {
        let body = CheckpointRecord(
            replayLSN: replay, timestamp: timestamp, wallMicros: wallMicros, catalog: catalog
        ).encoded()
        section.lock()
        defer { section.unlock() }
        guard let wal, !isRefusing else { throw refusal() }
        guard newestCatalogCommit <= timestamp else { return nil }
        return try wal.append(.checkpoint, body).end
    }
}
