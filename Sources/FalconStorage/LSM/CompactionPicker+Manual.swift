extension CompactionPicker {
    /// The next step of a manual compaction of `range`: the topmost level with tables there goes
    /// one down; nil when only one level has any and it has been rewritten.
    func pickManual(
        _ version: Version, _ range: KeyRange, _ context: PickContext
    ) -> Compaction? {
        if version.level0.files.contains(where: { $0.overlaps(range) }) {
            return make(
                version, from: 0, to: targets(version).baseLevel, version.level0.files, .manual,
                context)
        }
        let inRange = (1..<Version.levelCount).filter { level in
            version.levels[level].files.contains { $0.overlaps(range) }
        }
        guard inRange.count > 1, let top = inRange.first else { return nil }
        return make(
            version, from: top, to: inRange[1],
            version.levels[top].files.filter { $0.overlaps(range) }, .manual, context)
    }

    /// Bytes of the tables that a manual compaction of `range` has yet to merge: all that overlap it.
    func manualBytes(_ version: Version, _ range: KeyRange) -> UInt64 {
        version.levels.reduce(0) { sum, level in
            level.files.reduce(sum) { $0 + ($1.overlaps(range) ? $1.metadata.byteCount : 0) }
        }
    }

    /// Rewrites the tables of the only level that holds `range`, to drop what the safepoint allows.
    func pickRewrite(_ version: Version, _ range: KeyRange, safepoint: Timestamp) -> [Compaction] {
        guard
            let level = (1..<Version.levelCount).last(where: { level in
                version.levels[level].files.contains { $0.overlaps(range) }
            })
        else { return [] }
        return version.levels[level].files.filter {
            $0.overlaps(range) && !$0.isTaken
                && ($0.metadata.tombstoneCount > 0 || $0.metadata.rangeTombstoneCount > 0)
                && $0.metadata.minTimestamp <= safepoint
        }.map {
            Compaction(
                reason: .manual, version: version, inputLevel: level, outputLevel: level,
                inputs: [$0], overlapped: [])
        }
    }
}
