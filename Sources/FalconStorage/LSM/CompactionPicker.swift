/// Chooses the compaction that is needed most. Used under the background scheduler's lock, which
/// also guards the tables' busy marks.
///
/// In order: tables that a range tombstone hides whole go for nothing; blob files when most of them is
/// garbage; tables of level 0 that only change level, which costs nothing either; the neediest level over
/// its target; then, with no level over it, tables full of deletes, tables that seeks look into in vain,
/// tables with versions that nobody can ask for any more, single blob files, and small blob files that make
/// a greater one, and what is to be encrypted anew.
struct CompactionPicker {
    var options: EngineOptions

    func targets(_ version: Version) -> LevelTargets {
        LevelTargets(
            bytes: version.levels.map(\.byteCount), baseBytes: options.levelBaseBytes,
            multiplier: UInt64(options.levelMultiplier))
    }

    /// Bytes to be compacted before every level is within its target. The garbage of blob files is no part of
    /// it: writers are held back for it by itself.
    func debt(_ version: Version, _ targets: LevelTargets) -> UInt64 {
        var debt: UInt64 = 0
        if version.sublevels.count >= options.level0CompactionTrigger,
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

    /// Nil when nothing is due or what is due is busy.
    func pick(_ version: Version, _ context: PickContext) -> Compaction? {
        if let picked = pickDeletedTables(version, context) { return picked }
        if version.sublevels.count < options.level0SlowdownTrigger,
            version.blobs.isOverdue(garbagePercent: options.blobGarbagePercent),
            let picked = pickBlobCollection(version, context)
        {
            return picked
        }
        let targets = targets(version)
        if let picked = pickLevel0Move(version, targets, context) { return picked }
        for (_, level) in scores(version, targets) {
            let picked =
                level == 0
                ? pickLevel0(version, targets, context)
                    ?? pickBesideQuarantine(version, output: targets.baseLevel, context)
                : pickLevel(version, level, context)
            if let picked { return picked }
        }
        return pickTombstones(version, targets, context) ?? pickReads(version, targets, context)
            ?? pickGarbage(version, context) ?? pickBlobCollection(version, context)
            ?? pickBlobMerge(version, targets, context)
            ?? pickReencryption(version, targets, context)
    }

    /// The levels over their targets, the neediest first.
    private func scores(
        _ version: Version, _ targets: LevelTargets
    ) -> [(score: Double, level: Int)] {
        var scores: [(score: Double, level: Int)] = []
        let level0Score = level0Score(version)
        if level0Score >= 1 { scores.append((level0Score, 0)) }
        for level in 1..<LevelTargets.last where version.levels[level].count > 0 {
            let idle = version.levels[level].files.reduce(UInt64(0)) {
                $0 + ($1.isTaken ? 0 : $1.metadata.byteCount)
            }
            let score = Double(idle) / Double(max(targets.targets[level], 1))
            if score > 1 { scores.append((score, level)) }
        }
        return scores.sorted { $0.score > $1.score }
    }

    /// A quarantined table keeps what overlaps it in level 0 from sinking: newer data must not come to lie
    /// below it.
    private func isBarred(_ version: Version, output: Int) -> Bool {
        (0...output).contains { level in
            version.levels[level].files.contains(where: \.isQuarantined)
        }
    }

    /// While level 0 cannot sink, its tables newer than every quarantined one are merged with those of
    /// their size, so that their number grows with the logarithm of what is written only.
    private func pickBesideQuarantine(
        _ version: Version, output: Int, _ context: PickContext
    ) -> Compaction? {
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
        let compaction = Compaction(
            reason: .besideQuarantine, version: version, inputLevel: 0, outputLevel: 0,
            inputs: inputs, overlapped: [])
        return isClear(compaction, context) ? compaction : nil
    }

    /// The table whose move costs the least rewriting below.
    private func pickLevel(
        _ version: Version, _ level: Int, _ context: PickContext
    ) -> Compaction? {
        var best: (cost: Double, compaction: Compaction)?
        for file in version.levels[level].files where !file.isTaken {
            guard
                let candidate = make(
                    version, from: level, to: level + 1, [file], .levelSize, context)
            else { continue }
            let below = candidate.overlapped.reduce(UInt64(0)) { $0 + $1.metadata.byteCount }
            let cost = Double(below) / Double(max(file.metadata.byteCount, 1))
            if best.map({ cost < $0.cost }) ?? true { best = (cost, candidate) }
            if below == 0 { break }
        }
        return best?.compaction
    }

    /// The compaction of `inputs` with what they overlap; nil when some table is busy, or another
    /// compaction is about to write where the outputs would lie.
    func make(
        _ version: Version, from level: Int, to output: Int, _ inputs: [TableFile],
        _ reason: Compaction.Reason, _ context: PickContext
    ) -> Compaction? {
        guard let span = Compaction.span(inputs), !inputs.contains(where: \.isTaken)
        else { return nil }
        // A level passed over must be empty, or newer data would sink below older.
        for passed in (level + 1)..<max(output, level + 1)
        where version.levels[passed].files.contains(where: { span.overlaps($0) }) { return nil }
        let overlapped = version.levels[output].files.filter { span.overlaps($0) }
        guard !overlapped.contains(where: \.isTaken) else { return nil }
        let compaction = Compaction(
            reason: reason, version: version, inputLevel: level, outputLevel: output,
            inputs: inputs, overlapped: overlapped)
        return isClear(compaction, context) ? compaction : nil
    }

    /// Inputs may have room between them where another compaction's outputs are to come.
    func isClear(_ compaction: Compaction, _ context: PickContext) -> Bool {
        guard let span = compaction.span else { return false }
        return !context.running.contains { other in
            other.outputLevel == compaction.outputLevel && !other.dropsInputs
                && other.span.map { $0.overlaps(span) } ?? false
        }
    }
}
