/// Sorted files were added to the tree whole, as one commit.
///
/// `timestamp fixed64, wall micros fixed64, files varint, then per file: uid, number varint, bytes
/// varint, XXH3-64 of the file fixed64, entries, tombstones, range tombstones varints, flags u8 (1: the
/// greatest key is exclusive, 2: a key id follows), smallest, greatest key, both length-prefixed, [key id fixed64]`
///
/// The files themselves are on the device before the record is. MANIFEST has them once its flushed LSN
/// has passed the record.
public struct IngestRecord: Sendable, Hashable {
    /// One file, as MANIFEST will have it.
    public struct File: Sendable, Hashable {
        /// Its identity.
        public var uid: UID
        /// The number in its name.
        public var number: FileNumber
        /// Bytes of the file.
        public var byteCount: UInt64
        /// XXH3-64 of the whole file.
        public var hash: UInt64
        /// Puts and deletes.
        public var entryCount: UInt64
        /// Deletes among them.
        public var tombstoneCount: UInt64
        /// Range deletes.
        public var rangeTombstoneCount: UInt64
        /// The least key, range deletes' bounds included.
        public var smallest: [UInt8]
        /// The greatest key, or a range delete's upper bound: see ``greatestIsExclusive``.
        public var greatest: [UInt8]
        /// A range tombstone's upper bound ends the file.
        public var greatestIsExclusive: Bool
        /// The wrapping key over an encrypted file's data key; 0: the file is plain.
        public var keyID: UInt64 = 0
    }

    /// The timestamp of every entry of every file.
    public var timestamp: Timestamp
    /// Microseconds since 1970.
    public var wallMicros: UInt64
    /// By key; no two overlap.
    public var files: [File]

    /// The record of an ingestion.
    public init(timestamp: Timestamp, wallMicros: UInt64, files: [File]) {
        self.timestamp = timestamp
        self.wallMicros = wallMicros
        self.files = files
    }

    /// Puts and deletes of all files.
    public var entryCount: UInt64 { files.reduce(0) { $0 &+ $1.entryCount } }
    /// Bytes of all files.
    public var byteCount: UInt64 { files.reduce(0) { $0 &+ $1.byteCount } }

    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + files.count * 128)
        writer.appendFixed(timestamp.rawValue)
        writer.appendFixed(wallMicros)
        writer.appendVarint(UInt64(files.count))
        for file in files {
            writer.append(file.uid)
            writer.appendVarint(file.number.rawValue)
            writer.appendVarint(file.byteCount)
            writer.appendFixed(file.hash)
            writer.appendVarint(file.entryCount)
            writer.appendVarint(file.tombstoneCount)
            writer.appendVarint(file.rangeTombstoneCount)
            writer.append((file.greatestIsExclusive ? 1 : 0) | (file.keyID == 0 ? 0 : 2) as UInt8)
            writer.appendLengthPrefixed(file.smallest)
            writer.appendLengthPrefixed(file.greatest)
            if file.keyID != 0 { writer.appendFixed(file.keyID) }
        }
        return writer.bytes
    }

    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let timestamp = reader.readFixed(UInt64.self),
            let wall = reader.readFixed(UInt64.self), let count = reader.readVarint()
        else { return nil }
        var files: [File] = []
        for _ in 0..<min(count, UInt64(body.count)) {
            guard let file = File(&reader) else { return nil }
            files.append(file)
        }
        guard UInt64(files.count) == count, reader.isAtEnd else { return nil }
        self.init(timestamp: Timestamp(timestamp), wallMicros: wall, files: files)
    }
}

extension IngestRecord.File {
    fileprivate init?(_ reader: inout ByteReader) {
        guard let uid = reader.readUID(), let number = reader.readVarint(),
            let bytes = reader.readVarint(), let hash = reader.readFixed(UInt64.self),
            let entries = reader.readVarint(), let tombstones = reader.readVarint(),
            let ranges = reader.readVarint(), let flags = reader.readByte(), flags & ~3 == 0,
            let smallest = reader.readLengthPrefixed(), let greatest = reader.readLengthPrefixed()
        else { return nil }
        var keyID: UInt64 = 0
        if flags & 2 != 0 {
            guard let id = reader.readFixed(UInt64.self), id != 0 else { return nil }
            keyID = id
        }
        self.init(
            uid: uid, number: FileNumber(number), byteCount: bytes, hash: hash,
            entryCount: entries, tombstoneCount: tombstones, rangeTombstoneCount: ranges,
            smallest: Array(smallest), greatest: Array(greatest),
            greatestIsExclusive: flags & 1 == 1,
            keyID: keyID)
    }
}
