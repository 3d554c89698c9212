#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The end of a table file, read in one piece: footer, properties, range tombstones, and the index or
/// its top level, unless they are uncommonly large.
struct TableTail: ~Copyable {
    /// Two pages: most tables' whole need.
    private static let bytes: UInt64 = 8192

    private let buffer: UnsafeMutableRawBufferPointer
    private let start: UInt64
    let footer: TableFooter

    init(_ file: any File, size: UInt64) throws(StorageError) {
        guard size >= UInt64(TableFormat.headerBytes + TableFormat.footerBytes) else {
            throw .corruption("The file is too short for a table.", path: file.path, offset: 0)
        }
        let count = min(size, TableTail.bytes)
        let start = size - count
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(count), alignment: 16)
        do throws(StorageError) {
            guard try file.readFully(into: buffer, at: start) == buffer.count else {
                throw .corruption(
                    "The file ends before its \(size) bytes.", path: file.path, offset: start)
            }
            footer = try TableFooter.decode(
                UnsafeRawBufferPointer(
                    rebasing: buffer[(buffer.count - TableFormat.footerBytes)...]),
                size: size, path: file.path)
        } catch {
            buffer.deallocate()
            throw error
        }
        self.buffer = buffer
        self.start = start
    }

    deinit { buffer.deallocate() }

    /// Loads a block into memory of the pin's own, from here or the file.
    func load(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ blocks: TableBlockReader,
        _ pin: inout BlockPin
    ) throws(StorageError) {
        guard handle.offset >= start else { return try blocks.load(handle, kind, &pin) }
        try blocks.check(handle, kind)
        let from = Int(handle.offset - start)
        let end = from + Int(handle.payloadBytes) + TableFormat.trailerBytes
        try blocks.unseal(
            handle, kind, UnsafeMutableRawBufferPointer(rebasing: buffer[from..<end]),
            isOwned: false, &pin)
    }
}
