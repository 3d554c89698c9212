import Testing

@testable import FalconStorage

/// The bytes of a blob file, found through the codec and changed; checksums fit again only where that is asked for.
struct BlobForge {
    var bytes: [UInt8]
    let uid: UID
    let footer: BlobFooter
    /// Where each record lies.
    private(set) var records: [Range<Int>] = []

    init(_ path: String, _ fileSystem: MemoryFileSystem, _ keys: FileKeys?) throws {
        bytes = try fileSystem.contents(of: path)
        let header = try BlobHeader.read(
            Array(bytes.prefix(BlobFormat.headerBytes)), path: path)
        uid = header.uid
        let end = bytes.count - BlobFormat.footerBytes
        footer = try BlobFooter.decode(
            Array(bytes[end...]), size: UInt64(bytes.count), path: path)
        var start = Int(BlobFormat.bodyOffset(isSealed: header.isSealed))
        while start < end {
            let head = Array(bytes[start..<(start + BlobFormat.recordHeadBytes)])
            let count = try #require(head.withUnsafeBytes { BlobRecord.byteCount($0) })
            records.append(start..<(start + Int(count)))
            start += Int(count)
        }
        #expect(start == end && records.count > 4)
        #expect((keys != nil) == header.isSealed)
    }

    mutating func flip(_ offset: Int) { bytes[offset] ^= 4 }

    /// Changes a record, whose checksum fits again; its seal does not.
    mutating func rewrite(_ record: Range<Int>, _ change: (inout [UInt8]) -> Void) {
        var changed = Array(bytes[record])
        change(&changed)
        let seed = BlobFormat.seed(uid, UInt64(record.lowerBound), .record)
        let sum = Array(changed[8...]).withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) { changed.replaceSubrange(0..<8, with: $0) }
        bytes.replaceSubrange(record, with: changed)
    }

    mutating func rehead(_ change: (inout [UInt8]) -> Void) {
        var head = Array(bytes[..<56])
        change(&head)
        let seed = BlobFormat.seed(uid, 0, .header)
        let sum = head.withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) { head += Array($0) }
        bytes.replaceSubrange(0..<BlobFormat.headerBytes, with: head)
    }

    mutating func refoot(_ change: (inout BlobFooter) -> Void) {
        var changed = footer
        change(&changed)
        bytes.replaceSubrange((bytes.count - BlobFormat.footerBytes)..., with: changed.encode())
    }
}
