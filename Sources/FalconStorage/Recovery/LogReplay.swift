import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Replays a log's slices side by side and hands their memtables over in the log's order.
///
/// Workers take the next slice each, as long as no more memtables wait than there are workers: memory
/// is bounded by what the receiver keeps. Who has replayed a slice also makes its tables, where it is not to stay in
/// memory: while those of one go to the device, another is replayed. One slice is replayed on the caller's thread.
final class LogReplay: @unchecked Sendable {
    /// What became of a slice.
    struct Replayed {
        var layer: MemtableLayer
        /// Names the tables that were made of it, if they were.
        var edit: VersionEdit?
    }

    private let directory: String
    private let fileSystem: any FileSystem
    private let memtableBytes: Int
    private let firstEpoch: UInt64
    private let slices: [LogSlice]
    private let store: TableStore
    private let spills: SpillSpace?
    /// Makes tables of a slice's memtable, or leaves it; called from several threads.
    private let makeTables: (Int, MemtableLayer) -> VersionEdit?
    private let workerCount: Int

    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var nextSlice = 0
    private var handedOver = 0
    private var ready: [Int: Replayed] = [:]
    private var failure: StorageError?
    private var doneBytes: UInt64 = 0
    private var doneCommits: UInt64 = 0

    init(
        directory: String, fileSystem: any FileSystem, memtableBytes: Int, firstEpoch: UInt64,
        slices: [LogSlice], store: TableStore, spills: SpillSpace? = nil,
        makeTables: @escaping (Int, MemtableLayer) -> VersionEdit? = { _, _ in nil }
    ) {
        self.store = store
        self.spills = spills
        self.makeTables = makeTables
        self.directory = directory
        self.fileSystem = fileSystem
        self.memtableBytes = memtableBytes
        self.firstEpoch = firstEpoch
        self.slices = slices
        workerCount = Self.workers(slices.count)
        changed = MonitorCondition(monitor)
    }

    /// Threads that a log of so many slices is replayed by; 0: the caller's.
    static func workers(_ slices: Int) -> Int {
        slices < 2 ? 0 : min(slices, max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 4)
    }

    /// Calls `receive` with each slice's memtable, oldest first, on this thread.
    func run(
        _ progress: RecoveryProgress,
        _ receive: (Int, Replayed) throws(StorageError) -> Void
    ) throws(StorageError) {
        if workerCount == 0 {
            for index in slices.indices {
                let layer = try replay(index) { self.report(progress) }
                try receive(index, Replayed(layer: layer, edit: makeTables(index, layer)))
            }
            return
        }
        var threads: [WorkerThread] = []
        defer {
            fail(StorageError(.cancelled, kind: .retryable, "The replay was given up."))
            for thread in threads { thread.join() }
        }
        for _ in 0..<workerCount {
            threads.append(try WorkerThread(name: "falcon-replay") { [self] in work() })
        }
        for index in slices.indices {
            let replayed = try awaitLayer(index, progress)
            try receive(index, replayed)
            monitor.lock()
            handedOver = index + 1
            changed.broadcast()
            monitor.unlock()
        }
    }

    private func awaitLayer(
        _ index: Int, _ progress: RecoveryProgress
    ) throws(StorageError) -> Replayed {
        monitor.lock()
        while true {
            if let replayed = ready.removeValue(forKey: index) {
                monitor.unlock()
                return replayed
            }
            if let failure {
                monitor.unlock()
                throw failure
            }
            _ = changed.wait(nanos: 100_000_000)
            monitor.unlock()
            report(progress)
            monitor.lock()
        }
    }

    private func report(_ progress: RecoveryProgress) {
        let (bytes, commits) = monitor.locked { (doneBytes, doneCommits) }
        progress.advance(doneBytes: bytes, records: commits)
    }

    private func work() {
        while let index = take() {
            do throws(StorageError) {
                let layer = try replay(index) {}
                let replayed = Replayed(layer: layer, edit: makeTables(index, layer))
                monitor.lock()
                ready[index] = replayed
                changed.broadcast()
                monitor.unlock()
            } catch {
                return fail(error)
            }
        }
    }

    /// The next slice; nil at the end.
    private func take() -> Int? {
        monitor.lock()
        defer { monitor.unlock() }
        while failure == nil, nextSlice < slices.count, nextSlice >= handedOver + workerCount {
            changed.wait()
        }
        guard failure == nil, nextSlice < slices.count else { return nil }
        nextSlice += 1
        return nextSlice - 1
    }

    private func replay(
        _ index: Int, _ tell: () -> Void
    ) throws(StorageError) -> MemtableLayer {
        if let ingest = slices[index].ingest {
            return try ingested(ingest, slices[index].end, epoch: firstEpoch &+ UInt64(index))
        }
        do throws(StorageError) {
            return try replaySlice(index, spills, tell)
        } catch  where error.code == .diskFull && spills != nil {
            // Without room for files it stays in memory, as the log has it.
            return try replaySlice(index, nil, tell)
        }
    }

    private func replaySlice(
        _ index: Int, _ spills: SpillSpace?, _ tell: () -> Void
    ) throws(StorageError) -> MemtableLayer {
        var replay = SliceReplay(
            directory: directory, fileSystem: fileSystem, memtableBytes: memtableBytes,
            slice: slices[index], epoch: firstEpoch &+ UInt64(index), spills: spills)
        return try replay.run { bytes, commits in
            let goesOn = monitor.locked {
                doneBytes &+= bytes
                doneCommits &+= commits
                return failure == nil
            }
            tell()
            return goesOn
        }
    }

    /// Files that were ingested and that MANIFEST does not have yet: on the device since before the record
    /// was logged.
    private func ingested(
        _ ingest: IngestRecord, _ end: LSN, epoch: UInt64
    ) throws(StorageError) -> MemtableLayer {
        var files: [TableFile] = []
        for file in ingest.files {
            let path = store.names.table(file.number)
            guard try fileSystem.exists(path) else {
                throw .corruption(
                    "The log names an ingested file that is missing. Its record ends at \(end).",
                    path: path, hint: "Restore it from a backup.")
            }
            let table = TableFile(
                metadata: FileMetadata(file, at: ingest.timestamp, epoch: epoch), store: store)
            // Now, and not at the first read: the file must be the one that was logged.
            _ = try table.reader()
            files.append(table)
        }
        let layer = MemtableLayer(
            table: try MemTable(capacityBytes: 0), epoch: epoch, lastLSN: end, ingested: files)
        layer.lastTimestamp = ingest.timestamp
        return layer
    }

    /// The first failure counts.
    private func fail(_ error: StorageError) {
        monitor.lock()
        if failure == nil { failure = error }
        changed.broadcast()
        monitor.unlock()
    }
}
