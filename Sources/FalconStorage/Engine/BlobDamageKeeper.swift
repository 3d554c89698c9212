/// Records damage in blob files while the engine runs, on a thread of its own: whoever meets it only says
/// so and throws on. What was met once is read again before it counts.
///
/// A damaged blob file stays in service; the record tells of it, and keeps collection from trying again and
/// again to move what cannot be read.
final class BlobDamageKeeper: @unchecked Sendable {
    private let tree: Tree
    private let versions: VersionSet
    private let store: TableStore
    private let events: EngineEvents
    private let clock: any StorageClock
    /// Called after a file was recorded or is sound again.
    private var onChange: () -> Void = {}

    private struct Suspicion {
        var error: StorageError
        var file: FileNumber
        var finder: CorruptionReport.Finder
    }
    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var pending: [Suspicion] = []
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
            case .blob(let number) = FileNames.parse(VFSPath.name(of: path)),
            path == store.names.blob(number)
        else { return }
        monitor.lock()
        defer { monitor.unlock() }
        guard !isStopping, !pending.contains(where: { $0.file == number }),
            let file = tree.state.version.blobs.file(number), file.quarantine == nil
        else { return }
        if thread == nil {
            // Without a thread the next reader tries again.
            thread = try? WorkerThread(name: "falcon-blob-damage") { [self] in run() }
        }
        guard thread != nil else { return }
        pending.append(Suspicion(error: error, file: number, finder: finder))
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

    private func examine(_ suspicion: Suspicion) {
        // Collected meanwhile: nobody reads it any more.
        guard let file = tree.state.version.blobs.file(suspicion.file), file.quarantine == nil
        else { return }
        do throws(StorageError) {
            try file.readWhole()
            file.setDamaged(false)
            events.send(.damageNotRepeated(suspicion.error))
        } catch  where error.code == .corruption {
            record(file, suspicion)
        } catch {
            // It cannot be read at all just now: readers are told so, and find the damage again.
        }
    }

    private func record(_ file: BlobFile, _ suspicion: Suspicion) {
        let record = QuarantineRecord(
            suspicion.error, file: file.number, finder: suspicion.finder,
            wallMicros: clock.wallMicros())
        file.setQuarantine(record)
        var edit = VersionEdit()
        edit.quarantined = [record]
        // A note that cannot be written is left out: the next reader finds the damage again.
        do throws(StorageError) { try versions.note(edit) } catch {}
        onChange()
        if let entry = tree.state.version.blobs.corruptionReport(store.names).first(where: {
            $0.file == file.number
        }) {
            events.send(.blobDamaged(entry))
        }
    }

    // MARK: - Ways out

    /// Reads the recorded files whole; those that are sound are recorded no more.
    func recheck() throws(StorageError) -> [FileNumber] {
        var sound: [FileNumber] = []
        for entry in tree.state.version.blobs.entries where entry.file.quarantine != nil {
            do throws(StorageError) {
                try entry.file.readWhole()
            } catch  where error.code == .corruption {
                continue
            }
            try release(entry.file)
            sound.append(entry.file.number)
        }
        if !sound.isEmpty { onChange() }
        return sound
    }

    /// What of the files is sound moves elsewhere, and the files go.
    func giveUp(_ numbers: [FileNumber]) throws(StorageError) {
        for number in numbers {
            guard let file = tree.state.version.blobs.file(number) else { continue }
            try release(file)
            file.giveUp()
        }
        onChange()
    }

    private func release(_ file: BlobFile) throws(StorageError) {
        var edit = VersionEdit()
        edit.released = [file.number]
        try versions.note(edit)
        file.setQuarantine(nil)
    }
}
