extension CorruptionReport {
    /// A blob file in which damage was found. It stays in service: each value proves itself when it is read,
    /// and only those that are damaged throw `corruption`. Their rows can be deleted and overwritten.
    public struct BlobFile: Sendable, Hashable {
        /// Names the file to ``StorageEngine/dropQuarantined(_:)``.
        public var file: FileNumber
        /// Where the file is, or should be.
        public var path: String
        /// Bytes of the file by what MANIFEST says.
        public var bytes: UInt64
        /// Values that tables refer to, the sound ones among them.
        public var liveRecords: UInt64
        /// Bytes of the records of ``liveRecords``.
        public var liveBytes: UInt64
        /// Byte offset of the first damage that was found; nil when the whole file is missing or cut.
        public var offset: UInt64?
        /// What is wrong: a sentence, with what was expected and what is there.
        public var reason: String
        /// Who met it first.
        public var foundBy: Finder
        /// Microseconds since 1970 by the wall clock.
        public var foundWallMicros: UInt64
    }
}

extension CorruptionReport.BlobFile {
    init(_ entry: BlobFiles.Entry, _ record: QuarantineRecord, _ names: FileNames) {
        file = entry.file.number
        path = names.blob(entry.file.number)
        bytes = entry.file.metadata.byteCount
        liveRecords = entry.liveRecords
        liveBytes = entry.liveBytes
        offset = record.offset
        reason = record.reason
        foundBy = record.finder
        foundWallMicros = record.foundWallMicros
    }
}

extension BlobFiles {
    /// The files in which damage was found.
    func corruptionReport(_ names: FileNames) -> [CorruptionReport.BlobFile] {
        entries.compactMap { entry in
            entry.file.quarantine.map { CorruptionReport.BlobFile(entry, $0, names) }
        }
    }
}
