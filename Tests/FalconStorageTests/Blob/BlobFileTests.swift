import Testing

@testable import FalconStorage

/// The bytes of a blob file: what was written is read back, and what was changed is noticed.
@Suite struct BlobFileTests {
    private static let uid = UID(high: 3, low: 9)
    private struct Made {
        var fileSystem = MemoryFileSystem()
        var references: [BlobReference] = []
        var summary: BlobSummary
    }

    private static func key(_ index: Int) -> [UInt8] { Array("key \(index)".utf8) }
    private static func value(_ index: Int) -> [UInt8] {
        Array(EngineFixture.large("key \(index)", index, count: 20 + index * 37).utf8)
            + [UInt8](repeating: UInt8(index), count: index % 3 == 0 ? 300 : 0)
    }

    private static func make(_ codec: BlockCodec, count: Int = 6) throws -> Made {
        let fileSystem = MemoryFileSystem()
        try fileSystem.createDirectory("/b")
        let file = try fileSystem.open("/b/f", .create)
        let writer = BlobWriter(file: file, number: FileNumber(7), uid: uid, codec: codec)
        var references: [BlobReference] = []
        for index in 0..<count {
            try key(index).withUnsafeBytes { key in
                try value(index).withUnsafeBytes { value in
                    references.append(try writer.add(key: key, value: value))
                }
            }
        }
        let summary = try writer.finish()
        try file.close()
        return Made(fileSystem: fileSystem, references: references, summary: summary)
    }

    /// Opens the file and reads every value; nil where an error says that it is damaged.
    private static func read(_ made: Made, size: UInt64? = nil) throws -> [[UInt8]?] {
        let file = try made.fileSystem.open("/b/f", .read)
        let reader: BlobReader
        do throws(StorageError) {
            reader = try BlobReader(
                file: file, uid: uid, size: size ?? made.summary.fileBytes, cache: nil)
        } catch {
            #expect(error.code == .corruption || error.code == .unsupportedFormat)
            return made.references.map { _ in nil }
        }
        return made.references.indices.map { index in
            get(reader, made.references[index], key(index))
        }
    }

    private static func get(
        _ reader: BlobReader, _ reference: BlobReference, _ key: [UInt8]
    ) -> [UInt8]? {
        var pin = BlockPin()
        return key.withUnsafeBytes { key in
            do throws(StorageError) {
                return Array(try reader.value(reference, of: key, &pin, fillCache: false))
            } catch {
                #expect(error.code == .corruption && error.location?.offset != nil)
                return nil
            }
        }
    }

    @Test(arguments: BlockCodec.allCases)
    func whatIsWrittenIsRead(codec: BlockCodec) throws {
        let made = try Self.make(codec, count: 40)
        #expect(try Self.read(made) == (0..<40).map { Self.value($0) })
        #expect(made.summary.recordCount == 40)
        #expect(
            made.references.reduce(BlobFormat.frameBytes) { $0 + UInt64($1.recordBytes) }
                == made.summary.fileBytes)
        let file = try made.fileSystem.open("/b/f", .read)
        #expect(BlobVerifier.verify(file).isClean)
    }

    /// Each bit, and each length: every value is right or refused, and the verifier sees the change.
    @Test(arguments: BlockCodec.allCases)
    func everyFlippedBitIsNoticed(codec: BlockCodec) throws {
        let made = try Self.make(codec)
        let file = try made.fileSystem.open("/b/f", .readWrite)
        let bytes = try file.readExactly(Int(made.summary.fileBytes), at: 0)
        let right = made.references.indices.map { Self.value($0) }
        for bit in 0..<(bytes.count * 8) {
            try file.write([bytes[bit / 8] ^ (1 << UInt8(bit % 8))], at: UInt64(bit / 8))
            let found = try Self.read(made)
            #expect(zip(found, right).allSatisfy { $0 == nil || $0 == $1 }, "bit \(bit)")
            #expect(found.contains { $0 == nil }, "bit \(bit)")
            #expect(!BlobVerifier.verify(file).isClean, "bit \(bit)")
            try file.write([bytes[bit / 8]], at: UInt64(bit / 8))
        }
        for length in 0..<bytes.count {
            try file.truncate(to: UInt64(length))
            #expect(try Self.read(made).allSatisfy { $0 == nil })
            #expect(!BlobVerifier.verify(file).isClean, "length \(length)")
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
        }
    }

    /// A reference that leads elsewhere finds nothing: not another key's value, nor part of one.
    @Test func aWrongReferenceFindsNothing() throws {
        let made = try Self.make(.none)
        let file = try made.fileSystem.open("/b/f", .read)
        let reader = try BlobReader(
            file: file, uid: Self.uid, size: made.summary.fileBytes, cache: nil)
        let good = made.references[2]
        #expect(Self.get(reader, good, Self.key(2)) == Self.value(2))
        #expect(Self.get(reader, good, Self.key(3)) == nil)
        for change in [1, -1, 64, 1 << 40] as [Int64] {
            var moved = good
            moved.offset = UInt64(bitPattern: Int64(bitPattern: moved.offset) &+ change)
            #expect(Self.get(reader, moved, Self.key(2)) == nil)
        }
        var longer = good
        longer.recordBytes += 1
        #expect(Self.get(reader, longer, Self.key(2)) == nil)
        var shorter = good
        shorter.valueBytes -= 1
        #expect(Self.get(reader, shorter, Self.key(2)) == nil)
        var huge = good
        huge.recordBytes = .max
        huge.offset = .max
        #expect(Self.get(reader, huge, Self.key(2)) == nil)
        let stranger = #expect(throws: StorageError.self) {
            _ = try BlobReader(
                file: file, uid: UID(high: 1, low: 1), size: made.summary.fileBytes, cache: nil)
        }
        #expect(stranger?.code == .corruption)
    }
}
