/// What the header of a segment says, against what its name and its predecessor do.
struct WALHeaderEvidence {
    private(set) var expected = "a segment header of \(WALFormat.headerBytes) bytes"
    private(set) var actual = ""

    init(
        _ file: any File, _ number: WALSegmentNumber, _ directory: String,
        _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let size = try file.size()
        let bytes = try file.readExactly(Int(min(size, UInt64(WALFormat.headerBytes))), at: 0)
        switch WALSegmentHeader.decode(bytes) {
        case .blank: actual = "\(bytes.count) zero bytes"
        case .damaged(let why): actual = Self.describe(bytes, why)
        case .newer(let what):
            expected = "format version \(WALFormat.version) at most and no further features"
            actual = what
        case .header(let header):
            try compare(header, number, directory, fileSystem)
        }
    }

    private mutating func compare(
        _ header: WALSegmentHeader, _ number: WALSegmentNumber, _ directory: String,
        _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard header.segment == number else {
            expected = "segment \(number)"
            actual = "segment \(header.segment), uid \(header.uid), shard \(header.identity.shard)"
            return
        }
        guard number.rawValue > 1 else { return }
        let before = WALSegmentNumber(number.rawValue - 1)
        let path = directory + "/" + FileNames.walSegmentName(before)
        guard try fileSystem.exists(path),
            case .header(let previous) = try WALDirectory.readHeader(path, fileSystem)
        else { return }
        expected =
            "predecessor \(before), uid \(previous.uid), shard \(previous.identity.shard)"
        actual =
            header.predecessor.map {
                "predecessor \($0.segment), uid \($0.uid), last LSN \($0.lastLSN)"
            } ?? "no predecessor"
        actual += "; the segment is of shard \(header.identity.shard), first LSN \(header.firstLSN)"
    }

    private static func describe(_ bytes: [UInt8], _ why: String) -> String {
        guard bytes.count == WALFormat.headerBytes else { return why }
        return bytes.withUnsafeBytes { all in
            let end = WALFormat.headerBytes - 4
            let stored = UInt32(
                littleEndian: all.loadUnaligned(fromByteOffset: end, as: UInt32.self))
            let body = UnsafeRawBufferPointer(rebasing: all[0..<end])
            return why + "; "
                + WALChunkEvidence.checksum(body, stored: stored, fileOffset: 0)
        }
    }
}
