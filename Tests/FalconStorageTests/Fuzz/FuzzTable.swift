@testable import FalconStorage

/// A table's decoders: blocks, metadata, compression, and a file as a reader opens it.
enum FuzzTable {
    static let decoders: [(name: String, run: @Sendable (UnsafeRawBufferPointer) -> Void)] = [
        ("data block", dataBlock), ("index block", indexBlock), ("filter", filter),
        ("properties", { _ = TableProperties.decode($0) }),
        ("range tombstones", { _ = RangeTombstoneBlock.decode($0) }),
        ("lz4", { decompress(.lz4, $0) }), ("zstd", { decompress(.zstd, $0) }),
        ("file", file),
    ]

    /// Probes derived from the input, so that searches meet its keys.
    private static func probes(_ bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
        [0, 1, 4, 8, 20].map { length in
            let count = min(length, bytes.count)
            return UnsafeRawBufferPointer(rebasing: bytes[(bytes.count / 3)...].prefix(count))
        }
    }

    @Sendable private static func dataBlock(_ bytes: UnsafeRawBufferPointer) {
        guard DataBlock.validate(bytes) == nil else { return }
        let block = DataBlock(validated: bytes)
        var offset = 0
        var sum = 0
        while offset < block.end {
            let entry = block.entry(at: offset)
            sum &+= entry.suffixLength &+ entry.valueLength
            offset = block.offset(after: entry)
        }
        for probe in probes(bytes) {
            for timestamp in [0, 5, UInt64.max] { _ = block.find(probe, timestamp) }
        }
    }

    @Sendable private static func indexBlock(_ bytes: UnsafeRawBufferPointer) {
        guard IndexBlock.validate(bytes) == nil else { return }
        let index = IndexBlock(validated: bytes)
        for i in 0..<index.count {
            _ = index.handle(i)
            _ = index.key(i).reduce(0) { $0 &+ Int($1) }
        }
        for probe in probes(bytes) { _ = index.search(probe, 7) }
    }

    @Sendable private static func filter(_ bytes: UnsafeRawBufferPointer) {
        guard BloomFilter.validate(bytes) == nil, let base = bytes.baseAddress else { return }
        for probe in probes(bytes) { _ = BloomFilter.mayContain(base, BloomFilter.hash(probe)) }
    }

    private static func decompress(_ codec: BlockCodec, _ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 2 else { return }
        let size = Int(bytes[0]) | Int(bytes[1]) << 8
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { target.deallocate() }
        _ = BlockCompression.decompress(
            codec, UnsafeRawBufferPointer(rebasing: bytes[2...]), into: target)
    }

    /// A table file, its footer's checksum made right.
    @Sendable private static func file(_ bytes: UnsafeRawBufferPointer) {
        var contents = Array(bytes)
        FuzzRepair.table(&contents)
        let fileSystem = MemoryFileSystem()
        do {
            try fileSystem.createDirectory("/t")
            try fileSystem.create("/t/1.sst", contents: contents)
            let reader = try TableReader.open(
                file: fileSystem.open("/t/1.sst", .read), uid: nil, size: UInt64(contents.count),
                cache: nil)
            let iterator = reader.makeIterator()
            try iterator.seekToFirst()
            while iterator.isValid { try iterator.next() }
            var pin = BlockPin()
            for probe in probes(bytes) { _ = try reader.get(probe, at: Timestamp(9), pin: &pin) }
        } catch {}
    }
}
