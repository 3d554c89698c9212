/// What the bytes are that should be a chunk, in words.
struct WALChunkEvidence {
    private(set) var text = ""
    private static let sectorBytes = 512

    init(
        _ file: any File, _ offset: UInt64, _ header: WALSegmentHeader
    ) throws(StorageError) {
        let size = try file.size()
        guard size > offset else {
            text = "the file ends at offset \(size)"
            return
        }
        let head = try Self.read(file, offset, WALFormat.chunkHeaderBytes, size)
        if head.allSatisfy({ $0 == 0 }) {
            text = try Self.zeros(file, from: offset, size)
            return
        }
        guard head.count == WALFormat.chunkHeaderBytes else {
            text = "the file ends after \(head.count) bytes of a chunk header"
            return
        }
        guard let chunk = head.withUnsafeBytes({ $0.baseAddress.flatMap(WALChunkHeader.decode) })
        else {
            text = Self.noHeader(head, offset)
            return
        }
        guard chunk.segment == header.segment, chunk.tag == header.chunkTag else {
            text =
                "a chunk of \(Self.life(chunk, header)), written for offset \(chunk.offset), "
                + "from LSN \(chunk.firstLSN)"
            return
        }
        guard chunk.offset == offset else {
            text = "a chunk of this segment that was written for offset \(chunk.offset)"
            return
        }
        text = try Self.body(file, chunk, size)
    }

    private static func life(_ chunk: WALChunkHeader, _ header: WALSegmentHeader) -> String {
        if chunk.segment < header.segment { return "segment \(chunk.segment), an older life" }
        if chunk.segment > header.segment { return "segment \(chunk.segment), a later one" }
        return "another segment \(chunk.segment), uid ending in \(hex(UInt64(chunk.tag), 8))"
    }

    private static func read(
        _ file: any File, _ offset: UInt64, _ count: Int, _ size: UInt64
    ) throws(StorageError) -> [UInt8] {
        try file.readExactly(Int(min(UInt64(count), size - offset)), at: offset)
    }

    private static func zeros(
        _ file: any File, from offset: UInt64, _ size: UInt64
    ) throws(StorageError) -> String {
        var position = offset
        while position < size {
            let bytes = try read(file, position, 256 << 10, size)
            if let other = bytes.firstIndex(where: { $0 != 0 }) {
                return "\(position - offset + UInt64(other)) zero bytes, up to offset "
                    + "\(position + UInt64(other))"
            }
            position += UInt64(bytes.count)
        }
        return "zeros up to the end of the file at offset \(size)"
    }

    private static func noHeader(_ head: [UInt8], _ offset: UInt64) -> String {
        head.withUnsafeBytes { all in
            let magic = UInt32(littleEndian: all.loadUnaligned(as: UInt32.self))
            let body = UnsafeRawBufferPointer(rebasing: all[0..<60])
            let stored = UInt32(
                littleEndian: all.loadUnaligned(fromByteOffset: 60, as: UInt32.self))
            let sum = checksum(body, stored: stored, fileOffset: offset)
            // A flipped bit in the magic number proves itself by the checksum of the rest.
            guard magic == WALFormat.chunkMagic || sum.hasPrefix("one bit") else {
                return "no chunk header; the bytes begin \(hex(UInt64(magic.byteSwapped), 8))"
            }
            return "a chunk header; " + sum
        }
    }

    private static func body(
        _ file: any File, _ chunk: WALChunkHeader, _ size: UInt64
    ) throws(StorageError) -> String {
        let start = chunk.offset + UInt64(WALFormat.chunkHeaderBytes)
        let range = "a chunk from LSN \(chunk.firstLSN) to \(chunk.endLSN)"
        let padded = WALFormat.padded(chunk.storedBytes)
        guard size >= start, size - start >= UInt64(padded) else {
            return "\(range), of whose \(padded) bytes the file holds \(size - min(size, start))"
        }
        let stored = try file.readExactly(padded, at: start)
        return stored.withUnsafeBytes { bytes in
            if Checksum.crc32c(bytes) == chunk.payloadCRC { return "\(range), whole" }
            var text =
                "\(range); " + checksum(bytes, stored: chunk.payloadCRC, fileOffset: start)
            if let blank = blankSectors(bytes, at: start) {
                text += "; zeros from offset \(blank.lowerBound) to \(blank.upperBound)"
            }
            return text
        }
    }

    /// The first run of whole sectors without a byte: a write that did not reach the device.
    private static func blankSectors(
        _ bytes: UnsafeRawBufferPointer, at start: UInt64
    ) -> Range<UInt64>? {
        let step = UInt64(sectorBytes)
        let end = start + UInt64(bytes.count)
        var sector = (start + step - 1) / step * step
        var found: Range<UInt64>?
        while sector + step <= end {
            let from = Int(sector - start)
            let isBlank = bytes[from..<(from + sectorBytes)].allSatisfy { $0 == 0 }
            if isBlank {
                found = (found?.lowerBound ?? sector)..<(sector + step)
            } else if found != nil {
                return found
            }
            sector += step
        }
        return found
    }

    /// How a checksum fails, and by which single bit where one explains it.
    static func checksum(
        _ bytes: UnsafeRawBufferPointer, stored: UInt32, fileOffset: UInt64
    ) -> String {
        let sums =
            "the checksum is \(hex(UInt64(Checksum.crc32c(bytes)), 8)), "
            + "\(hex(UInt64(stored), 8)) is stored"
        switch SingleBitError.find(in: bytes, stored: stored) {
        case .bit(let byte, let bit):
            return "one bit is flipped, bit \(bit) of the byte at offset "
                + "\(fileOffset + UInt64(byte)): \(sums)"
        case .checksum: return "one bit of the stored checksum is flipped: \(sums)"
        case nil: return sums
        }
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
