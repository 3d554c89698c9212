/// Chooses the compaction that is needed most. Used under the background scheduler's lock, which
/// also guards the tables' busy marks.
struct CompactionPicker {
    var options: EngineOptions

    func targets(_ version: Version) -> LevelTargets {
        LevelTargets(
            bytes: version.levels.map(\.byteCount), baseBytes: options.levelBaseBytes,
            multiplier: UInt64(options.levelMultiplier))
    }

    /// Bytes to be compacted before every level is within its target.
    func debt(_ version: Version, _ targets: LevelTargets) -> UInt64 {
        var debt: UInt64 = 0
        if version.level0.count >= options.level0CompactionTrigger,
            !isBarred(version, output: targets.baseLevel)
        {
            debt += version.level0.byteCount
        }
        for level in 1..<LevelTargets.last {
            let (bytes, target) = (version.levels[level].byteCount, targets.targets[level])
            if bytes > target { debt += (bytes - target) * UInt64(options.levelMultiplier) / 2 }
        }
        return debt
    }

    /// The neediest level's compaction; nil when every level is within its target or busy.
    func pick(_ version: Version) -> Compaction? {
        if version.level0.count < options.level0SlowdownTrigger,
            version.blobs.isOverdue(garbagePercent: options.blobGarbagePercent),
            let picked = pickBlobCollection(version)
        {
            return picked
        }
        let targets = targets(version)
        var scores: [(score: Double, level: Int)] = []
        let level0Score =
            Double(version.level0.count) / Double(options.level0CompactionTrigger)
        if level0Score >= 1 { scores.append((level0Score, 0)) }
        for level in 1..<LevelTargets.last where version.levels[level].count > 0 {
            let idle = version.levels[level].files.reduce(UInt64(0)) {
                $0 + ($1.isTaken ? 0 : $1.metadata.byteCount)
            }
            let score = Double(idle) / Double(max(targets.targets[level], 1))
            if score > 1 { scores.append((score, level)) }
        }
        scores.sort { $0.score > $1.score }
        for (_, level) in scores {
            let picked =
                level == 0
                ? pickLevel0(version, output: targets.baseLevel)
                    ?? pickBesideQuarantine(version, output: targets.baseLevel)
                : pickLevel(version, level)
            if let picked { return picked }
        }
        return pickBlobCollection(version)
    }

    /// All of level 0: a newer table must never sink below an older one.
    private func pickLevel0(
        _ version: Version, output: Int, reason: Compaction.Reason = .level0Files
    ) -> Compaction? {
        make(version, from: 0, to: output, version.level0.files, reason)
    }

    /// A quarantined table keeps level 0 from sinking: newer data must not come to lie below it. (Older
    /// tables of level 0 could sink from under it; they wait.)
    private func isBarred(_ version: Version, output: Int) -> Bool {
        (0...output).contains { level in
            version.levels[level].files.contains(where: \.isQuarantined)
        }
    }

    /// While level 0 cannot sink, its tables newer than every quarantined one are merged with those of
    /// their size, so that their number grows with the logarithm of what is written only.
    private func pickBesideQuarantine(_ version: Version, output: Int) -> Compaction? {
        guard isBarred(version, output: output) else { return nil }
        let newest = version.level0.files.prefix { !$0.isQuarantined }
        guard !newest.contains(where: \.isBeingCompacted) else { return nil }
        var inputs: [TableFile] = []
        var bytes: UInt64 = 0
        for file in newest {
            if !inputs.isEmpty, file.metadata.byteCount / 2 > bytes { break }
            inputs.append(file)
            bytes += file.metadata.byteCount
        }
        guard inputs.count >= options.level0CompactionTrigger else { return nil }
        return Compaction(
            reason: .besideQuarantine, version: version, inputLevel: 0, outputLevel: 0,
            inputs: inputs, overlapped: [])
    }

    /// The table whose move costs the least rewriting below.
    private func pickLevel(_ version: Version, _ level: Int) -> Compaction? {
        var best: (cost: Double, compaction: Compaction)?
        for file in version.levels[level].files where !file.isTaken {
            guard let candidate = make(version, from: level, to: level + 1, [file], .levelSize)
            else { continue }
            let below = candidate.overlapped.reduce(UInt64(0)) { $0 + $1.metadata.byteCount }
            let cost = Double(below) / Double(max(file.metadata.byteCount, 1))
            if best.map({ cost < $0.cost }) ?? true { best = (cost, candidate) }
            if below == 0 { break }
        }
        return best?.compaction
    }

    /// The compaction of `inputs` with what they overlap; nil when some table is busy.
    func make(
        _ version: Version, from level: Int, to output: Int, _ inputs: [TableFile],
        _ reason: Compaction.Reason
    ) -> Compaction? {
        guard let span = Compaction.span(inputs), !inputs.contains(where: \.isTaken)
        else { return nil }
        // A level passed over must be empty, or newer data would sink below older.
        for passed in (level + 1)..<max(output, level + 1)
        where version.levels[passed].files.contains(where: {
            $0.metadata.overlaps(
                lower: span.lower, upper: span.upper, upperIsExclusive: span.exclusive)
        }) {
            return nil
        }
        let overlapped = version.levels[output].files.filter {
            $0.metadata.overlaps(
                lower: span.lower, upper: span.upper, upperIsExclusive: span.exclusive)
        }
        guard !overlapped.contains(where: \.isTaken) else { return nil }
        return Compaction(
            reason: reason, version: version, inputLevel: level, outputLevel: output,
            inputs: inputs, overlapped: overlapped)
    }

    /// The next step of a manual compaction of `range`: the topmost level with tables there goes
    /// one down; nil when only one level has any and it has been rewritten.
    func pickManual(_ version: Version, _ range: KeyRange) -> Compaction? {
        if version.level0.files.contains(where: { $0.overlaps(range) }) {
            let target = targets(version).baseLevel
            return pickLevel0(version, output: target, reason: .manual)
        }
        let inRange = (1..<Version.levelCount).filter { level in
            version.levels[level].files.contains { $0.overlaps(range) }
        }
        guard inRange.count > 1, let top = inRange.first else { return nil }
        return make(
            version, from: top, to: inRange[1],
            version.levels[top].files.filter { $0.overlaps(range) }, .manual)
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
