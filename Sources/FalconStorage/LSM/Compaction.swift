/// One decided compaction: which tables of a level go, with which of the next, to where.
struct Compaction {
    enum Reason: String {
        case level0Files = "level0-files"
        case levelSize = "level-size"
        case manual
        /// Level 0 merges in itself while a quarantined table bars the way down.
        case besideQuarantine = "beside-quarantine"
        /// Live values leave blob files that hold much garbage.
        case blobGarbage = "blob-garbage"
        /// Live values leave small blob files for greater ones.
        case blobFiles = "blob-files"
        /// Deletes have piled up in a table.
        case tombstones
        /// A range tombstone hides whole tables from every reader.
        case deletedTables = "deleted-tables"
        /// Old versions and deletes of a table are garbage since the safepoint has passed them.
        case garbage
        /// Many seeks look into a table in vain.
        case reads
        /// Files are encrypted, under another key, or no longer.
        case encryption
    }
    /// The keys that tables cover together.
    struct Span {
        var lower: [UInt8]
        var upper: [UInt8]
        var upperIsExclusive: Bool

        func overlaps(_ file: TableFile) -> Bool {
            file.metadata.overlaps(
                lower: lower, upper: upper, upperIsExclusive: upperIsExclusive)
        }

        func overlaps(_ other: Span) -> Bool {
            Self.reaches(self, other.lower) && Self.reaches(other, lower)
        }

        /// Whether `file` lies wholly inside.
        func contains(_ file: TableFile) -> Bool {
            let metadata = file.metadata
            if KeyOrder.less(metadata.smallest, lower) { return false }
            let order = KeyOrder.compare(metadata.largest, upper)
            return order < 0
                || (order == 0 && (!upperIsExclusive || metadata.largestIsExclusive))
        }

        private static func reaches(_ span: Span, _ key: [UInt8]) -> Bool {
            let order = KeyOrder.compare(span.upper, key)
            return order > 0 || (order == 0 && !span.upperIsExclusive)
        }
    }
    var reason: Reason
    var version: Version
    var inputLevel: Int
    var outputLevel: Int
    /// Newest first when from level 0, else by key.
    var inputs: [TableFile]
    /// Overlapping tables of the output level, by key.
    var overlapped: [TableFile]

    var allInputs: [TableFile] { inputs + overlapped }
    var inputEntries: UInt64 { allInputs.reduce(0) { $0 + $1.metadata.entryCount } }
    var inputBytes: UInt64 { allInputs.reduce(0) { $0 + $1.metadata.byteCount } }
    /// Where the outputs will lie.
    var span: Span? { Self.span(allInputs) }

    /// The inputs go without being read: no reader sees anything of them.
    var dropsInputs: Bool { reason == .deletedTables }

    /// The tables only change level: no table overlaps another and nothing is overlapped below.
    var isTrivialMove: Bool {
        guard overlapped.isEmpty, reason != .manual, reason != .blobGarbage, reason != .encryption,
            outputLevel > inputLevel
        else { return false }
        // Rewriting rids a table of its tombstones where nothing lies beneath.
        if reason == .tombstones, !overlapsBeneath { return false }
        let sorted = inputs.sorted { KeyOrder.less($0.metadata.smallest, $1.metadata.smallest) }
        return zip(sorted, sorted.dropFirst()).allSatisfy {
            $0.metadata.isBefore($1.metadata.smallest)
        }
    }

    /// Whether a level below the output has keys of the inputs' span.
    private var overlapsBeneath: Bool {
        guard let span else { return false }
        return version.levels[(outputLevel + 1)...].contains { level in
            level.files.contains { span.overlaps($0) }
        }
    }

    func mark(_ isBusy: Bool) { for file in allInputs { file.isBeingCompacted = isBusy } }

    static func span(_ files: [TableFile]) -> Span? {
        guard let first = files.first?.metadata else { return nil }
        var span = Span(
            lower: first.smallest, upper: first.largest,
            upperIsExclusive: first.largestIsExclusive)
        for file in files.dropFirst() { span.extend(to: file.metadata) }
        return span
    }
}

extension Compaction.Span {
    mutating func extend(to file: FileMetadata) {
        if KeyOrder.less(file.smallest, lower) { lower = file.smallest }
        let order = KeyOrder.compare(upper, file.largest)
        if order < 0 {
            upper = file.largest
            upperIsExclusive = file.largestIsExclusive
        } else if order == 0 {
            upperIsExclusive = upperIsExclusive && file.largestIsExclusive
        }
    }
}
