import Glibc
import Testing

@testable import FalconStorage

/// Known ways to lose data through names, directories and misplaced bytes, each with its number in
/// docs/design/corruption-classes.md.
@Suite struct CorruptionClassFileTests {
    @Test func class01_theDirectoryOfCurrentAndManifestIsSynced() throws {
        let fixture = try ClassEngine()
        try fixture.put("a", "1")
        fixture.tracing.clear()
        try fixture.reopen()
        let events = fixture.tracing.events
        func first(_ text: String, after: Int = -1) throws -> Int {
            try #require(
                events.indices.first { $0 > after && events[$0].description.hasPrefix(text) },
                "\(text)")
        }
        let created = try first("create /db/MANIFEST")
        let manifestSync = try first("sync /db/MANIFEST", after: created)
        let nameSync = try first("syncDirectory /db", after: manifestSync)
        let renamed = try first("rename /db/CURRENT.tmp", after: nameSync)
        let currentSync = try first("syncDirectory /db", after: renamed)
        #expect(try first("remove /db/MANIFEST") > currentSync)
        // A new database's own name, too, even where an earlier open made the directory and failed.
        for index in 0..<12 {
            let memory = MemoryFileSystem()
            let faulty = FaultInjectingFileSystem(
                memory, rule: FaultRule(.mutating, index: index, errno: EIO))
            _ = try failure { try ClassEngine.open(faulty, fixture.options).close() }
            let engine = try ClassEngine.open(faulty, fixture.options)
            let batch = WriteBatch()
            try batch.put(key: bytes("a"), value: bytes("1"))
            try engine.commitAndWait(batch)
            let survivor = memory.crashClone(.dropUnsynced)
            try engine.close()
            #expect(try fixture.rows(on: survivor) == ["a=1"], "call \(index)")
        }
    }

    @Test func class23_aReaderBesideAWriterChangesNothing() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 8 << 10 }
        var options = fixture.options
        options.isReadOnly = true
        for round in 0..<4 {
            try fixture.fill(0..<60, "\(round)/", bytes: 100)
            try fixture.engine.flush()
            if round % 2 == 1 { try fixture.engine.compact() }
            try fixture.put("z", "\(round)")
            try fixture.engine.awaitIdle()
            let clone = fixture.memory.crashClone(.keepUnsynced)
            let before = clone.snapshotContents()
            let reader = try ClassEngine.open(clone, options)
            let live = try ClassEngine.open(fixture.tracing, options)
            #expect(try reader.rows().count == 61 && live.rows().count == 61)
            #expect(throws: StorageError.self) { try reader.flush() }
            try reader.close()
            // What the reader holds open outlives its name.
            try fixture.engine.compact()
            try fixture.engine.awaitIdle()
            #expect(try live.rows().count == 61)
            try live.close()
            #expect(clone.snapshotContents() == before)
            #expect(try fixture.engine.rows().count == 61)
        }
    }

    @Test func class25_aCopyOfADamagedTableIsAsDamaged() throws {
        let fixture = try ClassEngine { $0.blockCacheBytes = 0 }
        try fixture.fill(0..<100, bytes: 200)
        try fixture.engine.flush()
        let table = try #require(try fixture.files("sst", ".sst").first)
        let file = try fixture.memory.open(table, .readWrite)
        let byte = try file.readExactly(1, at: 1000)
        try file.write([byte[0] ^ 4], at: 1000)
        try fixture.engine.checkpoint(to: "/copy")
        let copy = try StorageEngine.open(
            at: "/copy", options: fixture.options,
            environment: StorageEnvironment(
                fileSystem: fixture.memory, clock: ManualClock(), random: SystemRandom()))
        defer { try? copy.close() }
        let error = try failure { _ = try copy.rows() }
        #expect(error?.code == .corruption && error?.location?.path.hasPrefix("/copy/sst/") == true)
    }

    @Test func class27_aBlockInAnotherPlaceIsNoticed() throws {
        let fixture = try ClassEngine {
            $0.blockCacheBytes = 0
            $0.compression = .none
            $0.blockBytes = 512
        }
        try fixture.fill(0..<100, bytes: 60)
        try fixture.engine.flush()
        try fixture.fill(0..<100, "w", bytes: 60)
        try fixture.engine.flush()
        try fixture.engine.close()
        let tables = try fixture.files("sst", ".sst")
        #expect(tables.count == 2)
        // Blocks of one size: each is whole, and valid where it was.
        let own = try dataBlocks(fixture.memory, tables[0])
        let others = try dataBlocks(fixture.memory, tables[1])
        let target = try #require(
            own.first { block in
                own.filter { $0.payloadBytes == block.payloadBytes }.count > 1
                    && others.contains { $0.payloadBytes == block.payloadBytes }
            })
        func isTwin(_ block: BlockHandle) -> Bool { block.payloadBytes == target.payloadBytes }
        for (path, twin) in [
            (tables[0], try #require(own.last(where: isTwin))),
            (tables[1], try #require(others.first(where: isTwin))),
        ] {
            let disk = fixture.memory.crashClone(.keepUnsynced)
            let block = try disk.open(path, .read)
                .readExactly(Int(twin.end - twin.offset), at: twin.offset)
            try disk.open(tables[0], .readWrite).write(block, at: target.offset)
            let error = try failure { _ = try fixture.rows(on: disk) }
            #expect(error?.code == .corruption && error?.location?.path == tables[0])
            #expect(error?.location?.offset == target.offset)
        }
        // A table under another's name.
        let disk = fixture.memory.crashClone(.keepUnsynced)
        let other = try disk.contents(of: tables[1])
        let file = try disk.open(tables[0], .readWrite)
        try file.truncate(to: 0)
        try file.write(other, at: 0)
        let error = try failure { _ = try fixture.rows(on: disk) }
        #expect(error?.code == .corruption && error?.location?.path == tables[0])
    }

    private func dataBlocks(_ disk: MemoryFileSystem, _ path: String) throws -> [BlockHandle] {
        let reader = try TableReader.open(
            file: disk.open(path, .read), uid: nil, size: disk.fileSize(path), cache: nil)
        let index = try #require(reader.index)
        return (0..<index.count).map { index.handle($0) }
    }

    @Test func class30_noNameIsVisibleBeforeItsBytes() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 4 << 20 }
        try fixture.fill(0..<300, bytes: 500, durability: .written)
        try fixture.reopen()
        let events = fixture.tracing.events
        var renames = 0
        for (position, event) in events.enumerated() where event.operation == .rename {
            // A retired segment's bytes mean nothing.
            if event.detail.hasSuffix(".spare") { continue }
            renames += 1
            let own = events[..<position].filter { $0.path == event.path }
            let written = own.lastIndex { $0.operation == .write }
            let synced = own.lastIndex { $0.operation == .sync }
            #expect((synced ?? -1) > (written ?? 0), "\(event) before its bytes")
        }
        #expect(renames >= 4)
        for seed in 0..<64 as Range<UInt64> {
            let survivor = fixture.memory.crashClone(.reorder, seed: seed)
            #expect(try fixture.rows(on: survivor).count == 300)
        }
    }
}
