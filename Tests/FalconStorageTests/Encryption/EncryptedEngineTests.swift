import Testing

@testable import FalconStorage

/// An encrypted engine answers like a plain one, and no file of it can be read.
@Suite struct EncryptedEngineTests {
    /// Everything that writes files, beside each other; the rows at the end.
    private func work(_ memory: MemoryFileSystem, _ options: EngineOptions) throws -> [String] {
        let engine = try EncryptedFixture.open(memory, options)
        defer { try? engine.close() }
        try EncryptedFixture.fill(engine)
        // A transaction that spills, whose files are looked at while they are there.
        let large = WriteBatch()
        for row in 0..<300 {
            try large.put(
                "\(EncryptedFixture.marker)/spilled/\(row)", "\(EncryptedFixture.marker) \(row)")
            if row % 50 == 49 { try engine.spill(large) }
        }
        if options.encryption != nil {
            #expect(memory.snapshotContents().contains { $0.key.contains("spill/") })
            #expect(EncryptedFixture.readable(memory) == [])
        }
        try engine.commitAndWait(large)
        let writer = try engine.makeSortedFileWriter(path: "/in.sst")
        try writer.put("\(EncryptedFixture.marker)/sorted/1", EncryptedFixture.marker)
        _ = try writer.finish()
        try engine.ingest(["/in.sst"])
        try engine.awaitIdle()
        try EncryptedFixture.fill(engine, rounds: 3, from: 12)
        try engine.checkpoint(to: "/copy")
        try EncryptedFixture.fill(engine, rounds: 2, from: 15)
        return try engine.rows()
    }

    @Test func nothingOfARowIsReadableInAnyFile() throws {
        let plainMemory = MemoryFileSystem()
        let plain = try work(plainMemory, EncryptedFixture.options(nil))
        let kinds = EncryptedFixture.readable(plainMemory)
        for part in ["wal/", ".sst", ".blob", "MANIFEST", "copy/", "in.sst"] {
            #expect(kinds.contains { $0.contains(part) }, "\(part) of the plain engine")
        }
        let memory = MemoryFileSystem()
        let rows = try work(memory, EncryptedFixture.options())
        #expect(rows == plain)
        #expect(EncryptedFixture.readable(memory) == [])
        // After a crash, a reopen and a compaction of everything, too.
        for policy in [CrashPolicy.dropUnsynced, .keepUnsynced] {
            let clone = memory.crashClone(policy)
            let engine = try EncryptedFixture.open(clone)
            #expect(try engine.rows() == rows)
            try engine.compact()
            #expect(try engine.rows() == rows)
            try engine.close()
            #expect(EncryptedFixture.readable(clone) == [])
        }
    }

    @Test func aCheckpointOpensWithTheSameKeyAlone() throws {
        let memory = MemoryFileSystem()
        _ = try work(memory, EncryptedFixture.options())
        #expect {
            try EncryptedFixture.open(memory, EncryptedFixture.options(nil), at: "/copy")
        } throws: { ($0 as? StorageError)?.code == .keyMissing }
        let scopes = try KeyRing.open(root: "/copy", EncryptedFixture.key, memory).report.keys.map {
            $0.scope.kind
        }
        #expect(scopes.contains(.backup))
        let copy = try EncryptedFixture.open(memory, at: "/copy")
        #expect(try copy.rows().count > 300)
        try copy.close()
    }

    @Test func aWrongKeyReadsAndChangesNothing() throws {
        let memory = MemoryFileSystem()
        let engine = try EncryptedFixture.open(memory)
        try EncryptedFixture.fill(engine, rounds: 5)
        try engine.close()
        let before = memory.snapshotContents()
        for encryption in [
            nil, EncryptionOptions(masterKey: EncryptedFixture.otherKey),
            EncryptionOptions(masterKey: .passphrase(Array("correct horse".utf8))),
        ] {
            for isReadOnly in [false, true] {
                var options = EncryptedFixture.options(encryption)
                options.isReadOnly = isReadOnly
                #expect { try EncryptedFixture.open(memory, options) } throws: {
                    ($0 as? StorageError)?.code == .keyMissing
                }
                #expect(memory.snapshotContents() == before)
            }
        }
        let again = try EncryptedFixture.open(memory)
        #expect(try again.rows().count > 100)
        try again.close()
    }

    @Test func aLostRegistryIsToldAndNotMadeAnew() throws {
        let memory = MemoryFileSystem()
        let engine = try EncryptedFixture.open(memory)
        try EncryptedFixture.fill(engine, rounds: 3)
        try engine.close()
        let lost = memory.fork()
        try lost.remove("/db/KEYS")
        for encryption in [nil, EncryptionOptions(masterKey: EncryptedFixture.key)] {
            let error = #expect(throws: StorageError.self) {
                try EncryptedFixture.open(lost, EncryptedFixture.options(encryption))
            }
            #expect(error?.code == .keyMissing && error?.location?.path == "/db/KEYS")
        }
        #expect(try !lost.exists("/db/KEYS"))
        let torn = memory.fork()
        let bytes = try torn.contents(of: "/db/KEYS")
        try torn.replace("/db/KEYS", with: Array(bytes[..<(bytes.count / 2)]))
        let error = #expect(throws: StorageError.self) { try EncryptedFixture.open(torn) }
        #expect(error?.code == .corruption && error?.location?.path == "/db/KEYS")
        // A replacement that did not get as far as its name.
        let halfway = memory.fork()
        try halfway.replace("/db/KEYS.tmp", with: Array(bytes[..<40]))
        try EncryptedFixture.open(halfway).close()
        #expect(try !halfway.exists("/db/KEYS.tmp"))
    }

    /// A passphrase is stretched with as many rounds as the registry says, 600,000 of new ones.
    @Test func aPassphraseOpensItsDirectory() throws {
        let memory = MemoryFileSystem()
        let phrase = EncryptionOptions(masterKey: .passphrase(Array("correct horse".utf8)))
        let engine = try EncryptedFixture.open(memory, EncryptedFixture.options(phrase))
        try EncryptedFixture.fill(engine, rounds: 1)
        let rows = try engine.rows()
        #expect(engine.encryptionStatus()?.keys.iterations == 600_000)
        try engine.close()
        let again = try EncryptedFixture.open(memory, EncryptedFixture.options(phrase))
        #expect(try again.rows() == rows)
        try again.close()
        let wrong = EncryptionOptions(masterKey: .passphrase(Array("correct house".utf8)))
        #expect { try EncryptedFixture.open(memory, EncryptedFixture.options(wrong)) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
    }

    /// A file made elsewhere, plain, does not stay so.
    @Test func aPlainFileThatIsIngestedIsEncrypted() throws {
        let memory = MemoryFileSystem()
        let engine = try EncryptedFixture.open(memory)
        let writer = try SortedFileWriter(
            path: "/in.sst", options: EncryptedFixture.options(nil),
            environment: StorageEnvironment(fileSystem: memory))
        for row in 100..<400 {
            try writer.put("\(EncryptedFixture.marker)/\(row)", EncryptedFixture.marker)
        }
        try writer.deleteRange(
            lower: bytes("\(EncryptedFixture.marker)/0"),
            upper: bytes("\(EncryptedFixture.marker)/9"))
        _ = try writer.finish()
        try engine.ingest(["/in.sst"], .init(transfer: .move))
        #expect(try engine.rows().count == 300)
        #expect(EncryptedFixture.readable(memory) == [])
        try engine.close()
        let again = try EncryptedFixture.open(memory)
        #expect(try again.rows().count == 300)
        try again.awaitIdle()
        #expect(again.encryptionStatus()?.tables.plain == 0)
        try again.close()
    }

    /// One file, one scope: catalog and rows, and the databases, are under keys of their own.
    @Test func noFileMixesScopes() throws {
        let limit: UInt32 = 1000
        let memory = MemoryFileSystem()
        var options = EncryptedFixture.options()
        options.catalogStorageLimit = limit
        let engine = try EncryptedFixture.open(memory, options)
        for round in 0..<30 {
            let batch = WriteBatch()
            for database in [UInt32(0), 1, 2, 9] {
                for storage in [UInt32(5), 0x0400, 0x0505] {
                    let prefix = UInt64(database) << 32 | UInt64(storage)
                    let key = String(decoding: KeyScopes.key(prefix), as: UTF8.self)
                    try batch.put(key + "\(round)", String(repeating: "v", count: round % 3 * 200))
                }
            }
            try engine.commitAndWait(batch)
            if round % 6 == 5 { try engine.flush() }
        }
        func check(_ place: String) throws {
            let version = engine.tree.state.version
            var scopes: [UInt64: KeyScope] = [:]
            for key in try #require(engine.encryptionStatus()).keys.keys {
                scopes[key.id] = key.scope
            }
            var seen: Set<KeyScope> = []
            for file in version.levels.flatMap(\.files) {
                let metadata = file.metadata
                let scope = KeyScope.ofKey(metadata.smallest, catalogLimit: limit)
                #expect(scopes[metadata.keyID] == scope, "\(place)")
                #expect(KeyScope.ofKey(metadata.largest, catalogLimit: limit) == scope, "\(place)")
                seen.insert(scope)
                for use in metadata.blobUses {
                    let blob = try #require(version.blobs.file(use.file))
                    #expect(scopes[blob.metadata.keyID] == scope, "\(place): a blob file")
                }
            }
            #expect(seen.count == 5, "\(place): \(seen)")
        }
        try check("flushed")
        try engine.compact()
        try check("compacted")
        try engine.close()
    }

    /// Calls a closure before each link.
    private final class LinkObserver: WrappingFileSystem, @unchecked Sendable {
        let base: any FileSystem
        var whenLinking: (@Sendable () -> Void)?
        init(_ base: any FileSystem) { self.base = base }
        func link(_ from: String, to: String) throws(StorageError) {
            whenLinking?()
            try base.link(from, to: to)
        }
    }

    /// Keys that are rotated while a checkpoint copies its files are in the copy's registry too.
    @Test func aCheckpointBesideARotationOpens() throws {
        let memory = MemoryFileSystem()
        let files = LinkObserver(memory)
        let engine = try EncryptedFixture.open(files)
        try EncryptedFixture.fill(engine)
        let rows = try engine.rows()
        files.whenLinking = { [weak engine] in
            do { try engine?.rotateDataKeys() } catch { Issue.record("\(error)") }
        }
        try engine.checkpoint(to: "/copy")
        files.whenLinking = nil
        try engine.close()
        let copy = try EncryptedFixture.open(memory, at: "/copy")
        #expect(try copy.rows() == rows)
        try copy.close()
    }
}
