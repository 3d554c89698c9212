import FalconTestKit

@testable import FalconSQL
@testable import FalconStorage

/// Makes the fixtures of a format version: every kind of file, block, row and store that there is.
enum FormatFixtureWriter {
    static let transaction = UID(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)

    private static let schema = """
        CREATE SCHEMA other;
        CREATE SEQUENCE other.numbers START 5 INCREMENT 3 CACHE 10;
        CREATE TABLE kinds (
            id serial PRIMARY KEY, b boolean, i2 smallint, i8 bigint DEFAULT 7, n numeric(12, 3),
            f4 real, f8 double precision, t text NOT NULL, v varchar(40), c char(6), y bytea, d date,
            tm time, ts timestamp, tsz timestamptz, iv interval, u uuid, j json, jb jsonb,
            ai integer[], at text[], num numeric);
        CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE,
            twice bigint CHECK (twice >= 0));
        CREATE TABLE children (parent bigint REFERENCES parents ON DELETE CASCADE, nth integer,
            note text DEFAULT 'none', PRIMARY KEY (parent, nth));
        CREATE INDEX children_note ON children (note DESC, nth) WHERE nth > 3;
        CREATE VIEW families AS SELECT p.name, count(*) AS many FROM parents p JOIN children c
            ON c.parent = p.id GROUP BY p.name;
        CREATE TABLE large (id integer PRIMARY KEY, body text);
        CREATE TABLE emptied (id integer PRIMARY KEY, body text);
        COMMENT ON TABLE kinds IS 'one column of each type';
        """

    private static let rows = """
        INSERT INTO kinds (b, i2, i8, n, f4, f8, t, v, c, y, d, tm, ts, tsz, iv, u, j, jb, ai, at, num)
        VALUES (true, -32768, 9223372036854775807, -123456789.125, 1.5, -2.25e300, 'é€😀', 'varied', 'pad',
            '\\x00ff10', '2000-02-29', '23:59:59.999999', '1999-12-31 23:59:59.5',
            '2026-03-01 12:00:00+01', '1 year 2 mons -3 days 04:05:06.7',
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1, 2]}', '{"b": {"c": null}, "a": 1.50}',
            '{1,NULL,-3}', '{"with space","quo\\"te",NULL}', 1e40),
            (false, 32767, -9223372036854775808, 0, 'NaN', 'Infinity', '', NULL, '', '', '4713-01-01 BC',
            '00:00', '-infinity', 'infinity', '-178000000 years', NULL, 'null', '[]', '{}',
            '{}', 'NaN');
        INSERT INTO kinds (t) SELECT 'row ' || g FROM generate_series(3, 40) g;
        INSERT INTO parents (name, twice) SELECT 'parent ' || g, 2 * g FROM generate_series(1, 60) g;
        INSERT INTO children SELECT p.id, g, 'note ' || g % 4 FROM parents p, generate_series(1, 8) g;
        INSERT INTO large SELECT g, repeat(md5(g::text), 40) FROM generate_series(1, 30) g;
        INSERT INTO emptied SELECT g, 'gone ' || g FROM generate_series(1, 200) g;
        """

    static func make(_ fixture: FormatFixture) throws -> MemoryFileSystem {
        let memory = MemoryFileSystem()
        try memory.createDirectory(FormatFixture.repository)
        var image = memory
        try fixture.withDatabase(memory) { (engine, session) throws in
            try session.run(schema)
            try session.run(rows)
            try session.run("SELECT pg_create_logical_replication_slot('reader', 'wal2json')")
            try stores(engine)
            try engine.flush()
            try engine.compact()
            try changes(engine, session)
            // As a killed process leaves it: with a log to replay.
            image = memory.crashClone(.keepUnsynced)
        }
        return image
    }

    private static func stores(_ engine: StorageEngine) throws {
        var options = IdempotencyOptions()
        options.lifetimeMicros = 1 << 60
        _ = try IdempotencyStore(engine, options).run("request 1", request: "pay 5") { _ in
            Array("paid".utf8)
        }
        try TransactionOutcomeStore(engine).prepare(
            transaction, participants: [1, 2, 3], payload: [[4, 5], [6]])
        _ = try TransactionAuditLog(engine).advance()
    }

    private static func changes(_ engine: StorageEngine, _ session: TestSession) throws {
        try session.run("SELECT falcon.backup('fixture')")
        try session.run("DELETE FROM parents WHERE id % 10 = 0")
        try session.run("UPDATE large SET body = repeat('z', 700) WHERE id % 3 = 0")
        try session.run("TRUNCATE emptied")
        try session.run("ALTER TABLE kinds ADD COLUMN later integer DEFAULT 11")
        try engine.flush()
        try session.run("ALTER TABLE kinds DROP COLUMN c")
        try session.run("ALTER TABLE children RENAME COLUMN nth TO place")
        try session.run("SELECT nextval('other.numbers'), nextval('other.numbers')")
        try session.run("SELECT pg_create_restore_point('before the end')")
        try session.run("SELECT pg_switch_wal()")
        try engine.archiveNow()
        try session.run(
            "BEGIN; INSERT INTO emptied VALUES (1, 'savepoints'); SAVEPOINT a; "
                + "INSERT INTO emptied VALUES (2, 'undone'); ROLLBACK TO a; COMMIT")
        try session.run(
            "BEGIN; INSERT INTO emptied VALUES (3, 'prepared'); "
                + "PREPARE TRANSACTION 'in doubt'")
    }
}
