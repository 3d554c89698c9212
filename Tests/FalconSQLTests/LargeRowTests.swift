import FalconStorage
import Testing

@testable import FalconSQL

/// Rows of 1 KiB and more lie in blob files once they are flushed; statements do not see it.
@Suite struct LargeRowTests {
    @Test func largeRowsAreReadUpdatedAndIndexedFromBlobFiles() throws {
        let database = try TestDatabase()
        defer { database.close() }
        var s = try database.session()
        try s.run("create table t (id int primary key, n int, body text)")
        try s.run("create index on t (n)")
        try s.run(
            "insert into t select i, i % 10, repeat(i::text, 700) from generate_series(100, 199) i"
        )
        try database.engine.flush()
        let blobs = database.engine.statistics().blobs
        #expect(blobs.fileCount > 0 && blobs.liveBytes > 0)
        try s.run("update t set body = body || 'x' where n = 3")
        try s.run("delete from t where id >= 190")
        try database.engine.compact()
        for _ in 0..<2 {
            #expect(
                try s.query("select count(*), sum(length(body)) from t") == "90|189009")
            #expect(
                try s.query("select id from t where n = 3 order by id desc limit 2") == "183\n173")
            #expect(
                try s.query("select body = repeat('150', 700) from t where id = 150") == "t")
            try database.restart()
            s = try database.session()
        }
    }

    /// Statements that need nothing but keys read no large row; those that need a damaged one fail, and it
    /// can be deleted and overwritten.
    @Test func keysAreReadAndDamagedRowsDeletedWithoutTheirValues() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("create table t (id int primary key, body text)")
        try s.run("create table u (id int, part text, body text, primary key (part, id))")
        try s.run("create table v (id int primary key, n int, body text)")
        try s.run("create index on v (n)")
        for table in ["t", "v"] {
            let columns = table == "t" ? "id, body" : "id, n, body"
            let values = table == "t" ? "i" : "i, i % 5"
            try s.run(
                "insert into \(table) (\(columns)) select \(values), repeat(i::text, 700) "
                    + "from generate_series(100, 149) i")
        }
        try s.run(
            "insert into u select i, 'p' || i % 2, repeat(i::text, 700) "
                + "from generate_series(100, 149) i")
        try database.engine.flush()
        try database.damageBlobFiles()
        #expect(try s.query("select count(*) from t") == "50")
        #expect(try s.query("select sum(id), min(id) from t where id >= 120") == "4035|120")
        #expect(
            try s.query("select part, id from u where part = 'p1' order by id desc limit 2")
                == "p1|149\np1|147")
        #expect(try s.query("select id from t where id = 120") == "120")
        #expect(throws: (any Error).self) { _ = try s.query("select * from t where id = 120") }
        #expect(throws: (any Error).self) { _ = try s.query("select length(body) from t") }
        // The old entry of an index is in the row.
        #expect(throws: (any Error).self) { try s.run("delete from v where id = 120") }
        try s.run("delete from t where id = 120")
        try s.run("update t set body = 'new' where id = 121")
        try s.run("delete from u where part = 'p0'")
        #expect(try s.query("select count(*) from t") == "49")
        #expect(try s.query("select body from t where id = 121") == "new")
        #expect(try s.query("select count(*) from u") == "25")
        #expect(try s.query("delete from t where id = 121 returning body") == "new")
    }
}
