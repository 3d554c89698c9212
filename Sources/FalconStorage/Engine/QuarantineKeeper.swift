/// Takes damaged tables out of service while the engine runs, on a thread of its own: whoever meets damage
/// only says so and throws on.
///
/// What was met once is read again before it counts: a bit that tipped in memory or on the way is no
/// reason to take 64 MiB of rows out of service.
final class QuarantineKeeper: @unchecked Sendable {
    private let tree: Tree
    private let versions: VersionSet
    private let store: TableStore
    private let events: EngineEvents
    private let clock: any StorageClock
    /// Called after a table went out of service or came back.
    private var onChange: () -> Void = {}

    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var pending:
        [(error: StorageError, file: FileNumber, finder: CorruptionReport.Finder)] = []
    private var isWorking = false
    private var isStopping = false
    private var thread: WorkerThread?

    init(
        tree: Tree, versions: VersionSet, store: TableStore, events: EngineEvents,
        clock: any StorageClock
    ) {
        self.tree = tree
        self.versions = versions
        self.store = store
        self.events = events
        self.clock = clock
        changed = MonitorCondition(monitor)
    }

    /// Before anything is noted.
    func begin(onChange: @escaping () -> Void) { self.onChange = onChange }

    /// Looks at an error that is on its way to a caller; waits for nothing.
    func note(_ error: StorageError, by finder: CorruptionReport.Finder) {
        guard error.code == .corruption, let path = error.location?.path,
            case .table(let number) = FileNames.parse(VFSPath.name(of: path)),
            path == store.names.table(number)
        else { return }
        monitor.lock()
        defer { monitor.unlock() }
        guard !isStopping, !pending.contains(where: { $0.file == number }) else { return }
        if tree.state.version.file(number)?.file.quarantine != nil { return }
        if thread == nil {
            // Without a thread the next reader tries again.
            thread = try? WorkerThread(name: "falcon-damage") { [self] in run() }
        }
        guard thread != nil else { return }
        pending.append((error, number, finder))
        changed.broadcast()
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
            let (error, number, finder) = pending[0]
            isWorking = true
            monitor.unlock()
            examine(error, number, finder)
            monitor.lock()
            pending.removeFirst()
            isWorking = false
            changed.broadcast()
        }
        monitor.unlock()
    }

    private func examine(
        _ error: StorageError, _ number: FileNumber, _ finder: CorruptionReport.Finder
    ) {
        // Compacted away meanwhile: nobody reads it any more.
        guard let (file, level) = tree.state.version.file(number), file.quarantine == nil else {
            return
        }
        do throws(StorageError) {
            try file.readWhole()
            events.send(.damageNotRepeated(error))
            return
        } catch  where error.code == .corruption {
            quarantine(file, level: level, error, finder)
        } catch {
            // It cannot be read at all just now: readers are told so, and find the damage again.
        }
    }

    private func quarantine(
        _ file: TableFile, level: Int, _ error: StorageError, _ finder: CorruptionReport.Finder
    ) {
        let record = QuarantineRecord(
            error, file: file.number, finder: finder, wallMicros: clock.wallMicros())
        file.setQuarantine(record)
        var edit = VersionEdit()
        edit.quarantined = [record]
        // A note that cannot be written is left out: the next open finds the damage by itself, or the next
        // reader does.
        do throws(StorageError) { try versions.note(edit) } catch {}
        onChange()
        events.send(
            .quarantined(
                CorruptionReport.Entry(file, record, level: level, names: store.names)))
    }

    // MARK: - Ways out

    /// Reads the quarantined tables whole and puts back into service those that are sound.
    func recheck() throws(StorageError) -> [FileNumber] {
        var sound: [FileNumber] = []
        for level in tree.state.version.levels {
            for file in level.files where file.quarantine != nil {
                do throws(StorageError) {
                    try file.readWhole()
                } catch  where error.code == .corruption {
                    continue
                }
                var edit = VersionEdit()
                edit.released = [file.number]
                try versions.note(edit)
                file.setQuarantine(nil)
                sound.append(file.number)
            }
        }
        if !sound.isEmpty { onChange() }
        return sound
    }

    /// Takes quarantined tables out of the version for good.
    func drop(_ numbers: [FileNumber]?) throws(StorageError) -> CorruptionReport {
        let all = tree.state.version.corruptionReport(store.names)
        var dropped = CorruptionReport()
        dropped.entries = all.entries.filter { numbers?.contains($0.file) ?? true }
        if let missing = numbers?.first(where: { number in
            !dropped.entries.contains { $0.file == number }
        }) {
            throw .invalidArgument(
                "Table \(FileNames.hex(missing.rawValue)) is not quarantined.",
                hint: "corruptionReport() lists those that are.")
        }
        guard !dropped.isEmpty else { return dropped }
        var edit = VersionEdit()
        edit.removed = dropped.entries.map { .init(level: $0.level, number: $0.file) }
        try versions.apply(edit) { tree.install($0) }
        onChange()
        return dropped
    }
}
