import Testing

@testable import FalconStorage

/// Keys and values at their limits are kept like any others; what is beyond is refused, with the limit, and changes
/// nothing.
@Suite struct LimitTests {
    private static let longest = (1 << 24) - 1

    /// Reads as so many bytes; only the first is there. For what must be refused before it is looked at.
    private static func claimed(_ count: Int, _ first: UInt8 = 0x6B) -> UnsafeRawBufferPointer {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
        for place in 0..<16 { room[place] = first }
        return UnsafeRawBufferPointer(start: room.baseAddress, count: count)
    }

    private static func refusal(_ body: () throws -> Void) -> StorageError? {
        do {
            try body()
            return nil
        } catch { return error as? StorageError }
    }

    private static func isEqual(_ key: [UInt8], _ found: UnsafeRawBufferPointer) -> Bool {
        key.withUnsafeBytes { KeyOrder.compare($0, found) == 0 }
    }

    /// The empty key, and two of the longest that differ in their last byte alone: in memtable, log, tables and
    /// MANIFEST.
    @Test func theShortestAndTheLongestKeysAreKept() throws {
        let fixture = try EngineFixture()
        let stem = [UInt8](repeating: 0x6B, count: Self.longest - 1)
        let keys: [[UInt8]] = [[], [0], stem + [0], stem + [0xFF], [0x7A]]
        for (number, key) in keys.enumerated() {
            let batch = WriteBatch()
            try batch.put(key, "\(number)")
            try fixture.engine.commitAndWait(batch)
        }
        func check(_ moment: Comment) throws {
            for (number, key) in keys.enumerated() {
                #expect(try fixture.engine.get(key) == Array("\(number)".utf8), moment)
            }
            let rows = try fixture.engine.makeIterator(.all, at: .max)
            try rows.seekToFirst()
            for number in keys.indices {
                try #require(rows.isValid)
                #expect(Self.isEqual(keys[number], rows.key), moment)
                #expect(text(rows.value) == "\(number)", moment)
                try rows.next()
            }
            #expect(!rows.isValid, moment)
            try rows.seekToLast()
            for number in keys.indices.reversed() {
                try #require(rows.isValid)
                #expect(rows.key.count == keys[number].count, moment)
                #expect(text(rows.value) == "\(number)", moment)
                try rows.previous()
            }
            #expect(!rows.isValid, moment)
        }
        try check("in the memtable")
        try fixture.reopen()
        try check("replayed")
        try fixture.engine.compact()
        try check("compacted")
        try fixture.reopen()
        try check("of MANIFEST")
        let batch = WriteBatch()
        try batch.deleteRange(stem, stem + [0xFF])
        try fixture.engine.commitAndWait(batch)
        try fixture.engine.compact()
        #expect(try fixture.engine.get(keys[2]) == nil)
        #expect(try fixture.engine.get(keys[3]) == Array("3".utf8))
        #expect(try fixture.engine.get(keys[0]) == Array("0".utf8))
    }

    @Test func anEmptyValueIsAValue() throws {
        let fixture = try EngineFixture()
        try fixture.put([("", ""), ("a", ""), ("b", "1")])
        func check(_ moment: Comment) throws {
            #expect(try fixture.rows() == ["=", "a=", "b=1"], moment)
            #expect(try fixture.rows(backward: true) == ["b=1", "a=", "="], moment)
            #expect(try fixture.get("") == "" && fixture.get("a") == "", moment)
            #expect(try fixture.engine.multiGet([[], [0x61]]) == [[], []], moment)
        }
        try check("in the memtable")
        try fixture.engine.flush()
        try check("flushed")
        try fixture.reopen()
        try check("reopened")
        try fixture.delete("")
        #expect(try fixture.rows() == ["a=", "b=1"])
        try fixture.engine.compact()
        #expect(try fixture.rows() == ["a=", "b=1"])
    }

    /// What was in the batch before is in it afterwards, and can be committed.
    @Test func oneByteMoreIsRefusedByName() throws {
        let fixture = try EngineFixture()
        let batch = WriteBatch()
        try batch.put("a", "1")
        let (operations, size) = (batch.operationCount, batch.byteCount)
        let key = Self.claimed(Self.longest + 1)
        let value = Self.claimed(1 << 30 + 1)
        let refusals = [
            Self.refusal { try batch.put(key: key, value: bytes("1")) },
            Self.refusal { try batch.delete(key: key) },
            Self.refusal { try batch.deleteRange(lower: bytes("a"), upper: key) },
            Self.refusal { try batch.deleteRange(lower: key, upper: bytes("z")) },
            Self.refusal { try batch.put(key: bytes("b"), value: value) },
            Self.refusal { try batch.put(key: bytes("b"), value: bytes("1"), before: value) },
        ]
        for (number, refusal) in refusals.enumerated() {
            #expect(refusal?.code == .invalidArgument, "call \(number)")
            let message = refusal?.message ?? ""
            #expect(message.contains("16777215") && message.contains("1073741824"), "\(message)")
            let actual = number < 4 ? "key has 16777216." : "value has \(value.count)."
            #expect(message.contains(actual), "\(message)")
        }
        #expect(batch.operationCount == operations && batch.byteCount == size)
        try fixture.engine.commitAndWait(batch)
        #expect(try fixture.rows() == ["a=1"])
    }

    /// A sorted file goes on after a refusal.
    @Test func sortedFilesHaveTheSameLimits() throws {
        let fixture = try EngineFixture()
        let writer = try fixture.engine.makeSortedFileWriter(path: "/in.sst")
        try writer.put("a", "1")
        let key = Self.claimed(Self.longest + 1)
        for refusal in [
            Self.refusal { try writer.put(key: key, value: bytes("1")) },
            Self.refusal { try writer.delete(key: key) },
            Self.refusal { try writer.deleteRange(lower: bytes("b"), upper: key) },
        ] {
            #expect(refusal?.code == .invalidArgument)
            #expect(refusal?.message.contains("16777215") == true)
        }
        try writer.put("b", "2")
        _ = try writer.finish()
        try fixture.engine.ingest(["/in.sst"])
        #expect(try fixture.rows() == ["a=1", "b=2"])
    }

    /// An edit that no reader would accept is not written: it would be taken for a torn tail, and what it names for
    /// orphans.
    @Test func anEditThatIsTooLargeIsRefused() throws {
        let memory = MemoryFileSystem()
        try memory.createDirectory("/m")
        let names = FileNames(root: "/m")
        let (uid, shard) = (UID(high: 1, low: 2), UID(high: 3, low: 4))
        var snapshot = VersionEdit()
        snapshot.isSnapshot = true
        let writer = try ManifestWriter(
            number: 1, uid: uid, shard: shard, snapshot: snapshot, names, memory,
            largestPayloadBytes: 1000)
        func edit(_ number: UInt64, keyBytes: Int) -> VersionEdit {
            var edit = VersionEdit()
            let key = [UInt8](repeating: 1, count: keyBytes)
            edit.added.append(
                .init(
                    level: 6,
                    file: FileMetadata(
                        .init(
                            uid: UID(high: 0, low: number), number: FileNumber(number),
                            byteCount: 1, hash: 0, entryCount: 1, tombstoneCount: 0,
                            rangeTombstoneCount: 0, smallest: key, greatest: key,
                            greatestIsExclusive: false), at: .zero, epoch: 0)))
            return edit
        }
        let before = writer.byteCount
        let error = Self.refusal { try writer.append(edit(1, keyBytes: 600)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("1000 are possible") == true)
        #expect(writer.byteCount == before && !writer.hasFailed)
        try writer.append(edit(2, keyBytes: 10))
        try writer.close()
        let contents = try ManifestReader.read(number: 1, names, memory, forWriting: false)
        #expect(contents.chunkCount == 2 && contents.discardedBytes == 0)
        #expect(contents.edits.last?.added.map(\.file.number) == [FileNumber(2)])
    }
}
