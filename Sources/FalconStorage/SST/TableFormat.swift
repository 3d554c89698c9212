/// The bytes of a table file. See docs/formats/sst.md.
///
///     header            64 bytes
///     data block        payload, 16-byte trailer           repeated
///     index partition   payload, 16-byte trailer           repeated, only with a two-level index
///     filter            payload, 16-byte trailer           in pages with a two-level index
///     range tombstones, index, dictionary, properties      each payload and trailer; any may be
///                                                           absent but properties
///     footer            128 bytes, the end of the file
///
/// What an open table needs at once lies next to the footer.
///
/// Header:
///
///     0   u64  magic "FalcnSST"
///     8   u32  format version
///     12  u32  feature bits: compatible
///     16  u32  feature bits: read-incompatible
///     20  u32  feature bits: write-incompatible
///     24  u64  file uid, high      32  u64  file uid, low
///     40  16 bytes reserved, zero
///     56  u64  XXH3-64 of bytes 0..<56, seeded with (uid, 0, kind header)
///     64  of an encrypted table: its ``KeyEnvelope``, 80 bytes, before the first block
///
/// Footer:
///
///     0   4 handles of 16 bytes: index, filter, range tombstones, properties
///             u64 offset, u32 payload bytes (0: absent), u32 zero
///             (of a filter in pages: of the first)
///     64  u8   index levels, 1 or 2
///     65  u8   k: a filter page has 2^k lines; 2 bytes zero
///     68  u32  lines of a filter in pages, 0: it is one block
///     72  u64  file uid, high      80  u64  file uid, low
///     88  u32  format version      92  3 x u32 feature bits as in the header
///     104 u64  file bytes
///     112 u64  XXH3-64 of bytes 0..<112, seeded with (uid, footer offset, kind footer)
///     120 u64  magic "SSTFalcn"
///
/// Block trailer:
///
///     0   u8   codec (``BlockCodec``)
///     1   u8   0: not encrypted; 1: with the key of the table's envelope
///     2   u8   block kind
///     3   u8   1: compressed with the table's dictionary
///     4   u32  payload bytes before compression
///     8   u64  XXH3-64 of payload and trailer bytes 0..<8, seeded with (uid, offset, kind)
///
/// An encrypted table has read-incompatible feature bit 0, and all of its blocks are encrypted. What was compressed
/// is the ciphertext, and behind it, in the payload, come
///
///     n    16 bytes  tag of AES-256-GCM; uid, kind and offset, codec and size are authenticated with it
///     n+16 u32       the payload's bytes, n + 20: so the blocks can be walked from the end without a key
///
/// All numbers are little-endian.
enum TableFormat {
    static let headerMagic: UInt64 = 0x5453_536E_636C_6146
    static let footerMagic: UInt64 = 0x6E63_6C61_4654_5353
    /// A draft's number: only its own program reads it. 2: an entry's timestamp has its counter in front.
    static let version: UInt32 = 2
    static let headerBytes = 64
    static let footerBytes = 128
    static let trailerBytes = 16
    /// Tag and length in the payload of an encrypted block.
    static let sealBytes = FileCipher.tagBytes + 4
    /// Read-incompatible features: blocks are encrypted.
    static let sealedFeature: UInt32 = 1
    static let knownFeatures: UInt32 = sealedFeature

    /// Where the first block begins.
    static func bodyOffset(isSealed: Bool) -> UInt64 {
        UInt64(headerBytes + (isSealed ? KeyEnvelope.byteCount : 0))
    }

    enum BlockKind: UInt8, Sendable {
        case header = 1
        case data = 2
        case index = 3
        case filter = 4
        case rangeTombstones = 5
        case properties = 6
        case footer = 7
        case dictionary = 8
    }
}

/// Where a block's payload lies in its file.
struct BlockHandle: Hashable, Sendable {
    var offset: UInt64
    var payloadBytes: UInt32
    static let absent = BlockHandle(offset: 0, payloadBytes: 0)
    var isAbsent: Bool { payloadBytes == 0 }
    /// The first byte after the block's trailer.
    var end: UInt64 { offset &+ UInt64(payloadBytes) &+ UInt64(TableFormat.trailerBytes) }
}

/// The last 128 bytes of a table.
struct TableFooter: Equatable {
    var uid: UID
    var fileBytes: UInt64
    var indexLevels: UInt8 = 1
    var index: BlockHandle = .absent
    var filter: BlockHandle = .absent
    var rangeTombstones: BlockHandle = .absent
    var properties: BlockHandle = .absent
    /// ``FilterPages/none`` when the filter is one block.
    var filterLines: UInt32 = 0
    var filterShift: UInt8 = 0
    /// The table's blocks are encrypted.
    var isSealed = false

    var filterPages: FilterPages {
        FilterPages(
            handle: filterLines == 0 ? .absent : filter, lines: filterLines, shift: filterShift,
            sealBytes: isSealed ? UInt8(TableFormat.sealBytes) : 0)
    }
    /// Where the first block begins.
    var bodyOffset: UInt64 { TableFormat.bodyOffset(isSealed: isSealed) }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: TableFormat.footerBytes)
        for handle in [index, filter, rangeTombstones, properties] {
            writer.appendFixed(handle.offset)
            writer.appendFixed(handle.payloadBytes)
            writer.appendFixed(UInt32(0))
        }
        writer.appendFixed(indexLevels)
        writer.appendFixed(filterShift)
        writer.appendFixed(UInt16(0))
        writer.appendFixed(filterLines)
        writer.append(uid)
        writer.appendFixed(TableFormat.version)
        writer.appendFixed(UInt32(0))
        writer.appendFixed(isSealed ? TableFormat.sealedFeature : 0)
        writer.appendFixed(UInt32(0))
        writer.appendFixed(fileBytes)
        let seed = TableFooter.seed(uid, fileBytes)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: seed) })
        writer.appendFixed(TableFormat.footerMagic)
        return writer.bytes
    }

    private static func seed(_ uid: UID, _ fileBytes: UInt64) -> UInt64 {
        Checksum.locationSeed(
            uid: uid, offset: fileBytes &- UInt64(TableFormat.footerBytes),
            kind: TableFormat.BlockKind.footer.rawValue)
    }

    /// Decodes and checks the footer of a file of `size` bytes.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, size: UInt64, path: String
    ) throws(StorageError) -> TableFooter {
        let offset = size &- UInt64(TableFormat.footerBytes)
        func damaged(_ why: String) -> StorageError {
            .corruption("The table's footer \(why).", path: path, offset: offset)
        }
        var reader = ByteReader(bytes)
        var handles: [BlockHandle] = []
        for _ in 0..<4 {
            guard let at = reader.readFixed(UInt64.self),
                let length = reader.readFixed(UInt32.self),
                reader.readFixed(UInt32.self) != nil
            else { throw damaged("is short") }
            handles.append(BlockHandle(offset: at, payloadBytes: length))
        }
        guard let levels = reader.readByte(), let shift = reader.readByte(),
            reader.readFixed(UInt16.self) != nil, let lines = reader.readFixed(UInt32.self),
            let uid = reader.readUID(),
            let version = reader.readFixed(UInt32.self),
            reader.readFixed(UInt32.self) != nil, let readFeatures = reader.readFixed(UInt32.self),
            reader.readFixed(UInt32.self) != nil, let fileBytes = reader.readFixed(UInt64.self),
            let checksum = reader.readFixed(UInt64.self), let magic = reader.readFixed(UInt64.self)
        else { throw damaged("is short") }
        guard magic == TableFormat.footerMagic else { throw damaged("has no table's magic") }
        let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<112])
        guard checksum == Checksum.xxh3(covered, seed: seed(uid, size)) else {
            throw damaged("fails its checksum")
        }
        guard version == TableFormat.version, readFeatures & ~TableFormat.knownFeatures == 0 else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The table has format \(version), features \(readFeatures); this program reads"
                    + " format \(TableFormat.version), features \(TableFormat.knownFeatures).",
                location: .init(path: path, offset: offset),
                hint: "Use the FalconDB that wrote it.")
        }
        guard fileBytes == size else {
            throw damaged("speaks of \(fileBytes) bytes, the file has \(size)")
        }
        guard levels == 1 || levels == 2 else { throw damaged("names \(levels) index levels") }
        let footer = TableFooter(
            uid: uid, fileBytes: fileBytes, indexLevels: levels, index: handles[0],
            filter: handles[1], rangeTombstones: handles[2], properties: handles[3],
            filterLines: lines, filterShift: shift,
            isSealed: readFeatures & TableFormat.sealedFeature != 0)
        if let why = footer.filterPages.problem { throw damaged(why) }
        return footer
    }
}

/// The first 64 bytes of a table.
enum TableHeader {
    /// Of an encrypted table: with its envelope.
    static func encode(uid: UID, _ envelope: KeyEnvelope? = nil) -> [UInt8] {
        var writer = ByteWriter(capacity: TableFormat.headerBytes + KeyEnvelope.byteCount)
        writer.appendFixed(TableFormat.headerMagic)
        writer.appendFixed(TableFormat.version)
        writer.appendFixed(UInt32(0))
        writer.appendFixed(envelope == nil ? 0 : TableFormat.sealedFeature)
        writer.appendFixed(UInt32(0))
        writer.append(uid)
        writer.appendFixed(UInt64(0))
        writer.appendFixed(UInt64(0))
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: seed(uid)) })
        if let envelope { writer.append(contentsOf: envelope.encoded(uid: uid)) }
        return writer.bytes
    }

    /// The envelope behind the header of an encrypted table.
    static func envelope(_ file: any File, uid: UID) throws(StorageError) -> KeyEnvelope {
        try KeyEnvelope.read(file, at: TableFormat.headerBytes, uid: uid, of: "table")
    }

    private static func seed(_ uid: UID) -> UInt64 {
        Checksum.locationSeed(uid: uid, offset: 0, kind: TableFormat.BlockKind.header.rawValue)
    }

    /// Checks a header; its uid.
    static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws(StorageError) -> UID {
        var reader = ByteReader(bytes)
        guard reader.readFixed(UInt64.self) == TableFormat.headerMagic, reader.skip(16),
            let uid = reader.readUID(), reader.skip(16),
            let checksum = reader.readFixed(UInt64.self),
            checksum
                == Checksum.xxh3(
                    UnsafeRawBufferPointer(rebasing: bytes[0..<56]), seed: seed(uid))
        else {
            throw .corruption("The table's header is damaged.", path: path, offset: 0)
        }
        return uid
    }
}
