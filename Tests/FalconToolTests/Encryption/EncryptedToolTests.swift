import FalconToolKit
import Testing

@testable import FalconStorage

/// The tools judge an encrypted directory without its key, and read it with the key.
@Suite struct EncryptedToolTests {
    private static let marker = "Geheimnis"
    private static let hex = String(repeating: "07", count: 32)
    private static let key = MasterKeySource.key([UInt8](repeating: 7, count: 32))
    private static let withKey = ["--key-file", "/key"]

    /// A closed, encrypted database in memory, and its rows.
    private func database() throws -> (MemoryFileSystem, StorageEnvironment, Int) {
        let memory = MemoryFileSystem()
        let environment = StorageEnvironment(
            fileSystem: memory, clock: SystemClock(), random: SystemRandom())
        var options = EngineOptions()
        options.encryption = EncryptionOptions(masterKey: Self.key)
        options.blobThresholdBytes = 1000
        options.walRetainBytes = .max
        options.walSegmentBytes = 64 << 10
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        for round in 0..<3 {
            let batch = WriteBatch()
            for row in 0..<200 {
                try batch.put(
                    "\(Self.marker) \(1000 + row)",
                    "\(round) \(Self.marker)" + String(repeating: "x", count: row % 4 * 400))
            }
            try engine.commitAndWait(batch)
            if round < 2 { try engine.flush() }
        }
        try engine.close()
        for (name, text) in [("/key", Self.hex), ("/wrong", String(repeating: "08", count: 32))] {
            try memory.replace(name, with: Array(text.utf8))
        }
        return (memory, environment, 200)
    }

    private func files(_ memory: MemoryFileSystem, _ suffix: String) -> [String] {
        memory.snapshotContents().keys.filter { $0.hasSuffix(suffix) }.map { "/" + $0 }.sorted()
    }

    private func flip(_ memory: MemoryFileSystem, _ path: String, _ offset: Int) throws {
        let file = try memory.open(path, .readWrite)
        let byte = try file.readExactly(1, at: UInt64(offset))
        try file.write([byte[0] ^ 4], at: UInt64(offset))
        try file.close()
    }

    // MARK: - sst-verify

    @Test func tablesAreCheckedWithoutAKey() throws {
        let (memory, environment, _) = try database()
        let run = runVerify(memory, environment, ["/db"])
        // All that is there is sound, and what should be there is not known.
        #expect(run.exit == .benign, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("GEN012") && run.output.contains("without a key"))
        #expect(!run.output.contains(Self.marker))
        let json = runVerify(memory, environment, ["/db", "--format", "jsonl"])
        #expect(json.output.contains("\"kind\":\"blob\""))
        // Every block of a table, wherever it is hit.
        let table = try #require(files(memory, ".sst").first)
        let size = Int(try memory.fileSize(table))
        for offset in stride(from: 3, to: size, by: max(size / 60, 1)) {
            let damaged = memory.fork()
            try flip(damaged, table, offset)
            let other = StorageEnvironment(
                fileSystem: damaged, clock: SystemClock(), random: SystemRandom())
            let found = runVerify(damaged, other, ["/db"])
            #expect(found.exit == .corruption, "offset \(offset) of \(size): \(found.output)")
        }
        let blob = try #require(files(memory, ".blob").first)
        try flip(memory, blob, Int(try memory.fileSize(blob)) / 2)
        #expect(runVerify(memory, environment, ["/db"]).exit == .corruption)
    }

    /// Only MANIFEST could say that something is missing, and nobody may take its silence for soundness.
    @Test func whatIsMissingCannotBeNoticedWithoutAKey() throws {
        let (memory, environment, _) = try database()
        for path in files(memory, ".sst") { try memory.remove(path) }
        #expect(runVerify(memory, environment, ["/db"]).exit == .benign)
        #expect(runVerify(memory, environment, ["/db"] + Self.withKey).exit == .corruption)
        for path in files(memory, ".wal") { try memory.remove(path) }
        let run = ToolRun(WALInspect.self, ["/db"], environment: environment)
        #expect(run.exit == .corruption && run.output.contains("GEN011"), "\(run.output)")
    }

    @Test func tablesAreReadWithTheirKey() throws {
        let (memory, environment, _) = try database()
        let run = runVerify(memory, environment, ["/db"] + Self.withKey)
        #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("400 entries checked") && !run.output.contains("without a key"))
        let table = try #require(files(memory, ".sst").first)
        let alone = runVerify(memory, environment, [table] + Self.withKey)
        #expect(alone.exit == .clean && alone.output.contains("200 entries"))
        for arguments in [
            ["--key-file", "/wrong"], ["--key-file", "/none"], ["--key-command", "exit 1"],
        ] {
            #expect(runVerify(memory, environment, ["/db"] + arguments).exit == .keyMissing)
        }
        #expect(
            runVerify(memory, environment, ["/db", "--key-command", "echo \(Self.hex)"]).exit
                == .clean)
        #expect(
            runVerify(memory, environment, ["/db", "--key-file", "/a", "--key-command", "b"]).exit
                == .usage)
    }

    @Test func aQuickCheckProvesTagsWithTheKey() throws {
        let (memory, environment, _) = try database()
        #expect(runVerify(memory, environment, ["/db", "--quick"]).exit == .benign)
        #expect(runVerify(memory, environment, ["/db", "--quick"] + Self.withKey).exit == .clean)
        // Another ciphertext under a checksum of its own: only the tag tells.
        let table = try #require(files(memory, ".sst").first)
        let size = try memory.fileSize(table)
        let file = try memory.open(table, .readWrite)
        let tail = try file.readExactly(128, at: size - 128)
        let footer = try TableReader.decodeFooter(tail, size, table)
        let handle = try firstBlock(file, footer)
        var bytes = try file.readExactly(
            Int(handle.payloadBytes) + TableFormat.trailerBytes, at: handle.offset)
        bytes[5] ^= 1
        let seed = Checksum.locationSeed(
            uid: footer.uid, offset: handle.offset, kind: TableFormat.BlockKind.data.rawValue)
        let covered = bytes.count - 8
        let sum = bytes[..<covered].withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange(covered..., with: $0)
        }
        try file.write(bytes, at: handle.offset)
        try file.close()
        #expect(runVerify(memory, environment, [table, "--quick"]).exit == .clean)
        let found = runVerify(memory, environment, [table, "--quick"] + Self.withKey)
        #expect(found.exit == .corruption && found.output.contains("fails its authentication"))
    }

    /// The blocks of an encrypted table are found from its end, by the lengths in them.
    private func firstBlock(_ file: any File, _ footer: TableFooter) throws -> BlockHandle {
        var end = footer.fileBytes - UInt64(TableFormat.footerBytes)
        var handle = BlockHandle.absent
        while end > footer.bodyOffset {
            let word = try file.readExactly(4, at: end - UInt64(TableFormat.trailerBytes + 4))
            let length = word.withUnsafeBytes {
                UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))
            }
            end -= UInt64(length) + UInt64(TableFormat.trailerBytes)
            handle = BlockHandle(offset: end, payloadBytes: length)
        }
        return handle
    }

    @Test func entriesAreListedWithTheKeyOnly() throws {
        let (memory, environment, _) = try database()
        for arguments in [
            ["/db", "--dump"], [try #require(files(memory, ".sst").first), "--dump"],
        ] {
            let refused = runVerify(memory, environment, arguments)
            #expect(refused.exit == .keyMissing, "\(refused.output)")
            let listed = runVerify(
                memory, environment, arguments + ["--keys", "text", "--limit", "7"] + Self.withKey)
            #expect(listed.exit == .clean && listed.output.contains("key \(Self.marker) 1000"))
            #expect(listed.output.contains("7 entries of 1 tables"))
        }
    }

    // MARK: - wal-inspect

    @Test func theLogIsCheckedWithoutAKey() throws {
        let (memory, environment, _) = try database()
        let run = ToolRun(WALInspect.self, ["/db"], environment: environment)
        #expect(run.exit == .benign, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("GEN012") && run.output.contains("without a key"))
        for view in [["--records"], ["--stats"]] {
            let refused = ToolRun(WALInspect.self, ["/db"] + view, environment: environment)
            #expect(refused.exit == .keyMissing, "\(view)")
            #expect(!refused.output.contains(Self.marker))
        }
        let segment = try #require(files(memory, ".wal").first)
        try flip(memory, segment, 4096 + 64 + 100)
        let damaged = ToolRun(WALInspect.self, ["/db"], environment: environment)
        #expect(damaged.exit == .corruption, "\(damaged.output)")
    }

    @Test func theLogIsReadWithItsKey() throws {
        let (_, environment, _) = try database()
        let run = ToolRun(
            WALInspect.self, ["/db", "--operations", "--data"] + Self.withKey,
            environment: environment)
        #expect(run.exit == .clean, "\(run.output.suffix(500))\(run.diagnostics)")
        #expect(run.output.contains("commit"))
        #expect(
            ToolRun(WALInspect.self, ["/db", "--key-file", "/wrong"], environment: environment).exit
                == .keyMissing)
    }

    // MARK: - cdc-tail and pitr-restore

    @Test func changesAreShownWithTheKeyAlone() throws {
        let (_, environment, _) = try database()
        let refused = ToolRun(CDCTail.self, ["/db"], environment: environment)
        #expect(refused.exit == .keyMissing, "\(refused.output)\(refused.diagnostics)")
        #expect(refused.output.isEmpty)
        let run = ToolRun(CDCTail.self, ["/db"] + Self.withKey, environment: environment)
        // There is no catalog here: rows are shown raw, with a warning.
        #expect(run.exit == .benign, "\(run.diagnostics)")
        #expect(run.diagnostics.contains("CDC002"))
        #expect(run.lines.count >= 606)
    }

    @Test func aRestoreIsEncryptedAsItsSourceIs() throws {
        let (memory, environment, rows) = try database()
        let refused = ToolRun(
            PITRRestore.self, ["/db", "--to-latest", "--out", "/new"], environment: environment)
        #expect(refused.exit == .keyMissing, "\(refused.output)\(refused.diagnostics)")
        #expect(try !memory.exists("/new"))
        let before = memory.snapshotContents()
        for base in ["log", "auto"] {
            let out = "/new-\(base)"
            let run = ToolRun(
                PITRRestore.self,
                ["/db", "--to-latest", "--base", base, "--out", out] + Self.withKey,
                environment: environment)
            #expect(run.exit == .clean, "\(base): \(run.output)\(run.diagnostics)")
            for (path, bytes) in memory.snapshotContents() where path.hasPrefix("new-") {
                let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                #expect(!text.contains(Self.marker), "\(path)")
            }
            var options = EngineOptions()
            #expect {
                try StorageEngine.open(at: out, options: options, environment: environment)
            } throws: { ($0 as? StorageError)?.code == .keyMissing }
            options.encryption = EncryptionOptions(masterKey: Self.key)
            let engine = try StorageEngine.open(
                at: out, options: options, environment: environment)
            let found = try engine.makeIterator(.all, at: engine.publishedTimestamp)
            var count = 0
            try found.seekToFirst()
            while found.isValid {
                count += 1
                try found.next()
            }
            #expect(count == rows)
            try engine.close()
        }
        for (path, bytes) in before { #expect(memory.snapshotContents()[path] == bytes) }
    }

    // MARK: - Salvage

    @Test func aSalvageIsEncryptedAsItsSourceIs() throws {
        let (memory, environment, rows) = try database()
        // The first block of the newest table.
        try flip(memory, try #require(files(memory, ".sst").last), 200)
        let refused = ToolRun(
            SSTVerify.self, ["/db", "--salvage", "--out", "/saved"], environment: environment)
        #expect(refused.exit == .keyMissing, "\(refused.output)\(refused.diagnostics)")
        #expect(try !memory.exists("/saved"))
        let run = ToolRun(
            SSTVerify.self, ["/db", "--salvage", "--out", "/saved"] + Self.withKey,
            environment: environment)
        #expect(run.exit == .corruption, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("SST107"))
        for (path, bytes) in memory.snapshotContents() where path.hasPrefix("saved") {
            let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            #expect(!text.contains(Self.marker), "\(path)")
        }
        var options = EngineOptions()
        options.encryption = EncryptionOptions(masterKey: Self.key)
        let engine = try StorageEngine.open(
            at: "/saved", options: options, environment: environment)
        let found = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        var count = 0
        try found.seekToFirst()
        while found.isValid {
            count += 1
            try found.next()
        }
        // The last round is in the log.
        #expect(count == rows)
        try engine.close()
    }

    /// Without its registry a directory can never be opened: that is damage, with or without a key.
    @Test func aMissingOrDamagedRegistryIsFound() throws {
        for isMissing in [true, false] {
            let (memory, environment, _) = try database()
            if isMissing {
                try memory.remove("/db/KEYS")
            } else {
                try flip(memory, "/db/KEYS", 100)
            }
            let run = runVerify(memory, environment, ["/db"])
            #expect(run.exit == .corruption, "\(run.output)\(run.diagnostics)")
            #expect(run.output.contains("key registry is \(isMissing ? "missing" : "damaged")"))
        }
    }
}
