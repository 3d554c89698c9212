/// Which level an ingested file goes to: the deepest one that has nothing newer above or beside it.
struct IngestPlacement {
    private let version: Version
    /// What running compactions have taken together covers more keys than the tables: an output may lie
    /// over a gap between two inputs.
    private let busy: Compaction.Span?

    /// - Parameter busy: tables that compactions have taken.
    init(_ version: Version, busy: [TableFile]) {
        self.version = version
        self.busy = Compaction.span(busy)
    }

    /// Everything older is in tables by now, so what overlaps is older and must stay below.
    func levels(of files: [TableFile]) -> [Int] { files.map { level(of: $0.metadata) } }

    private func level(of file: FileMetadata) -> Int {
        if let busy,
            file.overlaps(
                lower: busy.lower, upper: busy.upper, upperIsExclusive: busy.upperIsExclusive)
        {
            return 0
        }
        var chosen = 0
        for (level, files) in version.levels.enumerated() {
            let isTaken = files.files.contains {
                file.overlaps(
                    lower: $0.metadata.smallest, upper: $0.metadata.largest,
                    upperIsExclusive: $0.metadata.largestIsExclusive)
            }
            if isTaken { break }
            chosen = level
        }
        return chosen
    }
}

extension IngestRecord.File {
    /// A table that was made to be ingested.
    init(_ table: FileMetadata) {
        self.init(
            uid: table.uid, number: table.number, byteCount: table.byteCount,
            hash: table.contentHash, entryCount: table.entryCount,
            tombstoneCount: table.tombstoneCount, rangeTombstoneCount: table.rangeTombstoneCount,
            smallest: table.smallest, greatest: table.largest,
            greatestIsExclusive: table.largestIsExclusive)
    }
}

extension FileMetadata {
    /// An ingested file as the log names it.
    init(_ file: IngestRecord.File, at timestamp: Timestamp, epoch: UInt64) {
        self.init(
            number: file.number, uid: file.uid, byteCount: file.byteCount, flushEpoch: epoch,
            smallest: file.smallest, largest: file.greatest,
            largestIsExclusive: file.greatestIsExclusive, minTimestamp: timestamp,
            maxTimestamp: timestamp, entryCount: file.entryCount,
            tombstoneCount: file.tombstoneCount, rangeTombstoneCount: file.rangeTombstoneCount,
            contentHash: file.hash, ingestTimestamp: timestamp,
            keyID: file.keyID)
    }
}
