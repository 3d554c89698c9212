/// Carries out a ``RestorePlan``: builds the directory under a temporary name, lets the engine
/// recover it into a new branch, reads it back and only then gives it its name.
///
/// What is built is what a server killed at the target would have left: tables, a MANIFEST that names
/// them, and the log from where they end up to the target, with the LSNs, timestamps and branches of
/// the source. Recovery then begins a new incarnation on it, whose branch forks at the target's LSN.
///
/// ``marker`` is the first file of the directory and, when it is thrown away, the last: whenever the process is killed,
/// a directory with it is in pieces and may be thrown away, and one without it is whole. It goes just before the
/// directory gets its name; who is killed between the two leaves a whole directory under the temporary name, which is
/// not touched again.
public struct RestoreExecutor {
    /// Present while the directory is being built; what holds it may be thrown away.
    public static let marker = FileNames.restoreMarkerName

    /// The steps, for progress.
    public enum Step: String, Sendable {
        /// Tables and blob files are copied; in bytes.
        case copyTables = "tables"
        /// The log is copied up to the target; in bytes.
        case copyLog = "log"
        /// The engine opens the new directory, and begins its branch; without figures.
        case recover = "recovery"
        /// Every row is read; in rows, without a total.
        case verify = "verification"
    }

    /// What came out.
    public struct Outcome: Sendable {
        /// The branch that the new directory writes.
        public var branch = UID.zero
        /// The branch it forks from.
        public var parent = UID.zero
        /// Where in the log it forks: what the source wrote behind it is not in it.
        public var forkLSN = LSN.zero
        /// Rows that can be seen; 0 when they were not read back.
        public var rowCount: UInt64 = 0
        /// Commits and ingestions that were replayed from the log.
        public var commitCount = 0
        /// The newest of the rows that were read back.
        public var newestTimestamp = Timestamp.zero
        /// What could not be brought along; empty but for a salvage.
        public var losses: [SalvageLoss] = []
        /// No branch was begun: the directory is to be looked at.
        public var isInspection = false
    }

    let plan: RestorePlan
    let target: FileNames
    let partial: FileNames
    private(set) var environment: StorageEnvironment
    /// Of the tables that the replay of a long log makes: see ``EngineOptions/catalogStorageLimit``.
    public var catalogStorageLimit: UInt32 = 0
    /// The source's master key, where it is encrypted: the output then is, too, under the same.
    public var masterKey: MasterKeySource?
    /// Files that are copied, and parts of the result that are read back, side by side.
    public var jobs = 1
    /// The result begins no branch: it is one of these, of the source that this one names. Nil: it is a database.
    public var inspection: RestoreInspection?
    /// Throws to end the restore; called often.
    let progress: (Step, UInt64, UInt64) throws(StorageError) -> Void
    var fileSystem: any FileSystem { environment.fileSystem }
    /// Through which the source's log is read, where the output's keys do not do; nil: they do.
    let sourceFileSystem: (any FileSystem)?

    /// - Parameters:
    ///   - out: the directory to make; its parent must be there. Beside it, `out.partial` is used while it is
    ///     built.
    ///   - progress: is told the step, what is done and the whole of it, 0 where that is unknown; throws to
    ///     end the restore, which then leaves nothing.
    public init(
        _ plan: RestorePlan, out: String, environment: StorageEnvironment,
        progress: @escaping (Step, UInt64, UInt64) throws(StorageError) -> Void = {
            _, _, _ throws(StorageError) in
        }
    ) {
        self.plan = plan
        self.environment = environment
        self.progress = progress
        var out = out
        while out.utf8.count > 1, out.hasSuffix("/") { out.removeLast() }
        target = FileNames(root: out)
        partial = FileNames(root: out + ".partial")
        sourceFileSystem = nil
    }

    /// To go on with the log of a directory that is there.
    init(
        _ plan: RestorePlan, continuing names: FileNames, environment: StorageEnvironment,
        source: any FileSystem,
        progress: @escaping (Step, UInt64, UInt64) throws(StorageError) -> Void
    ) {
        self.plan = plan
        self.environment = environment
        self.progress = progress
        target = names
        partial = names
        sourceFileSystem = source
    }

    /// Throws when the output cannot be made here: a directory with something in it, a left-over
    /// that is not a restore's, too little space.
    public func checkOutput() throws(StorageError) {
        if try fileSystem.exists(target.root) {
            var isEmpty = try fileSystem.isDirectory(target.root)
            if isEmpty { isEmpty = try fileSystem.list(target.root).isEmpty }
            guard isEmpty else {
                throw StorageError(
                    .alreadyExists, kind: .user, "The output is there already and is not empty.",
                    location: .init(path: target.root), hint: "Choose a new directory.")
            }
        }
        try checkPartial()
        let parent = VFSPath.parent(of: target.root)
        guard try fileSystem.exists(parent) else {
            throw .invalidArgument("The output's parent '\(parent)' does not exist.")
        }
        let free = try fileSystem.freeSpace(parent)
        if free < plan.byteCount {
            throw StorageError(
                .diskFull, kind: .transient,
                "The restore needs about \(plan.byteCount) bytes, and \(free) are free.",
                location: .init(path: parent))
        }
    }

    /// The temporary name is free, or what is there may be thrown away.
    private func checkPartial() throws(StorageError) {
        guard try fileSystem.exists(partial.root),
            try !fileSystem.exists(partial.restoreMarker)
        else { return }
        // One that was killed before it had marked its directory.
        if try fileSystem.isDirectory(partial.root), try fileSystem.list(partial.root).isEmpty {
            return
        }
        guard try fileSystem.exists(partial.format), try fileSystem.exists(partial.current) else {
            throw StorageError(
                .alreadyExists, kind: .user,
                "This name is needed for the unfinished directory, and something is there.",
                location: .init(path: partial.root), hint: "Move it away.")
        }
        throw StorageError(
            .alreadyExists, kind: .user,
            "A whole data directory has the name that is needed while this one is built.",
            cause: "an earlier restore was ended when it had finished, just before it renamed its "
                + "directory; or somebody put it there",
            location: .init(path: partial.root),
            hint: "To keep that restore, of the target that was asked for then: "
                + "mv '\(partial.root)' '\(target.root)'. Otherwise remove it, and run this again.")
    }

    /// Builds, recovers, reads back and publishes. A failure leaves no output, but for one of the last sync, which
    /// comes behind the new name.
    public func run(verifies: Bool = true) throws(StorageError) -> Outcome {
        try checkOutput()
        do throws(StorageError) {
            var executor = self
            let outcome = try executor.build(verifies: verifies)
            try publish()
            return outcome
        } catch {
            try? discard()
            throw error
        }
    }

    /// Takes the source's keys along. What is written from here on is encrypted as new files of a server are.
    private mutating func beginKeys() throws(StorageError) -> Bool {
        let source = FileNames(root: plan.source.root).keys
        let files = fileSystem.unkeyed
        guard try files.exists(source) else { return false }
        try files.replace(partial.keys, with: try files.contents(of: source))
        environment = try EncryptionSetup.keyed(partial, encryption, environment, forWriting: true)
        return true
    }

    private var encryption: EncryptionOptions? {
        masterKey.map { EncryptionOptions(masterKey: $0) }
    }

    private mutating func build(verifies: Bool) throws(StorageError) -> Outcome {
        try fileSystem.createDirectoryIfMissing(partial.root)
        try mark()
        try clear(keepsTables: plan.base == .tables)
        try fileSystem.createDirectoryIfMissing(partial.sstDirectory)
        try removeStrangers()
        try fileSystem.createDirectory(partial.walDirectory)
        var format = FormatFile(
            shard: plan.source.shard, createdWallMicros: plan.source.createdWallMicros)
        let isEncrypted = try beginKeys()
        if isEncrypted { format.features.readIncompatible |= FeatureBits.encryption }
        try fileSystem.replace(partial.format, with: format.encoded())

        var edit = VersionEdit()
        edit.isSnapshot = true
        var losses: [SalvageLoss] = []
        switch plan.base {
        case .log: break
        case .tables: edit.added = try copyTables()
        case .filteredTables: edit.added = try filterTables()
        case .salvagedTables: (edit.added, losses) = try salvageTables()
        case .inspection:
            throw StorageError(
                .internalError, kind: .bug, "An inspection's plan makes no new directory.")
        }
        let log = try copyLog()
        try writeManifest(&edit, log)
        var outcome = try recover(log, isEncrypted ? encryption : nil, verifies: verifies)
        outcome.losses = losses
        return outcome
    }

    /// Says, durably and before there is anything else, that the directory is not whole.
    private func mark() throws(StorageError) {
        let marker = try fileSystem.open(partial.restoreMarker, .createIfMissing)
        try marker.close()
        try fileSystem.syncDirectory(partial.root)
    }

    /// Removes what an earlier try left, but for the marker; with `keepsTables` tables, too, stay: those that are as
    /// they should be are not copied again.
    private func clear(keepsTables: Bool) throws(StorageError) {
        for name in try fileSystem.list(partial.root) where name != Self.marker {
            let path = partial.root + "/" + name
            if keepsTables, path == partial.sstDirectory { continue }
            if try fileSystem.isDirectory(path) {
                try fileSystem.removeTree(path)
            } else {
                try fileSystem.remove(path)
            }
        }
    }

    /// Throws away what was built, the marker last.
    private func discard() throws(StorageError) {
        guard try fileSystem.exists(partial.root) else { return }
        try mark()
        try clear(keepsTables: false)
        try fileSystem.syncDirectory(partial.root)
        try fileSystem.remove(partial.restoreMarker)
        try fileSystem.removeDirectory(partial.root)
    }

    private func writeManifest(
        _ edit: inout VersionEdit, _ log: CopiedLog
    ) throws(StorageError) {
        let source = plan.source
        if plan.base != .log {
            // Nothing lies between the end of the tables and the first record that was copied.
            edit.flushedLSN = log.firstLSN
            edit.safepoint = source.tables?.safepoint
        }
        edit.incarnation = incarnation
        // Numbers and timestamps that the source gave out behind the target are not given again.
        edit.timestampFloor = source.timestampFloor
        edit.transactionLimit = source.transactionFloor
        edit.nextFileNumber = source.tables?.nextFileNumber ?? FileNumber(1)
        edit.nextFlushEpoch = source.tables?.nextFlushEpoch ?? 1
        let manifest = try ManifestWriter(
            number: 1, uid: environment.random.nextUID(), shard: source.shard, snapshot: edit,
            partial, fileSystem)
        try manifest.close()
        try CurrentMarker.write(manifest: 1, partial, fileSystem)
    }

    /// The source's greatest number, and the branch that was written at the target.
    private var incarnation: Incarnation {
        let parent = plan.branch ?? plan.source.tables?.incarnation
        return Incarnation(
            number: plan.source.highestIncarnation,
            // The segments say so, too.
            branch: plan.base == .salvagedTables ? .zero : parent?.branch ?? .zero,
            parent: parent?.parent ?? .zero, forkLSN: parent?.forkLSN ?? .zero,
            epoch: parent?.epoch ?? 0)
    }

    private func recover(
        _ log: CopiedLog, _ encryption: EncryptionOptions?, verifies: Bool
    ) throws(StorageError) -> Outcome {
        let directory = RestoredDirectory(
            names: partial, environment: environment, encryption: encryption,
            catalogStorageLimit: catalogStorageLimit, jobs: jobs, progress: progress)
        var outcome = Outcome()
        outcome.forkLSN = plan.endLSN
        outcome.commitCount = log.commitCount
        if inspection == nil { try directory.recover() }
        (outcome.rowCount, outcome.newestTimestamp) = try directory.readBack(
            verifies: verifies, newest: plan.newestKept)
        if let inspection {
            let made = try begin(inspection)
            try made.write(partial, fileSystem)
            outcome.branch = made.branch
            outcome.parent = made.branch
            outcome.isInspection = true
            return outcome
        }
        var result = RestoreSource(root: partial.root, isLive: false)
        try result.readManifest(partial, fileSystem)
        outcome.branch = result.tables?.incarnation?.branch ?? .zero
        outcome.parent = result.tables?.incarnation?.parent ?? .zero
        return outcome
    }

    /// What the directory says of itself when it is an inspection.
    private func begin(_ wanted: RestoreInspection) throws(StorageError) -> RestoreInspection {
        var inspection = wanted
        inspection.state = .ready
        inspection.shard = plan.source.shard
        inspection.incarnation = incarnation
        inspection.endLSN = plan.endLSN
        inspection.lastSegment = try RestoreInspection.lastSegment(partial, fileSystem)
        inspection.lastCommit = plan.last.map(RestoreInspection.LastCommit.init)
        inspection.isAdvanceable = !plan.isDetached
        return inspection
    }

    /// The directory gets its name, whole.
    private func publish() throws(StorageError) {
        try fileSystem.remove(partial.restoreMarker)
        try fileSystem.syncDirectory(partial.root)
        if try fileSystem.exists(target.root) { try fileSystem.removeDirectory(target.root) }
        try fileSystem.rename(partial.root, to: target.root)
        do throws(StorageError) {
            try fileSystem.syncDirectory(VFSPath.parent(of: target.root))
        } catch {
            var error = error
            error.hint =
                "'\(target.root)' is there and whole; whether it outlives a power cut is not known. Sync the "
                + "file system, or remove it and run this again."
            throw error
        }
    }
}
