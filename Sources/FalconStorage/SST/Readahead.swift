#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads ahead of a scan: from the third block in a row that was not cached, larger and larger pieces.
struct Readahead: ~Copyable {
    private static let smallest = 16 << 10
    private static let largest = 256 << 10
    /// Compactions read whole tables: as much as may be from the first block on.
    private var isEager = false
    private var buffer: UnsafeMutableRawBufferPointer?
    private var start: UInt64 = 0
    private var filled = 0
    private var expected: UInt64 = 0
    private var run = 0
    private var size = Readahead.smallest

    init() {}
    deinit { buffer?.deallocate() }

    mutating func startEagerly() {
        isEager = true
        size = Readahead.largest
    }

    /// Loads a data block into memory of the pin's own.
    mutating func load(
        _ handle: BlockHandle, _ table: TableReader, _ pin: inout BlockPin
    ) throws(StorageError) {
        let blocks = table.blocks
        let stored = Int(handle.payloadBytes) + TableFormat.trailerBytes
        if handle.offset == expected {
            run += 1
        } else if !isEager {
            // A seek, not a scan: what was read ahead until here may never be wanted.
            run = 0
            size = Readahead.smallest
        }
        expected = handle.end
        // What is cached comes in small reads at once; more than that might have to be waited for.
        if (run < 2 && !isEager) || stored > Readahead.largest || !pin.mayWait {
            return try blocks.load(handle, .data, &pin)
        }
        try blocks.check(handle, .data)
        if handle.offset < start || handle.end > start + UInt64(filled) {
            let room = buffer ?? .allocate(byteCount: Readahead.largest, alignment: 4096)
            buffer = room
            let wanted = min(
                UInt64(max(size, stored)), table.fileBytes - handle.offset, UInt64(room.count))
            let target = UnsafeMutableRawBufferPointer(rebasing: room[0..<Int(wanted)])
            filled = 0
            start = handle.offset
            filled = try table.file.readFully(into: target, at: handle.offset)
            size = min(size * 2, Readahead.largest)
        }
        guard let buffer, handle.end <= start + UInt64(filled) else {
            throw blocks.damaged(handle, .data, "is cut off by the file's end")
        }
        let from = Int(handle.offset - start)
        try blocks.unseal(
            handle, .data, UnsafeMutableRawBufferPointer(rebasing: buffer[from..<(from + stored)]),
            isOwned: false, &pin)
    }
}
