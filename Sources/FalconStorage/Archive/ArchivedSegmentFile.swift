import Synchronization

/// An archived segment, read as the segment's own file would be.
final class ArchivedSegmentFile: File {
    let path: String
    var footer: ArchivedSegmentFooter { frames.footer }
    private let frames: ArchivedFrames
    /// The frame that was read last.
    private let cached = Mutex<(index: Int, bytes: [UInt8])?>(nil)
    /// Who unpacks the next frames meanwhile; nil: nobody.
    private let ahead: FrameReadahead.Queue?

    /// Opens the archived segment at `path`; `shownAs` is what errors call it.
    init(
        _ path: String, shownAs name: String? = nil, _ fileSystem: any FileSystem,
        readahead: FrameReadahead? = nil
    ) throws(StorageError) {
        let frames = try ArchivedFrames(path, fileSystem)
        self.frames = frames
        self.path = name ?? path
        ahead = readahead?.queue(of: frames)
    }

    deinit { ahead?.end() }

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
        let last = cached.withLock { $0 }
        if let last, last.index == index { return last.bytes }
        let bytes: [UInt8]
        // Who looks at a header alone does not want what follows.
        if let ahead, let last, index == last.index + 1 {
            bytes = try ahead.take(index)
        } else {
            bytes = try frames.read(index)
        }
        cached.withLock { $0 = (index, bytes) }
        return bytes
    }

    /// Reads all of it; throws `corruption` where it is not what was archived.
    func verify(_ progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in })
        throws(StorageError)
    {
        let hash = XXH3Stream()
        for index in 0..<frames.count {
            let bytes = try frame(index)
            bytes.withUnsafeBytes { hash.update($0) }
            try progress(UInt64(bytes.count))
        }
        guard hash.digest == footer.rawHash else {
            throw ArchivedSegmentFooter.damaged(frames.path, nil)
        }
    }

    var storedBytes: UInt64 { frames.storedBytes }
    func size() throws(StorageError) -> UInt64 { footer.rawBytes }
    func close() throws(StorageError) {
        ahead?.end()
        try frames.close()
    }

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
