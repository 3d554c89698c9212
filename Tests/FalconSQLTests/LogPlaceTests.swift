import Testing

@testable import FalconSQL

/// Reckoning with pg_lsn. Values, messages and SQLSTATEs are PostgreSQL 15's.
@Suite struct LogPlaceTests {
    @Test(arguments: [
        ("'0/16AE7F8'::pg_lsn - '0/16AE7F7'::pg_lsn", "1"),
        ("'0/1'::pg_lsn - '0/2'::pg_lsn", "-1"),
        ("pg_typeof('1/0'::pg_lsn - '0/1')", "numeric"),
        ("'FFFFFFFF/FFFFFFFF'::pg_lsn - '0/0'::pg_lsn", "18446744073709551615"),
        ("'0/0'::pg_lsn - 'FFFFFFFF/FFFFFFFF'::pg_lsn", "-18446744073709551615"),
        ("'0/10'::pg_lsn - 1::numeric", "0/F"),
        ("'0/10'::pg_lsn - 1.5", "0/F"),
        ("'0/10'::pg_lsn - 0.5", "0/10"),
        ("'0/10'::pg_lsn + 1.5", "0/12"),
        ("'0/10'::pg_lsn + 1.4", "0/11"),
        ("'0/10'::pg_lsn + 2.5", "0/13"),
        ("16 + '0/1'::pg_lsn", "0/11"),
        ("'1/0'::pg_lsn + '1'", "1/1"),
        ("'0/1'::pg_lsn - 1", "0/0"),
        ("'FFFFFFFF/FFFFFFFE'::pg_lsn + 1::numeric", "FFFFFFFF/FFFFFFFF"),
        ("'FFFFFFFF/FFFFFFFF'::pg_lsn + 0.4", "FFFFFFFF/FFFFFFFF"),
        ("'7FFFFFFF/FFFFFFFF'::pg_lsn + 1", "80000000/0"),
        ("pg_lsn(23783416::numeric)", "0/16AE7F8"),
        ("pg_lsn(0.5::numeric)", "0/1"),
        ("pg_wal_lsn_diff('0/10', '0/1')", "15"),
        ("pg_wal_lsn_diff('0/10', NULL) IS NULL", "t"),
        ("('0/1'::pg_lsn + NULL::numeric) IS NULL", "t"),
        ("'0/1'::pg_lsn < 'F0000000/0'", "t"),
        ("greatest('FFFFFFFF/0'::pg_lsn, '1/0')", "FFFFFFFF/0"),
        ("least('FFFFFFFF/0'::pg_lsn, '1/0')", "1/0"),
    ])
    func placesAreReckonedWith(expression: String, value: String) throws {
        #expect(try TestDatabase().session().query("SELECT \(expression)") == value)
    }

    @Test func placesHaveAnOrder() throws {
        let session = try TestDatabase().session()
        let places =
            "FROM (VALUES ('0/10'::pg_lsn), ('FFFFFFFF/0'), ('1/0'), (NULL)) v(x)"
        #expect(
            try session.query("SELECT min(x), max(x), count(DISTINCT x) \(places)")
                == "0/10|FFFFFFFF/0|3")
        #expect(
            try session.query("SELECT x \(places) WHERE x IS NOT NULL ORDER BY x")
                == "0/10\n1/0\nFFFFFFFF/0")
        #expect(
            try session.query("SELECT sum(x - '0/0') \(places) WHERE x < '2/0'") == "4294967312")
    }

    /// Both types have no sign, in a table's own order and in an index's either way.
    @Test func keysAreInTheOrderOfTheirValues() throws {
        let session = try TestDatabase().session()
        _ = try session.run(
            """
            CREATE TABLE places (x pg_lsn PRIMARY KEY, y xid8);
            CREATE INDEX places_y ON places (y DESC);
            INSERT INTO places VALUES ('FFFFFFFF/FFFFFFFF', '18446744073709551615'), ('0/10', '16'),
                ('80000000/0', '9223372036854775808'), ('7FFFFFFF/FFFFFFFF', '9223372036854775807')
            """)
        let queries = [
            (
                "SELECT x FROM places ORDER BY x",
                "0/10\n7FFFFFFF/FFFFFFFF\n80000000/0\nFFFFFFFF/FFFFFFFF"
            ),
            (
                "SELECT x FROM places WHERE x > '7FFFFFFF/FFFFFFFF' ORDER BY x",
                "80000000/0\nFFFFFFFF/FFFFFFFF"
            ),
            (
                "SELECT x FROM places WHERE x BETWEEN '1/0' AND '80000000/0' ORDER BY x DESC",
                "80000000/0\n7FFFFFFF/FFFFFFFF"
            ),
            ("SELECT min(x), max(x) FROM places", "0/10|FFFFFFFF/FFFFFFFF"),
            (
                "SELECT y FROM places WHERE y >= '9223372036854775807' ORDER BY y DESC",
                "18446744073709551615\n9223372036854775808\n9223372036854775807"
            ),
            (
                "SELECT x FROM places WHERE y < '9223372036854775808' ORDER BY y",
                "0/10\n7FFFFFFF/FFFFFFFF"
            ),
            ("SELECT x FROM places WHERE y = '18446744073709551615'", "FFFFFFFF/FFFFFFFF"),
        ]
        for (query, rows) in queries { #expect(try session.query(query) == rows, "\(query)") }
    }

    @Test(arguments: [
        ("'0/1'::pg_lsn - 2::numeric", "22023", "pg_lsn out of range"),
        ("'FFFFFFFF/FFFFFFFF'::pg_lsn + 1::numeric", "22023", "pg_lsn out of range"),
        ("'FFFFFFFF/FFFFFFFF'::pg_lsn + 0.5", "22023", "pg_lsn out of range"),
        ("pg_lsn(-1::numeric)", "22023", "pg_lsn out of range"),
        ("pg_lsn(18446744073709551616::numeric)", "22023", "pg_lsn out of range"),
        ("pg_lsn('NaN'::numeric)", "0A000", "cannot convert NaN to pg_lsn"),
        ("pg_lsn('Infinity'::numeric)", "0A000", "cannot convert infinity to pg_lsn"),
        ("'0/1'::pg_lsn + 'NaN'::numeric", "0A000", "cannot add NaN to pg_lsn"),
        ("'0/1'::pg_lsn - 'NaN'::numeric", "0A000", "cannot subtract NaN from pg_lsn"),
        ("'0/1'::pg_lsn + 'Infinity'::numeric", "0A000", "cannot convert infinity to pg_lsn"),
        ("'1/0'::pg_lsn + '0/1'::pg_lsn", "42883", "operator does not exist: pg_lsn + pg_lsn"),
        ("5 - '0/1'::pg_lsn", "42883", "operator does not exist: integer - pg_lsn"),
    ])
    func refusalsArePostgreSQLs(expression: String, state: String, message: String) throws {
        let error = try TestDatabase().session().failure("SELECT \(expression)")
        #expect(error?.state.rawValue == state)
        #expect(error?.message == message)
    }
}
