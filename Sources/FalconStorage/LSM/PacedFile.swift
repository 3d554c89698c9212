/// How a background job's bytes go to the disk.
struct WritePacing {
    var limiter: WriteLimiter?
    var isFlush: Bool
}

/// A new file whose bytes are sent on to the device as they come, and at a limited rate where there is a
/// limit: the sync at its end finds little left, and a commit's sync never queues behind a whole table.
final class PacedFile: WrappingFile {
    /// Bytes after which writeback is started.
    private static let writebackBytes: UInt64 = 1 << 20

    let base: any File
    private let pacing: WritePacing
    /// Written by one thread, the one that writes the table.
    @exclusivity(unchecked) private nonisolated(unsafe) var sent: UInt64 = 0

    init(_ base: any File, _ pacing: WritePacing) {
        self.base = base
        self.pacing = pacing
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        pacing.limiter?.acquire(bytes.count, isFlush: pacing.isFlush)
        try base.write(bytes, at: offset)
        let end = offset &+ UInt64(bytes.count)
        guard end >= sent &+ Self.writebackBytes else { return }
        base.startWriteback(from: sent, byteCount: end &- sent)
        sent = end
    }

    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? { try base.readCached(into: buffer, at: offset) }
}
