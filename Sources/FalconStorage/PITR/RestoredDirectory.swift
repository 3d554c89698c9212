/// A directory that was built and is not yet anybody's: opens it, and proves what is in it.
struct RestoredDirectory {
    let names: FileNames
    let environment: StorageEnvironment
    /// Nil: nothing of it is encrypted.
    let encryption: EncryptionOptions?
    let catalogStorageLimit: UInt32
    let jobs: Int
    let progress: (RestoreExecutor.Step, UInt64, UInt64) throws(StorageError) -> Void

    private func options(isReadOnly: Bool) -> EngineOptions {
        var options = EngineOptions()
        options.createIfMissing = false
        options.isBeingRestored = true
        options.walRetainBytes = .max
        options.catalogStorageLimit = catalogStorageLimit
        options.encryption = encryption
        options.isReadOnly = isReadOnly
        // It is closed at once: a compaction of what the replay made would be begun and given up.
        options.level0CompactionTrigger = 1000
        options.level0SlowdownTrigger = 1001
        options.level0StopTrigger = 1002
        return options
    }

    /// Has an engine recover it, which begins a branch.
    func recover() throws(StorageError) {
        try progress(.recover, 0, 0)
        let engine = try StorageEngine.open(
            at: names.root, options: options(isReadOnly: false), environment: environment)
        let lost = engine.corruptionReport()
        try engine.close()
        try Self.refuse(lost)
    }

    /// A table that cannot be read was copied like that.
    private static func refuse(_ report: CorruptionReport) throws(StorageError) {
        guard let lost = report.entries.first else { return }
        throw .corruption(
            "A table that was copied is damaged: \(lost.reason)", path: lost.path,
            offset: lost.offset, hint: "Run sst-verify on the source.")
    }

    /// Opens it to be read and, with `verifies`, reads every row. Throws where one is newer than `newest`.
    func readBack(
        verifies: Bool, newest: Timestamp?
    ) throws(StorageError) -> (rows: UInt64, newest: Timestamp) {
        try progress(.recover, 0, 0)
        let engine = try StorageEngine.open(
            at: names.root, options: options(isReadOnly: true), environment: environment)
        try Self.refuse(engine.corruptionReport())
        var found = Count()
        if verifies { found = try count(engine) }
        try engine.close()
        if let newest, found.newest > newest {
            throw StorageError(
                .internalError, kind: .bug,
                "The restored directory holds a row of \(found.newest), newer than the last commit "
                    + "wanted, \(newest).")
        }
        return (found.rows, found.newest)
    }

    // MARK: - Rows

    private struct Count: Sendable {
        var rows: UInt64 = 0
        var newest = Timestamp.zero
    }

    private func count(_ engine: StorageEngine) throws(StorageError) -> Count {
        let ranges = try ranges()
        var total = Count()
        guard ranges.count > 1 else {
            return try Self.count(engine, .all) { rows throws(StorageError) in
                total.rows &+= rows
                try progress(.verify, total.rows, 0)
            }
        }
        let parts = try ParallelWork.run(
            ranges.count, jobs: jobs,
            work: { index, shared throws(StorageError) in
                try Self.count(engine, ranges[index]) { rows throws(StorageError) in
                    try shared.add(rows)
                }
            },
            progress: { rows throws(StorageError) in try progress(.verify, rows, 0) })
        for part in parts {
            total.rows &+= part.rows
            total.newest = max(total.newest, part.newest)
        }
        return total
    }

    /// Parts of the keyspace, about as large as one another: their borders are those of tables.
    private func ranges() throws(StorageError) -> [KeyRange] {
        guard jobs > 1 else { return [.all] }
        var state = RestoreSource(root: names.root, isLive: false)
        try state.readManifest(names, environment.fileSystem)
        let keys = Set(
            (state.tables?.files ?? []).filter { $0.file.kind == .rowTable }.map(\.file.smallest)
        ).sorted(by: KeyOrder.less)
        let wanted = 4 * jobs
        let step = max(1, keys.count / wanted)
        let borders = stride(from: step, to: keys.count, by: step).map { keys[$0] }
        var ranges: [KeyRange] = []
        var lower: [UInt8]?
        for border in borders {
            ranges.append(KeyRange(lower: lower, upper: border))
            lower = border
        }
        ranges.append(KeyRange(lower: lower))
        return ranges
    }

    private static func count(
        _ engine: StorageEngine, _ range: KeyRange,
        progress: (UInt64) throws(StorageError) -> Void
    ) throws(StorageError) -> Count {
        var count = Count()
        var options = ReadOptions()
        options.fillsCache = false
        let rows = try engine.makeIterator(range, at: engine.publishedTimestamp, options: options)
        try rows.seekToFirst()
        while rows.isValid {
            count.rows &+= 1
            count.newest = max(count.newest, rows.versionTimestamp)
            if count.rows & 4095 == 0 { try progress(4096) }
            try rows.next()
        }
        return count
    }
}
