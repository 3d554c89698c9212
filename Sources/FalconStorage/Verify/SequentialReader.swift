/// Reads a file once from its beginning to its end in large pieces, hashes what passes by, and lends
/// parts of it meanwhile.
final class SequentialReader {
    private static let pieceBytes = 1 << 20

    private let file: any File
    private let size: UInt64
    private let pace: VerificationPace?
    private let hash: XXH3Stream?
    private var buffer: UnsafeMutableRawBufferPointer
    /// The window is `count` bytes of the file from `start` on.
    private var start: UInt64 = 0
    private var count = 0
    /// Why nothing more can be read in large pieces.
    private(set) var failure: StorageError?

    init(_ file: any File, size: UInt64, hashes: Bool, pace: VerificationPace?) {
        self.file = file
        self.size = size
        self.pace = pace
        hash = hashes ? XXH3Stream() : nil
        buffer = .allocate(
            byteCount: Int(clamping: min(size, UInt64(Self.pieceBytes))), alignment: 4096)
    }

    deinit { buffer.deallocate() }

    private var end: UInt64 { start + UInt64(count) }

    /// Bytes `offset..<offset + length`, valid until the next call; nil when they have passed by already or
    /// cannot be read so.
    func bytes(at offset: UInt64, _ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard offset >= start, offset <= size, UInt64(length) <= size - offset else { return nil }
        while end < offset + UInt64(length) {
            guard failure == nil else { return nil }
            let kept = offset < end ? Int(end - offset) : 0
            discard(keeping: kept)
            grow(to: min(max(length, Self.pieceBytes), kept + Self.pieceBytes))
            fill()
        }
        guard offset >= start else { return nil }
        let from = Int(offset - start)
        return UnsafeMutableRawBufferPointer(rebasing: buffer[from..<(from + length)])
    }

    /// Reads what is left, for the hash of it all; without one nothing more is read.
    func finish() throws(StorageError) -> UInt64? {
        guard hash != nil else {
            pace?.advance(size - min(end, size))
            return nil
        }
        while failure == nil, end < size, pace?.isStopped != true {
            discard(keeping: 0)
            fill()
        }
        if let failure { throw failure }
        return hash?.digest
    }

    /// Moves the window's last bytes to its front.
    private func discard(keeping kept: Int) {
        let gone = count - kept
        if kept > 0, gone > 0, let base = buffer.baseAddress {
            base.copyMemory(from: base + gone, byteCount: kept)
        }
        start += UInt64(gone)
        count = kept
    }

    private func grow(to room: Int) {
        guard room > buffer.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 4096)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        buffer.deallocate()
        buffer = larger
    }

    private func fill() {
        let room = UnsafeMutableRawBufferPointer(
            rebasing: buffer[count..<min(buffer.count, count + Int(clamping: size - end))])
        do throws(StorageError) {
            let got = try file.read(into: room, at: end)
            guard got > 0 else {
                throw .corruption(
                    "The file ends before its \(size) bytes.", path: file.path, offset: end)
            }
            hash?.update(UnsafeRawBufferPointer(rebasing: room[0..<got]))
            pace?.advance(UInt64(got))
            count += got
        } catch { failure = error }
    }
}
