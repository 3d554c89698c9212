/// Why a table is out of service, or a blob file's damaged values are not moved: what was found wrong first,
/// where, when and by whom, and what of a table is lost. Kept in MANIFEST.
struct QuarantineRecord: Hashable, Sendable {
    var file: FileNumber
    var finder: CorruptionReport.Finder
    /// Microseconds since 1970 by the wall clock.
    var foundWallMicros: UInt64
    /// Where in the file; nil when it is about the whole.
    var offset: UInt64?
    /// What is wrong, with what was expected and what is there.
    var reason: String
    /// Nothing of the file can be read.
    var isWhole = true
    /// Else: the blocks that cannot. All others are read on.
    var losses: [TableLoss] = []

    init(
        _ error: StorageError, file: FileNumber, finder: CorruptionReport.Finder, wallMicros: UInt64
    ) {
        self.file = file
        self.finder = finder
        foundWallMicros = wallMicros
        offset = error.location?.offset
        reason = error.cause.map { "\(error.message) (\($0))" } ?? error.message
    }

    init(
        _ damage: TableDamage, file: FileNumber, finder: CorruptionReport.Finder, wallMicros: UInt64
    ) {
        self.init(damage.error, file: file, finder: finder, wallMicros: wallMicros)
        isWhole = damage.isWhole
        losses = damage.losses
    }

    /// True when the damage that `error` speaks of is known.
    func covers(_ error: StorageError) -> Bool {
        guard !isWhole, let offset = error.location?.offset else { return true }
        return losses.contains { $0.offset <= offset && offset &- $0.offset < $0.byteCount }
    }

    // MARK: - Codec

    /// ```
    /// file number varint, finder u8, wall micros u64, offset u64 (all ones: none), reason (varint length,
    /// UTF-8), flags u8 (bit 0: only these blocks), [blocks: count varint, then of each: offset varint, bytes
    /// varint, flags u8 (bit 0: keys are lost), [first key (varint length, bytes), first key beyond]]
    /// ```
    func encode(into writer: inout ByteWriter) {
        writer.appendVarint(file.rawValue)
        writer.append(finder.rawByte)
        writer.appendFixed(foundWallMicros)
        writer.appendFixed(offset ?? .max)
        writer.appendLengthPrefixed(Array(reason.utf8))
        writer.append(isWhole ? 0 : 1)
        if isWhole { return }
        writer.appendVarint(UInt64(losses.count))
        for loss in losses {
            writer.appendVarint(loss.offset)
            writer.appendVarint(loss.byteCount)
            writer.append(loss.keys == nil ? 0 : 1)
            guard let keys = loss.keys else { continue }
            writer.appendLengthPrefixed(keys.lower ?? [])
            writer.appendLengthPrefixed(keys.upper ?? [])
        }
    }

    /// Nil when it does not follow the format.
    init?(_ reader: inout ByteReader) {
        guard let file = reader.readVarint(), let finderByte = reader.readByte(),
            let wall = reader.readFixed(UInt64.self), let offset = reader.readFixed(UInt64.self),
            let text = reader.readLengthPrefixed(), let flags = reader.readByte(), flags & ~1 == 0
        else { return nil }
        self.file = FileNumber(file)
        finder = CorruptionReport.Finder(rawByte: finderByte)
        foundWallMicros = wall
        self.offset = offset == .max ? nil : offset
        reason = String(decoding: text, as: UTF8.self)
        isWhole = flags == 0
        if isWhole { return }
        guard let losses = Self.losses(&reader) else { return nil }
        self.losses = losses
    }

    private static func losses(_ reader: inout ByteReader) -> [TableLoss]? {
        guard let count = reader.readVarint(), count <= UInt64(reader.remaining) else { return nil }
        var losses: [TableLoss] = []
        for _ in 0..<count {
            guard let offset = reader.readVarint(), let bytes = reader.readVarint(),
                let flags = reader.readByte(), flags & ~1 == 0
            else { return nil }
            var loss = TableLoss(offset: offset, byteCount: bytes)
            if flags == 1 {
                guard let lower = reader.readLengthPrefixed(),
                    let upper = reader.readLengthPrefixed()
                else { return nil }
                loss.keys = KeyRange(lower: Array(lower), upper: Array(upper))
            }
            losses.append(loss)
        }
        return losses
    }
}
