extension CompactionPicker {
    /// What level 0 costs readers is its sublevels; its bytes count too where flushes hardly overlap.
    func level0Score(_ version: Version) -> Double {
        let sublevels = version.sublevels.reduce(0) { sum, sublevel in
            sum + (sublevel.files.contains { !$0.isTaken } ? 1 : 0)
        }
        return max(
            Double(sublevels) / Double(options.level0CompactionTrigger),
            Double(idleBytes(version)) / Double(level0Bytes))
    }

    private func idleBytes(_ version: Version) -> UInt64 {
        version.level0.files.reduce(0) {
            $0 + ($1.isTaken ? 0 : $1.metadata.byteCount)
        }
    }

    /// Bytes of level 0 that make a compaction worthwhile however few the sublevels are.
    private var level0Bytes: UInt64 {
        let memtables = UInt64(options.rotationBytes)
            .multipliedCapped(by: UInt64(options.level0CompactionTrigger))
        return max(options.levelBaseBytes, memtables)
    }

    /// The tallest stack of tables, with what must go along.
    func pickLevel0(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        let isByBytes = idleBytes(version) >= level0Bytes
        var places: [FileNumber: Int] = [:]
        for (place, file) in version.level0.files.enumerated() { places[file.number] = place }
        for (index, sublevel) in version.sublevels.enumerated() {
            let height = version.sublevels.count - index
            if height < options.level0CompactionTrigger, !isByBytes { break }
            for file in sublevel.files where !file.isTaken {
                let closure = level0Closure(version, places[file.number] ?? 0)
                if let seed = make(
                    version, from: 0, to: targets.baseLevel, closure, .level0Files, context)
                {
                    return grown(seed, context) ?? seed
                }
            }
        }
        return nil
    }

    /// `seed` with the tables of level 0 that lie wholly over what it rewrites anyway.
    private func grown(_ seed: Compaction, _ context: PickContext) -> Compaction? {
        guard let span = seed.span else { return nil }
        let files = seed.version.level0.files
        var taken = Set(seed.inputs.map(\.number))
        // The oldest first: what a table lies on has been decided by then.
        for (index, file) in files.enumerated().reversed()
        where !taken.contains(file.number) && !file.isTaken && span.contains(file) {
            let metadata = file.metadata
            let isClosed = files[(index + 1)...].allSatisfy { older in
                taken.contains(older.number)
                    || !older.metadata.overlaps(
                        lower: metadata.smallest, upper: metadata.largest,
                        upperIsExclusive: metadata.largestIsExclusive)
            }
            if isClosed { taken.insert(file.number) }
        }
        if taken.count == seed.inputs.count { return nil }
        return make(
            seed.version, from: 0, to: seed.outputLevel,
            files.filter { taken.contains($0.number) }, seed.reason, context)
    }

    /// Tables that overlap nothing older go down without being read, once level 0 has tables of
    /// several flushes: what is written in key order is never rewritten. Not while a stack is due: its
    /// bottom would be read again with the next stack.
    func pickLevel0Move(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        guard version.sublevels.count < options.level0CompactionTrigger else { return nil }
        let epochs = Set(version.level0.files.map(\.metadata.flushEpoch))
        guard epochs.count >= options.level0CompactionTrigger, let bottom = version.sublevels.last
        else { return nil }
        let free = bottom.files.filter { file in
            !file.isTaken
                && !(1...targets.baseLevel).contains { level in
                    let range = version.levels[level]
                    let place = range.firstEndingAtOrAfter(file.smallest)
                    return place < range.count
                        && !range.files[place].metadata.isAfter(
                            file.metadata.largest, exclusive: file.largestIsExclusive)
                }
        }
        guard !free.isEmpty else { return nil }
        let move = Compaction(
            reason: .level0Files, version: version, inputLevel: 0, outputLevel: targets.baseLevel,
            inputs: free, overlapped: [])
        return isClear(move, context) ? move : nil
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
        guard !file.isTaken else { return nil }
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
            where file.hasSpentSeeks && !file.isTaken {
                let picked = pickTable(version, level, place, targets, .reads, context)
                if let picked { return picked }
            }
        }
        return nil
    }
}
