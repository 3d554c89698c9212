import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// REINDEX, beside the scripts ddl-reindex-*.
struct ReindexTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, n int, m int)",
            "CREATE INDEX t_n ON t (n)", "CREATE INDEX t_p ON t (m) WHERE m > 5",
            "INSERT INTO t SELECT i, i, i % 10, i % 10 FROM generate_series(1, 100) AS i")
    }

    /// Loses all entries of the table's secondary indexes, as a damaged disk might.
    private func loseEntries() throws {
        let catalog = try #require(database.sql.database(named: "falcon")).committed
        let table = try #require(catalog.tables.values.first { $0.name == "t" })
        let batch = WriteBatch()
        for index in table.indexes where !index.isPrimary {
            let range = KeyRange(prefix: CatalogKeys.prefix(table.database, index.storageID))
            let (lower, upper) = (try #require(range.lower), try #require(range.upper))
            try lower.withUnsafeBytes { lower in
                try upper.withUnsafeBytes { try batch.deleteRange(lower: lower, upper: $0) }
            }
        }
        _ = try database.engine.commitAndWait(batch)
    }

    private let lookups = [
        "SELECT count(*) FROM t WHERE u = 7", "SELECT count(*) FROM t WHERE n = 3",
        "SELECT count(*) FROM t WHERE m = 7",
    ]

    @Test func entriesComeFromTheRows() throws {
        for statement in [
            "REINDEX TABLE t", "REINDEX SCHEMA public", "REINDEX DATABASE falcon",
            "REINDEX TABLE CONCURRENTLY t",
        ] {
            try loseEntries()
            #expect(try lookups.map { try a.query($0) } == ["0", "0", "0"])
            #expect(try a.tag(statement) == "REINDEX")
            #expect(try lookups.map { try a.query($0) } == ["1", "10", "10"], "\(statement)")
        }
        try loseEntries()
        try a.run("REINDEX INDEX t_n")
        #expect(try lookups.map { try a.query($0) } == ["0", "10", "0"])
        try database.restart()
        #expect(try database.session().query(lookups[1]) == "10")
    }

    /// However many indexes one transaction makes, an older snapshot is told of each.
    @Test func manyNewIndexesAtOnce() throws {
        let state = try #require(database.sql.database(named: "falcon"))
        var table = try #require(state.committed.tables.values.first { $0.name == "t" })
        let old = try #require(table.indexes.last)
        let new = (0..<3000).map { StorageID(1_000_000 + $0) }
        for storage in new {
            table.indexes.append(
                IndexDescriptor(
                    oid: OID(storage.rawValue), name: "i\(storage.rawValue)", storageID: storage,
                    isUnique: false, isPrimary: false, isConstraint: false, columns: old.columns))
        }
        let timestamp = Timestamp(database.engine.publishedTimestamp.rawValue + 10)
        state.publish([.putTable(table)], at: timestamp)
        let before = Timestamp(timestamp.rawValue - 1)
        #expect(new.allSatisfy { !state.isComplete($0, at: before) })
        #expect(new.allSatisfy { state.isComplete($0, at: timestamp) })
        // One more forgets those that are gone.
        table.indexes.removeAll { new.dropFirst().contains($0.storageID) }
        state.publish([.putTable(table)], at: timestamp)
        table.indexes.append(old)
        table.indexes[table.indexes.count - 1].storageID = StorageID(2_000_000)
        state.publish([.putTable(table)], at: timestamp)
        #expect(!state.isComplete(new[0], at: before))
        #expect(state.isComplete(new[1], at: before))
    }

    @Test func duplicatesAreTold() throws {
        try loseEntries()
        try a.run("INSERT INTO t VALUES (101, 7, 0)")
        let error = try #require(a.failure("REINDEX TABLE t"))
        #expect(error.state == .uniqueViolation)
        #expect(error.message == "could not create unique index \"t_u_key\"")
        #expect(error.detail == "Key (u)=(7) is duplicated.")
        try a.run("DELETE FROM t WHERE id = 101; REINDEX TABLE t")
        #expect(try a.query(lookups[0]) == "1")
    }

    @Test func theOldEntriesAreGone() throws {
        let before = try stored()
        for _ in 0..<3 { try a.run("REINDEX TABLE t") }
        #expect(try stored() == before)
        try a.run("BEGIN; REINDEX TABLE t; ROLLBACK")
        #expect(try stored() == before)
        #expect(try a.query(lookups[1]) == "10")
    }

    /// Keys of the database's tables and indexes.
    private func stored() throws -> Int {
        let id = try #require(database.sql.database(named: "falcon")).id
        return try database.storedKeys(
            KeyRange(
                lower: CatalogKeys.prefix(id, StorageID(CatalogKeys.firstUserStorage)),
                upper: CatalogKeys.prefix(DatabaseID(id.rawValue + 1), StorageID(0))))
    }

    @Test func aCursorKeepsItsIndex() throws {
        try a.run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM t WHERE n = 3; FETCH 1 FROM c")
        let error = try #require(a.failure("REINDEX INDEX t_n"))
        #expect(
            error.message
                == "cannot REINDEX INDEX \"t_n\" because it is being used by active queries in this session"
        )
        try a.run("ROLLBACK; REINDEX (VERBOSE) INDEX t_n")
        #expect(a.sink.notices.last?.message == "index \"t_n\" was reindexed")
    }
}
