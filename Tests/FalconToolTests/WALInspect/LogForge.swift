import FalconSchema
import Testing

@testable import FalconStorage

/// A log made byte by byte: no writer, no threads, the same bytes every time. What a writer would do by
/// itself (groups, marks, seals, rotation, a new incarnation) is done here when the test says so.
final class LogForge {
    struct Chunk {
        var offset: Int
        var bytes: Int
        var first: LSN
        var end: LSN
    }
    struct Segment {
        var header: WALSegmentHeader
        var bytes: [UInt8]
        var chunks: [Chunk] = []
        var path: String
        /// Seals its records; nil: they are plain.
        var cipher: FileCipher?
    }

    /// Logs that are made while this is set are encrypted, under keys of their own; the master key lies in
    /// ``keyFile``, another in ``wrongKeyFile``.
    @TaskLocal static var isEncrypted = false
    static let keyFile = "/key"
    static let wrongKeyFile = "/wrong"
    private static let masterKey = [UInt8](repeating: 7, count: 32)

    let fileSystem = MemoryFileSystem()
    let clock = ManualClock()
    let root: String
    private(set) var segments: [Segment] = []
    private(set) var lsn = LSN(8)
    private var synced = LSN.zero
    private var incarnation: UInt64 = 1
    private var transaction: UInt64 = 0
    private let encoder = WALOperationEncoder()
    private var isSealed = false
    /// Wraps the segments' keys.
    private(set) var wrapping: KeyRing.WrappingKey?

    init(_ root: String = "/db") throws {
        self.root = root
        try fileSystem.createDirectory(root)
        try fileSystem.createDirectory(root + "/wal")
        if Self.isEncrypted {
            let secret = try MasterSecret(.key(Self.masterKey), fileSystem)
            let ring = try KeyRing.create(
                FileNames(root: root).keys, secret, fileSystem, clock: clock, isSealing: true)
            wrapping = try ring.activeKey(.shared)
            for (path, digits) in [(Self.keyFile, "07"), (Self.wrongKeyFile, "08")] {
                try fileSystem.replace(
                    path, with: Array(String(repeating: digits, count: 32).utf8))
            }
        }
        begin()
    }

    /// The arguments with which a tool reads it whole.
    var keyArguments: [String] { wrapping == nil ? [] : ["--key-file", Self.keyFile] }

    /// What reads it whole.
    func keyedEnvironment() throws -> StorageEnvironment {
        wrapping == nil
            ? environment : try environment.withKeys(root: root, .key(Self.masterKey))
    }

    /// The data key of a segment is its number: the same chunks every time.
    private func makeCipher(_ segment: UInt64, _ uid: UID) -> FileCipher? {
        guard let wrapping else { return nil }
        let key = [UInt8](repeating: UInt8(truncatingIfNeeded: segment), count: AESGCM.keyBytes)
        let nonce = [UInt8](
            repeating: UInt8(truncatingIfNeeded: segment), count: AESGCM.nonceBytes)
        return AESGCM.seal(
            key, key: wrapping.key, nonce: nonce,
            additional: KeyEnvelope.additional(.log, uid, wrapping.id)
        ).map {
            FileCipher(
                key: key,
                envelope: KeyEnvelope(keyID: wrapping.id, nonce: nonce, wrapped: $0))
        }
    }

    var environment: StorageEnvironment {
        StorageEnvironment(fileSystem: fileSystem, clock: clock, random: SeededRandom(seed: 1))
    }

    // MARK: Segments

    /// The next segment, of the same incarnation.
    func begin(recycled: Bool = false) {
        let number = UInt64(segments.count + 1)
        var header = WALSegmentHeader(
            identity: WALIdentity(
                cluster: UID(high: 1, low: 1), shard: UID(high: 2, low: 2),
                branch: UID(high: 3, low: incarnation), incarnation: incarnation, epoch: 1),
            segment: WALSegmentNumber(number), uid: UID(high: 4, low: 0xAB00 + number),
            firstLSN: lsn,
            predecessor: segments.last.map {
                .init(
                    segment: $0.header.segment, uid: $0.header.uid,
                    lastLSN: $0.chunks.last?.end ?? $0.header.firstLSN)
            },
            wallMicros: clock.wallMicros(), isRecycled: recycled)
        let cipher = makeCipher(number, header.uid)
        header.envelope = cipher?.envelope
        segments.append(
            Segment(
                header: header, bytes: header.encoded(),
                path: root + "/wal/" + FileNames.walSegmentName(WALSegmentNumber(number)),
                cipher: cipher))
        isSealed = false
    }

    /// Seals the segment and goes on in the next.
    func rotate(recycled: Bool = false) {
        seal()
        begin(recycled: recycled)
    }

    /// Goes on as a new process does: without a gap behind a seal, else 64 MiB further on.
    func reopen() {
        if !isSealed { lsn = lsn.advanced(by: 64 << 20) }
        incarnation += 1
        begin()
    }

    // MARK: Chunks

    private func append(_ kind: WALChunkKind, _ records: [UInt8]) {
        let index = segments.count - 1
        let offset = segments[index].bytes.count
        let sealBytes = kind == .records ? segments[index].header.sealBytes : 0
        var header = WALChunkHeader(
            kind: kind, storedBytes: records.count + sealBytes, recordBytes: records.count,
            segment: segments[index].header.segment, firstLSN: lsn, syncedLSN: synced,
            committedLSN: synced, tag: segments[index].header.chunkTag,
            payloadCRC: 0, offset: UInt64(offset))
        let padded = Self.stored(records, header, segments[index])
        header.payloadCRC = padded.withUnsafeBytes { Checksum.crc32c($0) }
        var head = [UInt8](repeating: 0, count: WALFormat.chunkHeaderBytes)
        head.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { header.encode(to: base) }
        }
        segments[index].bytes += head + padded
        segments[index].chunks.append(
            Chunk(
                offset: offset, bytes: head.count + padded.count, first: lsn, end: header.endLSN))
        lsn = header.endLSN
    }

    /// What a chunk stores of its records: sealed where the segment is encrypted, and padded.
    static func stored(
        _ records: [UInt8], _ header: WALChunkHeader, _ segment: Segment
    ) -> [UInt8] {
        var bytes = records
        if header.kind == .records, let cipher = segment.cipher {
            bytes += [UInt8](repeating: 0, count: FileCipher.tagBytes)
            bytes.withUnsafeMutableBytes { all in
                guard let base = all.baseAddress else { return }
                do throws(StorageError) {
                    try cipher.seal(
                        base, count: records.count, at: header.place(segment.header.uid))
                } catch { Issue.record("\(error)") }
            }
        }
        while bytes.count % 8 != 0 { bytes.append(0) }
        return bytes
    }

    /// The records that a chunk stores, with its padding where they are plain.
    static func records(
        _ stored: [UInt8], _ header: WALChunkHeader, _ segment: Segment
    ) -> [UInt8] {
        guard header.kind == .records, let cipher = segment.cipher,
            header.storedBytes <= stored.count
        else { return stored }
        var plain = Array(stored.prefix(header.storedBytes))
        let sealed = plain
        let isOpen = sealed.withUnsafeBytes { from in
            plain.withUnsafeMutableBytes { into in
                into.baseAddress.map {
                    cipher.open(from, into: $0, at: header.place(segment.header.uid))
                } ?? false
            }
        }
        if !isOpen { Issue.record("a chunk cannot be opened") }
        return Array(plain.prefix(header.recordBytes))
    }

    /// One flush: the records of one chunk. The next chunk will say that they were synced.
    func group(_ records: [[UInt8]], synced isSynced: Bool = true) {
        append(.records, records.flatMap { $0 })
        if isSynced { synced = lsn }
    }
    func watermark() { append(.watermark, []) }
    func seal() {
        synced = lsn
        append(.seal, [])
        isSealed = true
    }

    // MARK: Records

    static func record(_ tag: WALRecordTag, _ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.appendFixed(UInt32(body.count))
        writer.append(tag.rawValue)
        writer.append(contentsOf: body)
        return writer.bytes
    }

    var timestamp: Timestamp {
        Timestamp((clock.wallMicros() - Timestamp.epochMicrosSince1970) << 12)
    }

    /// The records of the next transaction, a second after the one before.
    func commit(
        _ operations: [LogBuilder.Operation], parts: Int = 0, lacksCommit: Bool = false
    ) -> [[UInt8]] {
        clock.advance(micros: 1_000_000)
        transaction += 1
        let share = operations.count / (parts + 1)
        var records: [[UInt8]] = []
        for part in 0..<parts {
            encode(operations[(part * share)..<((part + 1) * share)])
            var writer = ByteWriter()
            writer.appendVarint(transaction)
            writer.appendVarint(UInt64(part))
            writer.appendVarint(UInt64(encoder.operationCount))
            records.append(Self.record(.batchPart, writer.bytes + Array(encoder.bytes)))
        }
        if lacksCommit { return records }
        encode(operations[(parts * share)...])
        let header = CommitHeader(
            transaction: TransactionID(transaction), timestamp: timestamp,
            wallMicros: clock.wallMicros(), database: DatabaseID(5), partCount: UInt32(parts),
            operationCount: encoder.operationCount)
        var head = [UInt8](repeating: 0, count: CommitHeader.maxEncodedBytes)
        let count = head.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { header.encode(to: $0) } ?? 0
        }
        records.append(Self.record(.commit, Array(head.prefix(count)) + Array(encoder.bytes)))
        return records
    }

    private func encode(_ operations: ArraySlice<LogBuilder.Operation>) {
        encoder.reset()
        for operation in operations {
            operation.key.withUnsafeBytes { key in
                operation.value.withUnsafeBytes { value in
                    var logged = WALOperation(
                        kind: operation.kind, operationClass: operation.operationClass,
                        sql: operation.sql, descriptorVersion: 1, key: key, value: value)
                    guard let before = operation.before else { return encoder.add(logged) }
                    before.withUnsafeBytes {
                        logged.before = $0
                        encoder.add(logged)
                    }
                }
            }
        }
    }

    // MARK: Files

    /// Writes the segments, each with `rest` zeros behind.
    func write(rest: Int = 0) throws {
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            let bytes = segment.bytes + [UInt8](repeating: 0, count: isLast ? rest : 0)
            let file = try fileSystem.open(segment.path, .create)
            try file.write(bytes, at: 0)
            try file.syncData()
        }
    }
}
