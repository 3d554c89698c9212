import FalconSchema
import Testing

@testable import FalconSQL

/// COPY … FREEZE is for tables made or truncated since the last savepoint, as in PostgreSQL 15.
@Suite struct CopyFreezeTests {
    private static let copy = "COPY t FROM STDIN (FREEZE)"
    private static let refusal =
        "cannot perform COPY FREEZE because the table was not created or truncated in the current "
        + "subtransaction"

    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY)")
        return (database, s)
    }

    /// After its client was asked for the data: psql would take the lines that follow for statements.
    private func isRefused(_ s: TestSession) -> Bool {
        let asked = s.sink.copyInResponses
        let error = s.failure(Self.copy)
        return s.sink.copyInResponses == asked + 1
            && error?.state == .objectNotInPrerequisiteState && error?.message == Self.refusal
    }

    @Test func oldTablesAreRefused() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(isRefused(s))
        try s.run("BEGIN; ALTER TABLE t ADD COLUMN n int")
        #expect(isRefused(s), "a change that keeps the rows where they are is no new table")
        try s.run("ROLLBACK")
        #expect(try s.copy("COPY t FROM STDIN (FREEZE off)", ["1\n"]) == "COPY 1")
    }

    @Test func newAndTruncatedTablesAreNot() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("INSERT INTO t VALUES (1); BEGIN; TRUNCATE t")
        #expect(try s.copy(Self.copy, ["2\n3\n"]) == "COPY 2")
        try s.run("COMMIT")
        #expect(try s.query("SELECT id FROM t ORDER BY id") == "2\n3")
        try s.run("DROP TABLE t; BEGIN; CREATE TABLE t (id int)")
        #expect(try s.copy(Self.copy, ["4\n"]) == "COPY 1")
        try s.run("COMMIT")
        #expect(try s.query("SELECT id FROM t") == "4")
    }

    @Test func savepointsCount() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("BEGIN; TRUNCATE t; SAVEPOINT a")
        #expect(isRefused(s))
        try s.run("ROLLBACK TO a; TRUNCATE t")
        #expect(try s.copy(Self.copy, ["1\n"]) == "COPY 1")
        try s.run("RELEASE a")
        #expect(try s.copy(Self.copy, ["2\n"]) == "COPY 1", "it belongs to what is around it now")
        try s.run("COMMIT; BEGIN; SAVEPOINT a; TRUNCATE t; ROLLBACK TO a")
        #expect(isRefused(s))
        try s.run("ROLLBACK")
        #expect(try s.query("SELECT id FROM t ORDER BY id") == "1\n2")
    }

    @Test func openCursorsAreInTheWay() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("BEGIN; DECLARE c CURSOR FOR SELECT 1; TRUNCATE t")
        let error = s.failure(Self.copy)
        #expect(error?.state == SQLState("25000"))
        #expect(
            error?.message == "cannot perform COPY FREEZE because of prior transaction activity")
        try s.run("ROLLBACK")
    }
}
