import Testing

@testable import FalconStorage

/// Large values live in blob files from the flush on, and are read like any other.
@Suite struct BlobEngineTests {
    private func fill(_ fixture: EngineFixture, round: Int, keys: Range<Int> = 0..<40) throws {
        for key in keys {
            try fixture.put(
                "k\(100 + key)", EngineFixture.large("k\(100 + key)", round), .buffered)
        }
        try fixture.put("small", "\(round)", .buffered)
        try fixture.engine.flush()
    }

    private func check(_ fixture: EngineFixture, round: Int, count: Int = 40) throws {
        var rows = (0..<count).map { "k\(100 + $0)=" + EngineFixture.large("k\(100 + $0)", round) }
        rows.append("small=\(round)")
        #expect(try fixture.rows() == rows)
        #expect(try fixture.rows(backward: true) == rows.reversed())
        for key in 0..<count {
            let key = "k\(100 + key)"
            #expect(try fixture.get(key) == EngineFixture.large(key, round))
        }
        let keys = [Array("k101".utf8), Array("no".utf8), Array("small".utf8)]
        let values = try fixture.engine.multiGet(keys)
        #expect(
            values.map { $0.map { String(decoding: $0, as: UTF8.self) } }
                == [EngineFixture.large("k101", round), nil, "\(round)"])
    }

    @Test(arguments: [BlockCodec.none, .lz4, .zstd])
    func aFlushWritesLargeValuesAsideAndEveryReadFindsThem(codec: BlockCodec) throws {
        var options = EngineOptions.smallBlobs
        options.compression = codec
        let fixture = try EngineFixture(options: options)
        try fill(fixture, round: 1)
        #expect(fixture.blobs.fileCount >= 1)
        #expect(fixture.blobs.liveBytes > 40 * 300)
        #expect(fixture.blobs.garbageBytes == 0)
        #expect(fixture.version.levels.reduce(0) { $0 + $1.byteCount } < 6000)
        try check(fixture, round: 1)
        try fixture.reopen()
        try check(fixture, round: 1)
        #expect(try fixture.filesMatchVersion())
    }

    @Test func offKeepsEverythingInTables() throws {
        var options = EngineOptions.smallBlobs
        options.blobThresholdBytes = 0
        let fixture = try EngineFixture(options: options)
        try fill(fixture, round: 1)
        #expect(fixture.blobs == EngineStatistics.Blobs())
        try check(fixture, round: 1)
    }

    /// A merge of tables takes the references over and leaves the values where they are.
    @Test func compactionCarriesReferences() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1, keys: 0..<20)
        try fill(fixture, round: 1, keys: 20..<40)
        let before = try fixture.filesOnDisk(".blob")
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesOnDisk(".blob") == before)
        #expect(fixture.blobs.movedBytes == 0)
        try check(fixture, round: 1)
    }

    @Test func whatIsOverwrittenIsGarbageAndItsFileGoes() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        let first = try fixture.filesOnDisk(".blob")
        try fill(fixture, round: 2)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesOnDisk(".blob").filter(first.contains).isEmpty)
        #expect(try fixture.filesMatchVersion())
        #expect(fixture.blobs.garbageBytes == 0)
        try check(fixture, round: 2)
        try fixture.reopen()
        try check(fixture, round: 2)
    }

    /// A file of which most is garbage gives up the rest.
    @Test func liveValuesMoveOutOfAFileWithMuchGarbage() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        // It was cut after the greater part; the rest is still live.
        let first = try #require(try fixture.filesOnDisk(".blob").first)
        try fill(fixture, round: 2, keys: 0..<30)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try !fixture.filesOnDisk(".blob").contains(first))
        #expect(fixture.blobs.movedBytes > 0)
        #expect(try fixture.filesMatchVersion())
        for key in 0..<40 {
            let name = "k\(100 + key)"
            #expect(try fixture.get(name) == EngineFixture.large(name, key < 30 ? 2 : 1))
        }
    }

    @Test func snapshotsAndOldVersionsReadOldValues() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        let snapshot = fixture.engine.makeSnapshot()
        try fill(fixture, round: 2)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(
            try fixture.get("k105", at: snapshot.timestamp) == EngineFixture.large("k105", 1))
        #expect(fixture.blobs.garbageBytes == 0)
        try check(fixture, round: 2)
    }

    @Test func theLastReaderLetsABlobFileGo() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        var iterator: RangeIterator? = try fixture.engine.makeIterator(.all, at: .max)
        try iterator?.seekToFirst()
        let first = try fixture.filesOnDisk(".blob")
        try fill(fixture, round: 2)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesOnDisk(".blob").filter(first.contains) == first)
        var count = 0
        while let cursor = iterator, cursor.isValid {
            if text(cursor.key) != "small" {
                #expect(text(cursor.value) == EngineFixture.large(text(cursor.key), 1))
            }
            count += 1
            try cursor.next()
        }
        #expect(count == 41)
        iterator = nil
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesMatchVersion())
    }

    @Test func aRangeDeleteLeavesNoBlobBehind() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        try fixture.deleteRange("k", "l")
        #expect(try fixture.rows() == ["small=1"])
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.fileCount == 0)
        #expect(try fixture.filesOnDisk(".blob").isEmpty)
    }

    @Test func aCheckpointHasItsBlobFiles() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        try fixture.engine.checkpoint(to: "/copy")
        try fill(fixture, round: 2)
        try fixture.engine.compact()
        let copy = try StorageEngine.open(
            at: "/copy", options: .smallBlobs, environment: fixture.environment)
        defer { try? copy.close() }
        #expect(try copy.value("k107") == EngineFixture.large("k107", 1))
        #expect(copy.statistics().blobs.fileCount >= 1)
    }

    /// What a crash leaves unlisted is removed in the background.
    @Test func orphansGo() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        for name in ["00000000000000fe.blob", "00000000000000ff.sst"] {
            let file = try fixture.fileSystem.open("/db/sst/" + name, .create)
            try file.write(Array("x".utf8), at: 0)
            try file.close()
        }
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesMatchVersion())
        #expect(try fixture.filesOnDisk(".sst").count == fixture.version.fileCount)
        try check(fixture, round: 1)
    }

    /// An open waits for no orphan: the unlinks come after it, and one that fails harms nothing.
    @Test func theOpenDoesNotWaitForOrphans() throws {
        let memory = MemoryFileSystem()
        var engine = try StorageEngine.open(
            at: "/db", options: .smallBlobs, environment: StorageEnvironment(fileSystem: memory))
        try engine.close()
        for number in 0..<50 {
            let file = try memory.open("/db/sst/0000000000000f\(10 + number).blob", .create)
            try file.truncate(to: 64 << 20)
        }
        let gate = GatedFileSystem(memory)
        engine = try StorageEngine.open(
            at: "/db", options: .smallBlobs, environment: StorageEnvironment(fileSystem: gate))
        #expect(engine.statistics().obsoleteBytes == 50 * (64 << 20))
        #expect(try memory.list("/db/sst").count == 50)
        gate.open()
        try engine.awaitIdle()
        #expect(try memory.list("/db/sst").isEmpty)
        try engine.close()
    }

    /// Values that nobody asks for are not read.
    @Test func deferredValuesAreReadWhenTheyAreAskedFor() throws {
        let faulty = FaultInjectingFileSystem(MemoryFileSystem())
        var options = EngineOptions.smallBlobs
        options.blockCacheBytes = 0
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: faulty, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        let batch = WriteBatch()
        for key in 0..<40 {
            let name = "k\(100 + key)"
            try batch.put(
                key: bytes(name),
                value: bytes(key % 4 == 0 ? "small" : EngineFixture.large(name, 1)))
        }
        try engine.commitAndWait(batch)
        try engine.flush()
        faulty.setRule(
            FaultRule(.operation(.read), pathContains: ".blob", index: 0, count: .max, errno: 5))
        var read = ReadOptions()
        read.defersLargeValues = true
        let iterator = try engine.makeIterator(.all, at: .max, options: read)
        var keys = 0
        try iterator.seekToFirst()
        while iterator.isValid {
            #expect(iterator.hasDeferredValue == (keys % 4 != 0))
            if keys % 4 == 0 { #expect(text(try iterator.readValue()) == "small") }
            keys += 1
            try iterator.next()
        }
        #expect(keys == 40)
        #expect(faulty.matchedCount == 0)
        #expect(try engine.visibleCommit(of: bytes("k101"), at: .max) != nil)
        #expect(try engine.visibleCommit(of: bytes("k1"), at: .max) == nil)
        #expect(faulty.matchedCount == 0)
        // A value that cannot be read now may be later; the cursor stays where it is.
        try iterator.seekToLast()
        #expect(throws: StorageError.self) { _ = try iterator.readValue() }
        faulty.setRule(nil)
        for _ in 0..<2 {
            #expect(text(try iterator.readValue()) == EngineFixture.large("k139", 1))
        }
        try iterator.previous()
        #expect(text(try iterator.readValue()) == EngineFixture.large("k138", 1))
        try iterator.seek(bytes("k105"))
        #expect(text(try iterator.readValue()) == EngineFixture.large("k105", 1))
        try iterator.next()
        #expect(iterator.value.isEmpty && text(iterator.key) == "k106")
    }
}
