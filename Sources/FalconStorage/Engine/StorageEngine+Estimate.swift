extension StorageEngine {
    /// Where the log ends of what readers may see; zero in an engine that is read-only.
    public var publishedEnd: LSN { writeSide?.pipeline.publishedEnd ?? .zero }

    /// Roughly how many keys of `range` have a value, without reading anything: for choosing between ways to
    /// read them. Versions that are not the newest, and keys in several places, may count more than once; of a
    /// table of files that nobody has read yet, and that has other keys, too, half is taken to be in the range.
    ///
    /// Microseconds for a range that begins with the same 8 bytes, where tables know their share.
    public func estimatedKeyCount(of range: KeyRange) -> UInt64 {
        let state = cell.retained()
        var count = Double(state.active.table.estimatedKeyCount(of: range))
        for layer in state.immutables {
            count += Double(
                layer.adopted?.estimatedKeyCount(of: range)
                    ?? layer.table.estimatedKeyCount(of: range))
            for file in layer.ingested { count += Self.estimatedKeyCount(of: range, in: file) }
        }
        for level in state.version.levels {
            for file in level.files { count += Self.estimatedKeyCount(of: range, in: file) }
        }
        return UInt64(min(max(0, count), 1e18))
    }

    /// Each tombstone takes away what it deletes, perhaps in another file: then this is below zero.
    private static func live(_ entries: UInt64, _ tombstones: UInt64) -> Double {
        Double(entries) - 2 * Double(tombstones)
    }

    private static func estimatedKeyCount(of range: KeyRange, in file: TableFile) -> Double {
        let metadata = file.metadata
        guard metadata.entryCount > 0, file.overlaps(range) else { return 0 }
        let all = live(metadata.entryCount, metadata.tombstoneCount)
        let beginsInside = range.lower.map { KeyOrder.compare($0, metadata.smallest) <= 0 } ?? true
        if beginsInside, range.upper.map({ metadata.isBefore($0) }) ?? true { return all }
        guard let reader = file.openReader else { return all / 2 }
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
