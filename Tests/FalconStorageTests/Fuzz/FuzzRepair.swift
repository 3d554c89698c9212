@testable import FalconStorage

/// Makes the checksums of a mutated file right, as far as its lengths allow.
enum FuzzRepair {
    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }
    private static func store<T: FixedWidthInteger>(
        _ value: T, in bytes: inout [UInt8], _ offset: Int
    ) {
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
    }
    private static func crc(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
        bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// A log segment: header and chunks, one after another.
    static func segment(_ bytes: inout [UInt8]) {
        let head = WALFormat.headerBytes
        guard bytes.count >= head else { return }
        store(crc(bytes, 0..<(head - 4)), in: &bytes, head - 4)
        var offset = head
        while offset + WALFormat.chunkHeaderBytes <= bytes.count,
            word(bytes, offset) == WALFormat.chunkMagic
        {
            let stored = WALFormat.padded(Int(word(bytes, offset + 8)))
            let payload = offset + WALFormat.chunkHeaderBytes
            if stored <= bytes.count - payload {
                store(crc(bytes, payload..<(payload + stored)), in: &bytes, offset + 52)
            }
            store(crc(bytes, offset..<(offset + 60)), in: &bytes, offset + 60)
            if stored > bytes.count - payload { return }
            offset = payload + stored
        }
    }

    /// A table's footer; blocks keep what they have.
    static func table(_ bytes: inout [UInt8]) {
        let size = TableFormat.footerBytes
        guard bytes.count >= size else { return }
        let start = bytes.count - size
        var uid: UID?
        bytes.withUnsafeBytes {
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: $0[start...]))
            if reader.skip(72) { uid = reader.readUID() }
        }
        guard let uid else { return }
        let seed = Checksum.locationSeed(
            uid: uid, offset: UInt64(start), kind: TableFormat.BlockKind.footer.rawValue)
        let sum = bytes.withUnsafeBytes {
            Checksum.xxh3(UnsafeRawBufferPointer(rebasing: $0[start..<(start + 112)]), seed: seed)
        }
        store(sum, in: &bytes, start + 112)
    }

    /// A manifest's header and chunks; the number it gives itself.
    static func manifest(_ bytes: inout [UInt8]) -> UInt64 {
        let head = ManifestFormat.headerBytes
        guard bytes.count >= head else { return 0 }
        let sum = bytes.withUnsafeBytes {
            Checksum.xxh3(UnsafeRawBufferPointer(rebasing: $0[..<(head - 8)]))
        }
        store(sum, in: &bytes, head - 8)
        var number: UInt64 = 0
        var uid = UID.zero
        bytes.withUnsafeBytes {
            var reader = ByteReader($0)
            if reader.skip(36), let value = reader.readFixed(UInt64.self) { number = value }
            if let value = reader.readUID() { uid = value }
        }
        var offset = head
        while offset + ManifestFormat.chunkHeaderBytes <= bytes.count {
            let payload = offset + ManifestFormat.chunkHeaderBytes
            let length = Int(word(bytes, offset + 4))
            guard length <= bytes.count - payload else { break }
            let sum = bytes.withUnsafeBytes {
                ManifestFormat.checksum(
                    head: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + 16)]),
                    payload: UnsafeRawBufferPointer(rebasing: $0[payload..<(payload + length)]),
                    uid: uid, offset: UInt64(offset))
            }
            store(sum, in: &bytes, offset + 16)
            offset = payload + length
        }
        return number
    }
}

extension MemoryFileSystem {
    /// A file of these bytes, in a directory that is there.
    func create(_ path: String, contents: [UInt8]) throws(StorageError) {
        let file = try open(path, .create)
        try file.write(contents, at: 0)
        try file.close()
    }
}
