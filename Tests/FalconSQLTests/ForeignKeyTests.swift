import FalconSchema
import Testing

@testable import FalconSQL

/// Foreign keys, as PostgreSQL 15 keeps them. What sessions do to each other is in Fixtures/isolation/fk-*.
@Suite struct ForeignKeyTests {
    let database: TestDatabase
    let s: TestSession

    init() throws {
        database = try TestDatabase()
        s = try database.session()
        try s.run(
            """
            CREATE TABLE p (id int PRIMARY KEY, u int UNIQUE, a int, b int, UNIQUE (a, b));
            CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p);
            INSERT INTO p VALUES (1, 10, 1, 2), (2, 20, 3, 4)
            """)
    }

    func expect(
        _ statement: String, _ state: String, _ message: String, detail: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let error = s.failure(statement)
        #expect(error?.state == SQLState(state), "\(statement)", sourceLocation: location)
        #expect(error?.message == message, sourceLocation: location)
        if let detail { #expect(error?.detail == detail, sourceLocation: location) }
    }

    /// What a row of `table` is told that names none.
    func unnamed(_ table: String, _ key: String) -> String {
        "insert or update on table \"\(table)\" violates foreign key constraint \"\(key)\""
    }

    /// What a row of p is told that one of `table` names.
    func referenced(_ table: String, _ key: String) -> String {
        "update or delete on table \"p\" violates foreign key constraint \"\(key)\" on table "
            + "\"\(table)\""
    }

    private func expectMissing(_ statement: String, _ key: String) {
        expect(
            statement, "23503", unnamed("c", "c_p_id_fkey"),
            detail: "Key (p_id)=(\(key)) is not present in table \"p\".")
    }

    private func expectReferenced(_ statement: String, _ key: String) {
        expect(
            statement, "23503", referenced("c", "c_p_id_fkey"),
            detail: "Key (id)=(\(key)) is still referenced from table \"c\".")
    }

    // MARK: Checks

    @Test func rowsNameRowsThatAreThere() throws {
        defer { database.close() }
        try s.run("INSERT INTO c VALUES (1, 1), (2, NULL)")
        expectMissing("INSERT INTO c VALUES (3, 1), (4, 3)", "3")
        let error = s.failure("INSERT INTO c VALUES (3, 7)")
        #expect(error?.schema == "public")
        #expect(error?.table == "c")
        #expect(error?.constraint == "c_p_id_fkey")
        expectMissing("UPDATE c SET p_id = 9 WHERE id = 2", "9")
        expectMissing("INSERT INTO c VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET p_id = 8", "8")
        #expect(try s.query("SELECT * FROM c ORDER BY id") == "1|1\n2|")
        expectReferenced("DELETE FROM p WHERE id = 1", "1")
        expectReferenced("UPDATE p SET id = 5 WHERE id = 1", "1")
        #expect(try s.tag("UPDATE p SET a = 9, id = 1 WHERE id = 1") == "UPDATE 1")
        #expect(try s.tag("UPDATE p SET id = 5 WHERE id = 2") == "UPDATE 1")
        #expect(try s.tag("DELETE FROM p WHERE id = 5") == "DELETE 1")
        #expect(try s.tag("UPDATE c SET id = 3 WHERE id = 1") == "UPDATE 1")
        expectReferenced("DELETE FROM p", "1")
        #expect(try s.tag("DELETE FROM c WHERE id = 3") == "DELETE 1")
        #expect(try s.tag("DELETE FROM p") == "DELETE 1")
    }

    @Test func aStatementIsCheckedAtItsEnd() throws {
        defer { database.close() }
        // Rows may name each other.
        try s.run(
            """
            CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree);
            INSERT INTO tree VALUES (2, 1), (1, 3), (3, 3)
            """)
        expect(
            "INSERT INTO tree VALUES (5, 6)", "23503", unnamed("tree", "tree_up_fkey"))
        #expect(try s.tag("DELETE FROM tree WHERE id IN (1, 2)") == "DELETE 2")
        #expect(
            try s.tag(
                "WITH q AS (INSERT INTO p VALUES (7) RETURNING id) "
                    + "INSERT INTO c SELECT 7, id FROM q") == "INSERT 0 1")
    }

    @Test func copyAndOwnWritesAreChecked() throws {
        defer { database.close() }
        #expect(try s.copy("COPY c FROM STDIN", ["1\t1\n2\t", "2\n3\t\\N\n"]) == "COPY 3")
        do {
            _ = try s.copy("COPY c FROM STDIN", ["4\t1\n5\t5\n"])
            Issue.record("COPY of a row that names none")
        } catch let error as SQLError {
            #expect(error.state == .foreignKeyViolation)
            #expect(error.context == nil)
        }
        try s.run("BEGIN; INSERT INTO p VALUES (3); INSERT INTO c VALUES (4, 3)")
        expectReferenced("DELETE FROM p WHERE id = 3", "3")
        try s.run("ROLLBACK; BEGIN; DELETE FROM c WHERE p_id = 2; DELETE FROM p WHERE id = 2")
        expectMissing("INSERT INTO c VALUES (9, 2)", "2")
        try s.run("ROLLBACK")
        try s.run("BEGIN; CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n VALUES (1)")
        try s.run("CREATE TABLE m (n int REFERENCES n); INSERT INTO m VALUES (1)")
        #expect(s.failure("INSERT INTO m VALUES (2)")?.state == .foreignKeyViolation)
        try s.run("ROLLBACK")
    }

    @Test func severalColumnsAndMatchFull() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE x (y int, z int, FOREIGN KEY (z, y) REFERENCES p (b, a) MATCH FULL);
            CREATE TABLE w (y int, z int, FOREIGN KEY (y, z) REFERENCES p (a, b));
            INSERT INTO x VALUES (1, 2), (NULL, NULL);
            INSERT INTO w VALUES (1, 2), (9, NULL)
            """)
        expect(
            "INSERT INTO x VALUES (1, NULL)", "23503", unnamed("x", "x_z_y_fkey"),
            detail: "MATCH FULL does not allow mixing of null and nonnull key values.")
        expect(
            "INSERT INTO x VALUES (2, 1)", "23503", unnamed("x", "x_z_y_fkey"),
            detail: "Key (z, y)=(1, 2) is not present in table \"p\".")
        expect(
            "DELETE FROM p WHERE id = 1", "23503", referenced("x", "x_z_y_fkey"),
            detail: "Key (b, a)=(2, 1) is still referenced from table \"x\".")
    }

    @Test func typesMayDiffer() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE big (id bigint PRIMARY KEY); CREATE TABLE small (id int2 PRIMARY KEY);
            CREATE TABLE num (id numeric PRIMARY KEY); CREATE TABLE txt (id text PRIMARY KEY);
            CREATE TABLE k (b int REFERENCES big ON DELETE CASCADE, s bigint REFERENCES small,
              n int REFERENCES num ON DELETE CASCADE, t varchar(5) REFERENCES txt ON UPDATE CASCADE);
            INSERT INTO big VALUES (1), (5000000000); INSERT INTO small VALUES (1);
            INSERT INTO num VALUES (1.0); INSERT INTO txt VALUES ('a');
            INSERT INTO k VALUES (1, 1, 1, 'a')
            """)
        #expect(s.failure("INSERT INTO k (s) VALUES (70000)")?.state == .foreignKeyViolation)
        #expect(s.failure("INSERT INTO k (n) VALUES (2)")?.state == .foreignKeyViolation)
        #expect(try s.tag("DELETE FROM big WHERE id > 1") == "DELETE 1")
        #expect(try s.tag("UPDATE txt SET id = 'b'") == "UPDATE 1")
        #expect(s.failure("UPDATE txt SET id = 'longer'")?.state == .stringDataRightTruncation)
        #expect(try s.query("SELECT * FROM k") == "1|1|1|b")
        #expect(try s.tag("DELETE FROM num") == "DELETE 1")
        #expect(try s.query("SELECT count(*) FROM k") == "0")
    }

    // MARK: Actions

    @Test func actionsFollowDeletesAndUpdates() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE q (id int PRIMARY KEY);
            CREATE TABLE cascade (id int PRIMARY KEY,
              q int REFERENCES q ON DELETE CASCADE ON UPDATE CASCADE);
            CREATE TABLE below (c int REFERENCES cascade ON DELETE CASCADE);
            CREATE TABLE nulls (q int REFERENCES q ON DELETE SET NULL ON UPDATE SET NULL);
            CREATE TABLE defaults (q int DEFAULT 3 REFERENCES q
              ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
            CREATE TABLE pair (a int, b int, UNIQUE (a, b));
            CREATE TABLE part (x int DEFAULT 8, y int DEFAULT 9,
              FOREIGN KEY (x, y) REFERENCES pair (a, b) ON DELETE SET NULL (y));
            INSERT INTO q VALUES (1), (2), (3);
            INSERT INTO cascade VALUES (1, 1), (2, 2), (3, 1);
            INSERT INTO below VALUES (1), (2), (3), (3);
            INSERT INTO nulls VALUES (1), (2); INSERT INTO defaults VALUES (1), (2);
            INSERT INTO pair VALUES (1, 2); INSERT INTO part VALUES (1, 2)
            """)
        #expect(try s.tag("DELETE FROM q WHERE id = 1") == "DELETE 1")
        #expect(try s.query("SELECT * FROM cascade") == "2|2")
        #expect(try s.query("SELECT * FROM below") == "2")
        #expect(try s.query("SELECT * FROM nulls ORDER BY q") == "2\n")
        #expect(try s.query("SELECT * FROM defaults ORDER BY q") == "2\n3")
        #expect(try s.tag("UPDATE q SET id = 20 WHERE id = 2") == "UPDATE 1")
        #expect(try s.query("SELECT * FROM cascade") == "2|20")
        #expect(try s.query("SELECT * FROM nulls") == "\n")
        #expect(try s.query("SELECT * FROM defaults") == "3\n3")
        // The default is what goes.
        #expect(s.failure("DELETE FROM q WHERE id = 3")?.state == .foreignKeyViolation)
        #expect(try s.tag("DELETE FROM pair") == "DELETE 1")
        #expect(try s.query("SELECT * FROM part") == "1|")
        // An action's own rows are checked, too.
        try s.run("CREATE TABLE last (c int REFERENCES cascade); INSERT INTO last VALUES (2)")
        #expect(s.failure("DELETE FROM q WHERE id = 20")?.constraint == "last_c_fkey")
        #expect(try s.query("SELECT id FROM q ORDER BY id") == "3\n20")
    }

    @Test func cyclesAndTreesEnd() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE
              ON UPDATE CASCADE);
            INSERT INTO t VALUES (1, 1), (2, 1), (3, 2), (4, 3), (9, NULL)
            """)
        #expect(try s.tag("UPDATE t SET id = 20 WHERE id = 2") == "UPDATE 1")
        #expect(try s.query("SELECT * FROM t ORDER BY id") == "1|1\n3|20\n4|3\n9|\n20|1")
        #expect(try s.tag("DELETE FROM t WHERE id = 1") == "DELETE 1")
        #expect(try s.query("SELECT * FROM t") == "9|")
    }

    @Test func restrictIsNotDeferred() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE r (p int REFERENCES p ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED);
            INSERT INTO r VALUES (1); BEGIN
            """)
        #expect(s.failure("DELETE FROM p WHERE id = 1")?.state == .foreignKeyViolation)
        try s.run("ROLLBACK")
        #expect(
            s.failure("UPDATE p SET id = 7 WHERE id = 1; INSERT INTO p VALUES (1)") == nil)
    }

    // MARK: Deferral

    private func makeDeferred() throws {
        try s.run(
            """
            CREATE TABLE d (id int PRIMARY KEY,
              p int CONSTRAINT dp REFERENCES p DEFERRABLE INITIALLY DEFERRED);
            CREATE TABLE e (p int CONSTRAINT ep REFERENCES p DEFERRABLE)
            """)
    }

    @Test func deferredChecksComeAtCommit() throws {
        defer { database.close() }
        try makeDeferred()
        try s.run("BEGIN; INSERT INTO d VALUES (1, 5); INSERT INTO p VALUES (5); COMMIT")
        try s.run("BEGIN; INSERT INTO d VALUES (2, 6)")
        expect(
            "COMMIT", "23503", unnamed("d", "dp"),
            detail: "Key (p)=(6) is not present in table \"p\".")
        #expect(s.session.transactionStatus == .idle)
        #expect(try s.query("SELECT count(*) FROM d") == "1")
        #expect(s.failure("INSERT INTO d VALUES (2, 6)")?.state == .foreignKeyViolation)
        // Only the last version of a row counts, and only if there is one.
        try s.run(
            """
            BEGIN; INSERT INTO d VALUES (3, 7), (4, 8), (5, 9); UPDATE d SET p = 1 WHERE id = 3;
            DELETE FROM d WHERE id = 4; UPDATE d SET id = 6, p = NULL WHERE id = 5; COMMIT
            """)
        try s.run("BEGIN; INSERT INTO d VALUES (7, 99); UPDATE d SET id = 8 WHERE id = 7")
        #expect(s.failure("COMMIT")?.detail == "Key (p)=(99) is not present in table \"p\".")
        // The referenced side: the key may come back, or the rows may go.
        try s.run("BEGIN; DELETE FROM p WHERE id = 5; INSERT INTO p VALUES (5); COMMIT")
        try s.run("BEGIN; DELETE FROM p WHERE id = 5; DELETE FROM d WHERE p = 5; COMMIT")
        try s.run("INSERT INTO p VALUES (5); INSERT INTO d VALUES (9, 5)")
        try s.run("BEGIN; DELETE FROM p WHERE id = 5")
        expect(
            "COMMIT", "23503", referenced("d", "dp"),
            detail: "Key (id)=(5) is still referenced from table \"d\".")
        #expect(try s.prepared("INSERT INTO d VALUES ($1, 1)", ["30"]).tag == "INSERT 0 1")
        #expect(throws: SQLError.self) { try s.prepared("INSERT INTO d VALUES (31, 77)", []) }
        #expect(try s.query("SELECT count(*) FROM d WHERE id > 29") == "1")
    }

    @Test func setConstraintsChangesWhen() throws {
        defer { database.close() }
        try makeDeferred()
        try s.run("BEGIN; SET CONSTRAINTS dp IMMEDIATE")
        #expect(s.failure("INSERT INTO d VALUES (1, 5)")?.state == .foreignKeyViolation)
        try s.run("ROLLBACK; BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO e VALUES (5)")
        try s.run("INSERT INTO d VALUES (1, 5)")
        #expect(s.failure("SET CONSTRAINTS ep IMMEDIATE")?.constraint == "ep")
        try s.run("ROLLBACK; BEGIN; INSERT INTO d VALUES (1, 5); INSERT INTO p VALUES (5)")
        try s.run("SET CONSTRAINTS public.dp IMMEDIATE; COMMIT")
        #expect(s.failure("INSERT INTO e VALUES (6)")?.constraint == "ep")
        for (name, state) in [("nope", "42704"), ("c_p_id_fkey", "42809"), ("x.dp", "3F000")] {
            #expect(s.failure("SET CONSTRAINTS \(name) DEFERRED")?.state == SQLState(state))
        }
        // It is immediate as it is; and of several of a name one that is not deferrable is in the way.
        #expect(try s.tag("SET CONSTRAINTS c_p_id_fkey IMMEDIATE") == "SET CONSTRAINTS")
        try s.run("CREATE TABLE f (p int CONSTRAINT ep REFERENCES p, CONSTRAINT dp UNIQUE (p))")
        #expect(s.failure("SET CONSTRAINTS ep DEFERRED")?.state == .wrongObjectType)
        try s.run("BEGIN; SET CONSTRAINTS dp IMMEDIATE")
        #expect(s.failure("INSERT INTO d VALUES (7, 9)")?.state == .foreignKeyViolation)
        try s.run("ROLLBACK; DROP TABLE f")
        // What a savepoint saw comes back with it.
        try s.run("BEGIN; INSERT INTO d VALUES (2, 5); SAVEPOINT a; DELETE FROM d WHERE id = 1")
        try s.run("SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO a; INSERT INTO d VALUES (3, 8)")
        #expect(s.failure("COMMIT")?.detail == "Key (p)=(8) is not present in table \"p\".")
        try s.run("BEGIN; SAVEPOINT a; INSERT INTO d VALUES (4, 8); ROLLBACK TO a; COMMIT")
    }

    @Test func aCommitWaitsForTheLockItsCheckNeeds() throws {
        defer { database.close() }
        try makeDeferred()
        let other = try database.session()
        try s.run("BEGIN; INSERT INTO d VALUES (1, 2)")
        try other.run("BEGIN; DELETE FROM p WHERE id = 2")
        let waiting = s.session.simpleQuery("COMMIT", s.sink)
        guard case .waiting = waiting else {
            Issue.record("COMMIT does not wait")
            return
        }
        try other.run("ROLLBACK")
        _ = try s.settle(waiting)
        #expect(try s.query("SELECT * FROM d") == "1|2")
        try s.run("BEGIN; SET LOCAL lock_timeout = '5ms'; INSERT INTO d VALUES (2, 1)")
        try other.run("BEGIN; DELETE FROM p WHERE id = 1")
        #expect(s.failure("COMMIT")?.state == .lockNotAvailable)
        #expect(s.session.transactionStatus == .idle)
        try other.run("COMMIT")
        #expect(try s.query("SELECT * FROM d") == "1|2")
        #expect(s.failure("INSERT INTO d VALUES (2, 1)")?.state == .foreignKeyViolation)
    }

    @Test func prepareTransactionChecksFirst() throws {
        defer { database.close() }
        try makeDeferred()
        try s.run("BEGIN; INSERT INTO d VALUES (1, 5)")
        #expect(s.failure("PREPARE TRANSACTION 'x'")?.state == .foreignKeyViolation)
        #expect(s.session.transactionStatus == .idle)
        // A cursor is in the way, also when the checks go to a worker first.
        try s.run("BEGIN; DECLARE k CURSOR WITH HOLD FOR SELECT 1; DELETE FROM p WHERE id = 2")
        #expect(s.failure("PREPARE TRANSACTION 'x'")?.state == .featureNotSupported)
        #expect(s.session.transactionStatus == .idle)
        try s.run("BEGIN; INSERT INTO d VALUES (1, 1); PREPARE TRANSACTION 'x'")
        try s.run("SET lock_timeout = '5ms'")
        #expect(s.failure("DELETE FROM p WHERE id = 1")?.state == .lockNotAvailable)
        try s.run("COMMIT PREPARED 'x'")
        #expect(s.failure("DELETE FROM p WHERE id = 1")?.state == .foreignKeyViolation)
    }

    @Test func pendingChecksKeepTheTableAsItIs() throws {
        defer { database.close() }
        try makeDeferred()
        for (statement, what) in [
            ("ALTER TABLE d ADD COLUMN z int", "ALTER TABLE"), ("DROP TABLE d", "DROP TABLE"),
            ("TRUNCATE d", "TRUNCATE"),
        ] {
            try s.run("BEGIN; INSERT INTO d VALUES (1, 1)")
            expect(
                statement, "55006", "cannot \(what) \"d\" because it has pending trigger events")
            try s.run("ROLLBACK")
        }
    }

    @Test func whatIsDoneIsNotChargedAnyMore() {
        defer { database.close() }
        var queue = ForeignKeyQueue()
        func event(_ kind: ForeignKeyEvent.Kind, _ ordinal: UInt32) -> ForeignKeyEvent {
            ForeignKeyEvent(
                reference: ForeignKeyReference(table: OID(1), constraint: OID(2)), kind: kind,
                ordinal: ordinal)
        }
        let key = [Datum.text(String(repeating: "k", count: 1000))]
        queue.append(event(.deleted(key), 1), isDeferred: true)
        let before = queue.memoryBytes
        #expect(before >= 1000)
        queue.append(event(.changed(from: key, to: key), 2), isDeferred: false)
        queue.append(event(.deleted(key), 3), isDeferred: true)
        queue.undo(to: 3)
        #expect(queue.memoryBytes > 2 * before)
        #expect(queue.nextImmediate()?.ordinal == 2)
        queue.finishedImmediate()
        #expect(queue.nextImmediate() == nil)
        #expect(queue.memoryBytes == before)
        queue.undo(to: 0)
        #expect(queue.memoryBytes == 0)
    }

    @Test func aChecksQueryStaysOnTheEventLoop() throws {
        defer { database.close() }
        for sql in ["INSERT INTO c VALUES (1, 1)", "UPDATE c SET p_id = 2 WHERE id = 1"] {
            let progress = s.session.simpleQuery(sql, s.sink)
            if case .needsWorker = progress { Issue.record("\(sql) needs a worker") }
            _ = try s.settle(progress)
        }
        let progress = s.session.simpleQuery("DELETE FROM p WHERE id = 1", s.sink)
        guard case .needsWorker = progress else {
            Issue.record("looking for referencing rows is not bounded")
            return
        }
        _ = try s.settle(progress)
    }
}
