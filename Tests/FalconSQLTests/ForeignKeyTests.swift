import FalconSchema
import Testing

@testable import FalconSQL

/// Foreign keys, as PostgreSQL 15 keeps them. What sessions do to each other is in Fixtures/isolation/fk-*.
@Suite struct ForeignKeyTests {
    private let database: TestDatabase
    private let s: TestSession

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

    private func expect(
        _ statement: String, _ state: String, _ message: String, detail: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let error = s.failure(statement)
        #expect(error?.state == SQLState(state), "\(statement)", sourceLocation: location)
        #expect(error?.message == message, sourceLocation: location)
        if let detail { #expect(error?.detail == detail, sourceLocation: location) }
    }

    private func expectMissing(_ statement: String, _ key: String) {
        expect(
            statement, "23503",
            "insert or update on table \"c\" violates foreign key constraint \"c_p_id_fkey\"",
            detail: "Key (p_id)=(\(key)) is not present in table \"p\".")
    }

    private func expectReferenced(_ statement: String, _ key: String) {
        expect(
            statement, "23503",
            "update or delete on table \"p\" violates foreign key constraint \"c_p_id_fkey\" on "
                + "table \"c\"",
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
            "INSERT INTO tree VALUES (5, 6)", "23503",
            "insert or update on table \"tree\" violates foreign key constraint \"tree_up_fkey\"")
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
            "INSERT INTO x VALUES (1, NULL)", "23503",
            "insert or update on table \"x\" violates foreign key constraint \"x_z_y_fkey\"",
            detail: "MATCH FULL does not allow mixing of null and nonnull key values.")
        expect(
            "INSERT INTO x VALUES (2, 1)", "23503",
            "insert or update on table \"x\" violates foreign key constraint \"x_z_y_fkey\"",
            detail: "Key (z, y)=(1, 2) is not present in table \"p\".")
        expect(
            "DELETE FROM p WHERE id = 1", "23503",
            "update or delete on table \"p\" violates foreign key constraint \"x_z_y_fkey\" on "
                + "table \"x\"", detail: "Key (b, a)=(2, 1) is still referenced from table \"x\".")
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
            "COMMIT", "23503",
            "insert or update on table \"d\" violates foreign key constraint \"dp\"",
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
            "COMMIT", "23503",
            "update or delete on table \"p\" violates foreign key constraint \"dp\" on table \"d\"",
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

    // MARK: Definitions

    @Test func badDefinitionsAreRefused() throws {
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT 1 AS id; CREATE TABLE nopk (a int)")
        let noKey = "there is no unique constraint matching given keys for referenced table \"p\""
        for (body, state, message) in [
            ("a int REFERENCES nope", "42P01", "relation \"nope\" does not exist"),
            ("a int REFERENCES p (a)", "42830", noKey),
            (
                "a int REFERENCES p (zz)", "42703",
                "column \"zz\" referenced in foreign key constraint does not exist"
            ),
            (
                "a int, FOREIGN KEY (q) REFERENCES p", "42703",
                "column \"q\" referenced in foreign key constraint does not exist"
            ),
            (
                "a int, FOREIGN KEY (a) REFERENCES p (a, b)", "42830",
                "number of referencing and referenced columns for foreign key disagree"
            ),
            (
                "a int, FOREIGN KEY (a) REFERENCES p (id, id)", "42830",
                "foreign key referenced-columns list must not contain duplicates"
            ),
            (
                "a text REFERENCES p", "42804",
                "foreign key constraint \"x_a_fkey\" cannot be implemented"
            ),
            (
                "a int, CONSTRAINT k CHECK (a > 0), CONSTRAINT k FOREIGN KEY (a) REFERENCES p",
                "42710", "constraint \"k\" for relation \"x\" already exists"
            ),
            ("a int REFERENCES v (id)", "42809", "referenced relation \"v\" is not a table"),
            (
                "a int REFERENCES nopk", "42704",
                "there is no primary key for referenced table \"nopk\""
            ),
            (
                "a int REFERENCES pg_class", "42501",
                "permission denied: \"pg_class\" is a system catalog"
            ),
        ] {
            expect("CREATE TABLE x (\(body))", state, message)
        }
        expect(
            "CREATE TEMP TABLE x (a int REFERENCES p)", "42P16",
            "constraints on temporary tables may reference only temporary tables")
        #expect(
            s.failure("CREATE TABLE x (a text REFERENCES p)")?.detail
                == "Key columns \"a\" and \"id\" are of incompatible types: text and integer.")
    }

    @Test func keysAreAddedValidatedAndDropped() throws {
        defer { database.close() }
        try s.run("CREATE TABLE x (a int, b int); INSERT INTO x VALUES (1, 1), (5, 2)")
        expect(
            "ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES p", "23503",
            "insert or update on table \"x\" violates foreign key constraint \"x_a_fkey\"",
            detail: "Key (a)=(5) is not present in table \"p\".")
        try s.run("ALTER TABLE x ADD FOREIGN KEY (b) REFERENCES p")
        try s.run("ALTER TABLE x ADD CONSTRAINT xa FOREIGN KEY (a) REFERENCES p NOT VALID")
        #expect(s.failure("INSERT INTO x VALUES (6, 1)")?.constraint == "xa")
        #expect(s.failure("ALTER TABLE x VALIDATE CONSTRAINT xa")?.constraint == "xa")
        expect(
            "ALTER TABLE x VALIDATE CONSTRAINT nope", "42704",
            "constraint \"nope\" of relation \"x\" does not exist")
        expect(
            "ALTER TABLE p ALTER CONSTRAINT p_pkey DEFERRABLE", "42809",
            "constraint \"p_pkey\" of relation \"p\" is not a foreign key constraint")
        try s.run("UPDATE x SET a = 2 WHERE a = 5; ALTER TABLE x VALIDATE CONSTRAINT xa")
        try s.run("ALTER TABLE x ALTER CONSTRAINT xa DEFERRABLE INITIALLY DEFERRED")
        try s.run("BEGIN; INSERT INTO x VALUES (6, 1)")
        #expect(s.failure("COMMIT")?.constraint == "xa")
        try s.run("ALTER TABLE x RENAME CONSTRAINT xa TO xb; ALTER TABLE x DROP CONSTRAINT xb")
        try s.run("INSERT INTO x VALUES (6, 1); DELETE FROM c; ALTER TABLE x DROP COLUMN b")
        #expect(try s.tag("DELETE FROM p") == "DELETE 2")
        try s.run("CREATE TABLE y (LIKE c); INSERT INTO y VALUES (1, 77)")
        expect(
            "ALTER TABLE y ADD COLUMN n int DEFAULT 4 REFERENCES p", "23503",
            "insert or update on table \"y\" violates foreign key constraint \"y_n_fkey\"")
    }

    @Test func whatIsReferencedIsNotDropped() throws {
        defer { database.close() }
        try s.run("CREATE TABLE d (u int CONSTRAINT du REFERENCES p (u))")
        let hint = "Use DROP ... CASCADE to drop the dependent objects too."
        for (statement, message, detail) in [
            (
                "ALTER TABLE p DROP COLUMN id",
                "cannot drop column id of table p because other objects depend on it",
                "constraint c_p_id_fkey on table c depends on column id of table p"
            ),
            (
                "ALTER TABLE p DROP CONSTRAINT p_pkey",
                "cannot drop constraint p_pkey on table p because other objects depend on it",
                "constraint c_p_id_fkey on table c depends on index p_pkey"
            ),
            (
                "DROP TABLE p", "cannot drop table p because other objects depend on it",
                "constraint c_p_id_fkey on table c depends on table p\n"
                    + "constraint du on table d depends on table p"
            ),
        ] {
            expect(statement, "2BP01", message, detail: detail)
            #expect(s.failure(statement)?.hint == hint)
        }
        expect(
            "TRUNCATE p", "0A000",
            "cannot truncate a table referenced in a foreign key constraint",
            detail: "Table \"c\" references \"p\".")
        expect(
            "ALTER TABLE p ALTER COLUMN id TYPE text", "42804",
            "foreign key constraint \"c_p_id_fkey\" cannot be implemented")
        try s.run("INSERT INTO c VALUES (1, 1); TRUNCATE d, c, p; INSERT INTO p VALUES (1, 1)")
        try s.run("INSERT INTO c VALUES (1, 1); ALTER TABLE p ALTER COLUMN id TYPE bigint")
        #expect(s.failure("INSERT INTO c VALUES (2, 2)")?.state == .foreignKeyViolation)
        s.sink.notices = []
        try s.run("TRUNCATE p CASCADE")
        #expect(
            s.sink.notices.map(\.message) == [
                "truncate cascades to table \"c\"", "truncate cascades to table \"d\"",
            ])
        try s.run("ALTER TABLE p DROP CONSTRAINT p_pkey CASCADE; INSERT INTO c VALUES (1, 1)")
        s.sink.notices = []
        try s.run("DROP TABLE p CASCADE")
        #expect(s.sink.notices.map(\.message) == ["drop cascades to constraint du on table d"])
        try s.run("INSERT INTO d VALUES (1)")
        try s.run(
            """
            CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);
            INSERT INTO a VALUES (1); DELETE FROM a; INSERT INTO a VALUES (1)
            """)
        // Plans of the referenced table forget a dropped table.
        #expect(try s.prepared("DELETE FROM a WHERE id = $1", ["2"]).tag == "DELETE 0")
        try s.run("DROP TABLE b")
        #expect(try s.prepared("DELETE FROM a WHERE id = $1", ["1"]).tag == "DELETE 1")
        try s.run("CREATE TABLE b (a int REFERENCES a); DROP TABLE a, b")
    }

    @Test func catalogsShowKeys() throws {
        defer { database.close() }
        try s.run(
            """
            CREATE TABLE d (a int, b int, CONSTRAINT k FOREIGN KEY (a, b) REFERENCES p (b, a)
              MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL (b) DEFERRABLE INITIALLY DEFERRED);
            ALTER TABLE d ADD CONSTRAINT n FOREIGN KEY (a) REFERENCES p NOT VALID
            """)
        let definitions =
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
            + "ORDER BY conname"
        let expected =
            "FOREIGN KEY (p_id) REFERENCES p(id)\n"
            + "FOREIGN KEY (a, b) REFERENCES p(b, a) MATCH FULL ON UPDATE CASCADE "
            + "ON DELETE SET NULL (b) DEFERRABLE INITIALLY DEFERRED\n"
            + "FOREIGN KEY (a) REFERENCES p(id) NOT VALID"
        #expect(try s.query(definitions) == expected)
        #expect(
            try s.query(
                "SELECT conname, condeferrable, condeferred, convalidated, conrelid::regclass, "
                    + "confrelid::regclass, conindid::regclass, confupdtype, confdeltype, "
                    + "confmatchtype, conkey, confkey, conpfeqop, confdelsetcols "
                    + "FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
                == "c_p_id_fkey|f|f|t|c|p|p_pkey|a|a|s|{2}|{1}|{96}|\n"
                + "k|t|t|t|d|p|p_a_b_key|c|n|f|{1,2}|{4,3}|{96,96}|{2}\n"
                + "n|f|f|f|d|p|p_pkey|a|a|s|{1}|{1}|{96}|")
        #expect(
            try s.query(
                "SELECT relname FROM pg_class WHERE relhastriggers ORDER BY 1") == "c\nd\np")
        try database.restart()
        let again = try database.session()
        #expect(try again.query(definitions) == expected)
        #expect(again.failure("INSERT INTO c VALUES (5, 5)")?.state == .foreignKeyViolation)
        #expect(again.failure("INSERT INTO c VALUES (5, 1)") == nil)
        #expect(again.failure("DELETE FROM p WHERE id = 1")?.state == .foreignKeyViolation)
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
