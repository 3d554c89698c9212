/// The bytes of a WAL segment (little-endian throughout).
///
/// ```
/// segment   [ header 4096 ][ chunk ][ chunk ] ... [ zeros, or an older life of the file ]
///
/// header    0    8  magic "FALCWAL\0"
///           8    4  format version (0: draft)        12  4  header bytes, 4096
///           16   8  compatible feature bits          24  8  read-incompatible feature bits
///           32   8  write-incompatible feature bits
///           40   16 cluster        56  16 shard      72  16 branch
///           88   8  incarnation    96  8  epoch      104 8  segment number
///           112  16 segment uid    128 8  first LSN
///           136  8  predecessor's number, 0: none    144 16 predecessor's uid
///           160  8  predecessor's last LSN           168 8  key id, 0: clear
///           176  8  wall micros of activation        184 1  body: 0 zeroed, 1 recycled
///           192  80 of an encrypted segment (read-incompatible feature bit 0): its ``KeyEnvelope``
///                   else zeros                       4092 4 CRC-32C of bytes 0..<4092
///           272  8 number in its chunks              280 8 where it is left: both 0 on disk, and set where a
///                  backup repository shows the segment as part of another directory's log (ShownSegment)
///
/// chunk     0    4  magic "FWCK"                     4   1  kind: 1 records, 2 watermark, 3 seal
///           5    1  compression codec                6   2  reserved, 0
///           8    4  stored bytes                     12  4  record bytes (what LSNs count)
///           16   8  segment number                   24  8  first LSN
///           32   8  synced LSN                       40  8  committed LSN
///           48   4  low half of the segment uid      52  4  CRC-32C of stored bytes and padding
///           56   4  own offset in the file / 8       60  4  CRC-32C of bytes 0..<60
///           64      stored bytes, zero-padded to a multiple of 8
///
/// stored    the records; of an encrypted segment encrypted with AES-256-GCM, and behind them 16 bytes, the tag,
///           with which uid, offset, first LSN and record bytes are authenticated
///
/// record    0    4  bytes of the body                4   1  tag (bit 7: critical)
///           5       body
/// ```
///
/// A watermark or seal has no record bytes and carries the LSN where the log stands. A seal is
/// written after a sync and ends its segment. Records do not cross chunks, chunks do not cross
/// segments. Rotation is each node's own affair, so the seal is a chunk and not a record: it must not
/// count in LSNs, which are the same on every replica.
enum WALFormat {
    static let headerBytes = 4096
    static let chunkHeaderBytes = 64
    static let recordHeaderBytes = 5
    static let alignment = 8
    static let version: UInt32 = 0
    static let segmentMagic: UInt64 = 0x004C_4157_434C_4146
    static let chunkMagic: UInt32 = 0x4B43_5746
    /// Read-incompatible features: records are encrypted.
    static let sealedFeature: UInt64 = 1
    static let envelopeOffset = 192
    static let shownOffset = 272
    static let maxRecordBodyBytes = Int(UInt32.max) - 1024

    @inline(__always) static func padded(_ count: Int) -> Int { (count &+ 7) & ~7 }
}

/// What a segment says about itself.
public struct WALSegmentHeader: Sendable, Hashable {
    /// Whose log it is, and by which incarnation.
    public var identity: WALIdentity
    /// Its number, as its name has it.
    public var segment: WALSegmentNumber
    /// Its identity; new with each life of a recycled file.
    public var uid: UID
    /// Where its first record begins.
    public var firstLSN: LSN
    /// The segment it follows on; nil of a log's first.
    public var predecessor: WALContinuation.Predecessor?
    /// The wrapping key over the segment's data key; 0: records are plain.
    public var keyID: UInt64 { envelope?.keyID ?? 0 }
    var envelope: KeyEnvelope?
    /// When it was begun, in microseconds since 1970 by the wall clock.
    public var wallMicros: UInt64
    /// The file was another segment before: older bytes may lie behind its records.
    public var isRecycled: Bool
    /// The format's version.
    public var version: UInt32 = WALFormat.version
    /// Bits of features without which it cannot be read.
    public var readIncompatibleFeatures: UInt64 = 0
    /// What encryption adds to a chunk with records.
    var sealBytes: Int { envelope == nil ? 0 : FileCipher.tagBytes }

    /// The part of the uid that every chunk repeats.
    var chunkTag: UInt32 { UInt32(truncatingIfNeeded: uid.low) }

    /// Of a segment that is shown under another number: the one that its chunks carry.
    var chunkSegment: WALSegmentNumber?
    /// Of a segment that is shown in a log which leaves it there, be it in the midst of a chunk.
    var cutLSN: LSN?
    /// The number that every chunk repeats.
    var chunkNumber: WALSegmentNumber { chunkSegment ?? segment }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: WALFormat.headerBytes)
        writer.appendFixed(WALFormat.segmentMagic)
        writer.appendFixed(version)
        writer.appendFixed(UInt32(WALFormat.headerBytes))
        writer.appendFixed(UInt64(0))
        writer.appendFixed(
            readIncompatibleFeatures | (envelope == nil ? 0 : WALFormat.sealedFeature))
        writer.appendFixed(UInt64(0))
        writer.append(identity.cluster)
        writer.append(identity.shard)
        writer.append(identity.branch)
        writer.appendFixed(identity.incarnation)
        writer.appendFixed(identity.epoch)
        writer.appendFixed(segment.rawValue)
        writer.append(uid)
        writer.appendFixed(firstLSN.rawValue)
        writer.append(predecessor)
        writer.appendFixed(keyID)
        writer.appendFixed(wallMicros)
        writer.append(isRecycled ? 1 : 0 as UInt8)
        if let envelope {
            let gap = WALFormat.envelopeOffset - writer.count
            writer.append(contentsOf: [UInt8](repeating: 0, count: gap))
            writer.append(contentsOf: envelope.encoded(uid: uid))
        }
        if chunkSegment != nil || cutLSN != nil {
            let gap = WALFormat.shownOffset - writer.count
            writer.append(contentsOf: [UInt8](repeating: 0, count: gap))
            writer.appendFixed(chunkSegment?.rawValue ?? 0)
            writer.appendFixed(cutLSN?.rawValue ?? 0)
        }
        writer.append(
            contentsOf: [UInt8](repeating: 0, count: WALFormat.headerBytes - 4 - writer.count))
        let crc = writer.bytes.withUnsafeBytes { Checksum.crc32c($0) }
        writer.appendFixed(crc)
        return writer.bytes
    }

    /// Why the segment is not of the log of `shard`, which FORMAT names; nil: it is. Its commits would be taken for
    /// this database's.
    func foreignReason(_ shard: UID) -> String? {
        identity.shard == shard
            ? nil : "the segment is of shard \(identity.shard), and FORMAT says \(shard)"
    }

    enum Decoded {
        case header(WALSegmentHeader)
        /// Nothing was ever written here.
        case blank
        case damaged(String)
        case newer(String)
    }

    static func decode(_ bytes: [UInt8]) -> Decoded {
        guard bytes.count == WALFormat.headerBytes else {
            return .damaged("the header has \(bytes.count) of \(WALFormat.headerBytes) bytes")
        }
        return bytes.withUnsafeBytes { buffer in
            if buffer.allSatisfy({ $0 == 0 }) { return .blank }
            var reader = ByteReader(buffer)
            guard reader.readFixed(UInt64.self) == WALFormat.segmentMagic else {
                return .damaged("the magic number is wrong")
            }
            let crc = buffer.loadUnaligned(
                fromByteOffset: WALFormat.headerBytes - 4, as: UInt32.self)
            let body = UnsafeRawBufferPointer(rebasing: buffer[0..<(WALFormat.headerBytes - 4)])
            guard UInt32(littleEndian: crc) == Checksum.crc32c(body) else {
                return .damaged("the header's checksum is wrong")
            }
            guard let version = reader.readFixed(UInt32.self), reader.skip(4 + 8),
                let readBits = reader.readFixed(UInt64.self), reader.skip(8),
                let cluster = reader.readUID(), let shard = reader.readUID(),
                let branch = reader.readUID(), let incarnation = reader.readFixed(UInt64.self),
                let epoch = reader.readFixed(UInt64.self),
                let segment = reader.readFixed(UInt64.self), let uid = reader.readUID(),
                let firstLSN = reader.readFixed(UInt64.self),
                let predecessor = reader.readPredecessor(), reader.skip(8),
                let wall = reader.readFixed(UInt64.self), let kind = reader.readByte()
            else { return .damaged("the header is cut short") }
            if version > WALFormat.version || readBits & ~WALFormat.sealedFeature != 0 {
                return .newer("format version \(version), features \(readBits)")
            }
            var envelope: KeyEnvelope?
            if readBits & WALFormat.sealedFeature != 0 {
                let place = UnsafeRawBufferPointer(rebasing: buffer[WALFormat.envelopeOffset...])
                envelope = KeyEnvelope.decode(place, uid: uid)
                if envelope == nil { return .damaged("the wrapped key is damaged") }
            }
            var header = WALSegmentHeader(
                identity: WALIdentity(
                    cluster: cluster, shard: shard, branch: branch, incarnation: incarnation,
                    epoch: epoch),
                segment: WALSegmentNumber(segment), uid: uid, firstLSN: LSN(firstLSN),
                predecessor: predecessor,
                envelope: envelope, wallMicros: wall, isRecycled: kind == 1,
                version: version, readIncompatibleFeatures: readBits)
            header.readShown(
                UnsafeRawBufferPointer(rebasing: buffer[WALFormat.shownOffset...]))
            return .header(header)
        }
    }
}

extension WALSegmentHeader {
    fileprivate mutating func readShown(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard let number = reader.readFixed(UInt64.self), let cut = reader.readFixed(UInt64.self)
        else { return }
        if number != 0 { chunkSegment = WALSegmentNumber(number) }
        if cut != 0 { cutLSN = LSN(cut) }
    }
}

/// A predecessor on disk: 8 bytes its number, 0 for none; 16 its uid; 8 its last LSN.
extension ByteWriter {
    mutating func append(_ predecessor: WALContinuation.Predecessor?) {
        appendFixed(predecessor?.segment.rawValue ?? 0)
        append(predecessor?.uid ?? .zero)
        appendFixed(predecessor?.lastLSN.rawValue ?? 0)
    }
}

extension ByteReader {
    /// Nil where the bytes end before; a predecessor of nil where there is none.
    mutating func readPredecessor() -> WALContinuation.Predecessor?? {
        guard let number = readFixed(UInt64.self), let uid = readUID(),
            let last = readFixed(UInt64.self)
        else { return nil }
        guard number != 0 else { return .some(nil) }
        return WALContinuation.Predecessor(
            segment: WALSegmentNumber(number), uid: uid, lastLSN: LSN(last))
    }
}

/// What a chunk is. Values live on disk.
enum WALChunkKind: UInt8, Sendable {
    /// Records of the log.
    case records = 1
    /// Only how far the log is committed and synced.
    case watermark = 2
    /// The segment's end: records go on in the next.
    case seal = 3
}

/// The clear-text, checksummed head of a chunk.
struct WALChunkHeader {
    var kind: WALChunkKind
    var storedBytes: Int
    var recordBytes: Int
    var segment: WALSegmentNumber
    var firstLSN: LSN
    var syncedLSN: LSN
    var committedLSN: LSN
    var tag: UInt32
    var payloadCRC: UInt32
    var offset: UInt64

    /// Where the records lie, and what of the header is authenticated with them. What a retry may state
    /// otherwise, the watermarks, is not: the same nonce must never come with anything else.
    func place(_ uid: UID) -> SealPlace {
        SealPlace(
            uid: uid, kind: SealPlace.Kind.logChunk, counter: offset,
            head: (firstLSN.rawValue, UInt64(recordBytes)))
    }

    var endLSN: LSN { firstLSN.advanced(by: UInt64(recordBytes)) }
    /// Header, stored bytes and padding.
    var totalBytes: Int { WALFormat.chunkHeaderBytes + WALFormat.padded(storedBytes) }

    /// Writes the header to `target`, which has room for it.
    func encode(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: WALFormat.chunkMagic.littleEndian, toByteOffset: 0, as: UInt32.self)
        target.storeBytes(of: UInt32(kind.rawValue).littleEndian, toByteOffset: 4, as: UInt32.self)
        target.storeBytes(
            of: UInt32(truncatingIfNeeded: storedBytes).littleEndian, toByteOffset: 8,
            as: UInt32.self)
        target.storeBytes(
            of: UInt32(truncatingIfNeeded: recordBytes).littleEndian, toByteOffset: 12,
            as: UInt32.self)
        target.storeBytes(of: segment.rawValue.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: firstLSN.rawValue.littleEndian, toByteOffset: 24, as: UInt64.self)
        target.storeBytes(of: syncedLSN.rawValue.littleEndian, toByteOffset: 32, as: UInt64.self)
        target.storeBytes(of: committedLSN.rawValue.littleEndian, toByteOffset: 40, as: UInt64.self)
        target.storeBytes(of: tag.littleEndian, toByteOffset: 48, as: UInt32.self)
        target.storeBytes(of: payloadCRC.littleEndian, toByteOffset: 52, as: UInt32.self)
        target.storeBytes(
            of: UInt32(truncatingIfNeeded: offset / 8).littleEndian, toByteOffset: 56,
            as: UInt32.self)
        let crc = Checksum.crc32c(UnsafeRawBufferPointer(start: target, count: 60))
        target.storeBytes(of: crc.littleEndian, toByteOffset: 60, as: UInt32.self)
    }

    /// The header at `source`, which has 64 readable bytes, when its checksum fits.
    static func decode(_ source: UnsafeRawPointer) -> WALChunkHeader? {
        guard UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)) == WALFormat.chunkMagic
        else { return nil }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func long(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard word(60) == Checksum.crc32c(UnsafeRawBufferPointer(start: source, count: 60)),
            let kind = WALChunkKind(rawValue: UInt8(truncatingIfNeeded: word(4)))
        else { return nil }
        return WALChunkHeader(
            kind: kind, storedBytes: Int(word(8)), recordBytes: Int(word(12)),
            segment: WALSegmentNumber(long(16)), firstLSN: LSN(long(24)),
            syncedLSN: LSN(long(32)), committedLSN: LSN(long(40)), tag: word(48),
            payloadCRC: word(52), offset: UInt64(word(56)) * 8)
    }
}
