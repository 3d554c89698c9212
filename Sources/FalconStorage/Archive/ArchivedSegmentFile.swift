import Synchronization

/// An archived segment, read as the segment's own file would be.
final class ArchivedSegmentFile: File {
    let path: String
    let footer: ArchivedSegmentFooter
    private let file: any File
    private let frames: [ArchivedSegmentFooter.Frame]
    private let offsets: [UInt64]
    /// The frame that was read last.
    private let cached = Mutex<(index: Int, bytes: [UInt8])?>(nil)

    /// Opens the archived segment at `path`; `shownAs` is what errors call it.
    init(
        _ path: String, shownAs name: String? = nil, _ fileSystem: any FileSystem
    ) throws(StorageError) {
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
        self.path = name ?? path
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

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard offset < footer.rawBytes, buffer.count > 0 else { return 0 }
        let index = Int(offset / UInt64(footer.frameBytes))
        let bytes = try frame(index)
        let skip = Int(offset % UInt64(footer.frameBytes))
        let count = min(buffer.count, bytes.count - skip)
        bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[skip..<(skip + count)]))
        }
        return count
    }

    private func frame(_ index: Int) throws(StorageError) -> [UInt8] {
        if let hit = cached.withLock({ $0?.index == index ? $0?.bytes : nil }) { return hit }
        guard frames.indices.contains(index) else { throw ArchivedSegmentFooter.damaged(path, nil) }
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
        guard isGood else { throw ArchivedSegmentFooter.damaged(file.path, offsets[index]) }
        cached.withLock { $0 = (index, bytes) }
        return bytes
    }

    /// Reads all of it; throws `corruption` where it is not what was archived.
    func verify(_ progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in })
        throws(StorageError)
    {
        let hash = XXH3Stream()
        for index in frames.indices {
            let bytes = try frame(index)
            bytes.withUnsafeBytes { hash.update($0) }
            try progress(UInt64(bytes.count))
        }
        guard hash.digest == footer.rawHash else {
            throw ArchivedSegmentFooter.damaged(file.path, nil)
        }
    }

    var storedBytes: UInt64 { frames.reduce(0) { $0 &+ UInt64($1.storedBytes) } }
    func size() throws(StorageError) -> UInt64 { footer.rawBytes }
    func close() throws(StorageError) { try file.close() }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        throw readOnly
    }
    func syncData() throws(StorageError) { throw readOnly }
    func truncate(to size: UInt64) throws(StorageError) { throw readOnly }
    private var readOnly: StorageError {
        StorageError(
            .readOnly, kind: .bug, "An archived segment is not written to.",
            location: .init(path: path))
    }
}
