/// The bytes of a blob file: large values that their tables refer to. See docs/formats/blob.md.
///
///     header   64 bytes
///     record   repeated
///     footer   64 bytes, the end of the file
///
/// Header:
///
///     0   u64  magic "FalcnBLB"
///     8   u32  format version
///     12  u32  feature bits: compatible
///     16  u32  feature bits: read-incompatible
///     20  u32  feature bits: write-incompatible
///     24  u64  file uid, high      32  u64  file uid, low
///     40  16 bytes reserved, zero
///     56  u64  XXH3-64 of bytes 0..<56, seeded with (uid, 0, kind header)
///     64  of an encrypted file: its ``KeyEnvelope``, 80 bytes, before the first record
///
/// Record:
///
///     0   u64  XXH3-64 of all of the record that follows, seeded with (uid, offset, kind record)
///     8   u32  key bytes
///     12  u32  payload bytes
///     16  u32  value bytes: the payload before compression
///     20  u8   codec (``BlockCodec``)
///     21  u8   0: not encrypted; 1: with the key of the file's envelope
///     22  u8   kind record
///     23  u8   zero
///     24  the key, then the payload; encrypted as one, and then 16 bytes, the tag of AES-256-GCM: uid, offset
///         and bytes 8..<21 are authenticated with it
///
/// Footer:
///
///     0   u64  records
///     8   u64  key bytes of all records
///     16  u64  value bytes of all records, before compression
///     24  u64  file bytes
///     32  u64  file uid, high      40  u64  file uid, low
///     48  u64  XXH3-64 of bytes 0..<48, seeded with (uid, footer offset, kind footer)
///     56  u64  magic "BLBFalcn"
///
/// An encrypted file has read-incompatible feature bit 0, and all of its records are encrypted.
/// All numbers are little-endian.
enum BlobFormat {
    static let headerMagic: UInt64 = 0x424C_426E_636C_6146
    static let footerMagic: UInt64 = 0x6E63_6C61_4642_4C42
    /// 0 is the draft; 1 will be frozen.
    static let version: UInt32 = 0
    static let headerBytes = 64
    static let footerBytes = 64
    static let recordHeadBytes = 24
    /// Read-incompatible features: records are encrypted.
    static let sealedFeature: UInt32 = 1

    /// Where the first record begins.
    static func bodyOffset(isSealed: Bool) -> UInt64 {
        UInt64(headerBytes + (isSealed ? KeyEnvelope.byteCount : 0))
    }

    /// Where a record lies, and what of its clear head is authenticated with it.
    static func place(
        _ uid: UID, _ offset: UInt64, keyBytes: Int, payloadBytes: Int, valueBytes: Int,
        codec: BlockCodec
    ) -> SealPlace {
        SealPlace(
            uid: uid, kind: SealPlace.Kind.blobRecord, counter: offset,
            head: (
                UInt64(keyBytes) | UInt64(payloadBytes) << 32,
                UInt64(valueBytes) | UInt64(codec.rawValue) << 32
            ))
    }

    /// Header and footer: what a file has beside its records.
    static let frameBytes: UInt64 = 128
    static func frameBytes(isSealed: Bool) -> UInt64 {
        frameBytes + (isSealed ? UInt64(KeyEnvelope.byteCount) : 0)
    }
    /// A greater value stays in its table.
    static let largestValueBytes = 1 << 30

    /// What a checksum is bound to, beside uid and offset; distinct from a table's block kinds.
    enum Part: UInt8 {
        case header = 0x21
        case record = 0x22
        case footer = 0x23
    }

    static func seed(_ uid: UID, _ offset: UInt64, _ part: Part) -> UInt64 {
        Checksum.locationSeed(uid: uid, offset: offset, kind: part.rawValue)
    }
}

/// The first 64 bytes of a blob file.
enum BlobHeader {
    /// Of an encrypted file: with its envelope.
    static func encode(uid: UID, _ envelope: KeyEnvelope? = nil) -> [UInt8] {
        var writer = ByteWriter(capacity: BlobFormat.headerBytes + KeyEnvelope.byteCount)
        writer.appendFixed(BlobFormat.headerMagic)
        writer.appendFixed(BlobFormat.version)
        writer.appendFixed(UInt32(0))
        writer.appendFixed(envelope == nil ? 0 : BlobFormat.sealedFeature)
        writer.appendFixed(UInt32(0))
        writer.append(uid)
        writer.appendFixed(UInt64(0))
        writer.appendFixed(UInt64(0))
        let seed = BlobFormat.seed(uid, 0, .header)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: seed) })
        if let envelope { writer.append(contentsOf: envelope.encoded(uid: uid)) }
        return writer.bytes
    }

    /// The envelope behind the header of an encrypted file.
    static func envelope(_ file: any File, uid: UID) throws(StorageError) -> KeyEnvelope {
        try KeyEnvelope.read(file, at: BlobFormat.headerBytes, uid: uid, of: "blob file")
    }

    /// Checks a header; its uid.
    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> UID {
        try read(bytes, path: path).uid
    }

    /// As ``decode(_:path:)``, and whether the file is encrypted.
    static func read(
        _ bytes: [UInt8], path: String
    ) throws(StorageError) -> (uid: UID, isSealed: Bool) {
        var uid: UID?
        var isSealed = false
        var isNewer = false
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard buffer.count >= BlobFormat.headerBytes,
                reader.readFixed(UInt64.self) == BlobFormat.headerMagic,
                let version = reader.readFixed(UInt32.self), reader.skip(4),
                let features = reader.readFixed(UInt32.self), reader.skip(4),
                let found = reader.readUID(), reader.skip(16),
                let checksum = reader.readFixed(UInt64.self),
                checksum
                    == Checksum.xxh3(
                        UnsafeRawBufferPointer(rebasing: buffer[0..<56]),
                        seed: BlobFormat.seed(found, 0, .header))
            else { return }
            isNewer =
                version > BlobFormat.version || features & ~BlobFormat.sealedFeature != 0
            isSealed = features & BlobFormat.sealedFeature != 0
            uid = found
        }
        if isNewer {
            throw StorageError(
                .unsupportedFormat, kind: .user, "The blob file is of a newer format.",
                location: .init(path: path), hint: "Use a newer FalconDB.")
        }
        guard let uid else {
            throw .corruption(
                "The blob file's header is damaged.", path: path, offset: 0,
                hint: "Run sst-verify on the directory; restore the file from a backup.")
        }
        return (uid, isSealed)
    }
}

/// The last 64 bytes of a blob file.
struct BlobFooter: Equatable {
    var uid: UID
    var recordCount: UInt64 = 0
    var keyBytes: UInt64 = 0
    var valueBytes: UInt64 = 0
    var fileBytes: UInt64 = 0

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: BlobFormat.footerBytes)
        writer.appendFixed(recordCount)
        writer.appendFixed(keyBytes)
        writer.appendFixed(valueBytes)
        writer.appendFixed(fileBytes)
        writer.append(uid)
        let offset = fileBytes &- UInt64(BlobFormat.footerBytes)
        let seed = BlobFormat.seed(uid, offset, .footer)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: seed) })
        writer.appendFixed(BlobFormat.footerMagic)
        return writer.bytes
    }

    /// Decodes and checks the footer of a file of `size` bytes.
    static func decode(
        _ bytes: [UInt8], size: UInt64, path: String
    ) throws(StorageError) -> BlobFooter {
        let offset = size &- UInt64(BlobFormat.footerBytes)
        var decoded: BlobFooter?
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard buffer.count == BlobFormat.footerBytes,
                let records = reader.readFixed(UInt64.self),
                let keyBytes = reader.readFixed(UInt64.self),
                let valueBytes = reader.readFixed(UInt64.self),
                let fileBytes = reader.readFixed(UInt64.self), let uid = reader.readUID(),
                let checksum = reader.readFixed(UInt64.self),
                reader.readFixed(UInt64.self) == BlobFormat.footerMagic,
                checksum
                    == Checksum.xxh3(
                        UnsafeRawBufferPointer(rebasing: buffer[0..<48]),
                        seed: BlobFormat.seed(uid, offset, .footer)),
                fileBytes == size
            else { return }
            decoded = BlobFooter(
                uid: uid, recordCount: records, keyBytes: keyBytes, valueBytes: valueBytes,
                fileBytes: fileBytes)
        }
        guard let decoded else {
            throw .corruption(
                "The blob file's footer is damaged, or the file is cut off.", path: path,
                offset: offset,
                hint: "Run sst-verify on the directory; restore the file from a backup.")
        }
        return decoded
    }
}
