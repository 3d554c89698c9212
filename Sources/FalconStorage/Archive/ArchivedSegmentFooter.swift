/// The end of an archived log segment: what the segment is, and how to read it.
///
/// ```
/// file     [ frame ] ... [ index ][ footer 256 ]
/// frame    256 KiB of the segment's bytes, the last one fewer: compressed with ZSTD, or as they are where that
///          saves nothing (an encrypted segment stays as its own key has sealed it)
/// index    each frame:  0  4  stored bytes     4  4  codec (0 none, 2 ZSTD)
///                       8  8  XXH3-64 of the stored bytes, seeded with (segment uid, raw offset, kind 0x41)
///
/// footer    0   8  magic "FALCSEG\n"            8   4  format version
///          12   4  frame bytes                 16   8  raw bytes
///          24   8  XXH3-64 of the raw bytes    32   4  frames
///          36   4  flags: 1 sealed
///          40  16  shard                       56  16  branch
///          72   8  incarnation                 80   8  segment number
///          88  16  segment uid                104   8  first LSN
///         112   8  last LSN                   120   8  predecessor's number, 0: none
///         128  16  predecessor's uid          144   8  predecessor's last LSN
///         152   8  wrapping key's id, 0: plain
///         160   8  wall micros of the segment's activation
///         168   8  wall micros of its archiving
///         176  64  zero
///         240   8  XXH3-64 of the index
///         248   8  XXH3-64 of bytes 0..<248
/// ```
/// Numbers are little-endian.
struct ArchivedSegmentFooter: Sendable, Hashable {
    static let magic: [UInt8] = Array("FALCSEG\n".utf8)
    static let byteCount = 256
    static let version: UInt32 = 0
    static let frameBytes = 256 << 10
    static let frameKind: UInt8 = 0x41
    static let largestRawBytes: UInt64 = 16 << 30

    struct Frame: Sendable, Hashable {
        static let byteCount = 16
        var storedBytes: UInt32
        var codec: BlockCodec
        var hash: UInt64
    }

    var frameBytes = UInt32(Self.frameBytes)
    var rawBytes: UInt64
    var rawHash: UInt64
    var isSealed: Bool
    var shard: UID
    var branch: UID
    var incarnation: UInt64
    var segment: WALSegmentNumber
    var uid: UID
    var firstLSN: LSN
    var lastLSN: LSN
    var predecessor: WALContinuation.Predecessor?
    var keyID: UInt64
    var wallMicros: UInt64
    var archivedMicros: UInt64

    var frameCount: Int {
        frameBytes == 0 ? 0 : Int((rawBytes &+ UInt64(frameBytes) &- 1) / UInt64(frameBytes))
    }

    static func encode(_ frames: [Frame]) -> [UInt8] {
        var writer = ByteWriter(capacity: frames.count * Frame.byteCount)
        for frame in frames {
            writer.appendFixed(frame.storedBytes)
            writer.appendFixed(UInt32(frame.codec.rawValue))
            writer.appendFixed(frame.hash)
        }
        return writer.bytes
    }

    func encoded(index: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(contentsOf: Self.magic)
        writer.appendFixed(Self.version)
        writer.appendFixed(frameBytes)
        writer.appendFixed(rawBytes)
        writer.appendFixed(rawHash)
        writer.appendFixed(UInt32(clamping: frameCount))
        writer.appendFixed(UInt32(isSealed ? 1 : 0))
        writer.append(shard)
        writer.append(branch)
        writer.appendFixed(incarnation)
        writer.appendFixed(segment.rawValue)
        writer.append(uid)
        writer.appendFixed(firstLSN.rawValue)
        writer.appendFixed(lastLSN.rawValue)
        writer.append(predecessor)
        writer.appendFixed(keyID)
        writer.appendFixed(wallMicros)
        writer.appendFixed(archivedMicros)
        writer.append(contentsOf: [UInt8](repeating: 0, count: 240 - writer.count))
        writer.appendFixed(index.withUnsafeBytes { Checksum.xxh3($0) })
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0) })
        return writer.bytes
    }

    /// Reads the footer of an archived segment.
    static func read(_ file: any File) throws(StorageError) -> (Self, indexHash: UInt64) {
        let size = try file.size()
        guard size >= UInt64(byteCount) else { throw damaged(file.path, 0) }
        let offset = size - UInt64(byteCount)
        let bytes = try file.readExactly(byteCount, at: offset)
        guard let found = bytes.withUnsafeBytes(decode) else { throw damaged(file.path, offset) }
        guard found.version <= version else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The archived segment has format \(found.version), and this program knows \(version).",
                location: .init(path: file.path),
                hint: "Use the version that wrote it, or a later one.")
        }
        return (found.footer, found.indexHash)
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) -> (footer: Self, version: UInt32, indexHash: UInt64)? {
        var reader = ByteReader(bytes)
        let sum = Checksum.xxh3(UnsafeRawBufferPointer(rebasing: bytes[..<248]))
        guard reader.readBytes(8).map({ $0.elementsEqual(magic) }) == true,
            let version = reader.readFixed(UInt32.self), let frame = reader.readFixed(UInt32.self),
            let raw = reader.readFixed(UInt64.self), let hash = reader.readFixed(UInt64.self),
            let count = reader.readFixed(UInt32.self), let flags = reader.readFixed(UInt32.self),
            let shard = reader.readUID(), let branch = reader.readUID(),
            let incarnation = reader.readFixed(UInt64.self),
            let segment = reader.readFixed(UInt64.self), let uid = reader.readUID(),
            let first = reader.readFixed(UInt64.self), let last = reader.readFixed(UInt64.self),
            let predecessor = reader.readPredecessor(),
            let key = reader.readFixed(UInt64.self), let wall = reader.readFixed(UInt64.self),
            let archived = reader.readFixed(UInt64.self), reader.skip(64),
            let indexHash = reader.readFixed(UInt64.self), reader.readFixed(UInt64.self) == sum,
            (4096...(64 << 20)).contains(frame), raw <= largestRawBytes
        else { return nil }
        let footer = Self(
            frameBytes: frame, rawBytes: raw, rawHash: hash, isSealed: flags & 1 != 0, shard: shard,
            branch: branch, incarnation: incarnation, segment: WALSegmentNumber(segment), uid: uid,
            firstLSN: LSN(first), lastLSN: LSN(last),
            predecessor: predecessor, keyID: key, wallMicros: wall, archivedMicros: archived)
        guard footer.frameCount == Int(count) else { return nil }
        return (footer, version, indexHash)
    }

    static func damaged(_ path: String, _ offset: UInt64?) -> StorageError {
        .corruption(
            "The archived segment is damaged, or is none.", path: path, offset: offset,
            hint: "pitr-restore verify lists what of the repository is damaged.")
    }
}
