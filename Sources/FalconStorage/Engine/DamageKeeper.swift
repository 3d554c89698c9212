/// Has damage looked into while the engine runs, on a thread of its own: whoever meets it only says so and
/// throws on.
///
/// What was met once is read again before it counts: a bit that tipped in memory or on the way is no
/// reason to take 64 MiB of rows out of service.
final class DamageKeeper: @unchecked Sendable {
    let tables: TableExaminer
    let blobs: BlobExaminer
    private let records: DamageRecords

    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var pending: [Suspicion] = []
    private var isWorking = false
    private var isStopping = false
    private var thread: WorkerThread?

    init(_ records: DamageRecords, _ options: EngineOptions, _ random: any StorageRandom) {
        tables = TableExaminer(records: records, options: options, random: random)
        blobs = BlobExaminer(records: records)
        self.records = records
        changed = MonitorCondition(monitor)
    }

    /// Before anything is noted.
    func begin(onChange: @escaping () -> Void) {
        records.begin(onChange: onChange)
        records.store.noteDamage = { [weak self] in self?.note($0, by: .read) }
    }

    /// Looks at an error that is on its way to a caller; waits for nothing.
    func note(_ error: StorageError, by finder: CorruptionReport.Finder) {
        guard error.code == .corruption, let path = error.location?.path,
            let suspicion = suspicion(error, path, finder)
        else { return }
        monitor.lock()
        defer { monitor.unlock() }
        guard !isStopping, !pending.contains(where: { $0.isAbout(suspicion) }),
            suspicion.isBlob
                ? blobs.begin(suspicion.file) : tables.concerns(suspicion.file, error)
        else { return }
        if thread == nil {
            // Without a thread the next reader tries again.
            thread = try? WorkerThread(name: "falcon-damage") { [self] in run() }
        }
        guard thread != nil else {
            if suspicion.isBlob { blobs.drop(suspicion.file) }
            return
        }
        pending.append(suspicion)
        changed.broadcast()
    }

    private func suspicion(
        _ error: StorageError, _ path: String, _ finder: CorruptionReport.Finder
    ) -> Suspicion? {
        let names = records.store.names
        return switch FileNames.parse(VFSPath.name(of: path)) {
        case .table(let number) where path == names.table(number):
            Suspicion(error: error, file: number, isBlob: false, finder: finder)
        case .blob(let number) where path == names.blob(number):
            Suspicion(error: error, file: number, isBlob: true, finder: finder)
        default: nil
        }
    }

    /// Blocks until what was noted by now has been looked into.
    func awaitIdle() {
        monitor.lock()
        while isWorking || !pending.isEmpty, !isStopping { changed.wait() }
        monitor.unlock()
    }

    /// What is pending is found again by the next who reads it.
    func stop() {
        monitor.lock()
        isStopping = true
        changed.broadcast()
        let thread = thread
        self.thread = nil
        monitor.unlock()
        thread?.join()
    }

    private func run() {
        monitor.lock()
        while true {
            while pending.isEmpty, !isStopping { changed.wait() }
            if isStopping { break }
            let suspicion = pending[0]
            isWorking = true
            monitor.unlock()
            examine(suspicion)
            monitor.lock()
            pending.removeFirst()
            isWorking = false
            changed.broadcast()
        }
        monitor.unlock()
    }

    /// What could not be read or recorded just now is found again by the next reader.
    private func examine(_ suspicion: Suspicion) {
        do throws(StorageError) {
            if suspicion.isBlob {
                try blobs.examine(suspicion)
            } else {
                try tables.examine(suspicion)
            }
        } catch {
            records.events.send(.damageUnsettled(suspicion.error, cause: error))
        }
    }

    /// Reads the recorded files whole; those that are sound are recorded no more.
    func recheck() throws(StorageError) -> [FileNumber] {
        try tables.recheck() + blobs.recheck()
    }
}

/// Damage that somebody has met, and that is still to be met again.
struct Suspicion {
    var error: StorageError
    var file: FileNumber
    var isBlob: Bool
    var finder: CorruptionReport.Finder

    func isAbout(_ other: Suspicion) -> Bool { file == other.file && isBlob == other.isBlob }
}
