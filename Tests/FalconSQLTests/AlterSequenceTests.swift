import FalconSchema
import FalconStorage
import FalconTestKit
import Testing

@testable import FalconSQL

/// ALTER SEQUENCE, beside the scripts ddl-sequence-alter*.
struct AlterSequenceTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE SEQUENCE s", "CREATE TABLE t (id serial, n int)",
            "INSERT INTO t (n) VALUES (1), (2)")
    }

    private func next(_ name: String = "s") throws -> String {
        try a.query("SELECT nextval('\(name)')")
    }

    @Test func goesWithItsTransaction() throws {
        #expect(try next() == "1")
        try a.run("BEGIN; ALTER SEQUENCE s INCREMENT 10 RESTART 100")
        #expect(try next() == "100")
        #expect(try next() == "110")
        try a.run("ROLLBACK")
        #expect(try next() == "2")
        try a.run("ALTER SEQUENCE s INCREMENT 10")
        #expect(try next() == "12")
        try database.restart()
        let c = try database.session()
        // What was reserved and not given out is lost.
        let value = try #require(Int(try c.query("SELECT nextval('s')")))
        #expect(value > 12 && value % 10 == 2)
    }

    @Test func survivesARestart() throws {
        try a.run("ALTER SEQUENCE s AS smallint START 5 RESTART CACHE 3 CYCLE")
        try database.restart()
        let c = try database.session()
        #expect(try c.query("SELECT nextval('s')") == "5")
        #expect(
            try c.query(
                "SELECT seqtypid::regtype, seqmax, seqcache, seqcycle FROM pg_sequence "
                    + "WHERE seqrelid = 's'::regclass") == "smallint|32767|3|t")
    }

    @Test func preparedOnesHoldIt() throws {
        try a.run("BEGIN; ALTER SEQUENCE s RESTART 50; SELECT nextval('s')")
        try a.run("PREPARE TRANSACTION 'p'")
        try b.run("SET lock_timeout = '5ms'")
        #expect(b.failure("SELECT nextval('s')")?.state == .lockNotAvailable)
        try database.restart()
        let c = try database.session()
        try c.run("SET lock_timeout = '5ms'")
        #expect(c.failure("SELECT nextval('s')")?.state == .lockNotAvailable)
        try c.run("COMMIT PREPARED 'p'")
        let value = try #require(Int(try c.query("SELECT nextval('s')")))
        #expect(value > 50)
    }

    @Test func defaultsFollowItsName() throws {
        try a.run("ALTER SEQUENCE t_id_seq RENAME TO \"it's\"; INSERT INTO t (n) VALUES (3)")
        #expect(try a.query("SELECT max(id) FROM t") == "3")
        try a.run(
            "CREATE SCHEMA o; CREATE TABLE w (n int DEFAULT nextval('s')); "
                + "ALTER SEQUENCE s SET SCHEMA o; INSERT INTO w VALUES (DEFAULT)")
        #expect(try a.query("SELECT n FROM w") == "1")
        #expect(try next("o.s") == "2")
        try a.run("TRUNCATE t RESTART IDENTITY; INSERT INTO t (n) VALUES (1)")
        #expect(try a.query("SELECT id FROM t") == "1")
        try a.run("TRUNCATE t; INSERT INTO t (n) VALUES (1)")
        #expect(try a.query("SELECT id FROM t") == "2")
    }

    /// What another session does to the table at the same time is not lost, nor is the new name.
    @Test(arguments: ["RENAME TO q", "SET SCHEMA o"])
    func tablesAreNotChangedBeside(change: String) throws {
        try a.run("CREATE SCHEMA o; CREATE TABLE w (n int DEFAULT nextval('s'))")
        try a.run("BEGIN; ALTER SEQUENCE s \(change)")
        let adding = Pending(b, "ALTER TABLE w ADD COLUMN x int")
        try adding.untilItWaits()
        try a.run("COMMIT")
        #expect(try adding.result().error == nil)
        try b.run("INSERT INTO w VALUES (DEFAULT, 7)")
        #expect(try b.query("SELECT * FROM w") == "1|7")
        // The other way round.
        let name = change.hasPrefix("RENAME") ? "q" : "o.s"
        try b.run("BEGIN; ALTER TABLE w ADD COLUMN y int")
        let naming = Pending(a, "ALTER SEQUENCE \(name) RENAME TO r")
        try naming.untilItWaits()
        try b.run("COMMIT")
        #expect(try naming.result().error == nil)
        try b.run("INSERT INTO w VALUES (DEFAULT, 8, 9)")
        #expect(try b.query("SELECT * FROM w WHERE y = 9") == "2|8|9")
    }

    /// A default that is not committed yet keeps the sequence's name until it is.
    @Test(arguments: [
        "ALTER TABLE t ALTER n SET DEFAULT nextval('s')",
        "ALTER TABLE t ADD x int DEFAULT 1, ALTER n SET DEFAULT 10 + nextval('public.s'::regclass)",
        "ALTER TABLE t ADD x int DEFAULT nextval('s')",
        "CREATE TABLE x (n int DEFAULT nextval('s'))",
    ])
    func newDefaultsAreNotMissed(change: String) throws {
        try b.run("BEGIN; \(change)")
        let naming = Pending(a, "ALTER SEQUENCE s RENAME TO q")
        try naming.untilItWaits()
        try b.run("COMMIT")
        #expect(try naming.result().error == nil)
        try b.run("INSERT INTO t DEFAULT VALUES")
        if change.hasPrefix("CREATE") { try b.run("INSERT INTO x DEFAULT VALUES") }
        #expect(a.failure("DROP SEQUENCE q")?.state == .dependentObjectsStillExist)
    }

    @Test func newDefaultsKeepTheSequence() throws {
        try b.run("BEGIN; ALTER TABLE t ALTER n SET DEFAULT nextval('s')")
        let dropping = Pending(a, "DROP SEQUENCE s")
        try dropping.untilItWaits()
        try b.run("COMMIT")
        #expect(try dropping.result().error?.state == .dependentObjectsStillExist)
        try b.run("INSERT INTO t DEFAULT VALUES; ALTER TABLE t ALTER n DROP DEFAULT")
        try a.run("DROP SEQUENCE s")
    }

    /// The other way round: the default is looked at again under the sequence's new name.
    @Test func renamedSequencesAreMissed() throws {
        try a.run("BEGIN; ALTER SEQUENCE s RENAME TO q")
        let setting = Pending(b, "ALTER TABLE t ALTER n SET DEFAULT nextval('s')")
        try setting.untilItWaits()
        try a.run("COMMIT")
        #expect(try setting.result().error?.state == .undefinedTable)
    }

    /// Defaults name sequences with their schema.
    @Test func defaultsFollowTheirSchema() throws {
        try a.run(
            "CREATE SCHEMA o; CREATE TABLE o.w (id serial, n int); "
                + "CREATE TABLE x (n int DEFAULT nextval('o.w_id_seq')); "
                + "ALTER SCHEMA o RENAME TO \"O'2\"; INSERT INTO \"O'2\".w DEFAULT VALUES; "
                + "INSERT INTO x DEFAULT VALUES")
        #expect(try a.query("SELECT n FROM x") == "2")
        try b.run("BEGIN; ALTER TABLE \"O'2\".w ADD x int")
        let naming = Pending(a, "ALTER SCHEMA \"O'2\" RENAME TO o")
        try naming.untilItWaits()
        try b.run("COMMIT")
        #expect(try naming.result().error == nil)
        try database.restart()
        let c = try database.session()
        try c.run("INSERT INTO o.w DEFAULT VALUES; SELECT x FROM o.w")
        #expect(try c.query("SELECT count(*), count(DISTINCT id) FROM o.w") == "2|2")
    }

    /// Defaults of temporary tables that other sessions have are no obstacle.
    @Test func othersTemporaryTables() throws {
        try b.run("CREATE TEMP TABLE own (id serial, n int DEFAULT nextval('s'))")
        try a.run("ALTER SEQUENCE s RENAME TO q")
        try b.run("INSERT INTO own VALUES (DEFAULT, DEFAULT)")
        #expect(try b.query("SELECT * FROM own") == "1|1")
    }

    /// Running states that no transaction has committed are kept nowhere.
    @Test func undoneStatesAreForgotten() throws {
        let state = try #require(database.sql.database(named: "falcon"))
        let range = KeyRange(prefix: CatalogKeys.prefix(state.id, CatalogKeys.sequenceStates))
        #expect(try next() == "1")
        let stored = try database.storedKeys(range)
        let known = state.sequenceStateCount
        try a.run("BEGIN; ALTER SEQUENCE s RESTART 50; SELECT nextval('s'); ROLLBACK")
        try a.run("BEGIN; CREATE SEQUENCE z; SELECT nextval('z'); ROLLBACK")
        #expect(state.sequenceStateCount == known)
        try a.run("BEGIN; ALTER SEQUENCE s RESTART 50; SAVEPOINT p")
        #expect(try next() == "50")
        // Undoing a later change of the sequence leaves its state.
        try a.run("ALTER SEQUENCE s RENAME TO q; ROLLBACK TO p")
        #expect(try next() == "51")
        try a.run("ALTER SEQUENCE s RESTART 70")
        #expect(try next() == "70")
        try a.run("ROLLBACK TO p")
        #expect(try next() == "52")
        try a.run("ALTER SEQUENCE s RESTART 90; SELECT nextval('s'); COMMIT")
        #expect(try next() == "91")
        #expect(state.sequenceStateCount == known)
        // They are deleted without anybody waiting for it.
        try eventually { try database.storedKeys(range) == stored }
    }
}
