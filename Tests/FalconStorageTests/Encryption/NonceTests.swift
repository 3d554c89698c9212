import FalconTestKit
import Testing

@testable import FalconStorage

/// No two pieces are ever sealed under one key and nonce with different bytes.
@Suite struct NonceTests {
    /// Every chunk of every segment that was ever on disk, by segment uid and offset.
    private final class Seen {
        var chunks: [String: [UInt8]] = [:]
        var clashes: [String] = []

        func look(_ memory: MemoryFileSystem) {
            for (path, bytes) in memory.snapshotContents() where path.hasSuffix(".wal") {
                guard bytes.count > WALFormat.headerBytes,
                    case .header(let header) = WALSegmentHeader.decode(
                        Array(bytes[..<WALFormat.headerBytes])), header.envelope != nil
                else { continue }
                var offset = WALFormat.headerBytes
                while offset + WALFormat.chunkHeaderBytes <= bytes.count {
                    let chunk = bytes.withUnsafeBytes { buffer in
                        buffer.baseAddress.flatMap { WALChunkHeader.decode($0 + offset) }
                    }
                    guard let chunk, chunk.tag == header.chunkTag else { break }
                    let body = offset + WALFormat.chunkHeaderBytes
                    let end = min(body + chunk.storedBytes, bytes.count)
                    let whole = bytes[body..<min(offset + chunk.totalBytes, bytes.count)]
                    // One that a write tore is completed with the same bytes, or not at all.
                    if chunk.kind == .records,
                        Array(whole).withUnsafeBytes({ Checksum.crc32c($0) }) == chunk.payloadCRC
                    {
                        let name = "\(header.uid) \(offset)"
                        let stored = Array(bytes[body..<end])
                        if let before = chunks[name], before != stored { clashes.append(name) }
                        chunks[name] = stored
                    }
                    offset += chunk.totalBytes
                }
            }
        }
    }

    /// A full disk in the middle of a run of chunks, then a rotation: what was encrypted for the old segment is
    /// written to the new one under its key.
    @Test func chunksThatMoveToAnotherSegmentAreSealedAnew() throws {
        let memory = MemoryFileSystem()
        let faulty = FaultInjectingFileSystem(memory)
        var options = EncryptedFixture.options()
        options.closedTimestampMicros = 0
        options.diskFullWaitMicros = 0
        options.walRetainBytes = .max
        let engine = try EncryptedFixture.open(faulty, options)
        let seen = Seen()
        var random = SplitMix64(seed: SurvivalSettings.seed)
        var wanted: [String] = []
        for round in 0..<60 {
            // Chunks of a few KiB, so that segments of 64 KiB are left often, and a fault now and then.
            if round % 3 == 1 {
                faulty.setRule(
                    FaultRule(
                        .operation(.write), pathContains: "/wal/", index: Int(random.next() % 2),
                        count: 1 + Int(random.next() % 3), errno: 28,
                        partialBytes: Int(random.next() % 3000)))
            }
            for row in 0..<6 {
                let batch = WriteBatch()
                let key = "\(round)/\(row)"
                try batch.put(key, String(repeating: "\(round % 10)", count: 1500))
                do {
                    try engine.commitAndWait(batch, CommitOptions(durability: .buffered))
                    wanted.append(key)
                } catch {
                    #expect(error.code == .diskFull)
                }
            }
            seen.look(memory)
            faulty.setRule(nil)
            try engine.writable().wal.sync()
            seen.look(memory)
        }
        #expect(seen.clashes == [])
        #expect(Set(seen.chunks.keys.map { $0.prefix(32) }).count > 3)
        try engine.close()
        let again = try EncryptedFixture.open(memory.crashClone(.dropUnsynced), options)
        for key in wanted { #expect(try again.value(key) != nil, "\(key)") }
        try again.close()
    }

    /// An edit that failed is written again at its place, with other bytes: under another nonce.
    @Test func aFailedEditIsNotRepeatedUnderItsNonce() throws {
        let memory = MemoryFileSystem()
        let ring = try KeyRing.create(
            "/KEYS", MasterSecret(EncryptedFixture.key, memory), memory, clock: ManualClock(),
            isSealing: true)
        let faulty = FaultInjectingFileSystem(memory)
        let keyed = KeyedFileSystem(faulty, ring)
        var first = VersionEdit()
        first.isSnapshot = true
        let names = FileNames(root: "/m")
        try memory.createDirectory("/m")
        let writer = try ManifestWriter(
            number: 1, uid: UID(high: 1, low: 2), shard: .zero, snapshot: first, names, keyed)
        func counter() throws -> UInt64 {
            let bytes = try memory.contents(of: names.manifest(1))
            let place = Int(writer.byteCount) + ManifestFormat.chunkHeaderBytes
            return bytes.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            }
        }
        var edit = VersionEdit()
        edit.flushedLSN = LSN(77)
        faulty.setRule(
            FaultRule(.operation(.write), index: 0, errno: 28, partialBytes: 40))
        #expect(throws: StorageError.self) { try writer.append(edit) }
        let failed = try counter()
        let end = writer.byteCount
        edit.flushedLSN = LSN(78)
        try writer.append(edit)
        #expect(writer.byteCount > end)
        let bytes = try memory.contents(of: names.manifest(1))
        let written = bytes.withUnsafeBytes {
            $0.loadUnaligned(
                fromByteOffset: Int(end) + ManifestFormat.chunkHeaderBytes, as: UInt64.self)
        }
        #expect(written != failed)
        let contents = try ManifestReader.read(number: 1, names, keyed, forWriting: false)
        #expect(contents.edits.last?.flushedLSN == LSN(78))
    }

    /// A plain segment, its bytes still in it, does not become an encrypted one.
    @Test func plainSegmentsAreNotRecycled() throws {
        let memory = MemoryFileSystem()
        var plain = EncryptedFixture.options(nil)
        plain.walRetainBytes = 0
        var engine = try EncryptedFixture.open(memory, plain)
        try EncryptedFixture.fill(engine, rounds: 40)
        try engine.flush()
        try engine.close()
        let left = EncryptedFixture.readable(memory)
        #expect(left.contains { $0.hasSuffix(".spare") || $0.hasSuffix(".wal") })
        var options = EncryptedFixture.options()
        options.walRetainBytes = 0
        engine = try EncryptedFixture.open(memory, options)
        try EncryptedFixture.fill(engine, rounds: 40, from: 40)
        try engine.flush()
        try engine.awaitIdle()
        try engine.close()
        let readable = EncryptedFixture.readable(memory)
        for (path, bytes) in memory.snapshotContents()
        where path.hasSuffix(".wal") || path.hasSuffix(".spare") {
            guard bytes.count >= WALFormat.headerBytes,
                case .header(let header) = WALSegmentHeader.decode(
                    Array(bytes[..<WALFormat.headerBytes])), header.envelope != nil
            else { continue }
            #expect(!readable.contains(path), "\(path)")
        }
    }

    /// Two incarnations, two files, two keys.
    @Test func noTwoFilesShareADataKey() throws {
        let memory = MemoryFileSystem()
        let engine = try EncryptedFixture.open(memory)
        try EncryptedFixture.fill(engine)
        try engine.close()
        let ring = try KeyRing.open(root: "/db", EncryptedFixture.key, memory)
        var keys: Set<[UInt8]> = []
        var count = 0
        for (name, bytes) in memory.snapshotContents() {
            let path = "/" + name
            let kind: KeyEnvelope.FileKind
            let found: (envelope: KeyEnvelope, uid: UID)
            switch FileNames.parse(VFSPath.name(of: path)) {
            case .walSegment:
                kind = .log
                guard
                    case .header(let header) = WALSegmentHeader.decode(
                        Array(bytes.prefix(WALFormat.headerBytes))), let envelope = header.envelope
                else { continue }
                found = (envelope, header.uid)
            case .table:
                kind = .table
                let uid = try bytes.withUnsafeBytes { try TableHeader.decode($0, path: path) }
                found = (try TableHeader.envelope(memory.open(path, .read), uid: uid), uid)
            case .blob:
                kind = .blob
                let uid = try BlobHeader.decode(
                    Array(bytes.prefix(BlobFormat.headerBytes)), path: path)
                found = (try BlobHeader.envelope(memory.open(path, .read), uid: uid), uid)
            default: continue
            }
            count += 1
            let envelope = found.envelope
            let wrapping = try #require(try ring.key(envelope.keyID))
            keys.insert(
                try #require(
                    AESGCM.open(
                        envelope.wrapped, key: wrapping.key, nonce: envelope.nonce,
                        additional: KeyEnvelope.additional(kind, found.uid, wrapping.id))))
        }
        #expect(count > 5 && keys.count == count)
    }
}
