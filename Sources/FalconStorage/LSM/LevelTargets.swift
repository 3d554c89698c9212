/// How large each level should be, given what is there: the last level holds most of the data, each
/// level above a fraction of it, and level 0 empties into the first level worth having.
struct LevelTargets: Equatable {
    /// The level that level 0 compacts into.
    var baseLevel: Int
    /// Target bytes per level; unlimited for the levels not in use and for the last.
    var targets: [UInt64]

    static let last = Version.levelCount - 1

    init(bytes: [UInt64], baseBytes: UInt64, multiplier: UInt64) {
        targets = Array(repeating: .max, count: Version.levelCount)
        let deepest = bytes.indices.dropFirst().last { bytes[$0] > 0 } ?? Self.last
        let largest = bytes.dropFirst().max() ?? 0
        // Data left in a level above the last by an older shape counts from there.
        let bottom = max(deepest, Self.last)
        var target = largest
        baseLevel = bottom
        var level = bottom
        while level > 1, target > baseBytes {
            level -= 1
            target /= multiplier
            targets[level] = max(target, baseBytes / multiplier)
            baseLevel = level
        }
        // Never compact past a level that holds data: it would be older data above newer.
        if let first = bytes.indices.dropFirst().first(where: { bytes[$0] > 0 }),
            first < baseLevel
        {
            for level in first..<baseLevel where targets[level] == .max { targets[level] = 0 }
            baseLevel = first
        }
        targets[Self.last] = .max
    }
}
