import FalconTestKit
import Foundation
import Testing

@testable import FalconSQL
@testable import FalconStorage

/// What a program of a frozen format version wrote is read for ever: Fixtures/format-1.
@Suite struct FormatFixtureTests {
    static let queries = [
        "SELECT * FROM kinds WHERE id <= 3 ORDER BY id",
        "SELECT count(*), sum(id), min(t), max(later) FROM kinds",
        "SELECT count(*), sum(id), sum(twice), min(name), max(name) FROM parents",
        "SELECT * FROM parents WHERE name = 'parent 37'",
        "SELECT count(*), sum(place), max(note) FROM children",
        "SELECT parent, place, note FROM children WHERE note = 'note 1' AND place > 3 AND parent < 4 "
            + "ORDER BY 1, 2",
        "SELECT * FROM families ORDER BY name LIMIT 3",
        "SELECT id, length(body), md5(body) FROM large ORDER BY id",
        "SELECT * FROM emptied ORDER BY id",
        "SELECT gid, database FROM pg_prepared_xacts",
        "SELECT slot_name, plugin, wal_status FROM pg_replication_slots",
        "SELECT c.relname, c.relkind, c.relnatts FROM pg_class c JOIN pg_namespace n "
            + "ON n.oid = c.relnamespace WHERE nspname IN ('public', 'other') ORDER BY 1",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0 ORDER BY 1",
        "SELECT column_name, data_type, column_default, is_nullable FROM information_schema.columns "
            + "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        "SELECT obj_description('kinds'::regclass, 'pg_class')",
        "SELECT label, files > 0 FROM falcon.pitr_backups",
        "SELECT string_agg(data::json->>'action', '') "
            + "FROM pg_logical_slot_peek_changes('reader', NULL, NULL)",
        "COMMIT PREPARED 'in doubt'",
        "SELECT * FROM emptied ORDER BY id",
        "INSERT INTO kinds (t) VALUES ('newer') RETURNING id, later",
        "INSERT INTO parents (name, twice) VALUES ('newer', 1) RETURNING id",
        "SELECT nextval('other.numbers') > 8",
    ]

    /// Each query with its answer, as Fixtures/format-1/answers.txt has them.
    private func answers(_ memory: MemoryFileSystem, _ fixture: FormatFixture) throws -> String {
        var text = ""
        try fixture.withDatabase(memory) { (_, session) throws in
            for query in Self.queries {
                text += "> \(query)\n" + (try session.query(query)) + "\n"
            }
        }
        return text
    }

    @Test(arguments: FormatFixture.allCases)
    func itsRowsAreRead(_ fixture: FormatFixture) throws {
        let memory = try fixture.load()
        let expected = try String(contentsOfFile: FormatFixture.answersPath, encoding: .utf8)
        #expect(try answers(memory, fixture) == expected)
        // Once more from what this program made of it.
        try fixture.withDatabase(memory) { (engine, session) throws in
            try engine.compact()
            #expect(try session.query("SELECT count(*) FROM kinds WHERE t = 'newer'") == "1")
        }
    }

    @Test(arguments: FormatFixture.allCases)
    func itsStoresAreRead(_ fixture: FormatFixture) throws {
        try fixture.withDatabase(try fixture.load()) { (engine, _) throws in
            let store = IdempotencyStore(engine)
            #expect(try store.result(of: "request 1") == Array("paid".utf8))
            let outcomes = TransactionOutcomeStore(engine)
            let transaction = FormatFixtureWriter.transaction
            #expect(try outcomes.prepared().contains { $0.transaction == transaction })
            #expect(try outcomes.payload(of: transaction) == [4, 5, 6])
            #expect(try TransactionAuditLog(engine).position > .zero)
        }
    }

    /// A fixture that lacks a kind of file or block proves nothing about it.
    @Test(arguments: FormatFixture.allCases)
    func itHoldsEveryKindOfFile(_ fixture: FormatFixture) throws {
        let memory = try fixture.load()
        let names = memory.snapshotContents().keys
        for part in ["db/FORMAT", "db/CURRENT", "db/MANIFEST", "db/wal/", ".sst", ".blob", "repo/"]
            + (fixture == .encrypted ? ["db/KEYS"] : [])
        {
            #expect(names.contains { $0.contains(part) }, "\(part)")
        }
        let format = try FormatFile.decode(
            memory.contents(of: "/db/FORMAT"), path: "FORMAT", forWriting: true)
        #expect(format.version == FormatVersion.one.rawValue)
    }

    @Test func whatIsWrittenNowIsOfTheNewestVersion() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let format = try FormatFile.decode(
            database.fileSystem.contents(of: "/db/FORMAT"), path: "FORMAT", forWriting: true)
        #expect(format.version == 1)
    }

    /// With FALCON_WRITE_FORMAT=1, while the version is not frozen: makes Fixtures/format-1 anew.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["FALCON_WRITE_FORMAT"] == "1"))
    func writeFixtures() throws {
        for fixture in FormatFixture.allCases {
            let memory = try FormatFixtureWriter.make(fixture)
            try fixture.store(memory)
            let text = try answers(try fixture.load(), fixture)
            if fixture == .plain {
                try Data(text.utf8).write(to: URL(fileURLWithPath: FormatFixture.answersPath))
            }
        }
    }
}
