/// Goes on with a ``RestoreInspection``: replays more of its source's log, or makes a database of it.
///
/// What is done is in the file RESTORE_INSPECTION before anything is changed and until all is: whenever the process
/// is killed, the directory is as it was, or as it was to become, or says that it is neither, is refused by all who
/// would open it, and the next try goes on. The log's segments behind those that the file names are an unfinished
/// advance's, and go.
public struct RestoreAdvance {
    let names: FileNames
    /// What the directory was when it was last known to be whole.
    public private(set) var inspection: RestoreInspection
    /// The source's master key, where it is encrypted.
    public var masterKey: MasterKeySource?
    /// See ``RestoreExecutor/catalogStorageLimit``.
    public var catalogStorageLimit: UInt32 = 0
    /// Parts of the result that are read back side by side.
    public var jobs = 1
    private let lock: any FileLock

    /// What progress is told: see ``RestoreExecutor/init(_:out:environment:progress:)``.
    public typealias Progress =
        (RestoreExecutor.Step, UInt64, UInt64) throws(StorageError) -> Void

    /// Takes the inspection in `root` for this process; throws `invalid-argument` where there is none, `in-use` where
    /// another process shows or changes it.
    public init(root: String, _ fileSystem: any FileSystem) throws(StorageError) {
        names = FileNames(root: root)
        try UnfinishedRestore.refuse(names, fileSystem)
        guard try RestoreInspection.read(root: root, fileSystem) != nil else {
            throw StorageError(
                .invalidArgument, kind: .user, "The directory is not a restore's inspection.",
                location: .init(path: root),
                hint:
                    "'pitr-restore … --inspect' makes one. A database that is there already is not "
                    + "advanced.")
        }
        let lock = try RestoreInspection.hold(root: root, fileSystem)
        // Who held it may have changed it.
        guard let held = try RestoreInspection.read(root: root, fileSystem) else {
            throw StorageError(
                .inUse, kind: .retryable,
                "The inspection has just become a database.", location: .init(path: root))
        }
        inspection = held
        self.lock = lock
    }

    /// Gives the inspection up to others.
    public func release() { lock.release() }

    /// Throws where only a promotion can be gone on with.
    public func checkAdvanceable() throws(StorageError) {
        guard inspection.state == .promoting, let error = inspection.unfinished(names) else {
            return
        }
        throw error
    }

    // MARK: - Forward

    /// Replays what `plan` says. A failure leaves the directory as it was, and where even that fails, a directory that
    /// says so.
    /// - Parameter given: how the source is read.
    public mutating func advance(
        _ plan: RestorePlan, environment given: StorageEnvironment, verifies: Bool = true,
        progress: @escaping Progress
    ) throws(StorageError) -> RestoreExecutor.Outcome {
        var outcome = RestoreExecutor.Outcome()
        outcome.isInspection = true
        outcome.forkLSN = plan.endLSN
        let isThere = plan.endLSN <= plan.startLSN
        if isThere, inspection.state == .promoting { return outcome }
        try checkAdvanceable()
        try takeKeys(of: plan.source, given.fileSystem.unkeyed)
        let (environment, encryption) = try keyed(given)
        if inspection.state == .advancing { try takeBack(environment) }
        let directory = directory(environment, encryption, progress)
        if isThere {
            (outcome.rowCount, outcome.newestTimestamp) = try directory.readBack(
                verifies: verifies, newest: plan.newestKept)
        } else {
            try checkRoom(plan, environment.fileSystem)
            do throws(StorageError) {
                try note(.advancing, environment)
                outcome.commitCount = try replay(plan, given.fileSystem, environment, progress)
                (outcome.rowCount, outcome.newestTimestamp) = try directory.readBack(
                    verifies: verifies, newest: plan.newestKept)
                let next = try end(plan, environment)
                try next.write(names, environment.fileSystem)
                inspection = next
            } catch {
                try? takeBack(environment)
                throw error
            }
        }
        outcome.branch = inspection.branch
        outcome.parent = inspection.branch
        return outcome
    }

    /// Appends what the source's log has up to the target; the commits in it.
    private func replay(
        _ plan: RestorePlan, _ source: any FileSystem, _ environment: StorageEnvironment,
        _ progress: @escaping Progress
    ) throws(StorageError) -> Int {
        let executor = RestoreExecutor(
            plan, continuing: names, environment: environment, source: source, progress: progress)
        return try executor.copyLog().commitCount
    }

    /// Makes MANIFEST know the new end, and says what the directory then is.
    private func end(
        _ plan: RestorePlan, _ environment: StorageEnvironment
    ) throws(StorageError) -> RestoreInspection {
        var next = inspection
        let branch = plan.branch ?? inspection.incarnation
        next.state = .ready
        next.endLSN = plan.endLSN
        next.incarnation = Incarnation(
            number: max(plan.source.highestIncarnation, inspection.incarnation.number),
            branch: branch.branch, parent: branch.parent, forkLSN: branch.forkLSN,
            epoch: branch.epoch)
        next.lastSegment = try RestoreInspection.lastSegment(names, environment.fileSystem)
        next.lastCommit = plan.last.map(RestoreInspection.LastCommit.init)
        try writeManifest(next.incarnation, plan.source, environment)
        return next
    }

    /// Removes what an advance has added. MANIFEST keeps higher floors: numbers that are not given out do no harm.
    private mutating func takeBack(_ environment: StorageEnvironment) throws(StorageError) {
        let fileSystem = environment.fileSystem
        try note(.advancing, environment)
        var added: [WALSegmentNumber] = []
        for name in try fileSystem.list(names.walDirectory) {
            guard case .walSegment(let number) = FileNames.parse(name),
                number > inspection.lastSegment
            else { continue }
            added.append(number)
        }
        for number in added.sorted().reversed() {
            try fileSystem.remove(names.walSegment(number))
        }
        try fileSystem.syncDirectory(names.walDirectory)
        try writeManifest(inspection.incarnation, nil, environment)
        try note(.ready, environment)
    }

    private mutating func note(
        _ state: RestoreInspection.State, _ environment: StorageEnvironment
    ) throws(StorageError) {
        inspection.state = state
        try inspection.write(names, environment.fileSystem)
    }

    /// A new MANIFEST of the same tables. Numbers and timestamps that the source gave out are not given again.
    private func writeManifest(
        _ incarnation: Incarnation, _ source: RestoreSource?, _ environment: StorageEnvironment
    ) throws(StorageError) {
        let fileSystem = environment.fileSystem
        var state = RestoreSource(root: names.root, isLive: false)
        try state.readManifest(names, fileSystem)
        guard let tables = state.tables, let old = try CurrentMarker.read(names, fileSystem) else {
            throw .corruption("The inspection has no MANIFEST.", path: names.current)
        }
        var edit = VersionEdit()
        edit.isSnapshot = true
        edit.added = tables.files
        if tables.flushedLSN > .zero { edit.flushedLSN = tables.flushedLSN }
        if tables.safepoint > .zero { edit.safepoint = tables.safepoint }
        edit.incarnation = incarnation
        edit.timestampFloor = max(tables.timestampFloor, source?.timestampFloor ?? .zero)
        edit.transactionLimit = max(
            tables.transactionLimit, source?.transactionFloor ?? TransactionID(0))
        edit.nextFileNumber = max(
            tables.nextFileNumber, source?.tables?.nextFileNumber ?? FileNumber(1))
        edit.nextFlushEpoch = max(tables.nextFlushEpoch, source?.tables?.nextFlushEpoch ?? 1)
        let number = old &+ 1
        let manifest = try ManifestWriter(
            number: number, uid: environment.random.nextUID(), shard: inspection.shard,
            snapshot: edit, names, fileSystem)
        try manifest.close()
        try CurrentMarker.write(manifest: number, names, fileSystem)
        try fileSystem.remove(names.manifest(old))
    }

    private func checkRoom(
        _ plan: RestorePlan, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let free = try fileSystem.freeSpace(names.root)
        guard free < plan.byteCount else { return }
        throw StorageError(
            .diskFull, kind: .transient,
            "The advance needs about \(plan.byteCount) bytes, and \(free) are free.",
            location: .init(path: names.root))
    }

    // MARK: - Promotion

    /// Makes an ordinary directory of it, whose branch forks where the inspection ends. What was begun and did not end
    /// is begun again by the next call.
    public mutating func promote(
        environment given: StorageEnvironment, verifies: Bool = true, progress: @escaping Progress
    ) throws(StorageError) -> RestoreExecutor.Outcome {
        let (environment, encryption) = try keyed(given)
        let fileSystem = environment.fileSystem
        if inspection.state == .advancing { try takeBack(environment) }
        // Nothing has changed yet.
        try progress(.recover, 0, 0)
        try note(.promoting, environment)
        let directory = directory(environment, encryption, progress)
        try directory.recover()
        var outcome = RestoreExecutor.Outcome()
        outcome.forkLSN = inspection.endLSN
        (outcome.rowCount, outcome.newestTimestamp) = try directory.readBack(
            verifies: verifies, newest: inspection.last?.timestamp)
        var result = RestoreSource(root: names.root, isLive: false)
        try result.readManifest(names, fileSystem)
        outcome.branch = result.tables?.incarnation?.branch ?? .zero
        outcome.parent = result.tables?.incarnation?.parent ?? .zero
        try fileSystem.remove(names.inspectionMarker)
        try fileSystem.syncDirectory(names.root)
        // A left-over means nothing.
        try? fileSystem.remove(names.inspectionLock)
        return outcome
    }

    // MARK: - Keys

    /// Where the source has been encrypted since, so is what is written from here on.
    private func takeKeys(
        of source: RestoreSource, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        try EncryptionSetup.refuseLost(names, fileSystem)
        let keys = FileNames(root: source.root).keys
        guard try !fileSystem.exists(names.keys), try fileSystem.exists(keys) else { return }
        try fileSystem.replace(names.keys, with: fileSystem.contents(of: keys))
    }

    /// The environment in which the directory is written: `given` with its own keys.
    private func keyed(
        _ given: StorageEnvironment
    ) throws(StorageError) -> (StorageEnvironment, EncryptionOptions?) {
        let isEncrypted = try given.fileSystem.unkeyed.exists(names.keys)
        let encryption =
            isEncrypted ? masterKey.map { EncryptionOptions(masterKey: $0) } : nil
        let environment = try EncryptionSetup.keyed(names, encryption, given, forWriting: true)
        return (environment, encryption)
    }

    private func directory(
        _ environment: StorageEnvironment, _ encryption: EncryptionOptions?,
        _ progress: @escaping Progress
    ) -> RestoredDirectory {
        RestoredDirectory(
            names: names, environment: environment, encryption: encryption,
            catalogStorageLimit: catalogStorageLimit, jobs: jobs, progress: progress)
    }
}
