/// Level 0 as runs of tables that do not overlap, called sublevels: a read looks into one table of each,
/// and their number, not that of the tables, is what level 0 costs.
///
/// A table lies one above the highest sublevel in which an older table overlaps it. So of two tables
/// that hold versions of one key the newer flush lies higher, and searching the sublevels from the top
/// down is searching by flush epoch.
enum Sublevels {
    /// - Parameter files: the newest flush first.
    /// - Returns: the top sublevel first, each by key.
    static func arrange(_ files: [TableFile]) -> [LevelFiles] {
        var stacks: [[TableFile]] = []
        for file in files.reversed() {
            var sublevel = stacks.count
            while sublevel > 0, !overlaps(stacks[sublevel - 1], file) { sublevel -= 1 }
            if sublevel == stacks.count { stacks.append([]) }
            stacks[sublevel].insert(file, at: place(stacks[sublevel], file))
        }
        return stacks.reversed().map { LevelFiles($0) }
    }

    /// The first of `files`, which are disjoint and sorted, that does not end before `file`.
    private static func place(_ files: [TableFile], _ file: TableFile) -> Int {
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle].metadata.isBefore(file.metadata.smallest) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    private static func overlaps(_ files: [TableFile], _ file: TableFile) -> Bool {
        let place = place(files, file)
        return place < files.count
            && !files[place].metadata.isAfter(
                file.metadata.largest, exclusive: file.metadata.largestIsExclusive)
    }
}

extension Version {
    /// What contradicts the rules of the levels, for tests and debug builds; nil when nothing does:
    /// tables of a sublevel or a deeper level are sorted and disjoint, every table of level 0 is in one
    /// sublevel, and of two that overlap the newer flush lies higher.
    var problem: String? {
        for (level, files) in levels.enumerated().dropFirst() {
            if let problem = Self.disorder(files) { return "level \(level): \(problem)" }
        }
        var height: [FileNumber: Int] = [:]
        for (index, sublevel) in sublevels.enumerated() {
            if let problem = Self.disorder(sublevel) { return "sublevel \(index): \(problem)" }
            for file in sublevel.files { height[file.number] = sublevels.count - index }
        }
        guard height.count == level0.count else { return "a table is in two sublevels, or in none" }
        for (index, newer) in level0.files.enumerated() {
            for older in level0.files[(index + 1)...] {
                let (a, b) = (newer.metadata, older.metadata)
                guard
                    a.overlaps(
                        lower: b.smallest, upper: b.largest, upperIsExclusive: b.largestIsExclusive)
                else { continue }
                if height[newer.number] ?? 0 <= height[older.number] ?? 0 {
                    return "table \(a.number) is not above the older \(b.number)"
                }
            }
        }
        return nil
    }

    private static func disorder(_ level: LevelFiles) -> String? {
        for (before, after) in zip(level.files, level.files.dropFirst())
        where !before.metadata.isBefore(after.metadata.smallest) {
            return "tables \(before.number) and \(after.number) overlap"
        }
        return nil
    }
}
