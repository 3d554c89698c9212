/// A stretch of a file in memory, read ahead in large steps.
struct WALWindow {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var start: UInt64 = 0
    private var count = 0
    static let stepBytes = 512 << 10

    init() {
        capacity = Self.stepBytes
        base = .allocate(byteCount: capacity, alignment: 16)
    }
    func deallocate() { base.deallocate() }
    mutating func reset() { count = 0 }

    /// `count` bytes of `file` at `offset`, fewer at its end; borrowed until the next call.
    mutating func bytes(
        of file: any File, at offset: UInt64, count wanted: Int
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        if offset < start || offset - start > UInt64(count)
            || UInt64(count) - (offset - start) < UInt64(wanted)
        {
            try fill(file, offset, wanted)
        }
        let skip = Int(offset - start)
        let available = min(wanted, count - skip)
        return UnsafeRawBufferPointer(start: base + skip, count: max(0, available))
    }

    private mutating func fill(
        _ file: any File, _ offset: UInt64, _ wanted: Int
    ) throws(StorageError) {
        start = offset
        count = 0
        if wanted > capacity {
            // A damaged length must not make us allocate what the file cannot hold.
            let rest = try file.size()
            guard rest > offset, rest - offset >= UInt64(wanted) else { return }
            base.deallocate()
            capacity = wanted
            base = .allocate(byteCount: capacity, alignment: 16)
        }
        count = try file.readFully(
            into: UnsafeMutableRawBufferPointer(start: base, count: capacity), at: offset)
    }
}

/// What lies behind the last readable chunk of a segment.
enum WALTailScan {
    struct Found {
        var offset: UInt64
        var firstLSN: LSN
        var syncedLSN: LSN
        var totalBytes: UInt64
    }
    struct Tail {
        /// A later chunk of this segment that states that more was durable.
        var voucher: Found?
        /// From the end of the good chunks to the last trace of a later write; 0 without a trace.
        var discardedBytes: UInt64
    }

    /// Reads everything behind `offset`, looking for chunks of this segment.
    static func examine(
        _ file: any File, from offset: UInt64, header: WALSegmentHeader, durableBeyond: LSN,
        window: inout WALWindow
    ) throws(StorageError) -> Tail {
        var tail = Tail(voucher: nil, discardedBytes: 0)
        var lastTrace = offset
        try scan(file, from: offset, header: header, window: &window) { found in
            lastTrace = max(lastTrace, found.offset + found.totalBytes)
            if tail.voucher == nil, found.syncedLSN > durableBeyond { tail.voucher = found }
            return tail.voucher == nil
        } nonzero: { position in
            // In a recycled file anything may lie here; in a zeroed one it was written.
            if !header.isRecycled { lastTrace = max(lastTrace, position + 8) }
        }
        let size = try file.size()
        if header.isRecycled, lastTrace == offset {
            let head = try window.bytes(of: file, at: offset, count: WALFormat.chunkHeaderBytes)
            if isOwnTornHeader(head, header) { lastTrace = offset + UInt64(head.count) }
        }
        tail.discardedBytes = min(lastTrace, max(size, offset)) - offset
        return tail
    }

    /// The next whole chunk of this segment at or behind `offset`.
    static func nextChunk(
        in file: any File, after offset: UInt64, header: WALSegmentHeader?,
        window: inout WALWindow
    ) throws(StorageError) -> Found? {
        guard let header else { return nil }
        var result: Found?
        try scan(file, from: offset, header: header, window: &window) { found in
            result = found
            return false
        } nonzero: { _ in
        }
        return result
    }

    /// What the bytes are that should be a chunk.
    static func classify(
        _ file: any File, at offset: UInt64, header: WALSegmentHeader, window: inout WALWindow
    ) throws(StorageError) -> WALDamage.Kind {
        let head = try window.bytes(of: file, at: offset, count: WALFormat.chunkHeaderBytes)
        if head.allSatisfy({ $0 == 0 }) { return .zeroed }
        guard head.count == WALFormat.chunkHeaderBytes, let base = head.baseAddress,
            let chunk = WALChunkHeader.decode(base)
        else { return .badChunk }
        if chunk.segment == header.chunkNumber, chunk.tag == header.chunkTag { return .badChunk }
        return chunk.segment < header.chunkNumber ? .recycled : .foreign
    }

    private static func isOwnTornHeader(
        _ head: UnsafeRawBufferPointer, _ header: WALSegmentHeader
    ) -> Bool {
        guard head.count == WALFormat.chunkHeaderBytes, let base = head.baseAddress else {
            return false
        }
        return base.loadUnaligned(as: UInt32.self) == WALFormat.chunkMagic.littleEndian
            && UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                == header.chunkNumber.rawValue
    }

    private static func scan(
        _ file: any File, from offset: UInt64, header: WALSegmentHeader,
        window: inout WALWindow, chunk: (Found) -> Bool, nonzero: (UInt64) -> Void
    ) throws(StorageError) {
        var position = (offset + 7) & ~7
        while true {
            let bytes = try window.bytes(of: file, at: position, count: WALWindow.stepBytes)
            guard bytes.count >= 8, let base = bytes.baseAddress else { return }
            var index = 0
            var lastNonzero = -1
            while index + 8 <= bytes.count {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if word != 0 {
                    lastNonzero = index
                    if UInt32(truncatingIfNeeded: UInt64(littleEndian: word))
                        == WALFormat.chunkMagic
                    {
                        if index + WALFormat.chunkHeaderBytes > bytes.count { break }
                        if let head = WALChunkHeader.decode(base + index),
                            head.segment == header.chunkNumber, head.tag == header.chunkTag,
                            head.offset == position + UInt64(index)
                        {
                            let found = Found(
                                offset: head.offset, firstLSN: head.firstLSN,
                                syncedLSN: head.syncedLSN, totalBytes: UInt64(head.totalBytes))
                            if !chunk(found) { return }
                        }
                    }
                }
                index += 8
            }
            if lastNonzero >= 0 { nonzero(position + UInt64(lastNonzero)) }
            if index == 0 { return }
            position += UInt64(index)
        }
    }
}
