import FalconSchema
import Testing

@testable import FalconSQL

/// No value is longer than PostgreSQL's largest allocation, whatever makes it.
@Suite(.serialized) struct ValueLimitTests {
    /// Statement | SQLSTATE | message | detail, as PostgreSQL 15 answered.
    private static let refusals = [
        "length(a||a)|XX000|invalid memory alloc request size 1200000004|",
        "length(concat(a,a))|54000|out of memory|Cannot enlarge string buffer containing 600000000 bytes by 600000000 more bytes.",
        "length(concat_ws(',',a,a))|54000|out of memory|Cannot enlarge string buffer containing 600000001 bytes by 600000000 more bytes.",
        "length(replace(a,repeat('a',1000),repeat('b',4000)))|54000|out of memory|Cannot enlarge string buffer containing 1073740000 bytes by 4000 more bytes.",
        "length(format('%s%s',a,a))|54000|out of memory|Cannot enlarge string buffer containing 600000000 bytes by 600000000 more bytes.",
        "array_length(array[a,a],1)|54000|array size exceeds the maximum allowed (1073741823)|",
        "length(repeat(a,2))|54000|requested length too large|",
        "length(repeat('a',1073741820))|54000|requested length too large|",
        "length(lpad('a',268435455,'x'))|54000|requested length too large|",
        "length(lpad(a,300000000,'x'))|54000|requested length too large|",
        "length(encode(a::bytea,'hex'))|54000|result of encoding conversion is too large|",
        "length(a::bytea::text)|XX000|invalid memory alloc request size 1200000003|",
        "length(a::bytea||a::bytea)|XX000|invalid memory alloc request size 1200000004|",
    ]

    @Test(arguments: refusals)
    func aLongerValueIsRefused(_ line: String) throws {
        let parts = line.split(separator: "|", omittingEmptySubsequences: false)
        // The operator || is written with the mark that separates the fields.
        let fields = parts.suffix(3)
        let call = parts.dropLast(3).joined(separator: "|")
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let error = s.failure("select \(call) from (select repeat('a',600000000) a offset 0) x")
        let answer = [error?.state.rawValue ?? "", error?.message ?? "", error?.detail ?? ""]
        #expect(answer == fields.map { String($0) })
    }

    @Test func anAggregateStopsAsItGrows() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let rows = "from (select repeat('a',400000000) a from generate_series(1,9)) x"
        let joined = s.failure("select length(string_agg(a,'')) \(rows)")
        #expect(joined?.state == .programLimitExceeded)
        #expect(
            joined?.detail
                == "Cannot enlarge string buffer containing 800000000 bytes by 400000000 more bytes."
        )
        let row = s.failure(
            "copy (select a,a,a from (select repeat('a',400000000) a offset 0) x) to stdout")
        #expect(
            row?.detail
                == "Cannot enlarge string buffer containing 800000002 bytes by 400000000 more bytes."
        )
    }

    @Test func textFunctionsWorkOnBytes() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        #expect(
            try s.query("select reverse('aöß€𝄞b'), upper('aöß€x'), lower('AÖ€X')")
                == "b𝄞€ßöa|AÖß€X|aö€x")
        #expect(
            try s.query("select initcap('hELLO wÖRLD 1st'), translate('aböc€','bö€','xy')")
                == "Hello Wörld 1st|axyc")
        #expect(
            try s.query("select left('aöß€',2), right('aöß€',2), left('aöß€',-1), right('aöß€',-3)")
                == "aö|ß€|aöß|€")
        #expect(
            try s.query(
                "select lpad('ö',4,'xß'), rpad('ö',4,'xß'), lpad('aöß',2,'x'), lpad('a',3,'')")
                == "xßxö|öxßx|aö|a")
        #expect(
            try s.query(
                "select substr('aöß€x',2,3), position('€' in 'aöß€x'), strpos('abc',''), split_part('a€b€c','€',-2)"
            ) == "öß€|4|1|b")
        #expect(
            try s.query(
                "select replace('aXbXXc','X','öö'), replace('abc','z','y'), btrim('xxaxbxx','x'), btrim('ööaö','ö')"
            ) == "aööbööööc|abc|axb|a")
        #expect(
            try s.query("select md5(''), md5('abc'), md5(repeat('a',1000))")
                == "d41d8cd98f00b204e9800998ecf8427e|900150983cd24fb0d6963f7d28e17f72|cabe45dcc9ae5b66ba86600cca6b8ba8"
        )
        #expect(
            try s.query("select sha256('abc'), sha224('abc')")
                == #"\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad|\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"#
        )
    }

    @Test func storageErrorsNameTheirPlace() {
        let error = SQLError(
            storage: .corruption("The block is bad.", path: "/d/1.sst", offset: 12))
        #expect(error.state == .dataCorrupted)
        #expect(error.message == "The block is bad. [/d/1.sst at offset 12]")
    }

    @Test func theLimitOfSessionsIsShown() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let limit = SQLDatabaseOptions().maxSessions
        #expect(try s.query("show max_connections") == String(limit))
    }
}
