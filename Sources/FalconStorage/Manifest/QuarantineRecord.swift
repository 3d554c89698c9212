/// Why a table is out of service, or a blob file's damaged values are not moved: what was found wrong first,
/// where, when and by whom. Kept in MANIFEST.
struct QuarantineRecord: Hashable, Sendable {
    var file: FileNumber
    var finder: CorruptionReport.Finder
    /// Microseconds since 1970 by the wall clock.
    var foundWallMicros: UInt64
    /// Where in the file; nil when it is about the whole.
    var offset: UInt64?
    /// What is wrong, with what was expected and what is there.
    var reason: String

    init(
        _ error: StorageError, file: FileNumber, finder: CorruptionReport.Finder, wallMicros: UInt64
    ) {
        self.file = file
        self.finder = finder
        foundWallMicros = wallMicros
        offset = error.location?.offset
        reason = error.cause.map { "\(error.message) (\($0))" } ?? error.message
    }

    // MARK: - Codec

    /// ```
    /// file number varint, finder u8, wall micros u64, offset u64 (all ones: none), reason (varint length,
    /// UTF-8)
    /// ```
    func encode(into writer: inout ByteWriter) {
        writer.appendVarint(file.rawValue)
        writer.append(finder.rawByte)
        writer.appendFixed(foundWallMicros)
        writer.appendFixed(offset ?? .max)
        writer.appendLengthPrefixed(Array(reason.utf8))
    }

    /// Nil when it does not follow the format.
    init?(_ reader: inout ByteReader) {
        guard let file = reader.readVarint(), let finderByte = reader.readByte(),
            let wall = reader.readFixed(UInt64.self), let offset = reader.readFixed(UInt64.self),
            let text = reader.readLengthPrefixed()
        else { return nil }
        self.file = FileNumber(file)
        finder = CorruptionReport.Finder(rawByte: finderByte)
        foundWallMicros = wall
        self.offset = offset == .max ? nil : offset
        reason = String(decoding: text, as: UTF8.self)
    }
}
