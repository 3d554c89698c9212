import Dispatch
import FalconSchema
import FalconStorage

@testable import FalconSQL

/// A SQL database on an engine in memory, for one test.
final class TestDatabase: @unchecked Sendable {
    private(set) var fileSystem = MemoryFileSystem()
    private let options: SQLDatabaseOptions
    private let encryption: EncryptionOptions?
    private let archive: ArchiveOptions?
    private let slots: ReplicationSlotOptions?
    private let change: (inout EngineOptions) throws -> Void
    private(set) var engine: StorageEngine
    private(set) var sql: SQLDatabase

    init(
        durability: Durability = .written, settings: [(String, String)] = [],
        notificationQueueBytes: Int? = nil, serializableCount: Int? = nil,
        serializableBytes: Int? = nil, encryption: EncryptionOptions? = nil,
        archive: ArchiveOptions? = nil, slots: ReplicationSlotOptions? = nil,
        change: @escaping (inout EngineOptions) throws -> Void = { _ in }
    ) throws {
        var options = SQLDatabaseOptions()
        if let serializableCount { options.serializableLimit.count = serializableCount }
        if let serializableBytes { options.serializableLimit.bytes = serializableBytes }
        options.notificationQueueBytes = notificationQueueBytes
        options.durability = durability
        options.settings = settings
        self.options = options
        self.encryption = encryption
        self.archive = archive
        self.slots = slots
        self.change = change
        engine = try Self.openEngine(fileSystem, encryption, archive, slots, change)
        sql = try SQLDatabase.open(engine: engine, options: options)
    }

    private static func openEngine(
        _ fileSystem: MemoryFileSystem, _ encryption: EncryptionOptions?,
        _ archive: ArchiveOptions?, _ slots: ReplicationSlotOptions?,
        _ change: (inout EngineOptions) throws -> Void
    ) throws -> StorageEngine {
        var options = EngineOptions()
        options.encryption = encryption
        options.archive = archive
        if let slots {
            options.slots = slots
            options.catalogReader = CatalogCheckpoint.reader
        }
        options.catalogStorageLimit = CatalogKeys.firstUserStorage
        try change(&options)
        return try StorageEngine.open(
            at: "/db", options: options, environment: StorageEnvironment(fileSystem: fileSystem))
    }

    /// Keys of `range` that are stored now.
    func storedKeys(_ range: KeyRange) throws -> Int {
        let iterator = try engine.makeIterator(range, at: engine.publishedTimestamp)
        try iterator.seekToFirst()
        var count = 0
        while iterator.isValid {
            count += 1
            try iterator.next()
        }
        return count
    }

    func session(database: String = "falcon", user: String = "postgres") throws -> TestSession {
        TestSession(
            try sql.makeSession(user: user, database: database, startupParameters: []))
    }

    /// A new one with two sessions; `setup` runs in the first.
    static func pair(_ setup: String...) throws -> (TestDatabase, TestSession, TestSession) {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        for sql in setup { try a.run(sql) }
        return (database, a, b)
    }

    /// Closes everything and opens it again from what was stored.
    func restart() throws {
        sql.close()
        try engine.close()
        engine = try Self.openEngine(fileSystem, encryption, archive, slots, change)
        sql = try SQLDatabase.open(engine: engine, options: options)
    }

    /// Opens what a power cut leaves of it: nothing that was not synced.
    func crash() throws {
        let survived = fileSystem.crashClone(.dropUnsynced)
        sql.close()
        try engine.close()
        fileSystem = survived
        engine = try Self.openEngine(fileSystem, encryption, archive, slots, change)
        sql = try SQLDatabase.open(engine: engine, options: options)
    }

    /// Damages every record of every blob file.
    func damageBlobFiles() throws {
        for name in try fileSystem.list("/db/sst") where name.hasSuffix(".blob") {
            let file = try fileSystem.open("/db/sst/" + name, .readWrite)
            let bytes = try file.readExactly(Int(file.size()), at: 0)
            try file.write(bytes[64..<(bytes.count - 64)].map { ~$0 }, at: 64)
        }
    }

    func close() {
        sql.close()
        try? engine.close()
    }
}

/// What one statement answered.
struct Answer: Sendable {
    var columns: [String] = []
    var types: [OID] = []
    var rows: [[String?]] = []
    var tag = ""
    /// Rows as psql -At prints them, NULL as an empty field.
    var text: String {
        rows.map { $0.map { $0 ?? "" }.joined(separator: "|") }.joined(separator: "\n")
    }
}

/// Collects a session's output.
final class CollectingSink: ResultSink {
    var answers: [Answer] = []
    var current = Answer()
    var notices: [SQLError] = []
    var parameters: [(String, String)] = []
    var copyOut: [UInt8] = []
    var copyInResponses = 0
    /// Of the last one.
    var copyColumns: Int?
    var suspensions = 0
    var emptyQueries = 0
    var settings = DisplaySettings()

    func rowDescription(_ columns: [ResultColumn]) {
        current.columns = columns.map(\.name)
        current.types = columns.map(\.type.oid)
    }
    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) {
        current.rows.append(
            zip(values, columns).map { value, column in
                value.isNull
                    ? nil : TypeIO.text(value, type: column.type.oid, settings: settings)
            })
    }
    func commandComplete(_ tag: String) {
        current.tag = tag
        answers.append(current)
        current = Answer()
    }
    func emptyQuery() { emptyQueries += 1 }
    func portalSuspended() { suspensions += 1 }
    func notice(_ notice: SQLError) { notices.append(notice) }
    func parameterStatus(_ name: String, _ value: String) { parameters.append((name, value)) }
    func copyInResponse(_ format: CopyFormat, columnCount: Int) {
        copyInResponses += 1
        copyColumns = columnCount
    }
    func copyOutResponse(_ format: CopyFormat, columnCount: Int) {}
    func copyData(_ bytes: [UInt8]) { copyOut += bytes }
    func copyDone() {}
    var wantsPause: Bool { false }
}

/// A client in the same process: runs statements and waits like a blocking driver.
final class TestSession: @unchecked Sendable {
    let session: Session
    let sink = CollectingSink()

    init(_ session: Session) { self.session = session }
    deinit { session.close() }

    /// Follows `progress` to its end; `.copyIn` is an end too.
    func settle(_ progress: SessionProgress) throws -> SessionProgress {
        var progress = progress
        while true {
            switch progress {
            case .finished, .copyIn: return progress
            case .failed(let error): throw error
            case .waiting(let wait):
                let semaphore = DispatchSemaphore(value: 0)
                wait.onReady { semaphore.signal() }
                guard semaphore.comes() else {
                    throw SQLError(.internalError, "the session waits without end")
                }
                progress = session.resume(sink)
            case .paused, .needsWorker: progress = session.resume(sink)
            }
        }
    }

    @discardableResult
    func run(_ sql: String) throws -> [Answer] {
        sink.answers = []
        sink.current = Answer()
        sink.settings = session.displaySettings
        _ = try settle(session.simpleQuery(sql, sink))
        return sink.answers
    }

    /// Rows of the last statement, `|` between columns and a newline between rows.
    func query(_ sql: String) throws -> String { try run(sql).last?.text ?? "" }

    func tag(_ sql: String) throws -> String { try run(sql).last?.tag ?? "" }

    /// The error that `sql` fails with; nil when it succeeds.
    func failure(_ sql: String) -> SQLError? { failure { try run(sql) } }

    /// The error that what has begun fails with.
    func failure(_ progress: SessionProgress) -> SQLError? { failure { try settle(progress) } }

    private func failure(_ body: () throws -> some Any) -> SQLError? {
        do {
            _ = try body()
            return nil
        } catch { return error as? SQLError ?? SQLError(.internalError, "\(error)") }
    }

    /// Begins a statement that has to wait; throws when it does not.
    func begin(_ sql: String) throws -> SessionProgress {
        sink.answers = []
        var progress = session.simpleQuery(sql, sink)
        while case .needsWorker = progress { progress = session.resume(sink) }
        guard case .waiting = progress else { throw Pending.NoWait() }
        return progress
    }

    /// COPY … FROM STDIN with `chunks` as its CopyData messages.
    func copy(_ sql: String, _ chunks: [String]) throws -> String {
        sink.answers = []
        guard case .copyIn = try settle(session.simpleQuery(sql, sink)) else { return "no copy" }
        for chunk in chunks { _ = try settle(session.copyData(Array(chunk.utf8), sink)) }
        _ = try settle(session.copyDone(sink))
        return sink.answers.last?.tag ?? ""
    }

    /// Parse, Bind, Execute, Sync with text parameters.
    @discardableResult
    func prepared(
        _ sql: String, _ parameters: [String?], types: [OID] = [], maxRows: Int = 0
    ) throws -> Answer {
        sink.answers = []
        sink.current = Answer()
        do {
            _ = try settle(session.parse(name: "", sql: sql, parameterTypes: types, sink))
            _ = try settle(
                session.bind(
                    portal: "", statement: "",
                    parameters: parameters.map {
                        WireParameter(bytes: $0.map { Array($0.utf8) }, format: 0)
                    }, resultFormats: [], sink))
            _ = try settle(session.execute(portal: "", maxRows: maxRows, sink))
            _ = try settle(session.sync(sink))
        } catch {
            _ = try settle(session.sync(sink))
            throw error
        }
        return sink.answers.last ?? Answer()
    }
}
