import Testing

@testable import FalconStorage

/// Encryption comes, goes and changes its keys under an engine that is in use.
@Suite struct ReencryptionTests {
    private func files(_ memory: MemoryFileSystem, _ suffix: String) -> [String: [UInt8]] {
        memory.snapshotContents().filter { $0.key.hasSuffix(suffix) }
    }

    @Test func aPlainDirectoryIsEncryptedInTheBackgroundAndDecryptedAgain() throws {
        let memory = MemoryFileSystem()
        var plain = EncryptedFixture.options(nil)
        plain.walRetainBytes = 0
        var engine = try EncryptedFixture.open(memory, plain)
        try EncryptedFixture.fill(engine)
        try engine.flush()
        let rows = try engine.rows()
        #expect(engine.encryptionStatus() == nil)
        try engine.close()
        #expect(!EncryptedFixture.readable(memory).isEmpty)

        var options = EncryptedFixture.options()
        options.walRetainBytes = 0
        engine = try EncryptedFixture.open(memory, options)
        try engine.flush()
        try engine.awaitIdle()
        #expect(try engine.rows() == rows)
        var status = try #require(engine.encryptionStatus())
        #expect(status.tables.plain == 0 && status.tables.encrypted > 0)
        #expect(status.blobFiles.plain == 0 && status.blobFiles.encrypted > 0)
        #expect(status.summary == "on")
        try engine.close()
        // The plain log goes when what follows it is in tables.
        engine = try EncryptedFixture.open(memory, options)
        let batch = WriteBatch()
        try batch.put("another", EncryptedFixture.marker)
        try engine.commitAndWait(batch)
        try engine.flush()
        let undo = WriteBatch()
        try undo.delete("another")
        try engine.commitAndWait(undo)
        try engine.flush()
        try engine.awaitIdle()
        #expect(try engine.rows() == rows)
        try engine.close()
        #expect(EncryptedFixture.readable(memory) == [])

        options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key, isEnabled: false)
        engine = try EncryptedFixture.open(memory, options)
        try engine.awaitIdle()
        #expect(try engine.rows() == rows)
        status = try #require(engine.encryptionStatus())
        #expect(status.tables.encrypted == 0 && status.blobFiles.encrypted == 0)
        #expect(status.summary == "off")
        try engine.close()
        #expect(EncryptedFixture.readable(memory).contains { $0.hasSuffix(".sst") })
    }

    @Test func aNewMasterKeyRewritesNoFile() throws {
        let memory = MemoryFileSystem()
        var engine = try EncryptedFixture.open(memory)
        try EncryptedFixture.fill(engine)
        try engine.awaitIdle()
        let before = files(memory, ".sst").merging(files(memory, ".blob")) { a, _ in a }
        try engine.rotateMasterKey(to: EncryptedFixture.otherKey)
        try EncryptedFixture.fill(engine, rounds: 1, from: 50)
        let rows = try engine.rows()
        try engine.awaitIdle()
        let after = files(memory, ".sst").merging(files(memory, ".blob")) { a, _ in a }
        #expect(before.allSatisfy { after[$0.key] == $0.value })
        try engine.close()
        #expect { try EncryptedFixture.open(memory) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
        engine = try EncryptedFixture.open(
            memory,
            EncryptedFixture.options(EncryptionOptions(masterKey: EncryptedFixture.otherKey)))
        #expect(try engine.rows() == rows)
        try engine.close()
    }

    @Test func newDataKeysReachEveryTableAndBlobFile() throws {
        let memory = MemoryFileSystem()
        let engine = try EncryptedFixture.open(memory)
        try EncryptedFixture.fill(engine)
        try engine.awaitIdle()
        let rows = try engine.rows()
        let old = Set(engine.tree.state.version.levels.flatMap(\.files).map(\.metadata.keyID))
        #expect(!old.contains(0))
        try engine.rotateDataKeys()
        try engine.awaitIdle()
        let version = engine.tree.state.version
        let fresh = Set(version.levels.flatMap(\.files).map(\.metadata.keyID))
        #expect(!fresh.isEmpty && fresh.isDisjoint(with: old))
        #expect(version.blobs.entries.count > 0)
        #expect(version.blobs.entries.allSatisfy { !old.contains($0.file.metadata.keyID) })
        #expect(engine.encryptionStatus()?.tables.pending == 0)
        #expect(try engine.rows() == rows)
        try engine.close()
        let again = try EncryptedFixture.open(memory)
        #expect(try again.rows() == rows)
        try again.close()
    }

    @Test func keysAreReplacedWhenTheyAreOld() throws {
        let memory = MemoryFileSystem()
        let clock = ManualClock()
        let day: UInt64 = 86_400_000_000
        var options = EncryptedFixture.options(
            EncryptionOptions(masterKey: EncryptedFixture.key, keyMaximumAgeMicros: 90 * day))
        options.versionRetentionMicros = 0
        let engine = try EncryptedFixture.open(memory, options, clock: clock)
        try EncryptedFixture.fill(engine, rounds: 4)
        try engine.awaitIdle()
        let old = try #require(engine.environment.fileSystem.keys).ring.freshIDs
        clock.advance(micros: 89 * day)
        try EncryptedFixture.fill(engine, rounds: 4)
        try engine.awaitIdle()
        #expect(engine.environment.fileSystem.keys?.ring.freshIDs.isSuperset(of: old) == true)
        clock.advance(micros: 2 * day)
        try EncryptedFixture.fill(engine, rounds: 4)
        try engine.awaitIdle()
        let fresh = try #require(engine.environment.fileSystem.keys).ring.freshIDs
        #expect(fresh.isDisjoint(with: old))
        #expect(engine.encryptionStatus()?.tables.pending == 0)
        try engine.close()
    }
}
