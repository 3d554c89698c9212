import Testing

@testable import FalconStorage

@Suite struct ManifestTests {
    static let names = FileNames(root: "/db")

    static func file(_ number: UInt64, _ smallest: String, _ largest: String) -> FileMetadata {
        FileMetadata(
            number: FileNumber(number), uid: UID(high: number, low: 7), byteCount: 1000 + number,
            flushEpoch: number, smallest: Array(smallest.utf8), largest: Array(largest.utf8),
            largestIsExclusive: number % 2 == 0, minTimestamp: Timestamp(number),
            maxTimestamp: Timestamp(number * 2), entryCount: 10, tombstoneCount: 3,
            rangeTombstoneCount: number % 2, contentHash: 0xABCD,
            ingestTimestamp: number == 3 ? Timestamp(99) : nil,
            blobUses: number == 4 ? [] : blobUses)
    }

    static let blobUses = [
        BlobUse(file: FileNumber(5), records: 4, bytes: 4000),
        BlobUse(file: FileNumber(700), records: 1, bytes: 1 << 33),
    ]

    static func blob(_ number: UInt64) -> FileMetadata {
        FileMetadata(
            kind: .blob, number: FileNumber(number), uid: UID(high: number, low: 8),
            byteCount: 1 << 34, flushEpoch: 0, smallest: [], largest: [], minTimestamp: .zero,
            maxTimestamp: .zero, entryCount: 20, tombstoneCount: 0, rangeTombstoneCount: 0,
            contentHash: 0xEF)
    }

    static var edits: [VersionEdit] {
        var first = VersionEdit()
        first.isSnapshot = true
        first.flushedLSN = LSN(10)
        first.nextFileNumber = FileNumber(5)
        first.incarnation = Incarnation(
            number: 2, branch: UID(high: 1, low: 2), parent: UID(high: 3, low: 4),
            forkLSN: LSN(8), epoch: 1)
        first.timestampFloor = Timestamp(77)
        first.transactionLimit = TransactionID(500)
        first.safepoint = Timestamp(60)
        first.nextFlushEpoch = 9
        first.added = [
            .init(level: 0, file: file(1, "a", "m")), .init(level: 3, file: file(2, "a", "c")),
            .init(level: 3, file: file(3, "c", "e")), .init(level: 0, file: blob(5)),
            .init(level: 0, file: blob(700)),
        ]
        var second = VersionEdit()
        second.removed = [.init(level: 0, number: FileNumber(1))]
        second.added = [.init(level: 3, file: file(4, "m", "z"))]
        second.flushedLSN = LSN(20)
        return [first, second]
    }

    static func written(_ fileSystem: MemoryFileSystem) throws -> [UInt8] {
        try fileSystem.createDirectory("/db")
        let writer = try ManifestWriter(
            number: 6, uid: UID(high: 5, low: 6), shard: UID(high: 8, low: 9),
            snapshot: edits[0], names, fileSystem)
        try writer.append(edits[1])
        try writer.close()
        return try fileSystem.contents(of: names.manifest(6))
    }

    static func parse(_ bytes: [UInt8]) throws -> ManifestContents {
        var result: Result<ManifestContents, StorageError>?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) {
                result = .success(
                    try ManifestReader.parse(buffer, path: "m", number: 6, forWriting: true))
            } catch { result = .failure(error) }
        }
        return try #require(result).get()
    }

    @Test func editsComeBackAsTheyWereWritten() throws {
        let fileSystem = MemoryFileSystem()
        let bytes = try Self.written(fileSystem)
        let contents = try Self.parse(bytes)
        #expect(contents.edits == Self.edits)
        #expect(contents.shard == UID(high: 8, low: 9))
        #expect(contents.discardedBytes == 0)
    }

    @Test func everyFlippedBitIsFoundOrOnlyTearsTheTail() throws {
        let bytes = try Self.written(MemoryFileSystem())
        let whole = try Self.parse(bytes)
        let firstEnd =
            ManifestFormat.headerBytes + ManifestFormat.chunkHeaderBytes
            + Self.edits[0].encoded().count
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            do {
                let contents = try Self.parse(damaged)
                // A flip in the last chunk cannot be told from a torn write.
                #expect(bit / 8 >= firstEnd, "bit \(bit) passed unseen")
                #expect(contents.edits == Array(whole.edits.prefix(1)), "bit \(bit)")
            } catch let error as StorageError {
                #expect(
                    error.code == .corruption || error.code == .unsupportedFormat, "bit \(bit)")
                #expect(error.location != nil)
            }
        }
    }

    @Test func aTornTailDropsTheLastEditOnly() throws {
        let bytes = try Self.written(MemoryFileSystem())
        let firstEnd =
            ManifestFormat.headerBytes + ManifestFormat.chunkHeaderBytes
            + Self.edits[0].encoded().count
        for count in 0..<bytes.count {
            let cut = Array(bytes[..<count])
            if count < firstEnd {
                #expect(throws: StorageError.self, "\(count) bytes") { try Self.parse(cut) }
            } else {
                let contents = try Self.parse(cut)
                #expect(contents.edits.count == 1)
                #expect(contents.discardedBytes == UInt64(count - firstEnd))
            }
        }
    }

    @Test func aNewerFormatIsRefusedClearly() throws {
        var format = FormatFile(shard: UID(high: 1, low: 2), createdWallMicros: 3)
        #expect(
            try FormatFile.decode(format.encoded(), path: "FORMAT", forWriting: true) == format)
        format.version = 9
        var error = #expect(throws: StorageError.self) {
            try FormatFile.decode(format.encoded(), path: "FORMAT", forWriting: false)
        }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("version 9") == true)
        format.version = 0
        format.features.writeIncompatible = 4
        _ = try FormatFile.decode(format.encoded(), path: "FORMAT", forWriting: false)
        error = #expect(throws: StorageError.self) {
            try FormatFile.decode(format.encoded(), path: "FORMAT", forWriting: true)
        }
        #expect(error?.code == .unsupportedFormat)
    }

    @Test func anUnknownCriticalFieldIsRefusedAndAnotherIsSkipped() throws {
        func decode(tag: UInt64) throws -> VersionEdit? {
            var writer = ByteWriter()
            writer.appendVarint(tag)
            writer.appendLengthPrefixed([1, 2, 3])
            var result: Result<VersionEdit?, StorageError>?
            writer.bytes.withUnsafeBytes { buffer in
                do throws(StorageError) {
                    result = .success(try VersionEdit.decode(buffer, path: "m"))
                } catch { result = .failure(error) }
            }
            return try #require(result).get()
        }
        #expect(try decode(tag: 1000) == VersionEdit())
        let error = #expect(throws: StorageError.self) { try decode(tag: 1001) }
        #expect(error?.code == .unsupportedFormat)
    }

    @Test func versionsRefuseOverlapAndUnknownRemovals() throws {
        let store = TableStore(
            names: Self.names, fileSystem: MemoryFileSystem(), cache: nil)
        let base = try Version.empty.applying(Self.edits[0], store: store).version
        #expect(base.levels[3].count == 2)
        var overlap = VersionEdit()
        overlap.added = [.init(level: 3, file: Self.file(5, "d", "x"))]
        #expect(throws: StorageError.self) { try base.applying(overlap, store: store) }
        var unknown = VersionEdit()
        unknown.removed = [.init(level: 3, number: FileNumber(44))]
        #expect(throws: StorageError.self) { try base.applying(unknown, store: store) }
    }

    /// What is live in a blob file is what the tables refer to; a contradiction is refused.
    @Test func versionsCountWhatTablesReferTo() throws {
        let store = TableStore(
            names: Self.names, fileSystem: MemoryFileSystem(), cache: nil)
        let base = try Version.empty.applying(Self.edits[0], store: store).version
        #expect(base.blobs.entries.map(\.liveRecords) == [12, 3])
        #expect(base.blobs.entries.map(\.liveBytes) == [12000, 3 << 33])
        let next = try base.applying(Self.edits[1], store: store).version
        #expect(next.blobs.entries.map(\.liveRecords) == [8, 2])
        #expect(next.blobs.dead.isEmpty)
        var inUse = VersionEdit()
        inUse.removed = [.init(level: 0, number: FileNumber(5))]
        #expect(throws: StorageError.self) { try next.applying(inUse, store: store) }
        var unlisted = VersionEdit()
        unlisted.added = [.init(level: 4, file: Self.file(6, "d", "x"))]
        unlisted.added[0].file.blobUses[0].file = FileNumber(4)
        #expect(throws: StorageError.self) { try next.applying(unlisted, store: store) }
        var last = VersionEdit()
        last.removed = [2, 3].map { .init(level: 3, number: FileNumber($0)) }
        #expect(
            try next.applying(last, store: store).version.blobs.dead.map(\.rawValue) == [5, 700])
        last.removeBlobs([FileNumber(5), FileNumber(700)])
        #expect(try next.applying(last, store: store).version.blobs.isEmpty)
    }

    @Test func currentIsWholeOrRefused() throws {
        let bytes = CurrentMarker.encode(manifest: 0x1234)
        #expect(try CurrentMarker.decode(bytes, path: "CURRENT") == 0x1234)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: StorageError.self) {
                try CurrentMarker.decode(damaged, path: "CURRENT")
            }
        }
    }
}
