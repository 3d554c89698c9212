extension CompactionPicker {
    /// What a manual compaction does next.
    enum ManualStep {
        case compaction(Compaction)
        /// Tables that it needs are in another compaction, or another is about to write where its outputs
        /// would lie: look again when that has ended.
        case busy
        /// Nothing is left to do, or a quarantined table bars the way.
        case done
    }

    /// The next step of a manual compaction of `range`: the topmost level with tables there goes
    /// one down; done when only one level has any.
    func pickManual(
        _ version: Version, _ range: KeyRange, _ context: PickContext
    ) -> ManualStep {
        let top = level0Closure(version, range)
        if !top.isEmpty { return step(version, from: 0, top, context) }
        let inRange = (1..<Version.levelCount).filter { level in
            version.levels[level].files.contains { $0.overlaps(range) }
        }
        guard inRange.count > 1, let level = inRange.first else { return .done }
        return step(
            version, from: level, version.levels[level].files.filter { $0.overlaps(range) },
            context, to: inRange[1])
    }

    /// The tables of level 0 with keys of `range`, and all older ones there that overlap one of those: a newer
    /// version of a key must never sink below an older one.
    private func level0Closure(_ version: Version, _ range: KeyRange) -> [TableFile] {
        var taken: [TableFile] = []
        for file in version.level0.files {
            let isNeeded =
                file.overlaps(range)
                || taken.contains { newer in
                    newer.metadata.overlaps(
                        lower: file.metadata.smallest, upper: file.metadata.largest,
                        upperIsExclusive: file.metadata.largestIsExclusive)
                }
            if isNeeded { taken.append(file) }
        }
        return taken
    }

    /// The compaction of `inputs` into the first level below that has tables where they lie, `lowest` at the
    /// latest; from level 0, without it, the base level.
    private func step(
        _ version: Version, from level: Int, _ inputs: [TableFile], _ context: PickContext,
        to lowest: Int? = nil
    ) -> ManualStep {
        guard let span = Compaction.span(inputs) else { return .done }
        let limit = lowest ?? targets(version).baseLevel
        let output =
            ((level + 1)...max(limit, level + 1)).first { below in
                version.levels[below].files.contains { span.overlaps($0) }
            } ?? limit
        if let made = make(version, from: level, to: output, inputs, .manual, context) {
            return .compaction(made)
        }
        let needed = inputs + version.levels[output].files.filter { span.overlaps($0) }
        return needed.contains(where: \.isQuarantined) ? .done : .busy
    }

    /// Bytes of the tables that a manual compaction of `range` has yet to merge: all that overlap it.
    func manualBytes(_ version: Version, _ range: KeyRange) -> UInt64 {
        version.levels.reduce(0) { sum, level in
            level.files.reduce(sum) { $0 + ($1.overlaps(range) ? $1.metadata.byteCount : 0) }
        }
    }

    /// Rewrites the tables of the last level that holds `range` one by one, to drop what the safepoint allows:
    /// deletes from before `limit`, the first number that the manual compaction itself may have given a table,
    /// and shadowed versions. `safepoint` stays the same from one to the next, so that this ends.
    func pickRewrite(
        _ version: Version, _ range: KeyRange, safepoint: Timestamp, before limit: FileNumber,
        _ context: PickContext
    ) -> ManualStep {
        guard
            let level = (1..<Version.levelCount).last(where: { level in
                version.levels[level].files.contains { $0.overlaps(range) }
            })
        else { return .done }
        var isBusy = false
        for file in version.levels[level].files
        where file.overlaps(range) && !file.isQuarantined
            && needsRewrite(file.metadata, safepoint, limit)
        {
            let rewrite = Compaction(
                reason: .manual, version: version, inputLevel: level, outputLevel: level,
                inputs: [file], overlapped: [])
            if !file.isBeingCompacted, isClear(rewrite, context) { return .compaction(rewrite) }
            isBusy = true
        }
        return isBusy ? .busy : .done
    }

    private func needsRewrite(
        _ file: FileMetadata, _ safepoint: Timestamp, _ limit: FileNumber
    ) -> Bool {
        if file.garbage.shadowed.count(at: safepoint) > 0 { return true }
        return file.number < limit && file.minTimestamp <= safepoint
            && (file.tombstoneCount > 0 || file.rangeTombstoneCount > 0)
    }
}
