import Testing

@testable import FalconStorage

@Suite struct EngineBasicTests {
    @Test func commitsAreReadBack() throws {
        let fixture = try EngineFixture()
        let first = try fixture.put([("a", "1"), ("b", "2")])
        let second = try fixture.put("a", "3", .written)
        #expect(second.timestamp > first.timestamp)
        #expect(second.lsn > first.lsn)
        #expect(fixture.engine.publishedTimestamp == second.timestamp)
        #expect(try fixture.get("a") == "3")
        #expect(try fixture.get("b") == "2")
        #expect(try fixture.get("c") == nil)
        #expect(try fixture.rows() == ["a=3", "b=2"])
        #expect(try fixture.rows(backward: true) == ["b=2", "a=3"])
        try fixture.delete("a")
        #expect(try fixture.get("a") == nil)
        #expect(try fixture.rows() == ["b=2"])
    }

    @Test func commitsSurviveAReopen() throws {
        let fixture = try EngineFixture()
        try fixture.put([("a", "1"), ("b", "2")])
        try fixture.deleteRange("b", "c")
        try fixture.put("c", "3", .buffered)
        for round in 0..<3 {
            try fixture.reopen()
            #expect(try fixture.rows() == ["a=1", "c=3"], "round \(round)")
        }
        try fixture.put("d", "4")
        try fixture.reopen()
        #expect(try fixture.rows() == ["a=1", "c=3", "d=4"])
    }

    @Test func aDirectoryOfSomebodyElsesIsLeftAlone() throws {
        let fileSystem = MemoryFileSystem()
        try fileSystem.createDirectory("/other")
        try fileSystem.open("/other/PG_VERSION", .create).close()
        let environment = StorageEnvironment(fileSystem: fileSystem)
        #expect(throws: StorageError.self) {
            try StorageEngine.open(at: "/other", environment: environment)
        }
        #expect(try fileSystem.list("/other") == ["PG_VERSION"])
        // A mount point's own directory is nobody's.
        try fileSystem.createDirectory("/mount")
        try fileSystem.createDirectory("/mount/lost+found")
        try StorageEngine.open(at: "/mount", environment: environment).close()
    }

    @Test func statisticsCountTheLogOnDisk() throws {
        // Kept whatever the flush after the reopen releases.
        var options = EngineOptions.small
        options.walRetainBytes = 1 << 30
        let fixture = try EngineFixture(options: options)
        let before = fixture.engine.statistics().walBytes
        #expect(before > 0)
        try fixture.put("a", "1")
        try fixture.reopen()
        // The first life's segment is kept beside the second's.
        #expect(fixture.engine.statistics().walBytes > before)
    }

    @Test func aSnapshotKeepsItsMoment() throws {
        let fixture = try EngineFixture()
        try fixture.put([("a", "1"), ("b", "1")])
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.put("a", "2")
        try fixture.delete("b")
        try fixture.put("c", "2")
        #expect(try fixture.get("a", at: snapshot.timestamp) == "1")
        #expect(try fixture.get("b", at: snapshot.timestamp) == "1")
        #expect(try fixture.get("c", at: snapshot.timestamp) == nil)
        #expect(try fixture.rows(at: snapshot.timestamp) == ["a=1", "b=1"])
        #expect(try fixture.rows(at: snapshot.timestamp, backward: true) == ["b=1", "a=1"])
        #expect(try fixture.rows() == ["a=2", "c=2"])
    }

    @Test func timestampsAndTransactionNumbersNeverComeBack() throws {
        let fixture = try EngineFixture()
        let receipt = try fixture.put("a", "1")
        let transaction = fixture.engine.allocateTransactionID()
        // The wall clock goes back by an hour between two lives.
        fixture.clock.setWall(micros: fixture.clock.wallMicros() - 3_600_000_000)
        try fixture.reopen()
        #expect(fixture.engine.allocateTransactionID() > transaction)
        #expect(try fixture.put("a", "2").timestamp > receipt.timestamp)
        #expect(try fixture.get("a") == "2")
    }

    @Test func anOverlayShowsItsOwnWrites() throws {
        let fixture = try EngineFixture()
        try fixture.put([("a", "1"), ("b", "1"), ("c", "1"), ("e", "1")])
        let overlay = WriteBatch()
        try overlay.put(key: bytes("b"), value: bytes("2"))
        try overlay.delete(key: bytes("c"))
        try overlay.put(key: bytes("d"), value: bytes("2"))
        #expect(
            try fixture.engine.rows(overlay: overlay) == ["a=1", "b=2", "d=2", "e=1"])
        #expect(
            try fixture.engine.rows(backward: true, overlay: overlay)
                == ["e=1", "d=2", "b=2", "a=1"])
        try overlay.deleteRange(lower: bytes("a"), upper: bytes("e"))
        try overlay.put(key: bytes("c"), value: bytes("3"))
        #expect(try fixture.engine.rows(overlay: overlay) == ["c=3", "e=1"])
        #expect(try fixture.engine.rows(backward: true, overlay: overlay) == ["e=1", "c=3"])
    }

    @Test func aDirectoryHasOneWriter() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        let error = #expect(throws: StorageError.self) {
            try StorageEngine.open(at: "/db", environment: fixture.environment)
        }
        #expect(error?.code == .inUse)
        var options = EngineOptions.small
        options.isReadOnly = true
        let before = fixture.fileSystem.snapshotContents()
        let reader = try StorageEngine.open(
            at: "/db", options: options, environment: fixture.environment)
        #expect(try reader.value("a") == "1")
        #expect(try reader.rows() == ["a=1"])
        #expect(fixture.fileSystem.snapshotContents() == before)
        #expect(throws: StorageError.self) { try reader.flush() }
    }

    @Test func aClosedEngineRefusesCommits() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        try fixture.engine.close()
        try fixture.engine.close()
        let error = #expect(throws: StorageError.self) { try fixture.put("b", "1") }
        #expect(error?.code == .closed)
        #expect(try fixture.get("a") == "1")
    }

    /// Its directory may be another engine's by now.
    @Test func aClosedEngineTouchesNothing() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        let batch = WriteBatch()
        for index in 0..<2000 { try batch.put("k\(index)", String(repeating: "v", count: 50)) }
        try fixture.engine.close()
        let before = fixture.fileSystem.snapshotContents()
        let engine = fixture.engine
        let calls: [(String, () throws -> Void)] = [
            ("flush", { try engine.flush() }), ("compact", { try engine.compact() }),
            ("awaitIdle", { try engine.awaitIdle() }),
            ("checkpoint", { try engine.checkpoint(to: "/copy") }),
            ("spill", { try engine.spill(batch) }), ("ingest", { _ = try engine.ingest(["/x"]) }),
            ("dropQuarantined", { _ = try engine.dropQuarantined() }),
        ]
        for (name, call) in calls {
            let error = #expect(throws: StorageError.self) { try call() }
            #expect(error?.code == .closed, "\(name)")
        }
        #expect(fixture.fileSystem.snapshotContents() == before)
    }

    @Test func aRangeThatEndsBeforeItBeginsDeletesNothing() throws {
        let fixture = try EngineFixture()
        try fixture.put([("a", "1"), ("b", "1")])
        let batch = WriteBatch()
        try batch.deleteRange("b", "a")
        try batch.deleteRange("a", "a")
        try batch.deleteRange("a", "")
        #expect(batch.isEmpty)
        try fixture.deleteRange("a", "b")
        #expect(try fixture.rows() == ["b=1"])
    }

    @Test(arguments: [-1, .max]) func aCacheOfNoSizeIsRefused(bytes: Int) {
        var options = EngineOptions.small
        options.blockCacheBytes = bytes
        let error = #expect(throws: StorageError.self) { try EngineFixture(options: options) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func completionsComeInCommitOrder() async throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine
        let receipts = try await withThrowingTaskGroup(of: CommitReceipt.self) { group in
            for index in 0..<200 {
                let batch = WriteBatch()
                try batch.put(key: bytes("k\(index)"), value: bytes("\(index)"))
                let durability: Durability = [.buffered, .written, .synced][index % 3]
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        engine.commit(batch, CommitOptions(durability: durability)) { result in
                            if case .success(let receipt) = result,
                                engine.publishedTimestamp < receipt.timestamp
                            {
                                Issue.record("told before it was published")
                            }
                            continuation.resume(with: result)
                        }
                    }
                }
            }
            var all: [CommitReceipt] = []
            for try await receipt in group { all.append(receipt) }
            return all
        }
        #expect(Set(receipts.map(\.timestamp)).count == 200)
        let byLSN = receipts.sorted { $0.lsn < $1.lsn }
        #expect(byLSN.map(\.timestamp) == receipts.map(\.timestamp).sorted())
        #expect(try engine.rows().count == 200)
    }
}

@Suite struct CheckpointTests {
    @Test func aCheckpointOpensAndGoesItsOwnWay() throws {
        let fixture = try EngineFixture()
        for index in 0..<200 { try fixture.put("k\(index)", "v\(index)", .written) }
        try fixture.engine.compact()
        let transaction = fixture.engine.allocateTransactionID()
        try fixture.put("late", "1")
        try fixture.engine.checkpoint(to: "/copy")
        try fixture.put("later", "2")
        try fixture.delete("k0")
        try fixture.engine.compact()
        let copy = try StorageEngine.open(
            at: "/copy", options: fixture.options, environment: fixture.environment)
        #expect(try copy.rows().count == 201)
        #expect(try copy.value("late") == "1")
        #expect(try copy.value("k0") == "v0")
        #expect(try copy.value("later") == nil)
        #expect(copy.allocateTransactionID() > transaction)
        let batch = WriteBatch()
        try batch.put(key: bytes("own"), value: bytes("3"))
        try copy.commitAndWait(batch)
        try copy.close()
        #expect(try fixture.get("own") == nil)
        let again = try StorageEngine.open(
            at: "/copy", options: fixture.options, environment: fixture.environment)
        #expect(try again.rows().count == 202)
        try again.close()
    }
}
