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
            // Tables that it does not name keep their numbers in the plan.
            _ = try names.schema.begin(root, fileSystem, loadSchema)
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
            case .checkpoint(let checkpoint): _ = try names.schema.takeReadable(checkpoint)
            case .ingest(let record, let lsn, let endLSN):
                if wanted.contains(lsn) { found[lsn, default: .init()].add(record, names) }
                if endLSN >= end { return found }
            case .transaction(let transaction):
                if wanted.contains(transaction.lsn) {
                    try found[transaction.lsn, default: .init()].add(transaction, names)
                } else {
                    try transaction.forEachOperation { operation throws(StorageError) in
                        _ = try names.schema.takeReadable(operation)
                        return true
                    }
                }
                if transaction.endLSN >= end { return found }
            }
        }
        return found
    }
}
