extension StorageEngine {
    /// Where the log ends of what readers may see; zero in an engine that is read-only.
    public var publishedEnd: LSN { writeSide?.pipeline.publishedEnd ?? .zero }

    /// Roughly how many keys of `range` have a value, without reading anything: for choosing between ways to
    /// read them. Versions that are not the newest, and keys in several places, may count more than once; of a
    /// table of files that nobody has read yet, and that has other keys, too, half is taken to be in the range.
    ///
    /// Microseconds for a range that begins with the same 8 bytes, where tables know their share.
    public func estimatedKeyCount(of range: KeyRange) -> UInt64 {
        countKeys(of: range) { Self.live($0) / 2 } ?? 0
    }

    /// The same where it is no guess: nil when a table of files has a part in it that nobody has read yet.
    public func knownKeyCount(of range: KeyRange) -> UInt64? {
        countKeys(of: range) { _ in nil }
    }

    /// - Parameter unread: how many are in the range of a table that is not open; nil: that is not known.
    private func countKeys(
        of range: KeyRange, _ unread: (FileMetadata) -> Double?
    ) -> UInt64? {
        let state = cell.retained()
        var count = Double(state.active.table.estimatedKeyCount(of: range))
        var files: [TableFile] = []
        for layer in state.immutables {
            count += Double(
                layer.adopted?.estimatedKeyCount(of: range)
                    ?? layer.table.estimatedKeyCount(of: range))
            files += layer.ingested
        }
        for level in state.version.levels { files += level.files.filter { $0.overlaps(range) } }
        for file in files {
            guard let part = Self.countKeys(of: range, in: file) ?? unread(file.metadata) else {
                return nil
            }
            count += part
        }
        return UInt64(min(max(0, count), 1e18))
    }

    /// Each tombstone takes away what it deletes, perhaps in another file: then this is below zero.
    private static func live(_ entries: UInt64, _ tombstones: UInt64) -> Double {
        Double(entries) - 2 * Double(tombstones)
    }

    private static func live(_ metadata: FileMetadata) -> Double {
        live(metadata.entryCount, metadata.tombstoneCount)
    }

    /// Nil when the table is not open and has other keys, too.
    private static func countKeys(of range: KeyRange, in file: TableFile) -> Double? {
        let metadata = file.metadata
        guard metadata.entryCount > 0, file.overlaps(range) else { return 0 }
        let all = live(metadata)
        let beginsInside = range.lower.map { KeyOrder.compare($0, metadata.smallest) <= 0 } ?? true
        if beginsInside, range.upper.map({ metadata.isBefore($0) }) ?? true { return all }
        guard let reader = file.openReader else { return nil }
        let counts = reader.properties.storageCounts
        if let lower = range.lower, lower.count == 8, range == KeyRange(prefix: lower),
            !counts.isEmpty
        {
            let prefix = lower.withUnsafeBytes { EntryTree.window($0, 0) }
            return counts.first { $0.prefix == prefix }.map { live($0.entries, $0.tombstones) }
                ?? 0
        }
        let share = Double(reader.approximateBytes(in: range)) / Double(max(1, metadata.byteCount))
        return all * min(1, share)
    }
}
