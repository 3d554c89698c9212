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
}
