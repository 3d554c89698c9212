/// Which small blob files are worth merging: a compaction that meets references into enough of them
/// writes their values into one greater file.
///
/// Flushes make small files where memtables are small, or where few of the values are large. A value
/// moves only into a file that is at least ``growth`` times as large as the one it leaves, so it moves a
/// few times at most, whatever the sizes are, and files near their target size are left alone.
extension BlobFiles {
    /// Files of less than this part of the target size are small.
    static let smallPart: UInt64 = 4
    static let growth: UInt64 = 4

    /// A small file, and what some tables refer to in it.
    struct SmallUse {
        var number: UInt64
        /// Bytes of the file's records, live or not.
        var recordBytes: UInt64
        /// Of an encrypted file its key: files under different keys do not become one.
        var keyID: UInt64 = 0
        /// Bytes of those that the tables refer to.
        var usedBytes: UInt64 = 0
    }

    /// Numbers of the small files whose values a compaction of `tables` moves into greater ones, sorted.
    /// - Parameter parts: into how many outputs the compaction is cut.
    func merged(
        by tables: some Sequence<FileMetadata>, targetBytes: UInt64, parts: Int = 1
    ) -> [UInt64] {
        var uses: [UInt64: SmallUse] = [:]
        for table in tables {
            for use in table.blobUses {
                guard let file = file(use.file), isSmall(file, targetBytes) else { continue }
                uses[
                    use.file.rawValue,
                    default: SmallUse(
                        number: use.file.rawValue, recordBytes: file.recordBytes,
                        keyID: file.metadata.keyID)
                ].usedBytes &+= use.bytes
            }
        }
        guard uses.values.contains(where: { $0.keyID != 0 }) else {
            return Self.worthMerging(Array(uses.values), parts: parts)
        }
        let groups = Dictionary(grouping: uses.values, by: \.keyID).values
        return groups.flatMap { Self.worthMerging($0, parts: parts) }.sorted()
    }

    func isSmall(_ file: BlobFile, _ targetBytes: UInt64) -> Bool {
        file.recordBytes < targetBytes / Self.smallPart && !file.isDamaged
            && !file.isResting
    }

    /// As many of the smallest as together make a file that is so much greater than the greatest of them.
    static func worthMerging(_ uses: [SmallUse], parts: Int) -> [UInt64] {
        guard uses.count >= Int(growth) else { return [] }
        let sorted = uses.sorted { ($0.recordBytes, $0.number) < ($1.recordBytes, $1.number) }
        var sum: UInt64 = 0
        var end = 0
        for (index, use) in sorted.enumerated() {
            sum &+= use.usedBytes
            let wanted = use.recordBytes.multipliedCapped(by: growth)
                .multipliedCapped(by: UInt64(max(parts, 1)))
            if sum >= wanted { end = index + 1 }
        }
        return sorted[..<end].map(\.number).sorted()
    }
}
