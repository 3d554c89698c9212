import FalconSchema
import Testing

@testable import FalconSQL

/// Several Execute messages before one Sync: one transaction, which VACUUM and its like take no part in.
struct PipelineTests {
    private let a: TestSession
    private let b: TestSession
    private let database: TestDatabase

    init() throws {
        (database, a, b) = try TestDatabase.pair("CREATE TABLE t (id int PRIMARY KEY)")
    }

    private func open(_ sql: String) throws {
        _ = try a.settle(a.session.parse(name: "", sql: sql, parameterTypes: [], a.sink))
        _ = try a.settle(
            a.session.bind(portal: "", statement: "", parameters: [], resultFormats: [], a.sink))
    }

    private func execute(_ sql: String) throws {
        try open(sql)
        _ = try a.settle(a.session.execute(portal: "", maxRows: 0, a.sink))
    }

    @Test(arguments: [
        ("VACUUM t", "VACUUM"), ("CREATE DATABASE d", "CREATE DATABASE"),
        ("CREATE INDEX CONCURRENTLY ON t (id)", "CREATE INDEX CONCURRENTLY"),
        ("DISCARD ALL", "DISCARD ALL"),
    ])
    func isRefusedAfterOthers(_ sql: String, _ what: String) throws {
        try execute("INSERT INTO t VALUES (1)")
        try open(sql)
        let error = a.failure(a.session.execute(portal: "", maxRows: 0, a.sink))
        #expect(error?.state == .activeSQLTransaction)
        #expect(error?.message == "\(what) cannot be executed within a pipeline")
        _ = try a.settle(a.session.sync(a.sink))
        #expect(try b.query("SELECT count(*) FROM t") == "0")
    }

    @Test func whatStandsFirstIsNotUndoneByLaterErrors() throws {
        try execute("CREATE INDEX CONCURRENTLY i ON t (id)")
        try execute("INSERT INTO t VALUES (1)")
        try open("INSERT INTO t VALUES (1)")
        #expect(
            a.failure(a.session.execute(portal: "", maxRows: 0, a.sink))?.state == .uniqueViolation)
        _ = try a.settle(a.session.sync(a.sink))
        #expect(
            try b.query("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == "2")
        #expect(try b.query("SELECT count(*) FROM t") == "0")
        try execute("VACUUM t")
        _ = try a.settle(a.session.sync(a.sink))
    }
}
