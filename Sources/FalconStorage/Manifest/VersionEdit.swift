/// An incarnation: one writable open of the directory.
struct Incarnation: Hashable, Sendable {
    /// Rises by one with each writable open.
    var number: UInt64
    var branch: UID
    var parent: UID
    var forkLSN: LSN
    var epoch: UInt64
}

/// One atomic change of the set of files and of the floors beside it.
///
/// A chunk of MANIFEST holds one edit: fields in any order, each a varint tag, a varint length and
/// that many bytes. An odd tag is critical: a reader that does not know it must refuse the file; an
/// unknown even tag is skipped. Tag 0 is never used and retired tags never return.
///
/// ```
///  1 snapshot      empty; the edit is the whole state, always the first of a file
///  3 removeFile    level varint, file number varint
///  5 addFile       level varint, then the file:
///                  kind u8, number varint, uid 16, bytes varint, flush epoch varint,
///                  smallest (varint length, bytes), largest (same), flags u8 (bit 0: largest is
///                  exclusive, bit 1: ingest timestamp follows, bit 2: blob uses follow, bit 3: garbage
///                  follows, bit 4: key id follows), min timestamp u64, max timestamp
///                  u64, entries varint, tombstones varint, range tombstones varint, hash u64,
///                  [ingest timestamp u64], [blob uses: count varint, then of each file, by
///                  number: number varint less the one before, records varint, bytes varint], [garbage:
///                  see ``VersionGarbage``], [key id u64: the wrapping key of an encrypted file];
///                  a blob file has level 0, empty bounds and no timestamps
///  7 flushedLSN    u64: commits that end at or before it are in tables
///  9 nextFile      u64
/// 11 incarnation   number u64, branch 16, parent 16, fork LSN u64, epoch u64
/// 13 timestampFloor u64: no later commit may be at or below it
/// 15 transactionLimit u64: numbers below it may have been given out
/// 17 safepoint     u64: versions below it may be gone
/// 19 nextEpoch     u64: the next flush epoch
/// 20 logSegment    u64: the log has this segment, or a later one
/// 22 logEnd        u64: the log was closed whole and reaches so far
/// 40 quarantine    a table is out of service (``QuarantineRecord``)
/// 42 release       file number varint: it is in service again
/// ```
struct VersionEdit: Equatable, Sendable {
    struct Addition: Hashable, Sendable {
        var level: Int
        var file: FileMetadata
    }
    struct Removal: Hashable, Sendable {
        var level: Int
        var number: FileNumber
    }

    var isSnapshot = false
    var added: [Addition] = []
    var removed: [Removal] = []
    var flushedLSN: LSN?
    var nextFileNumber: FileNumber?
    var incarnation: Incarnation?
    var timestampFloor: Timestamp?
    var transactionLimit: TransactionID?
    var safepoint: Timestamp?
    var nextFlushEpoch: UInt64?
    var logSegment: WALSegmentNumber?
    var logEnd: LSN?
    var quarantined: [QuarantineRecord] = []
    var released: [FileNumber] = []

    static let levelCount = 7

    /// Also removes these blob files; one that the edit itself adds is not added.
    mutating func removeBlobs(_ numbers: [FileNumber]) {
        for number in numbers {
            let before = added.count
            added.removeAll { $0.file.kind == .blob && $0.file.number == number }
            if added.count == before { removed.append(Removal(level: 0, number: number)) }
        }
    }
}

// MARK: - Codec

extension VersionEdit {
    private enum Tag {
        static let snapshot: UInt64 = 1
        static let removeFile: UInt64 = 3
        static let addFile: UInt64 = 5
        static let flushedLSN: UInt64 = 7
        static let nextFile: UInt64 = 9
        static let incarnation: UInt64 = 11
        static let timestampFloor: UInt64 = 13
        static let transactionLimit: UInt64 = 15
        static let safepoint: UInt64 = 17
        static let nextEpoch: UInt64 = 19
        static let logSegment: UInt64 = 20
        static let logEnd: UInt64 = 22
        static let quarantine: UInt64 = 40
        static let release: UInt64 = 42
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + added.count * 160)
        var field = ByteWriter()
        func put(_ tag: UInt64, _ fill: (inout ByteWriter) -> Void) {
            field.bytes.removeAll(keepingCapacity: true)
            fill(&field)
            writer.appendVarint(tag)
            writer.appendLengthPrefixed(field.bytes)
        }
        if isSnapshot { put(Tag.snapshot) { _ in } }
        for removal in removed {
            put(Tag.removeFile) {
                $0.appendVarint(UInt64(removal.level))
                $0.appendVarint(removal.number.rawValue)
            }
        }
        for addition in added {
            put(Tag.addFile) {
                $0.appendVarint(UInt64(addition.level))
                Self.encode(addition.file, into: &$0)
            }
        }
        if let flushedLSN { put(Tag.flushedLSN) { $0.appendFixed(flushedLSN.rawValue) } }
        if let nextFileNumber { put(Tag.nextFile) { $0.appendFixed(nextFileNumber.rawValue) } }
        if let incarnation {
            put(Tag.incarnation) {
                $0.appendFixed(incarnation.number)
                $0.append(incarnation.branch)
                $0.append(incarnation.parent)
                $0.appendFixed(incarnation.forkLSN.rawValue)
                $0.appendFixed(incarnation.epoch)
            }
        }
        if let timestampFloor {
            put(Tag.timestampFloor) { $0.appendFixed(timestampFloor.rawValue) }
        }
        if let transactionLimit {
            put(Tag.transactionLimit) { $0.appendFixed(transactionLimit.rawValue) }
        }
        if let safepoint { put(Tag.safepoint) { $0.appendFixed(safepoint.rawValue) } }
        if let nextFlushEpoch { put(Tag.nextEpoch) { $0.appendFixed(nextFlushEpoch) } }
        if let logSegment { put(Tag.logSegment) { $0.appendFixed(logSegment.rawValue) } }
        if let logEnd { put(Tag.logEnd) { $0.appendFixed(logEnd.rawValue) } }
        for record in quarantined { put(Tag.quarantine) { record.encode(into: &$0) } }
        for number in released { put(Tag.release) { $0.appendVarint(number.rawValue) } }
        return writer.bytes
    }

    private static func encode(_ file: FileMetadata, into writer: inout ByteWriter) {
        writer.append(file.kind.rawValue)
        writer.appendVarint(file.number.rawValue)
        writer.append(file.uid)
        writer.appendVarint(file.byteCount)
        writer.appendVarint(file.flushEpoch)
        writer.appendLengthPrefixed(file.smallest)
        writer.appendLengthPrefixed(file.largest)
        writer.append(
            (file.largestIsExclusive ? 1 : 0) | (file.ingestTimestamp == nil ? 0 : 2)
                | (file.blobUses.isEmpty ? 0 : 4) | (file.garbage.isEmpty ? 0 : 8)
                | (file.keyID == 0 ? 0 : 16))
        writer.appendFixed(file.minTimestamp.rawValue)
        writer.appendFixed(file.maxTimestamp.rawValue)
        writer.appendVarint(file.entryCount)
        writer.appendVarint(file.tombstoneCount)
        writer.appendVarint(file.rangeTombstoneCount)
        writer.appendFixed(file.contentHash)
        if let ingest = file.ingestTimestamp { writer.appendFixed(ingest.rawValue) }
        if !file.blobUses.isEmpty { encode(file.blobUses, into: &writer) }
        if !file.garbage.isEmpty { file.garbage.encode(into: &writer) }
        if file.keyID != 0 { writer.appendFixed(file.keyID) }
    }

    /// Decodes one chunk's payload; nil when it does not follow the format. Throws
    /// `unsupported-format` on an unknown critical field.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String
    ) throws(StorageError) -> VersionEdit? {
        var edit = VersionEdit()
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            guard let tag = reader.readVarint(), tag != 0, let body = reader.readLengthPrefixed()
            else { return nil }
            var field = ByteReader(body)
            switch tag {
            case Tag.snapshot: edit.isSnapshot = true
            case Tag.removeFile:
                guard let level = level(&field), let number = field.readVarint() else { return nil }
                edit.removed.append(Removal(level: level, number: FileNumber(number)))
            case Tag.addFile:
                guard let level = level(&field), let file = file(&field) else { return nil }
                edit.added.append(Addition(level: level, file: file))
            case Tag.flushedLSN:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.flushedLSN = LSN(value)
            case Tag.nextFile:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.nextFileNumber = FileNumber(value)
            case Tag.incarnation:
                guard let number = field.readFixed(UInt64.self), let branch = field.readUID(),
                    let parent = field.readUID(), let fork = field.readFixed(UInt64.self),
                    let epoch = field.readFixed(UInt64.self)
                else { return nil }
                edit.incarnation = Incarnation(
                    number: number, branch: branch, parent: parent, forkLSN: LSN(fork), epoch: epoch
                )
            case Tag.timestampFloor:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.timestampFloor = Timestamp(value)
            case Tag.transactionLimit:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.transactionLimit = TransactionID(value)
            case Tag.safepoint:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.safepoint = Timestamp(value)
            case Tag.nextEpoch:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.nextFlushEpoch = value
            case Tag.logSegment:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.logSegment = WALSegmentNumber(value)
            case Tag.logEnd:
                guard let value = field.readFixed(UInt64.self) else { return nil }
                edit.logEnd = LSN(value)
            case Tag.quarantine:
                guard let record = QuarantineRecord(&field) else { return nil }
                edit.quarantined.append(record)
            case Tag.release:
                guard let number = field.readVarint() else { return nil }
                edit.released.append(FileNumber(number))
            default:
                if tag & 1 == 1 {
                    throw StorageError(
                        .unsupportedFormat, kind: .user,
                        "MANIFEST holds a field (\(tag)) that this program must know to open it.",
                        location: .init(path: path),
                        hint: "Open it with the version that wrote it, or a later one.")
                }
                continue
            }
            guard field.isAtEnd else { return nil }
        }
        return edit
    }

    private static func level(_ reader: inout ByteReader) -> Int? {
        guard let level = reader.readVarint(), level < UInt64(levelCount) else { return nil }
        return Int(level)
    }

    private static func file(_ reader: inout ByteReader) -> FileMetadata? {
        guard let kindByte = reader.readByte(), let kind = DataFileKind(rawValue: kindByte),
            let number = reader.readVarint(), let uid = reader.readUID(),
            let byteCount = reader.readVarint(), let epoch = reader.readVarint(),
            let smallest = reader.readLengthPrefixed(), let largest = reader.readLengthPrefixed(),
            let flags = reader.readByte(), flags & ~31 == 0,
            let minTimestamp = reader.readFixed(UInt64.self),
            let maxTimestamp = reader.readFixed(UInt64.self),
            let entries = reader.readVarint(), let tombstones = reader.readVarint(),
            let rangeTombstones = reader.readVarint(), let hash = reader.readFixed(UInt64.self)
        else { return nil }
        var ingest: Timestamp?
        if flags & 2 != 0 {
            guard let value = reader.readFixed(UInt64.self) else { return nil }
            ingest = Timestamp(value)
        }
        var uses: [BlobUse] = []
        if flags & 4 != 0 {
            guard let found = blobUses(&reader) else { return nil }
            uses = found
        }
        var garbage = VersionGarbage()
        if flags & 8 != 0 {
            guard let found = VersionGarbage(&reader), !found.isEmpty else { return nil }
            garbage = found
        }
        var keyID: UInt64 = 0
        if flags & 16 != 0 {
            guard let value = reader.readFixed(UInt64.self), value != 0 else { return nil }
            keyID = value
        }
        return FileMetadata(
            kind: kind, number: FileNumber(number), uid: uid, byteCount: byteCount,
            flushEpoch: epoch, smallest: Array(smallest), largest: Array(largest),
            largestIsExclusive: flags & 1 != 0, minTimestamp: Timestamp(minTimestamp),
            maxTimestamp: Timestamp(maxTimestamp), entryCount: entries,
            tombstoneCount: tombstones, rangeTombstoneCount: rangeTombstones, contentHash: hash,
            ingestTimestamp: ingest, keyID: keyID, blobUses: uses, garbage: garbage)
    }

    private static func encode(_ uses: [BlobUse], into writer: inout ByteWriter) {
        writer.appendVarint(UInt64(uses.count))
        var last: UInt64 = 0
        for use in uses {
            writer.appendVarint(use.file.rawValue &- last)
            writer.appendVarint(use.records)
            writer.appendVarint(use.bytes)
            last = use.file.rawValue
        }
    }

    private static func blobUses(_ reader: inout ByteReader) -> [BlobUse]? {
        guard let count = reader.readVarint(), count <= UInt64(reader.remaining) else { return nil }
        var uses: [BlobUse] = []
        var last: UInt64 = 0
        for _ in 0..<count {
            guard let step = reader.readVarint(), let records = reader.readVarint(),
                let bytes = reader.readVarint()
            else { return nil }
            last &+= step
            uses.append(BlobUse(file: FileNumber(last), records: records, bytes: bytes))
        }
        return uses
    }
}
