import FalconSchema
import Testing

@testable import FalconSQL

/// What COPY FROM refuses only once the client has been asked for the data, as PostgreSQL does.
struct CopyTargetTests {
    @Test func theClientIsAskedFirst() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a, b, 1 AS c FROM t")
        try s.run("CREATE SEQUENCE q")
        let cases: [(String, columns: Int?, String)] = [
            ("COPY v FROM STDIN", 3, "42809 cannot copy to view \"v\""),
            ("COPY v (c, a) FROM STDIN (FORMAT csv)", 2, "42809 cannot copy to view \"v\""),
            ("COPY q FROM STDIN", 3, "42809 cannot copy to sequence \"q\""),
            (
                "COPY v (nix) FROM STDIN", nil,
                "42703 column \"nix\" of relation \"v\" does not exist"
            ),
            ("COPY q TO STDOUT", nil, "42809 cannot copy from sequence \"q\""),
        ]
        for (sql, columns, expected) in cases {
            s.sink.copyColumns = nil
            let error = s.failure(sql)
            #expect("\(error?.state.rawValue ?? "") \(error?.message ?? "")" == expected)
            #expect(s.sink.copyColumns == columns, "\(sql)")
        }
        try s.run("BEGIN READ ONLY")
        s.sink.copyColumns = nil
        #expect(s.failure("COPY v FROM STDIN")?.state == .readOnlySQLTransaction)
        #expect(s.sink.copyColumns == nil)
    }

    /// A backslash that is the escape may begin the end-of-copy marker all the same.
    @Test func theMarkerBeginsWithTheEscape() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a text)")
        let copy = "COPY t FROM STDIN (FORMAT csv, ESCAPE '\\')"
        #expect(try s.copy(copy, ["\"x\\\"y\"\n", "\\.\n", "z\n"]) == "COPY 1")
        #expect(try s.copy(copy, ["\"\n\\.\n\"\n", "a\\.\n", "\\", ".\n"]) == "COPY 2")
        #expect(try s.copy(copy, ["\\.x\n", "\\x\n"]) == "COPY 2")
        #expect(
            try s.query("SELECT string_agg(a, '|' ORDER BY a) FROM t")
                == "\n\\.\n|\\.x|\\x|a\\.|x\"y")
        let quoting = "COPY t FROM STDIN (FORMAT csv, QUOTE '\\')"
        #expect(try s.copy(quoting, ["\\a,b\\\n", "\\.\n", "b\n"]) == "COPY 1")
        // Without the line's end it is data.
        for options in ["(FORMAT csv)", "(FORMAT csv, ESCAPE '\\')"] {
            try s.run("TRUNCATE t")
            #expect(try s.copy("COPY t FROM STDIN \(options)", ["a\n", "\\", "."]) == "COPY 2")
            #expect(try s.query("SELECT string_agg(a, '|' ORDER BY a) FROM t") == "\\.|a")
        }
    }
}
