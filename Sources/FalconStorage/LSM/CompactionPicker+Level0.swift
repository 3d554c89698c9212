extension CompactionPicker {
    func level0Score(_ version: Version) -> Double {
        let idle = version.level0.files.reduce(0) { $0 + ($1.isBeingCompacted ? 0 : 1) }
        return Double(idle) / Double(options.level0CompactionTrigger)
    }

    /// All of level 0.
    func pickLevel0(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        make(
            version, from: 0, to: targets.baseLevel, version.level0.files, .level0Files, context)
    }

    /// `file` of level 0 with every table there that is older and overlaps one that is taken: a newer
    /// version of a key must never sink below an older one.
    func level0Closure(_ version: Version, _ seed: Int) -> [TableFile] {
        let files = version.level0.files
        var taken: [TableFile] = []
        for file in files[seed...] {
            let overlaps = taken.contains { other in
                other.metadata.overlaps(
                    lower: file.metadata.smallest, upper: file.metadata.largest,
                    upperIsExclusive: file.metadata.largestIsExclusive)
            }
            if taken.isEmpty || overlaps { taken.append(file) }
        }
        return taken
    }

    /// The compaction of one table, of level 0 with what must go along, into the next level.
    func pickTable(
        _ version: Version, _ level: Int, _ place: Int, _ targets: LevelTargets,
        _ reason: Compaction.Reason, _ context: PickContext
    ) -> Compaction? {
        if level == 0 {
            return make(
                version, from: 0, to: targets.baseLevel, level0Closure(version, place), reason,
                context)
        }
        let file = version.levels[level].files[place]
        if level < LevelTargets.last {
            return make(version, from: level, to: level + 1, [file], reason, context)
        }
        guard !file.isBeingCompacted else { return nil }
        return Compaction(
            reason: reason, version: version, inputLevel: level, outputLevel: level,
            inputs: [file], overlapped: [])
    }

    /// The table that has spent what seeks may cost, with the level below.
    func pickReads(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        for (level, files) in version.levels.enumerated() where level < LevelTargets.last {
            for (place, file) in files.files.enumerated()
            where file.hasSpentSeeks && !file.isBeingCompacted {
                let picked = pickTable(version, level, place, targets, .reads, context)
                if let picked { return picked }
            }
        }
        return nil
    }
}
