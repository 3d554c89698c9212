/// The frames of an archived segment: each is proved and unpacked by itself. Thread-safe.
final class ArchivedFrames: Sendable {
    let footer: ArchivedSegmentFooter
    private let file: any File
    private let frames: [ArchivedSegmentFooter.Frame]
    private let offsets: [UInt64]

    var path: String { file.path }
    var count: Int { frames.count }
    var storedBytes: UInt64 { frames.reduce(0) { $0 &+ UInt64($1.storedBytes) } }

    init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        let file = try fileSystem.open(path, .read)
        do throws(StorageError) {
            let (footer, indexHash) = try ArchivedSegmentFooter.read(file)
            let count = footer.frameCount
            let indexBytes = count * ArchivedSegmentFooter.Frame.byteCount
            let tail = UInt64(indexBytes + ArchivedSegmentFooter.byteCount)
            let size = try file.size()
            guard size >= tail else { throw ArchivedSegmentFooter.damaged(path, nil) }
            let index = try file.readExactly(indexBytes, at: size - tail)
            guard index.withUnsafeBytes({ Checksum.xxh3($0) }) == indexHash,
                let frames = Self.decode(index, count)
            else { throw ArchivedSegmentFooter.damaged(path, size - tail) }
            var offsets: [UInt64] = []
            var offset: UInt64 = 0
            for frame in frames {
                offsets.append(offset)
                offset += UInt64(frame.storedBytes)
            }
            guard offset == size - tail else { throw ArchivedSegmentFooter.damaged(path, offset) }
            self.footer = footer
            self.frames = frames
            self.offsets = offsets
        } catch {
            try? file.close()
            throw error
        }
        self.file = file
    }

    private static func decode(
        _ bytes: [UInt8], _ count: Int
    ) -> [ArchivedSegmentFooter.Frame]? {
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            var frames: [ArchivedSegmentFooter.Frame] = []
            for _ in 0..<count {
                guard let stored = reader.readFixed(UInt32.self),
                    let codec = reader.readFixed(UInt32.self).flatMap({
                        UInt8(exactly: $0).flatMap(BlockCodec.init(rawValue:))
                    }), let hash = reader.readFixed(UInt64.self)
                else { return nil }
                frames.append(.init(storedBytes: stored, codec: codec, hash: hash))
            }
            return frames
        }
    }

    /// The bytes of a frame; throws `corruption` where they are not what was archived.
    func read(_ index: Int) throws(StorageError) -> [UInt8] {
        guard frames.indices.contains(index) else {
            throw ArchivedSegmentFooter.damaged(path, nil)
        }
        let frame = frames[index]
        let rawOffset = UInt64(index) * UInt64(footer.frameBytes)
        let rawCount = Int(min(UInt64(footer.frameBytes), footer.rawBytes - rawOffset))
        let stored = try file.readExactly(Int(frame.storedBytes), at: offsets[index])
        let seed = Checksum.locationSeed(
            uid: footer.uid, offset: rawOffset, kind: ArchivedSegmentFooter.frameKind)
        var isGood = stored.withUnsafeBytes { Checksum.xxh3($0, seed: seed) } == frame.hash
        var bytes: [UInt8] = []
        if isGood {
            bytes = [UInt8](unsafeUninitializedCapacity: rawCount) { buffer, count in
                isGood = stored.withUnsafeBytes {
                    BlockCompression.decompress(
                        frame.codec, $0, into: UnsafeMutableRawBufferPointer(buffer))
                }
                count = isGood ? rawCount : 0
            }
        }
        guard isGood else { throw ArchivedSegmentFooter.damaged(path, offsets[index]) }
        return bytes
    }

    func close() throws(StorageError) { try file.close() }
}
