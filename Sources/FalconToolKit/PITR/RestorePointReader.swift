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

    /// What the commits on both sides of `cut` changed, by where each begins. A commit whose records can no longer be
    /// read is left out: the plan does without.
    ///
    /// Of the log only their own records are read, and what says before them which tables there are: on a long log the
    /// rest would take longer than all else that a restore does.
    func contents(
        of cut: RestoreCut, reachesBeginning: Bool
    ) throws(StorageError) -> [LSN: CommitContents] {
        let points = [cut.last, cut.next].compactMap { $0 }
        guard let first = cut.pointsLSN, let end = points.map(\.endLSN).max() else { return [:] }
        let names = WALNames()
        if cut.catalogLSN == nil, !reachesBeginning {
            // Tables that it does not name keep their numbers in the plan.
            _ = try names.schema.begin(root, fileSystem, loadSchema)
        }
        if let schema = cut.schemaRecords { try read(schema, names) }
        return try read(points, from: first, until: end, names)
    }

    /// Takes the schema in, as of the end of `records`.
    private func read(_ records: Range<LSN>, _ names: WALNames) throws(StorageError) {
        let reader = try reader(from: records.lowerBound)
        var count = 0
        while let event = try reader.next() {
            try tell(&count)
            switch event {
            case .checkpoint(let checkpoint): _ = try names.schema.takeReadable(checkpoint)
            case .ingest(_, let lsn, _):
                if lsn >= records.upperBound { return }
            case .transaction(let transaction):
                if transaction.lsn >= records.upperBound { return }
                try take(transaction, names)
                if transaction.endLSN >= records.upperBound { return }
            }
        }
    }

    private func read(
        _ points: [RestorePoint], from start: LSN, until end: LSN, _ names: WALNames
    ) throws(StorageError) -> [LSN: CommitContents] {
        let reader = try reader(from: start)
        let wanted = Set(points.map(\.lsn))
        var found: [LSN: CommitContents] = [:]
        var count = 0
        while let event = try reader.next() {
            try tell(&count)
            switch event {
            case .checkpoint(let checkpoint): _ = try names.schema.takeReadable(checkpoint)
            case .ingest(let record, let lsn, let endLSN):
                if wanted.contains(lsn) { found[lsn, default: .init()].add(record, names) }
                if endLSN >= end { return found }
            case .transaction(let transaction):
                if wanted.contains(transaction.lsn) {
                    try found[transaction.lsn, default: .init()].add(transaction, names)
                } else {
                    try take(transaction, names)
                }
                if transaction.endLSN >= end { return found }
            }
        }
        return found
    }

    private func reader(from start: LSN) throws(StorageError) -> ChangeReader {
        try ChangeReader(
            root: root, fileSystem: fileSystem, from: start, mode: isLive ? .live : .dead)
    }

    private func take(
        _ transaction: ChangeTransaction, _ names: WALNames
    ) throws(StorageError) {
        try transaction.forEachOperation { operation throws(StorageError) in
            _ = try names.schema.takeReadable(operation)
            return true
        }
    }

    private func tell(_ count: inout Int) throws(StorageError) {
        count += 1
        if count & 1023 == 0 { try progress() }
    }
}
