import Dispatch
import FalconSQL
import FalconSchema
import FalconStorage
import Glibc
import Logging
import NIOCore
import NIOPosix

/// A server from its start to its end: engine, SQL, listeners, and their orderly stop.
public final class RunningServer: Sendable {
    private let config: ServerConfig
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let engine: StorageEngine
    private let database: SQLDatabase
    private let resolver: InDoubtResolver?
    private let workers: WorkerPool
    private let server: PGServerContext
    private let pgListener: PGListener
    private let adminListener: AdminListener
    /// Keeps an inspection from being advanced while it is shown.
    private let inspection: (any FileLock)?

    /// The ports that were bound; they differ from the configured ones when those were 0.
    public var pgPort: Int { pgListener.port }
    public var adminPort: Int { adminListener.port }

    private init(
        config: ServerConfig, logger: Logger, group: MultiThreadedEventLoopGroup,
        engine: StorageEngine, database: SQLDatabase, resolver: InDoubtResolver?,
        workers: WorkerPool, server: PGServerContext, pgListener: PGListener,
        adminListener: AdminListener, inspection: (any FileLock)?
    ) {
        self.inspection = inspection
        self.config = config
        self.logger = logger
        self.group = group
        self.engine = engine
        self.database = database
        self.resolver = resolver
        self.workers = workers
        self.server = server
        self.pgListener = pgListener
        self.adminListener = adminListener
    }

    /// Opens the data directory, then SQL, then the listeners.
    public static func start(
        _ config: ServerConfig, logger: Logger,
        environment: StorageEnvironment = StorageEnvironment()
    ) throws -> RunningServer {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // A mistyped address must not leave a new data directory behind.
        try AddressProbe.check(config.pgAddress, what: "PostgreSQL", flag: "--pg-addr")
        try AddressProbe.check(config.adminAddress, what: "admin", flag: "--admin-addr")
        logger.info("opening the data directory \(config.dataDirectory)")
        let opened = ContinuousClock.now
        let inspection = try InspectedDirectory.hold(config, environment.fileSystem, logger)
        let engine = try openEngine(
            config, EngineLog(logger: logger), environment: environment,
            isReadOnly: inspection != nil)
        logger.info("storage is open after \(shown(opened.duration(to: .now)))")
        if config.dropsDamagedTables {
            do throws(StorageError) {
                try dropDamagedTables(engine, logger)
            } catch {
                try? engine.close()
                throw ServerStartError.engine(error, path: config.dataDirectory)
            }
        }
        let workers = WorkerPool(
            threadCount: config.workerThreads > 0 ? config.workerThreads : max(4, 2 * cores))
        let database: SQLDatabase
        do throws(SQLError) {
            var options = sqlOptions(config)
            options.whenBlocking = { workers.thread(isBlocked: $0) }
            options.whenFailing = { logger.error("\($0)") }
            database = try SQLDatabase.open(engine: engine, options: options)
        } catch {
            workers.stop()
            let isDamaged = !engine.corruptionReport().isEmpty
            try? engine.close()
            throw ServerStartError(
                "cannot open the catalog: \(error)"
                    + (isDamaged
                        ? "\nRestore the damaged table's file, or give up its rows with "
                            + "--drop-damaged-tables: see docs/operations/errors.md." : ""))
        }
        logger.info("the catalog is open after \(shown(opened.duration(to: .now)))")

        let group = MultiThreadedEventLoopGroup(
            numberOfThreads: config.eventLoopThreads > 0 ? config.eventLoopThreads : cores)
        let server = PGServerContext(
            source: database, workers: workers, logger: logger,
            maxConnections: config.maxConnections, maximumMessageLength: config.maxMessageBytes,
            startupTimeoutSeconds: max(1, config.startupTimeoutMillis / 1000))
        let resolver = inspection == nil ? inDoubtResolver(config, database, logger) : nil
        func giveUp(_ error: ServerStartError) -> ServerStartError {
            resolver?.stop()
            workers.stop()
            try? group.syncShutdownGracefully()
            database.close()
            try? engine.close()
            return error
        }
        let pgListener: PGListener
        do {
            pgListener = try PGListener.bind(
                server, host: config.pgAddress.host, port: config.pgAddress.port, group: group)
        } catch {
            throw giveUp(
                .listener(
                    error, what: "PostgreSQL", address: config.pgAddress, flag: "--pg-addr"))
        }
        let adminListener: AdminListener
        do {
            adminListener = try AdminListener(
                source: AdminSource(
                    engine: engine, database: database, resolver: resolver, server: server,
                    dataDirectory: config.dataDirectory),
                host: config.adminAddress.host, port: config.adminAddress.port, group: group)
        } catch {
            pgListener.close()
            throw giveUp(
                .listener(
                    error, what: "admin", address: config.adminAddress, flag: "--admin-addr"))
        }
        return RunningServer(
            config: config, logger: logger, group: group, engine: engine, database: database,
            resolver: resolver, workers: workers, server: server, pgListener: pgListener,
            adminListener: adminListener, inspection: inspection)
    }

    private static func inDoubtResolver(
        _ config: ServerConfig, _ database: SQLDatabase, _ logger: Logger
    ) -> InDoubtResolver? {
        guard !config.inDoubtCommand.isEmpty else { return nil }
        var options = InDoubtOptions()
        options.afterMilliseconds = config.inDoubtAfterMillis
        options.questionsPerSecond = config.inDoubtRate
        return InDoubtResolver(database, InDoubtCommand(config.inDoubtCommand), options) {
            logger.warning("\($0)")
        }
    }

    /// Before the catalog is read, which may lie in one of them.
    private static func dropDamagedTables(
        _ engine: StorageEngine, _ logger: Logger
    ) throws(StorageError) {
        let lost = try engine.dropQuarantined()
        if lost.isEmpty {
            return logger.info("no table or blob file is damaged; nothing was given up")
        }
        for file in lost.blobFiles {
            logger.warning(
                "given up: the rows whose values cannot be read in \(file.path): \(file.reason)")
        }
        for entry in lost.entries {
            logger.warning(
                "given up: \(entry.path) with \(entry.entryCount) entries: \(entry.reason)")
        }
    }

    private static func openEngine(
        _ config: ServerConfig, _ log: EngineLog, environment: StorageEnvironment,
        isReadOnly: Bool
    ) throws(ServerStartError) -> StorageEngine {
        var options = EngineOptions()
        options.isReadOnly = isReadOnly
        options.eventListener = log
        options.memtableBytes = config.memtableBytes
        options.blockCacheBytes = config.blockCacheBytes
        options.compression = config.compression
        options.bottomCompression = config.bottomCompression
        options.bottomDictionaryBytes = config.bottomDictionaryBytes
        options.filterBitsPerKey = config.filterBitsPerKey
        options.compactionThreads = config.compactionThreads
        options.backgroundBytesPerSecond = UInt64(config.backgroundBytesPerSecond)
        options.walSegmentBytes = UInt64(config.walSegmentBytes)
        options.walRetainBytes = UInt64(config.walRetainBytes)
        options.archive = isReadOnly ? nil : config.archive
        options.slots = config.slots
        options.catalogReader = CatalogCheckpoint.reader
        options.catalogStorageLimit = CatalogKeys.firstUserStorage
        do throws(ConfigError) {
            options.encryption = try config.encryption()
        } catch {
            throw ServerStartError("\(error)")
        }
        do throws(StorageError) {
            if config.memoryBudgetBytes > 0 {
                options.memoryBudget = try MemoryBudget(totalBytes: config.memoryBudgetBytes)
            }
            return try StorageEngine.open(
                at: config.dataDirectory, options: options, environment: environment)
        } catch {
            throw .engine(error, path: config.dataDirectory)
        }
    }

    private static func sqlOptions(_ config: ServerConfig) -> SQLDatabaseOptions {
        var options = SQLDatabaseOptions()
        options.settings = config.settings
        options.durability = config.durability
        options.maxSessions = config.maxConnections
        options.maxLocks = config.maxLocks
        return options
    }

    /// Stops accepting, lets running statements end within the grace period, cancels the rest, and
    /// closes the engine. True when everything closed cleanly.
    public func stop() -> Bool {
        pgListener.close()
        let sessions = server.registry.sessionCount
        logger.info("shutting down: \(sessions) sessions open")
        let empty = DispatchSemaphore(value: 0)
        server.registry.drain { empty.signal() }
        var isEmpty =
            empty.wait(timeout: .now() + .milliseconds(config.shutdownGraceMillis)) == .success
        if !isEmpty {
            logger.warning("cancelling the statements of \(server.registry.sessionCount) sessions")
            server.registry.terminateAll()
            isEmpty = empty.wait(timeout: .now() + .seconds(2)) == .success
            if !isEmpty {
                // Commits that a full disk keeps from being durable cannot be taken back.
                engine.abandonStalledCommits()
                isEmpty = empty.wait(timeout: .now() + .seconds(10)) == .success
            }
        }
        adminListener.close()
        resolver?.stop()
        guard isEmpty else {
            // A statement that ignores cancellation still uses the engine: the log is what the next
            // start recovers from.
            logger.error("some statements did not end; leaving without closing the data directory")
            return false
        }
        workers.stop()
        try? group.syncShutdownGracefully()
        database.close()
        defer { inspection?.release() }
        do throws(StorageError) {
            try engine.close()
        } catch {
            logger.error("the data directory did not close cleanly: \(error)")
            return false
        }
        logger.info("shut down cleanly")
        return true
    }

    private static func shown(_ duration: Duration) -> String {
        let parts = duration.components
        return "\(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000) ms"
    }
}
