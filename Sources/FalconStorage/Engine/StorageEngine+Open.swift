extension StorageEngine {
    /// Opens the engine in `path`, recovering what a crash left.
    ///
    /// Recovery reads first and writes second. The writing half is idempotent: new log segment, new
    /// manifest, then CURRENT names it, and only then orphans go; killed anywhere, the next open
    /// finds the old state or the new.
    ///
    /// Throws `invalid-argument` for an option out of range or a directory of somebody else's files;
    /// `not-found` when there is no engine and none may be made; `in-use` when another process has it open
    /// for writing (but not to an engine that is read-only); `read-only` for writing to a
    /// ``RestoreInspection``; `unsupported-format`; `key-missing`;
    /// `corruption` when the log, MANIFEST or FORMAT is damaged, with what to do as its hint (a damaged
    /// table does not stop an open: it is quarantined); `disk-full` and `io`. After a throw the directory
    /// is as good as before.
    public static func open(
        at path: String, options: EngineOptions = .init(), environment: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        try options.validate()
        let names = FileNames(root: path)
        if !options.isBeingRestored {
            try UnfinishedRestore.refuse(names, environment.fileSystem)
            try RestoreInspection.check(
                names, environment.fileSystem, forWriting: !options.isReadOnly)
        }
        return options.isReadOnly
            ? try openReadOnly(names, options, environment)
            : try openWritable(names, options, environment)
    }

    /// Beside a dead writer (or a live one, as of now): takes no lock and writes nothing.
    private static func openReadOnly(
        _ names: FileNames, _ options: EngineOptions, _ given: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        let environment = try EncryptionSetup.keyed(
            names, options.encryption, given, forWriting: false)
        let store = TableStore(
            names: names, fileSystem: environment.fileSystem, cache: cache(options),
            budget: options.memoryBudget, keepsFilesOpen: true)
        let recovered = try readBesideWriter(
            RecoveryReader(
                names: names, fileSystem: environment.fileSystem, store: store,
                memtableBytes: options.rotationBytes, forWriting: false,
                progress: progress(names, options, environment),
                wallMicros: environment.clock.wallMicros()))
        guard !recovered.isNew else {
            throw StorageError(
                .notFound, kind: .user, "There is no engine in the directory.",
                location: .init(path: names.root))
        }
        let tracker = SnapshotTracker()
        tracker.publish(max(recovered.lastCommit, recovered.version.safepoint))
        let tree = try makeTree(recovered, options)
        return StorageEngine(
            path: names.root, options: options, environment: environment, store: store,
            tree: tree, tracker: tracker, writeSide: nil, replayedLSN: recovered.endLSN)
    }

    /// Reads the directory. What a live writer takes away between two looks is no damage: it is looked
    /// again.
    private static func readBesideWriter(
        _ reader: RecoveryReader
    ) throws(StorageError) -> RecoveredState {
        var reader = reader
        func hasWriter() -> Bool { reader.fileSystem.isLocked(reader.names.lock) }
        var attempts = 0
        while true {
            let isBeside = hasWriter()
            reader.isBesideWriter = isBeside
            attempts += 1
            do throws(StorageError) {
                let recovered = try reader.read()
                // A writer that has come meanwhile may have taken away what was called missing.
                if isBeside || attempts == 16 || !hasWriter() { return recovered }
            } catch {
                // Tables come first, and the tries that find one gone are the quick ones.
                let isOfTables =
                    error.location?.path.hasPrefix(reader.names.sstDirectory) ?? false
                guard isBeside || hasWriter(), attempts < (isOfTables ? 64 : 16),
                    error.code == .notFound || error.code == .corruption
                else { throw error }
            }
        }
    }

    private static func openWritable(
        _ names: FileNames, _ options: EngineOptions, _ given: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        let room = RoomMakingFileSystem(given.fileSystem.unkeyed)
        let (environment, stalls) = watched(names, options, given, room)
        try stalls?.start()
        do throws(StorageError) {
            return try openWritable(names, options, environment, room, stalls)
        } catch {
            stalls?.stop()
            throw error
        }
    }

    /// The environment with a file system whose calls are watched, and who tells of those that stall.
    private static func watched(
        _ names: FileNames, _ options: EngineOptions, _ given: StorageEnvironment,
        _ fileSystem: any FileSystem
    ) -> (StorageEnvironment, StallReporter?) {
        func environment(_ fileSystem: any FileSystem) -> StorageEnvironment {
            StorageEnvironment(fileSystem: fileSystem, clock: given.clock, random: given.random)
        }
        guard options.stallReportMicros > 0 else { return (environment(fileSystem), nil) }
        let watch = StallWatch(clock: given.clock)
        let stalls = StallReporter(
            watch, limitMicros: options.stallReportMicros,
            events: EngineEvents(path: names.root, listener: options.eventListener))
        return (environment(WatchedFileSystem(fileSystem, watch)), stalls)
    }

    private static func openWritable(
        _ names: FileNames, _ options: EngineOptions, _ watched: StorageEnvironment,
        _ room: RoomMakingFileSystem, _ stalls: StallReporter?
    ) throws(StorageError) -> StorageEngine {
        var fileSystem = watched.fileSystem
        if try !fileSystem.exists(names.root) {
            guard options.createIfMissing else {
                throw StorageError(
                    .notFound, kind: .user, "The data directory does not exist.",
                    location: .init(path: names.root))
            }
            try makeRoot(names, fileSystem)
        } else {
            try refuseForeign(names, fileSystem)
        }
        let lock = try fileSystem.lock(names.lock)
        let environment: StorageEnvironment
        do throws(StorageError) {
            environment = try EncryptionSetup.keyed(
                names, options.encryption, watched, forWriting: true,
                createIfMissing: options.createIfMissing)
        } catch {
            lock.release()
            throw error
        }
        fileSystem = environment.fileSystem
        let store = TableStore(
            names: names, fileSystem: fileSystem, cache: cache(options),
            budget: options.memoryBudget)
        room.makeRoom(in: store.files)
        let overflow = ReplayOverflow(
            store: store, random: environment.random, options: options)
        do throws(StorageError) {
            let recovered = try RecoveryReader(
                names: names, fileSystem: fileSystem, store: store,
                memtableBytes: options.rotationBytes, forWriting: true,
                progress: progress(names, options, environment),
                wallMicros: environment.clock.wallMicros(), overflow: overflow
            ).read()
            if recovered.isNew, !options.createIfMissing {
                throw StorageError(
                    .notFound, kind: .user, "There is no engine in the directory.",
                    location: .init(path: names.root))
            }
            if recovered.isNew {
                // Not only where this open made it: an earlier one may have failed right after.
                try fileSystem.syncDirectory(VFSPath.parent(of: names.root))
            }
            return try RecoveryApplier(
                names: names, options: options, environment: environment, store: store,
                lock: lock, overflow: overflow, stalls: stalls
            ).apply(recovered)
        } catch {
            overflow.abandon()
            lock.release()
            throw error
        }
    }

    private static func makeRoot(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        do throws(StorageError) {
            try fileSystem.createDirectory(names.root)
        } catch {
            var cause = error.cause ?? error.message
            var hint = error.hint
            switch error.code {
            case .alreadyExists:
                // It is not there and its name is taken.
                cause = "a symbolic link of that name leads nowhere"
                hint = "Make the directory that the link names, or remove the link."
            case .notFound: hint = "Make its parent directory first, or choose another place."
            default: break
            }
            throw StorageError(
                error.code == .diskFull ? .diskFull : .io, kind: error.kind,
                "The data directory cannot be made.", cause: cause,
                location: .init(path: names.root), hint: hint, errno: error.errno)
        }
    }

    private static let ownDirectories = [
        "wal", "sst", FileNames.spillDirectoryName, "lost+found",
    ]

    /// A directory with files of somebody else's and none of an engine is a mistake in the path: no
    /// engine is made in it.
    private static func refuseForeign(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        var stranger: String?
        for name in try fileSystem.list(names.root) {
            switch FileNames.parse(name) {
            case .format, .current, .manifest: return
            case .unknown where !Self.ownDirectories.contains(name): stranger = name
            default: break
            }
        }
        guard let stranger else { return }
        throw StorageError(
            .invalidArgument, kind: .user,
            "The directory is not empty and holds no engine: \(stranger) is there.",
            location: .init(path: names.root), hint: "Choose an empty or a new directory.")
    }

    private static func progress(
        _ names: FileNames, _ options: EngineOptions, _ environment: StorageEnvironment
    ) -> RecoveryProgress {
        RecoveryProgress(
            path: names.root, listener: options.eventListener, clock: environment.clock)
    }

    private static func cache(_ options: EngineOptions) -> BlockCache {
        options.memoryBudget?.cache ?? options.blockCache
            ?? BlockCache(capacityBytes: options.blockCacheBytes)
    }

    static func makeTree(
        _ recovered: RecoveredState, _ options: EngineOptions
    ) throws(StorageError) -> Tree {
        let shards = ReaderShards()
        let arenas = ArenaPool(memtableBytes: options.rotationBytes) {
            [budget = options.memoryBudget] in budget.map { $0.pressure > .none } ?? false
        }
        let table = try MemTable(
            capacityBytes: Tree.arenaCapacity(options.memtableBytes, batchBytes: 0), shards: shards,
            pool: arenas)
        let active = MemtableLayer(
            table: table, epoch: recovered.nextFlushEpoch, lastLSN: recovered.endLSN)
        return Tree(
            active: active, immutables: recovered.layers, version: recovered.version,
            nextEpoch: recovered.nextFlushEpoch + 1, shards: shards, arenas: arenas)
    }
}
