import FalconChanges
import FalconStorage

/// Looks at what the commits on both sides of a target changed, with the names that the schema had then.
struct RestorePointReader {
    /// A data directory, or what looks like one.
    let root: String
    let isLive: Bool
    let fileSystem: any FileSystem
    /// Brings the schema where the log before the commits does not hold it.
    let loadSchema: (SchemaHistory) throws(StorageError) -> Void
    let progress: () throws(StorageError) -> Void

    /// What the points changed, by where each begins. A point whose record can no longer be read is left out: the
    /// plan does without.
    func contents(
        of points: [RestorePoint], catalog: LSN?, reachesBeginning: Bool
    ) throws(StorageError) -> [LSN: CommitContents] {
        guard let first = points.map(\.lsn).min(), let end = points.map(\.endLSN).max() else {
            return [:]
        }
        let names = WALNames()
        let start = catalog.map { min($0, first) }
        if start == nil, !reachesBeginning {
            try names.schema.begin(root, fileSystem, loadSchema)
        }
        let reader = try ChangeReader(
            root: root, fileSystem: fileSystem, from: start ?? .zero, mode: isLive ? .live : .dead)
        let wanted = Set(points.map(\.lsn))
        var found: [LSN: CommitContents] = [:]
        var count = 0
        while let event = try reader.next() {
            count += 1
            if count & 1023 == 0 { try progress() }
            switch event {
            case .checkpoint(let checkpoint): try names.schema.takeReadable(checkpoint)
            case .ingest(let record, let lsn, let endLSN):
                if wanted.contains(lsn) { found[lsn, default: .init()].add(record, names) }
                if endLSN >= end { return found }
            case .transaction(let transaction):
                if wanted.contains(transaction.lsn) {
                    try found[transaction.lsn, default: .init()].add(transaction, names)
                } else {
                    try transaction.forEachOperation { operation throws(StorageError) in
                        try names.schema.take(operation)
                        return true
                    }
                }
                if transaction.endLSN >= end { return found }
            }
        }
        return found
    }
}

extension SchemaHistory {
    /// Brings the schema of a log that does not reach back to its beginning: what `load` knows, and over it the
    /// first CHECKPOINT of the log, which knows tables that are no longer there at its end.
    func begin(
        _ root: String, _ fileSystem: any FileSystem,
        _ load: (SchemaHistory) throws(StorageError) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            try load(self)
        } catch  where error.code != .cancelled {
            // Damaged tables, say. The log's own catalog rows may do, and else the numbers.
        }
        if let checkpoint = try ChangeReader.firstCheckpoint(root: root, fileSystem) {
            try takeReadable(checkpoint)
        }
    }

    /// Takes in what can be decoded of a CHECKPOINT.
    func takeReadable(_ checkpoint: CheckpointRecord) throws(StorageError) {
        for entry in checkpoint.catalog {
            do throws(StorageError) {
                try apply(key: entry.key, value: entry.value)
            } catch  where error.code == .corruption || error.code == .unsupportedFormat {}
        }
    }
}
