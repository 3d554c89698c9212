import Testing

@testable import FalconStorage

/// Files that are brought in whole take their place among the commits.
@Suite struct IngestTests {
    private func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    private func levels(_ fixture: EngineFixture) -> [Int] {
        fixture.engine.statistics().levels.map(\.fileCount)
    }

    @Test func anEmptyEngineTakesAFileToItsLastLevel() throws {
        let fixture = try EngineFixture()
        let before = fixture.engine.publishedTimestamp
        let receipt = try fixture.ingest([.put("a", "1"), .put("b", "2"), .delete("c")])
        #expect(receipt.timestamp > before)
        #expect(fixture.engine.publishedTimestamp == receipt.timestamp)
        try fixture.engine.flush()
        #expect(levels(fixture) == [0, 0, 0, 0, 0, 0, 1])
        #expect(try fixture.rows() == ["a=1", "b=2"])
        #expect(try fixture.rows(backward: true) == ["b=2", "a=1"])
        #expect(try fixture.engine.newestCommit(of: bytes("b")) == receipt.timestamp)
        #expect(try fixture.engine.newestCommit(of: bytes("c")) == receipt.timestamp)
        #expect(fixture.engine.statistics().commits == 1)
    }

    /// Reads the same while the file waits for MANIFEST, once it is there, after a compaction, after
    /// a reopen.
    @Test func aFileIsNewerThanWhatWasAndOlderThanWhatComes() throws {
        let gate = FlushGate()
        var options = EngineOptions.small
        options.eventListener = gate
        let fixture = try EngineFixture(options: options)
        defer { gate.open() }
        try fixture.put([("a", "old"), ("b", "old"), ("c", "old"), ("x", "old")])
        let past = fixture.engine.makeSnapshot()
        let receipt = try fixture.ingest([
            .deleteRange("w", "y"), .put("a", "in"), .delete("b"), .put("c", "in"),
            .put("x1", "in"),
        ])
        let then = fixture.engine.makeSnapshot()
        try fixture.put("c", "new")
        #expect(fixture.engine.statistics().immutableMemtables == 2)
        func check(_ moment: Comment) throws {
            #expect(try fixture.rows() == ["a=in", "c=new", "x1=in"], moment)
            #expect(try fixture.get("b") == nil && fixture.get("x") == nil, moment)
            #expect(try fixture.get("a") == "in", moment)
            #expect(
                try fixture.rows(at: past.timestamp) == ["a=old", "b=old", "c=old", "x=old"], moment
            )
            #expect(try fixture.get("x", at: past.timestamp) == "old", moment)
            #expect(
                try fixture.rows(at: then.timestamp, backward: true)
                    == ["x1=in", "c=in", "a=in"], moment)
            #expect(try fixture.get("c", at: then.timestamp) == "in", moment)
            #expect(try fixture.engine.newestCommit(of: bytes("x")) == receipt.timestamp, moment)
        }
        try check("waiting")
        gate.open()
        try fixture.engine.flush()
        try check("flushed")
        try fixture.engine.compact()
        try check("compacted")
        past.release()
        then.release()
        try fixture.reopen()
        #expect(try fixture.rows() == ["a=in", "c=new", "x1=in"])
    }

    /// Moved, it would be gone; linked, it is there twice and harms nothing.
    @Test func aTableOfTheEngineIsNotMoved() throws {
        let fixture = try EngineFixture()
        try fixture.ingest([.put("a", "1"), .put("b", "2")])
        try fixture.engine.flush()
        let names = FileNames(root: "/db")
        let name = try #require(
            try fixture.fileSystem.list(names.sstDirectory).first { $0.hasSuffix(".sst") })
        let path = names.sstDirectory + "/" + name
        let refusal = code { try fixture.engine.ingest([path], IngestOptions(transfer: .move)) }
        #expect(refusal == .invalidArgument)
        try fixture.engine.ingest([path])
        try fixture.engine.ingest(["/in.sst"], IngestOptions(transfer: .move))
        try fixture.engine.compact()
        try fixture.reopen()
        #expect(try fixture.rows() == ["a=1", "b=2"])
    }

    /// Files by level, as (first key, last key), and a file's level among them.
    private func level(
        _ smallest: String, _ largest: String, among levels: [Int: [(String, String)]],
        busy: [(String, String)] = []
    ) -> Int {
        let memory = MemoryFileSystem()
        let store = TableStore(names: FileNames(root: "/db"), fileSystem: memory, cache: nil)
        func file(_ bounds: (String, String)) -> TableFile {
            TableFile(
                metadata: FileMetadata(
                    .init(
                        uid: .zero, number: FileNumber(1), byteCount: 0, hash: 0, entryCount: 0,
                        tombstoneCount: 0, rangeTombstoneCount: 0,
                        smallest: Array(bounds.0.utf8), greatest: Array(bounds.1.utf8),
                        greatestIsExclusive: false), at: .zero, epoch: 0), store: store)
        }
        let version = Version(
            levels: (0..<Version.levelCount).map { LevelFiles((levels[$0] ?? []).map(file)) },
            blobs: .none, flushedLSN: .zero, safepoint: .zero)
        return IngestPlacement(version, busy: busy.map(file))
            .levels(of: [file((smallest, largest))])[0]
    }

    @Test func aFileLiesAboveWhatItCovers() {
        #expect(level("b", "c", among: [:]) == 6)
        #expect(level("b", "c", among: [6: [("a", "a"), ("d", "e")]]) == 6)
        #expect(level("b", "c", among: [6: [("a", "d")]]) == 5)
        #expect(level("b", "c", among: [6: [("c", "d")]]) == 5)
        #expect(level("b", "c", among: [4: [("a", "b")], 6: [("x", "z")]]) == 3)
        #expect(level("b", "c", among: [1: [("a", "b")]]) == 0)
        #expect(level("b", "c", among: [0: [("a", "b")]]) == 0)
        // Between two inputs of a compaction: its output may cover both.
        #expect(
            level("b", "c", among: [5: [("a", "a"), ("d", "d")]], busy: [("a", "a"), ("d", "d")])
                == 0)
        #expect(
            level("b", "c", among: [5: [("d", "d"), ("e", "e")]], busy: [("d", "d"), ("e", "e")])
                == 6)
    }

    @Test func severalFilesComeTogether() throws {
        let fixture = try EngineFixture()
        for (path, keys) in [
            ("/2.sst", ["d", "e"]), ("/1.sst", ["a", "c"]), ("/3.sst", ["c", "d"]),
        ] {
            try SortedFixture.write(
                keys.map { .put($0, path) }, to: path, fixture.environment)
        }
        let error = #expect(throws: StorageError.self) {
            try fixture.engine.ingest(["/2.sst", "/1.sst", "/3.sst"])
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("/3.sst") == true)
        #expect(try fixture.rows() == [])
        #expect(try fixture.fileSystem.list("/db/sst") == [])
        try fixture.engine.ingest(["/2.sst", "/1.sst"])
        #expect(try fixture.rows() == ["a=/1.sst", "c=/1.sst", "d=/2.sst", "e=/2.sst"])
        // The same file again is the same rows again, newer.
        try fixture.put("a", "between")
        try fixture.engine.ingest(["/1.sst"])
        #expect(try fixture.get("a") == "/1.sst")
    }

    @Test func touchingFilesDoNotOverlap() throws {
        let fixture = try EngineFixture()
        try fixture.put([("b", "old"), ("c", "old")])
        try SortedFixture.write(
            [.put("a", "1"), .deleteRange("b", "c")], to: "/1.sst", fixture.environment)
        try SortedFixture.write([.put("c", "2")], to: "/2.sst", fixture.environment)
        try fixture.engine.ingest(["/1.sst", "/2.sst"])
        #expect(try fixture.rows() == ["a=1", "c=2"])
        try fixture.engine.compact()
        #expect(try fixture.rows() == ["a=1", "c=2"])
    }

    @Test func onlySoundSortedFilesAreTaken() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        try fixture.engine.flush()
        let own = try #require(try fixture.fileSystem.list("/db/sst").first)
        #expect(code { try fixture.engine.ingest(["/db/sst/" + own]) } == .invalidArgument)
        #expect(code { try fixture.engine.ingest([]) } == .invalidArgument)
        #expect(code { try fixture.engine.ingest(["/nothing"]) } == .notFound)
        let rows = (100..<400).map { LedgerChange.put("k\($0)", "value \($0)") }
        let file = try SortedFixture.write(rows, to: "/bad.sst", fixture.environment)
        for offset in [70, file.byteCount / 2, file.byteCount - 5] {
            let handle = try fixture.fileSystem.open("/bad.sst", .readWrite)
            let byte = try handle.readExactly(1, at: offset)
            try handle.write([byte[0] ^ 4], at: offset)
            #expect(code { try fixture.engine.ingest(["/bad.sst"]) } == .corruption, "\(offset)")
            try handle.write(byte, at: offset)
        }
        #expect(try fixture.fileSystem.list("/db/sst") == [own])
        try fixture.engine.ingest(["/bad.sst"])
        #expect(try fixture.rows().count == 301)
        var options = fixture.options
        options.isReadOnly = true
        let reader = try StorageEngine.open(
            at: "/db", options: options, environment: fixture.environment)
        #expect(code { try reader.ingest(["/bad.sst"]) } == .readOnly)
        #expect(try reader.rows().count == 301)
    }

    @Test func filesAreLinkedCopiedOrMoved() throws {
        let memory = MemoryFileSystem()
        let faults = FaultInjectingFileSystem(memory)
        let environment = StorageEnvironment(
            fileSystem: faults, clock: ManualClock(), random: SystemRandom())
        let engine = try StorageEngine.open(
            at: "/db", options: .small, environment: environment)
        defer { try? engine.close() }
        func take(_ name: String, _ transfer: IngestOptions.Transfer) throws -> Int? {
            let path = "/\(name).sst"
            try SortedFixture.write([.put(name, "1")], to: path, environment)
            try engine.ingest([path], IngestOptions(transfer: transfer))
            return try memory.exists(path) ? memory.linkCount(path) : nil
        }
        #expect(try take("link", .link) == 2)
        #expect(try take("copy", .copy) == 1)
        #expect(try take("move", .move) == nil)
        // Another file system: a link is refused.
        faults.setRule(FaultRule(.operation(.link), index: 0, count: .max, errno: 18))
        #expect(try take("far", .link) == 1)
        #expect(try take("farther", .move) == nil)
        #expect(
            try engine.rows() == ["copy=1", "far=1", "farther=1", "link=1", "move=1"])
    }

    @Test func aCrashAtOnceKeepsAllOfIt() throws {
        let gate = FlushGate()
        var options = EngineOptions.small
        options.eventListener = gate
        let fixture = try EngineFixture(options: options)
        defer { gate.open() }
        try fixture.put("a", "old")
        try fixture.ingest([.put("a", "in"), .put("b", "in")])
        try fixture.put("c", "new")
        let crashed = fixture.fileSystem.crashClone(.dropUnsynced)
        for _ in 0..<2 {
            let again = try EngineFixture(crashed)
            #expect(try again.rows() == ["a=in", "b=in", "c=new"])
            try again.engine.close()
        }
        // A file that the log names is missed where it is gone.
        let lost = fixture.fileSystem.crashClone(.dropUnsynced)
        let names = try lost.list("/db/sst")
        #expect(names.count == 1)
        for name in names { try lost.remove("/db/sst/" + name) }
        let error = #expect(throws: StorageError.self) { try EngineFixture(lost) }
        #expect(error?.code == .corruption)
        #expect(error?.location?.path.hasPrefix("/db/sst/") == true)
    }

    @Test func aRefusedIngestLeavesNoFile() throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        let environment = StorageEnvironment(
            fileSystem: faults, clock: ManualClock(), random: SystemRandom())
        let engine = try StorageEngine.open(
            at: "/db", options: .small, environment: environment)
        defer { try? engine.close() }
        try SortedFixture.write([.put("a", "1")], to: "/a.sst", environment)
        faults.setRule(
            FaultRule(.operation(.syncDirectory), pathContains: "sst", index: 0, errno: 5))
        #expect(code { try engine.ingest(["/a.sst"]) } == .io)
        #expect(try faults.list("/db/sst") == [])
        try engine.ingest(["/a.sst"])
        #expect(try engine.rows() == ["a=1"])
    }

    @Test func checkpointsAndTheVerifierKnowIngestedFiles() throws {
        let fixture = try EngineFixture()
        // Not beneath the file's range tombstone: its table would go unread.
        try fixture.put("c", "1")
        try fixture.ingest((100..<300).map { .put("k\($0)", "v") } + [.deleteRange("a", "b")])
        try fixture.engine.checkpoint(to: "/copy")
        let copy = try StorageEngine.open(
            at: "/copy", options: .small, environment: fixture.environment)
        #expect(try copy.rows() == fixture.rows())
        try copy.close()
        for root in ["/db", "/copy"] {
            let directory = try TableDirectory.read(FileNames(root: root), fixture.fileSystem)
            #expect(directory.tables.count == 2 && directory.orphans.isEmpty)
            for table in directory.tables {
                let file = try fixture.fileSystem.open(table.path, .read)
                let result = TableVerifier.verify(file, expected: table.expected)
                #expect(result.isClean, "\(result.findings)")
            }
        }
    }
}
