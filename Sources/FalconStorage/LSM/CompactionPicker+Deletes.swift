extension CompactionPicker {
    /// Fewer deletes in a table are not worth a compaction of their own.
    static let leastTombstones: UInt64 = 100

    // MARK: - Tables that are deleted whole

    /// The tables of one level that lie wholly beneath range tombstones which every reader sees. Deletes
    /// in them may go too: whatever they hide is older still and beneath the same range tombstones.
    func pickDeletedTables(_ version: Version, _ context: PickContext) -> Compaction? {
        guard !context.tombstones.isEmpty else { return nil }
        let deleted = RangeTombstoneFragments(
            context.tombstones.values.flatMap { $0 }, at: context.safepoint)
        for (level, files) in version.levels.enumerated() where files.count > 0 {
            let dead = files.files.filter { file in
                !file.isTaken
                    && deleted.hides(
                        file.smallest, through: file.largest,
                        isExclusive: file.largestIsExclusive,
                        below: max(
                            file.metadata.maxTimestamp, file.metadata.ingestTimestamp ?? .zero))
            }
            if dead.isEmpty { continue }
            return Compaction(
                reason: .deletedTables, version: version, inputLevel: level, outputLevel: level,
                inputs: dead, overlapped: [])
        }
        return nil
    }

    // MARK: - Tables full of deletes

    /// The table that is most worth rewriting for the deletes in it. All of it must be at or below the
    /// safepoint, so that the deletes do go: each such compaction brings them a level down, or ends them.
    func pickTombstones(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        var best: (share: Double, compaction: Compaction)?
        for (level, files) in version.levels.enumerated() {
            for (place, file) in files.files.enumerated()
            where !file.isTaken && mayEndTombstones(file, context) {
                guard
                    let candidate = pickTable(
                        version, level, place, targets, .tombstones, context)
                else { continue }
                let share = max(
                    pointShare(candidate, file), rangeShare(candidate, file, context))
                if share >= 0.25, share > best?.share ?? 0 { best = (share, candidate) }
            }
        }
        return best?.compaction
    }

    private func mayEndTombstones(_ file: TableFile, _ context: PickContext) -> Bool {
        let metadata = file.metadata
        guard metadata.maxTimestamp <= context.safepoint else { return false }
        return metadata.tombstoneCount >= Self.leastTombstones
            || (metadata.rangeTombstoneCount > 0 && context.tombstones[file.number] != nil)
    }

    /// True when some table waits for the safepoint: time alone makes it due.
    func awaitsSafepoint(_ version: Version, _ context: PickContext) -> Bool {
        if awaitsGarbage(version, context) { return true }
        return version.levels.contains { level in
            level.files.contains { file in
                let metadata = file.metadata
                return metadata.maxTimestamp > context.safepoint
                    && (metadata.rangeTombstoneCount > 0
                        || metadata.tombstoneCount >= Self.leastTombstones)
            }
        }
    }

    /// How much of a table is deletes. In level 0, whose turn comes soon anyway: how much of all that is
    /// read would die, deletes and what they delete.
    private func pointShare(_ candidate: Compaction, _ file: TableFile) -> Double {
        let metadata = file.metadata
        guard metadata.tombstoneCount >= Self.leastTombstones else { return 0 }
        guard candidate.inputLevel == 0 else {
            return Double(metadata.tombstoneCount) / Double(max(metadata.entryCount, 1))
        }
        let tombstones = candidate.inputs.reduce(UInt64(0)) { $0 + $1.metadata.tombstoneCount }
        return 2 * Double(tombstones) / Double(max(candidate.inputEntries, 1))
    }

    /// The bytes of a table that no reader has opened, if all of them are beneath the piece.
    private func whole(_ file: TableFile, _ piece: RangeTombstoneFragments.Fragment) -> UInt64 {
        let isInside =
            !KeyOrder.less(file.metadata.smallest, piece.lower)
            && file.metadata.isBefore(piece.upper)
        return isInside ? file.metadata.byteCount : 0
    }

    /// How much of what is read the table's range tombstones hide. At the last level they hide nothing
    /// any more and are in the way of every reader.
    private func rangeShare(
        _ candidate: Compaction, _ file: TableFile, _ context: PickContext
    ) -> Double {
        guard let own = context.tombstones[file.number] else { return 0 }
        if candidate.inputLevel == LevelTargets.last { return 1 }
        let hidden = RangeTombstoneFragments(own, at: context.safepoint)
        var bytes: UInt64 = 0
        for level in candidate.version.levels[(candidate.inputLevel + 1)...] {
            for piece in hidden.fragments {
                let range = KeyRange(lower: piece.lower, upper: piece.upper)
                for other in level.files where other.overlaps(range) {
                    bytes += other.openReader?.approximateBytes(in: range) ?? whole(other, piece)
                }
            }
        }
        guard bytes >= options.targetFileByteCount / 4 else { return 0 }
        return Double(bytes) / Double(max(candidate.inputBytes, 1))
    }
}

extension RangeTombstoneFragments {
    /// Whether every key from `lower` through `upper` is beneath a tombstone newer than `timestamp`.
    func hides(
        _ lower: UnsafeRawBufferPointer, through upper: UnsafeRawBufferPointer, isExclusive: Bool,
        below timestamp: Timestamp
    ) -> Bool {
        guard var place = piece(over: lower) else { return false }
        while fragments[place].timestamp > timestamp {
            let order = fragments[place].upper.withUnsafeBytes { KeyOrder.compare($0, upper) }
            if order > 0 || (order == 0 && isExclusive) { return true }
            let end = fragments[place].upper
            place += 1
            guard place < fragments.count, fragments[place].lower == end else { return false }
        }
        return false
    }
}
