import FalconSchema
import Testing

@testable import FalconSQL

/// Where errors in COPY's data are, as PostgreSQL 15 says it.
@Suite struct CopyContextTests {
    private let database: TestDatabase
    private let s: TestSession

    init() throws {
        database = try TestDatabase()
        s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY CHECK (a > 0), b varchar(3) NOT NULL)")
    }

    private func refusal(_ data: String, _ options: String = "") -> String {
        do {
            return try s.copy("COPY t FROM STDIN \(options)", [data])
        } catch {
            guard let error = error as? SQLError else { return "\(error)" }
            return "\(error.state.rawValue)|\(error.context ?? "")"
        }
    }

    @Test(arguments: [
        ("1\tx\nz\ty\n", "22P02|COPY t, line 2, column a: \"z\""),
        ("1\tabcd\n", "22001|COPY t, line 1, column b: \"abcd\""),
        ("1\n", "22P04|COPY t, line 1: \"1\""),
        ("1\tx\t2\n", "22P04|COPY t, line 1: \"1\tx\t2\""),
        ("1\t\\N\n", "23502|COPY t, line 1: \"1\t\\N\""),
        ("1\tx\n0\ty\n", "23514|COPY t, line 2: \"0\ty\""),
        ("1\tx\n1\ty\n", "23505|COPY t, line 2"),
        (
            String(repeating: "9", count: 120) + "\tx\n",
            "22003|COPY t, line 1, column a: \""
                + String(repeating: "9", count: 100) + "...\""
        ),
    ])
    func textHasLinesAndColumns(_ data: String, _ expected: String) throws {
        defer { database.close() }
        #expect(refusal(data) == expected)
        #expect(try s.query("SELECT count(*) FROM t") == "0")
    }

    @Test func csvHasThemToo() throws {
        defer { database.close() }
        #expect(
            refusal("a,b\n1,\"x\ny\"\nz,y\n", "CSV HEADER")
                == "22P02|COPY t, line 4, column a: \"z\"")
        #expect(refusal("1,\"x\n", "CSV") == "22P04|COPY t, line 1: \"1,\"x\n\"")
    }

    /// A lock that is waited for in vain.
    @Test func waitsHaveLines() throws {
        defer { database.close() }
        let other = try database.session()
        try other.run("BEGIN; INSERT INTO t VALUES (2, 'x')")
        try s.run("SET lock_timeout = 20")
        let waited = "while inserting index tuple in relation \"t_pkey\""
        #expect(refusal("1\tx\n2\ty\n") == "55P03|\(waited)\nCOPY t, line 2")
        try other.run("ROLLBACK")
        #expect(refusal("1\tx\n2\ty\n") == "COPY 2")
    }
}
