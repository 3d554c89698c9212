import FalconSchema
import Testing

@testable import FalconSQL

/// COPY's binary format: rows go out and come back, and what is wrong with it is said as PostgreSQL says it.
struct CopyBinaryTests {
    private let database: TestDatabase
    private let s: TestSession
    private let t: TestSession

    private static let header = CopyBinaryReader.signature + [UInt8](repeating: 0, count: 8)
    private static let end: [UInt8] = [0xFF, 0xFF]

    init() throws {
        (database, s, t) = try TestDatabase.pair("CREATE TABLE t (a int, b varchar(3))")
    }

    private static func row(_ fields: [UInt8]?...) -> [UInt8] {
        var bytes = [0, UInt8(fields.count)]
        for field in fields {
            let length = field.map { Int32($0.count) } ?? -1
            bytes += withUnsafeBytes(of: length.bigEndian) { Array($0) }
            bytes += field ?? []
        }
        return bytes
    }

    private static func int(_ value: Int32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private func copy(
        _ data: [UInt8], chunk: Int = .max, _ sql: String = "COPY t FROM STDIN (FORMAT binary)"
    ) throws -> String {
        s.sink.answers = []
        guard case .copyIn = try s.settle(s.session.simpleQuery(sql, s.sink)) else { return "none" }
        var place = 0
        while place < data.count {
            let end = chunk == .max ? data.count : min(data.count, place + chunk)
            _ = try s.settle(s.session.copyData(Array(data[place..<end]), s.sink))
            place = end
        }
        _ = try s.settle(s.session.copyDone(s.sink))
        return s.sink.answers.last?.tag ?? ""
    }

    private func refusal(_ data: [UInt8]) -> String {
        do {
            return try copy(data)
        } catch {
            let error = error as? SQLError
            return "\(error?.state.rawValue ?? "") \(error?.message ?? "")|\(error?.context ?? "")"
        }
    }

    @Test(arguments: [1, 3, .max])
    func rowsComeInWhateverTheMessages(chunk: Int) throws {
        let data =
            Self.header + Self.row(Self.int(1), Array("é".utf8)) + Self.row(nil, [])
            + Self.row(Self.int(-7), nil)
        #expect(try copy(data + Self.end, chunk: chunk) == "COPY 3")
        #expect(try copy(data, chunk: chunk) == "COPY 3")
        #expect(try s.query("SELECT * FROM t") == "1|é\n|\n-7|\n1|é\n|\n-7|")
    }

    @Test func whatGoesOutComesBack() throws {
        try s.run(
            """
            CREATE TABLE w (a int2, b int8, c numeric, d bool, e text, f date, g timestamptz, h interval,
                i int[], j bytea, k uuid, l float4, m jsonb, n text[]);
            INSERT INTO w VALUES (1, -2, 2.50, true, 'x', '2020-02-29', '2020-01-01 12:00+00',
                '1 day 2 hours', '{1,NULL,3}', '\\x00ff', gen_random_uuid(), 1.5, '{"a": 1}', '{a,b}'),
                (NULL, NULL, 'NaN', NULL, '', 'infinity', NULL, NULL, '{}', '', NULL, 'NaN', NULL, NULL)
            """)
        s.sink.copyOut = []
        #expect(try s.tag("COPY w TO STDOUT (FORMAT binary)") == "COPY 2")
        let data = s.sink.copyOut
        try s.run("CREATE TABLE x AS SELECT * FROM w WHERE false")
        #expect(try copy(data, "COPY x FROM STDIN BINARY") == "COPY 2")
        #expect(try s.query("SELECT * FROM x") == (try s.query("SELECT * FROM w")))
        #expect(try s.query("SELECT count(*) FROM x") == "2")
        s.sink.copyOut = []
        try s.run("COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)")
        #expect(s.sink.copyOut == Self.header + Self.end)
    }

    @Test func damageIsNamed() throws {
        let signature = CopyBinaryReader.signature
        let (header, row, end) = (Self.header, Self.row(Self.int(1), [0x78]), Self.end)
        let cases: [([UInt8], String)] = [
            ([], "22P04 COPY file signature not recognized|"),
            (
                Array("PGCOPX\n".utf8) + [0xFF, 13, 10, 0],
                "22P04 COPY file signature not recognized|"
            ),
            (signature, "22P04 invalid COPY file header (missing flags)|"),
            (signature + [0, 1, 0, 0], "22P04 invalid COPY file header (WITH OIDS)|"),
            (signature + [0, 2, 0, 0], "22P04 unrecognized critical flags in COPY file header|"),
            (signature + [0, 0, 0, 0], "22P04 invalid COPY file header (missing length)|"),
            (
                signature + [0, 0, 0, 0] + Self.int(-1),
                "22P04 invalid COPY file header (missing length)|"
            ),
            (
                signature + [0, 0, 0, 0] + Self.int(5) + [1],
                "22P04 invalid COPY file header (wrong length)|"
            ),
            (
                header + row + Self.row(Self.int(1)),
                "22P04 row field count is 1, expected 2|COPY t, line 2"
            ),
            (header + [0xFF, 0xFE], "22P04 row field count is -2, expected 2|COPY t, line 1"),
            (
                header + [0, 2, 0, 0], "22P04 unexpected EOF in COPY data|COPY t, line 1, column a"
            ),
            (
                header + [0, 2] + Self.int(4) + Self.int(1) + Self.int(5) + [1],
                "22P04 unexpected EOF in COPY data|COPY t, line 1, column b"
            ),
            (
                header + [0, 2] + Self.int(-2), "22P04 invalid field size|COPY t, line 1, column a"
            ),
            (header + [0, 2] + Self.int(.max), "54000 out of memory|COPY t, line 1, column a"),
            (
                header + Self.row([0, 0], [0x78]),
                "08P01 insufficient data left in message|COPY t, line 1, column a"
            ),
            (
                header + Self.row([0, 0, 0, 0, 0], [0x78]),
                "22P03 incorrect binary data format|COPY t, line 1, column a"
            ),
            (
                header + row + Self.row(Self.int(1), [0xFF]),
                "22021 invalid byte sequence for encoding \"UTF8\": 0xff|COPY t, line 2, column b"
            ),
            (
                header + Self.row(nil, Array("long".utf8)),
                "22001 value too long for type character varying(3)|COPY t, line 1, column b"
            ),
            (header + end + [1], "22P04 received copy data after EOF marker|COPY t, line 1"),
        ]
        for (data, expected) in cases { #expect(refusal(data) == expected) }
        #expect(try s.query("SELECT count(*) FROM t") == "0")
    }

    @Test func optionsOfTheOtherFormatsAreRefused() throws {
        for (option, message) in [
            ("DELIMITER ','", "cannot specify DELIMITER in BINARY mode"),
            ("NULL 'x'", "cannot specify NULL in BINARY mode"),
            ("HEADER", "cannot specify HEADER in BINARY mode"),
            ("QUOTE 'x'", "COPY quote available only in CSV mode"),
            ("FORCE_NULL (a)", "COPY force null available only in CSV mode"),
        ] {
            let error = s.failure("COPY t FROM STDIN (FORMAT binary, \(option))")
            #expect(error?.message == message)
        }
    }

    @Test func aRowMayWait() throws {
        try s.run("ALTER TABLE t ADD UNIQUE (a)")
        try t.run("BEGIN; INSERT INTO t VALUES (1)")
        let data = Self.header + Self.row(Self.int(1), nil) + Self.row(Self.int(2), nil) + Self.end
        let pending = Pending(s) { try self.copy(data) }
        try pending.untilItWaits()
        try t.run("ROLLBACK")
        #expect(try pending.result().text == "COPY 2")
    }
}
