import FalconSQL
import FalconStorage
import Glibc
import NIOPosix
import Testing

@testable import FalconServer

@Suite struct AdminTests {
    private func get(_ path: String, port: Int, method: String = "GET") throws -> String {
        let client = try WireClient(port: port)
        try client.send(
            Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while let byte = try client.readByte() { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func endpoints() throws {
        let server = try WireServer()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let source = AdminSource(
            engine: nil, server: server.context, dataDirectory: "/data \"x\"")
        let admin = try AdminListener(source: source, host: "127.0.0.1", port: 0, group: group)
        defer {
            admin.close()
            try? group.syncShutdownGracefully()
        }
        let client = try server.client()
        _ = try client.query("rows 1")

        let health = try get("/health", port: admin.port)
        #expect(health.hasPrefix("HTTP/1.1 200"))
        #expect(health.contains("{\"status\":\"ok\""))
        #expect(health.contains("\"path\":\"/data \\\"x\\\"\""))
        let metrics = try get("/metrics", port: admin.port)
        #expect(metrics.contains("\nfalcon_connections 1\n"))
        #expect(metrics.contains("\nfalcon_statements_total 1\n"))
        #expect(metrics.contains("# TYPE falcon_statements_total counter\n"))
        #expect(
            try get("/corruption", port: admin.port).hasSuffix(
                "{\"quarantined\":[],\"blob_files\":[]}\n"))
        #expect(try get("/nothing", port: admin.port).hasPrefix("HTTP/1.1 404"))
        #expect(try get("/health", port: admin.port, method: "POST").hasPrefix("HTTP/1.1 405"))

        server.context.registry.drain {}
        let draining = try get("/health", port: admin.port)
        #expect(draining.hasPrefix("HTTP/1.1 503"))
        #expect(draining.contains("\"draining\""))
    }

    @Test func everyMetricHasOneName() throws {
        let engine = try StorageEngine.open(
            at: "/db", environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        defer { try? engine.close() }
        let database = try SQLDatabase.open(engine: engine)
        defer { database.close() }
        let resolver = InDoubtResolver(database, NobodyKnows()) { _ in }
        defer { resolver.stop() }
        let source = AdminSource(
            engine: engine, database: database, resolver: resolver,
            server: try WireServer().context, dataDirectory: "/db")
        let types = source.metrics().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        let names = types.compactMap { $0.split(separator: " ").dropFirst(2).first }
        #expect(names.contains("falcon_sql_transactions_committed_total"))
        #expect(names.contains("falcon_in_doubt_questions_total"))
        #expect(names.count == Set(names).count)
    }

    private struct NobodyKnows: InDoubtSource {
        func ask(
            _ transaction: InDoubtTransaction,
            answer: @escaping @Sendable (Result<InDoubtDecision, any Error>) -> Void
        ) { answer(.success(.undecided)) }
        func stop() {}
    }

    @Test func memoryAndTablesAreMeasured() throws {
        let budget = try MemoryBudget(totalBytes: 64 << 20)
        var options = EngineOptions()
        options.memoryBudget = budget
        options.memtableBytes = 1 << 20
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        defer { try? engine.close() }
        let source = AdminSource(
            engine: engine, server: try WireServer().context, dataDirectory: "/db")
        budget.charge(.transactions, 12_345)
        budget.charge(.locks, 678)
        let metrics = source.metrics()
        #expect(metrics.contains("\nfalcon_memory_bytes{user=\"transactions\"} 12345\n"))
        #expect(metrics.contains("\nfalcon_memory_bytes{user=\"locks\"} 678\n"))
        #expect(metrics.contains("\nfalcon_memory_bytes{user=\"queries\"} 0\n"))
        #expect(metrics.contains("\nfalcon_memory_bytes{user=\"memtables\"} 4194304\n"))
        #expect(metrics.contains("\nfalcon_memory_bytes{user=\"cache\"} 0\n"))
        #expect(metrics.contains("\nfalcon_memory_budget_bytes 67108864\n"))
        #expect(metrics.contains("\nfalcon_memory_pressure 0\n"))
        #expect(metrics.contains("\nfalcon_level0_sublevels 0\n"))
        for round in 0..<2 {
            let batch = WriteBatch()
            try batch.put("key", "\(round)")
            try engine.commitAndWait(batch)
            try engine.flush()
        }
        // What is old is passed over by a scan of what is new.
        var recent = ReadOptions()
        recent.newerThan = engine.publishedTimestamp
        let iterator = try engine.makeIterator(
            .all, at: engine.publishedTimestamp, options: recent)
        try iterator.seekToFirst()
        #expect(!iterator.isValid)
        let later = source.metrics()
        #expect(later.contains("\nfalcon_level0_sublevels 2\n"))
        #expect(later.contains("\nfalcon_time_bound_skipped_tables_total 2\n"))
        #expect(later.contains("\nfalcon_time_bound_skipped_blocks_total 0\n"))
        #expect(later.contains("\nfalcon_obsolete_bytes 0\n"))
    }

    @Test func aDamagedTableIsShown() throws {
        let memory = MemoryFileSystem()
        let environment = StorageEnvironment(fileSystem: memory)
        var engine = try StorageEngine.open(at: "/db", environment: environment)
        let batch = WriteBatch()
        try [UInt8](0..<12).withUnsafeBytes { try batch.put(key: $0, value: $0) }
        try engine.commitAndWait(batch)
        try engine.flush()
        try engine.close()
        let name = try #require(try memory.list("/db/sst").first { $0.hasSuffix(".sst") })
        try memory.open("/db/sst/" + name, .readWrite).truncate(to: 100)
        engine = try StorageEngine.open(at: "/db", environment: environment)
        defer { try? engine.close() }
        let server = try WireServer()
        let source = AdminSource(engine: engine, server: server.context, dataDirectory: "/db")
        let shown = source.corruption()
        #expect(shown.contains("\"file\":\"/db/sst/\(name)\",\"level\":0,"))
        #expect(shown.contains("\"entries\":1,\"offset\":100,"))
        // Database and storage of the key, and no more of it.
        #expect(shown.contains("\"first_key_prefix\":\"0001020304050607\""))
        #expect(shown.contains("\"found_by\":\"open\""))
        #expect(shown.contains("\"whole\":true,\"lost\":[{\"offset\":0,\"bytes\":"))
        #expect(source.metrics().contains("\nfalcon_quarantined_tables 1\n"))
        #expect(source.metrics().contains("\nfalcon_io_stalled 0\n"))
        let health = source.health()
        #expect(health.httpStatusIsOK && health.reason?.contains("/corruption") == true)
    }
}
