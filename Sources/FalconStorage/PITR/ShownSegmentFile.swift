/// An archived segment with another header.
final class ShownSegmentFile: WrappingFile {
    let base: any File
    private let head: [UInt8]

    init(base: any File, head: [UInt8]) {
        self.base = base
        self.head = head
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        let count = try base.read(into: buffer, at: offset)
        guard offset < UInt64(head.count) else { return count }
        let shown = head[Int(offset)...].prefix(count)
        buffer.copyBytes(from: shown)
        return count
    }
}
