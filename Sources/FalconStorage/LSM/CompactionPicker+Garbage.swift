/// What an old snapshot held comes back when it is released, whether or not anything is written then.
extension CompactionPicker {
    /// A table with less garbage is not worth being written anew.
    static let leastGarbageShare = 1.0 / 16

    /// Rewrites, where it is, the table with the largest share of versions and deletes that the safepoint has
    /// passed. Each such rewriting rids it of all of them, so this comes to an end.
    func pickGarbage(_ version: Version, _ context: PickContext) -> Compaction? {
        var best: (share: Double, compaction: Compaction)?
        for (level, files) in version.levels.enumerated() {
            for file in files.files where !file.isTaken && !file.metadata.garbage.isEmpty {
                let share = garbageShare(file, level, version, at: context.safepoint)
                guard share >= Self.leastGarbageShare, share > best?.share ?? 0 else { continue }
                let candidate = Compaction(
                    reason: .garbage, version: version, inputLevel: level, outputLevel: level,
                    inputs: [file], overlapped: [])
                if isClear(candidate, context) { best = (share, candidate) }
            }
        }
        return best?.compaction
    }

    /// True when some table has garbage to come that only the safepoint keeps.
    func awaitsGarbage(_ version: Version, _ context: PickContext) -> Bool {
        for (level, files) in version.levels.enumerated() {
            for file in files.files where !file.metadata.garbage.isEmpty {
                let garbage = file.metadata.garbage
                let newest = max(
                    garbage.shadowed.due.last ?? .zero, garbage.deletes.due.last ?? .zero)
                if newest > context.safepoint,
                    garbageShare(file, level, version, at: .max) >= Self.leastGarbageShare
                {
                    return true
                }
            }
        }
        return false
    }

    /// The part of a table's entries that would go.
    private func garbageShare(
        _ file: TableFile, _ level: Int, _ version: Version, at safepoint: Timestamp
    ) -> Double {
        let garbage = file.metadata.garbage
        var entries = Double(garbage.shadowed.count(at: safepoint))
        let deletes = garbage.deletes.count(at: safepoint)
        if deletes > 0, endsDeletes(file, level, version) { entries += Double(deletes) }
        return entries / Double(max(file.metadata.entryCount, 1))
    }

    /// True when nothing older can lie beneath a table: of level 0 that is not told.
    private func endsDeletes(_ file: TableFile, _ level: Int, _ version: Version) -> Bool {
        guard level > 0 else { return false }
        return version.levels[(level + 1)...].allSatisfy { deeper in
            let place = deeper.firstEndingAtOrAfter(file.smallest)
            return place == deeper.count
                || deeper.files[place].metadata.isAfter(
                    file.metadata.largest, exclusive: file.largestIsExclusive)
        }
    }
}
