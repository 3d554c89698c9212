import FalconStorage
import Testing

@testable import FalconSQL

/// Functions with several columns in a select list: records, and their columns.
@Suite struct RecordCallTests {
    private func session() throws -> TestSession {
        let session = try TestDatabase(durability: .synced).session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        return session
    }

    @Test func aSlotsChangesAreRecords() throws {
        let session = try session()
        try session.run("SELECT pg_create_logical_replication_slot('s', 'wal2json')")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        let peek = "pg_logical_slot_peek_changes('s', NULL, NULL)"
        #expect(
            try session.query(
                "SELECT string_agg(d::json->>'action', '') FROM (SELECT (\(peek)).data AS d) q")
                == "BIC")
        #expect(try session.query("SELECT (\(peek)).xid IS NULL") == "f\nf\nf")
        #expect(
            try session.query(
                "SELECT count(*) FROM (SELECT (\(peek)).*) q WHERE data LIKE '%action%'")
                == "3")
        #expect(
            try session.query("SELECT count(*) FROM (SELECT \(peek) AS r) q WHERE r LIKE '(0/%'")
                == "3")
        let get = "pg_logical_slot_get_changes('s', NULL, NULL)"
        #expect(try session.query("SELECT count(*) FROM (SELECT (\(get)).lsn) q") == "3")
        #expect(try session.query("SELECT count(*) FROM (SELECT \(get)) q") == "0")
        #expect(
            session.failure("SELECT pg_logical_slot_get_changes(NULL, NULL, NULL)")?.state.rawValue
                == "22004")
    }

    @Test func theOneRowOfAFunctionIsARecord() throws {
        let session = try session()
        #expect(
            try session.query(
                "SELECT (pg_create_logical_replication_slot('a', 'falcon')).slot_name")
                == "a")
        #expect(
            try session.query(
                "SELECT pg_create_logical_replication_slot('b', 'falcon') LIKE '(b,0/%)'") == "t")
        let missing = session.failure(
            "SELECT (pg_create_logical_replication_slot('c', 'falcon')).nope")
        #expect(missing?.state.rawValue == "42703")
        #expect(missing?.message == "could not identify column \"nope\" in record data type")
        #expect(try session.query("SELECT count(*) FROM pg_replication_slots") == "2")
    }

    @Test func setsOfRecordsGoWithOthers() throws {
        let session = try session()
        #expect(
            try session.query("SELECT json_each('{\"a\": 1, \"b\": \"x y\"}')")
                == "(a,1)\n(b,\"\"\"x y\"\"\")")
        #expect(
            try session.query(
                "SELECT (json_each_text('{\"a\": 1, \"b\": 2}')).value, generate_series(1, 3)")
                == "1|1\n2|2\n|3")
        #expect(
            try session.query("SELECT json_each_text('{\"a\": 1}'), generate_series(1, 2)")
                == "(a,1)|1\n|2")
        #expect(
            try session.query("SELECT (json_each_text('{\"a\": 1}')).* , 7") == "a|1|7")
        #expect(session.failure("SELECT (length('a')).x")?.state.rawValue == "42809")
    }

    @Test func aStrictFunctionGivenNullGivesARowOfNulls() throws {
        let session = try session()
        let call = "pg_replication_slot_advance(NULL, '0/1')"
        #expect(try session.query("SELECT \(call) IS NULL") == "t")
        #expect(
            try session.query("SELECT count(*), count(slot_name), count(end_lsn) FROM \(call)")
                == "1|0|0")
        #expect(
            try session.query(
                "SELECT slot_name IS NULL, lsn IS NULL "
                    + "FROM pg_create_logical_replication_slot(NULL, 'falcon')") == "t|t")
        #expect(try session.query("SELECT count(*) FROM json_each(NULL)") == "0")
    }

    @Test func aSubquerysRecordsHaveColumns() throws {
        let session = try session()
        try session.run("SELECT pg_create_logical_replication_slot('s', 'wal2json')")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        let from = "FROM (SELECT pg_logical_slot_peek_changes('s', NULL, NULL) AS x) q"
        #expect(
            try session.query("SELECT string_agg((x).data::json->>'action', '') \(from)") == "BIC")
        #expect(
            try session.query("SELECT count(*) \(from) WHERE (q.x).data LIKE '%\"I\"%'") == "1")
        #expect(
            try session.query("SELECT count(*) FROM (SELECT (x).* \(from)) r WHERE lsn > '0/0'")
                == "3")
        #expect(
            try session.query(
                "SELECT (y).key, (y).value FROM (SELECT x AS y FROM "
                    + "(SELECT json_each_text('{\"a\": 1, \"b\": 2}') AS x) q ORDER BY 1 DESC) r")
                == "b|2\na|1")
        #expect(
            try session.query(
                "SELECT (SELECT (x).key) FROM "
                    + "(SELECT json_each_text('{\"a\": 1}') AS x) q") == "a")
        #expect(
            try session.query(
                "SELECT q.n, (x).value FROM "
                    + "(SELECT json_each_text('{\"a\": 1}') AS x, 7 AS n) q JOIN t ON t.a = n - 6")
                == "7|1")
        #expect(
            try session.query(
                "SELECT t.a, (x).key IS NULL FROM t LEFT JOIN "
                    + "(SELECT json_each_text('{\"a\": 1}') AS x, 7 AS n) q ON n = t.a") == "1|t")
        let missing = session.failure("SELECT (x).nope \(from)")
        #expect(missing?.state.rawValue == "42703")
        #expect(session.failure("SELECT (a).x FROM t")?.state.rawValue == "42809")
    }
}
