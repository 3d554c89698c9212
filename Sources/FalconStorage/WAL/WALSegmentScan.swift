/// What the clear-text chunk headers of one segment file say: no key is needed.
struct WALSegmentScan {
    var header: WALSegmentHeader
    /// One beyond the last chunk in a row of good ones.
    var endOffset: UInt64
    /// Where the log stood behind it.
    var lastLSN: LSN
    /// The segment was ended: nothing belongs to it behind ``endOffset``.
    var isSealed: Bool

    /// Walks the chunks of `file` and checks each; ends at the seal, or at the first bytes that are no chunk.
    init(_ file: any File) throws(StorageError) {
        let head = try file.readExactly(WALFormat.headerBytes, at: 0)
        guard case .header(let header) = WALSegmentHeader.decode(head) else {
            throw .corruption("The log segment has no valid header.", path: file.path, offset: 0)
        }
        self.header = header
        endOffset = UInt64(WALFormat.headerBytes)
        lastLSN = header.firstLSN
        isSealed = false
        var window = WALWindow()
        defer { window.deallocate() }
        while !isSealed {
            let head = try window.bytes(
                of: file, at: endOffset, count: WALFormat.chunkHeaderBytes)
            guard head.count == WALFormat.chunkHeaderBytes, let base = head.baseAddress,
                let chunk = WALChunkHeader.decode(base), chunk.segment == header.chunkNumber,
                chunk.tag == header.chunkTag, chunk.offset == endOffset, chunk.firstLSN == lastLSN
            else { break }
            let whole = try window.bytes(of: file, at: endOffset, count: chunk.totalBytes)
            guard whole.count == chunk.totalBytes,
                Checksum.crc32c(
                    UnsafeRawBufferPointer(rebasing: whole[WALFormat.chunkHeaderBytes...]))
                    == chunk.payloadCRC
            else { break }
            endOffset += UInt64(chunk.totalBytes)
            lastLSN = chunk.endLSN
            isSealed = chunk.kind == .seal
        }
    }
}
