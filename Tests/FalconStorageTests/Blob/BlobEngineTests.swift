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

    /// What a crash leaves unlisted is removed; what is listed and gone is said.
    @Test func orphansGoAndMissingFilesAreDamage() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        try fill(fixture, round: 1)
        let orphan = fixture.fileSystem
        let file = try orphan.open("/db/sst/00000000000000ff.blob", .create)
        try file.write(Array("x".utf8), at: 0)
        try file.close()
        try fixture.reopen()
        #expect(try fixture.filesMatchVersion())
        try fixture.engine.close()
        let blob = try #require(try fixture.filesOnDisk(".blob").first)
        try fixture.fileSystem.remove("/db/sst/" + blob)
        let error = #expect(throws: StorageError.self) {
            _ = try StorageEngine.open(
                at: "/db", options: .smallBlobs, environment: fixture.environment)
        }
        #expect(error?.code == .corruption)
        #expect(error?.location?.path == "/db/sst/" + blob)
    }
}
