import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// One flipped bit costs the rows of its block, not the catalog, and not the next start.
@Suite struct DamagedTableTests {
    private func flip(_ database: TestDatabase, _ path: String, _ offset: UInt64) throws {
        let file = try database.fileSystem.open(path, .readWrite)
        let byte = try file.readExactly(1, at: offset)
        try file.write([byte[0] ^ 16], at: offset)
    }

    @Test func soundRowsAreServedAndTheServerStarts() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let session = try database.session()
        _ = try session.run("create table t (id int primary key, note text)")
        _ = try session.run("create table other (id int primary key)")
        _ = try session.run(
            "insert into t select i, 'note ' || i * 7919 from generate_series(1, 2000) g(i)")
        _ = try session.run("insert into other select i from generate_series(1, 100) g(i)")
        _ = try session.run("checkpoint")
        let tables = try database.fileSystem.list("/db/sst").filter { $0.hasSuffix(".sst") }
            .map { "/db/sst/" + $0 }
        #expect(tables.count >= 2)
        let rows = try #require(
            try tables.max {
                try database.fileSystem.fileSize($0) < database.fileSystem.fileSize($1)
            })
        try flip(database, rows, 5000)
        for start in 0..<3 {
            if start > 0 { try database.restart() }
            let session = try database.session()
            #expect(try session.query("select count(*) from other") == "100")
            var lost = 0
            for id in stride(from: 1, through: 2000, by: 4) {
                do {
                    let note = try session.query("select note from t where id = \(id)")
                    #expect(note == "note \(id * 7919)")
                } catch let error as SQLError {
                    #expect(error.state.rawValue == "XX001")
                    lost += 1
                }
            }
            #expect((1..<100).contains(lost), "\(lost)")
            #expect(session.failure("select sum(id) from t")?.state.rawValue == "XX001")
            // Waits until what was met is recorded.
            #expect(try database.engine.recheckQuarantined().isEmpty)
            try database.engine.compact()
            #expect(database.engine.corruptionReport().entries.map(\.path) == [rows])
        }
    }

    @Test func vacuumGivesSpaceBack() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let session = try database.session()
        _ = try session.run("create table t (id int primary key, note text)")
        for round in 0..<3 {
            _ = try session.run("delete from t")
            _ = try session.run(
                "insert into t select i, md5(i::text || '\(round)') from generate_series(1, 3000) g(i)"
            )
            _ = try session.run("checkpoint")
        }
        func bytes() -> UInt64 { database.engine.statistics().levels.reduce(0) { $0 + $1.bytes } }
        let before = bytes()
        #expect(try session.tag("vacuum t") == "VACUUM")
        #expect(bytes() < before / 2)
        #expect(try session.query("select count(*), max(id) from t") == "3000|3000")
        let after = bytes()
        _ = try session.run("delete from t where id > 10")
        #expect(try session.tag("vacuum full") == "VACUUM")
        #expect(bytes() < after / 4)
        #expect(try session.query("select count(*) from t") == "10")
    }
}
