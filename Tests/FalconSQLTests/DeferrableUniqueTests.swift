import FalconSchema
import FalconTestKit
import Testing

@testable import FalconSQL

/// DEFERRABLE unique constraints, beside the scripts unique-deferred and unique-deferrable-*.
struct DeferrableUniqueTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            """
            CREATE TABLE d (id int PRIMARY KEY DEFERRABLE,
                u int UNIQUE DEFERRABLE INITIALLY DEFERRED, n int)
            """,
            "INSERT INTO d SELECT i, i, i FROM generate_series(1, 200) AS i")
    }

    private func message(_ session: TestSession, _ sql: String) -> String? {
        session.failure(sql).map { "\($0.state.rawValue) \($0.detail ?? $0.message)" }
    }

    @Test func keysMayPassEachOtherWithinAStatement() throws {
        #expect(try a.tag("UPDATE d SET id = id + 1, u = 201 - u") == "UPDATE 200")
        #expect(try a.query("SELECT min(id), max(id), count(DISTINCT u) FROM d") == "2|201|200")
        #expect(try a.query("SELECT n FROM d WHERE u = 1") == "200")
        #expect(try a.query("SELECT n FROM d WHERE id = 2") == "1")
    }

    @Test func theErrorNamesItsConstraint() throws {
        let error = try #require(a.failure("INSERT INTO d VALUES (1, 300, 0)"))
        #expect(error.constraint == "d_pkey" && error.table == "d" && error.schema == "public")
        #expect(a.failure("INSERT INTO d VALUES (300, 1, 0)")?.constraint == "d_u_key")
        let refusal = try #require(
            a.failure("INSERT INTO d VALUES (300, 300, 0) ON CONFLICT (u) DO NOTHING"))
        #expect(refusal.constraint == "d_u_key" && refusal.state.rawValue == "55000")
    }

    /// Each is in the other's way: one of the commits must fail, whatever the order of its checks.
    @Test func crossedChecksAreADeadlock() throws {
        try a.run("BEGIN; INSERT INTO d VALUES (301, 301, 0)")
        try b.run("BEGIN; INSERT INTO d VALUES (302, 302, 0), (304, 301, 0)")
        try a.run("INSERT INTO d VALUES (303, 302, 0)")
        let commit = Pending(a, "COMMIT")
        try commit.untilItWaits()
        let second = b.failure("COMMIT")
        let first = try commit.result().error
        let states = [first, second].compactMap { $0?.state.rawValue }
        #expect(states == ["40P01"])
        #expect(try a.query("SELECT count(*), count(DISTINCT u) FROM d WHERE id > 300") == "2|2")
    }

    @Test func whatIsPreparedHoldsItsKeys() throws {
        try a.run("BEGIN; INSERT INTO d VALUES (301, 301, 0); PREPARE TRANSACTION 'p'")
        try b.run("SET lock_timeout = '5ms'")
        #expect(b.failure("INSERT INTO d VALUES (302, 301, 0)")?.state == .lockNotAvailable)
        try database.restart()
        let c = try database.session()
        try c.run("SET lock_timeout = '5ms'")
        #expect(c.failure("INSERT INTO d VALUES (302, 301, 0)")?.state == .lockNotAvailable)
        try c.run("COMMIT PREPARED 'p'")
        #expect(
            message(c, "INSERT INTO d VALUES (302, 301, 0)")
                == "23505 Key (u)=(301) already exists.")
    }

    @Test func definitionsSurviveARestart() throws {
        try a.run("ALTER TABLE d ADD UNIQUE (n) DEFERRABLE")
        try database.restart()
        let c = try database.session()
        #expect(
            try c.query("SELECT pg_get_constraintdef(oid) FROM pg_constraint ORDER BY conname")
                == """
                UNIQUE (n) DEFERRABLE
                PRIMARY KEY (id) DEFERRABLE
                UNIQUE (u) DEFERRABLE INITIALLY DEFERRED
                """)
        #expect(message(c, "UPDATE d SET n = 1") == "23505 Key (n)=(1) already exists.")
        #expect(try c.tag("UPDATE d SET n = 201 - n") == "UPDATE 200")
        #expect(
            message(c, "BEGIN; INSERT INTO d VALUES (1, 1, 300); COMMIT")
                == "23505 Key (id)=(1) already exists.")
    }

    /// COPY checks at its end, deferred or not.
    @Test func copyChecksAtItsEnd() throws {
        #expect(try a.copy("COPY d FROM STDIN", ["301\t301\t0\n"]) == "COPY 1")
        let error = #expect(throws: SQLError.self) {
            _ = try a.copy("COPY d FROM STDIN", ["1\t302\t0\n302\t303\t0\n"])
        }
        #expect(error?.constraint == "d_pkey")
        try a.run("BEGIN; SET CONSTRAINTS ALL DEFERRED")
        #expect(try a.copy("COPY d FROM STDIN", ["1\t302\t0\n", "302\t1\t0\n"]) == "COPY 2")
        try a.run("DELETE FROM d WHERE n > 0 AND id = 1; DELETE FROM d WHERE id = 302; COMMIT")
        #expect(try a.query("SELECT u FROM d WHERE id = 1") == "302")
    }

    @Test func addedToRowsThereAre() throws {
        try a.run("CREATE TABLE f (a int, b int); INSERT INTO f VALUES (1, 1), (1, 2), (NULL, 3)")
        let error = try #require(a.failure("ALTER TABLE f ADD UNIQUE (a) DEFERRABLE"))
        #expect(error.message == "could not create unique index \"f_a_key\"")
        #expect(error.detail == "Key (a)=(1) is duplicated.")
        try a.run("UPDATE f SET a = 2 WHERE b = 2")
        #expect(
            a.failure("ALTER TABLE f ADD PRIMARY KEY (a) DEFERRABLE")?.message
                == "column \"a\" of relation \"f\" contains null values")
        try a.run("DELETE FROM f WHERE a IS NULL; ALTER TABLE f ADD PRIMARY KEY (a) DEFERRABLE")
        #expect(
            a.failure("ALTER TABLE f ADD PRIMARY KEY (b)")?.message
                == "multiple primary keys for table \"f\" are not allowed")
        #expect(try a.tag("UPDATE f SET a = 3 - a") == "UPDATE 2")
        #expect(try a.query("SELECT b FROM f WHERE a = 1") == "2")
        try a.run("ALTER TABLE f DROP COLUMN a; INSERT INTO f VALUES (1), (1)")
    }

    /// Whoever cannot be sure to be alone looks again: of many that insert the same, one is left.
    @Test func ofConcurrentInsertsOneIsLeft() throws {
        for round in 0..<20 {
            let writers = try (0..<4).map { number in
                let session = try database.session()
                return Pending(
                    session,
                    "INSERT INTO d VALUES (\(1000 + round * 10 + number), \(1000 + round), 0)")
            }
            let errors = try writers.compactMap { try $0.result().error?.state }
            #expect(errors.count == 3)
            #expect(errors.allSatisfy { $0 == .uniqueViolation || $0 == .deadlockDetected })
            #expect(try a.query("SELECT count(*) FROM d WHERE u = \(1000 + round)") == "1")
        }
    }
}
