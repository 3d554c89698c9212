import FalconSchema
import Testing

@testable import FalconSQL

/// NoticeResponses, beside the script notice-levels.
struct NoticeTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (n int)", "CREATE TABLE u (n int PRIMARY KEY)")
    }

    private func notices(_ sql: String, of session: TestSession) throws -> [String] {
        session.sink.notices = []
        try session.run(sql)
        return session.sink.notices.map { "\($0.severity.rawValue) \($0.message)" }
    }

    private let skipping = "NOTICE table \"nix\" does not exist, skipping"

    @Test(arguments: [
        ("debug5", 2), ("log", 2), ("notice", 2), ("warning", 1), ("error", 0),
    ])
    func levelsHoldBack(level: String, count: Int) throws {
        try a.run("SET client_min_messages = \(level)")
        #expect(try notices("DROP TABLE IF EXISTS nix; COMMIT", of: a).count == count)
        // What was asked for is told at every level.
        #expect(
            try notices("REINDEX (VERBOSE) TABLE u", of: a) == [
                "INFO index \"u_pkey\" was reindexed"
            ])
    }

    @Test func levelIsTheOneOfTheMoment() throws {
        #expect(
            try notices(
                "DROP TABLE IF EXISTS nix; SET client_min_messages = error; "
                    + "DROP TABLE IF EXISTS nix", of: a) == [skipping])
        #expect(
            try notices("RESET client_min_messages; DROP TABLE IF EXISTS nix", of: a)
                == [skipping])
    }

    /// A statement that waits runs again from its start.
    @Test(arguments: ["notice", "error"])
    func isToldOnceByWhoWaits(level: String) throws {
        try b.run("SET client_min_messages = \(level)")
        try a.run("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
        let dropping = Pending(b, "DROP TABLE IF EXISTS nix, t")
        try dropping.untilItWaits()
        try a.run("COMMIT")
        #expect(try dropping.result().error == nil)
        #expect(b.sink.notices.count == (level == "error" ? 0 : 1))
    }

    /// The wait that failed has nothing to do with the next statement.
    @Test func isToldAgainByTheNextStatement() throws {
        try b.run("SET lock_timeout = '5ms'")
        try a.run("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
        for _ in 0..<2 {
            b.sink.notices = []
            #expect(b.failure("DROP TABLE IF EXISTS nix, t")?.state == .lockNotAvailable)
            #expect(b.sink.notices.map(\.message) == ["table \"nix\" does not exist, skipping"])
        }
    }
}
