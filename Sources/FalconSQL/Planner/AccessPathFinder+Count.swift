import FalconSchema
import FalconStorage

/// What the engine tells of an index without reading it.
extension AccessPathFinder {
    /// Some of the conjuncts, and the share of all rows that pass them.
    struct CountedShare {
        var conjuncts: Set<Int>
        var share: Double
    }

    /// Bounds of more points than these are not counted: each takes microseconds.
    private static let countedPoints = 16.0

    /// How many entries an index has in bounds whose values the statement says itself; nil: that is not known.
    func entryCount(
        _ index: IndexDescriptor, _ bounds: IndexBounds, points: Double
    ) -> Double? {
        guard !bounds.isUnbounded, points <= Self.countedPoints,
            bounds.expressions.allSatisfy({ $0 is ConstantExpression })
        else { return nil }
        let encoder = BoundsEncoder(table: table, index: index, bounds: bounds)
        // What cannot be computed is said when the statement runs.
        guard let intervals = try? encoder.intervals(row),
            Double(intervals.count) <= Self.countedPoints
        else { return nil }
        var count = 0.0
        for interval in intervals {
            let range = KeyRange(lower: interval.lower, upper: interval.upper)
            guard let part = catalog.knownCount(of: range, in: table) else { return nil }
            count += part
        }
        return count
    }

    /// The share of a path's rows that pass the conditions its bounds do not take care of: by what the engine has counted,
    /// and of the rest by `guess`.
    func passingShare(
        _ path: AccessPath, _ counted: [CountedShare], guess: (_ conjunct: Int) -> Double
    ) -> Double {
        var rest = Set(conjuncts.indices).subtracting(path.used)
        var result = 1.0
        for part in counted where part.conjuncts.isSubset(of: rest) {
            result *= part.share
            rest.subtract(part.conjuncts)
        }
        // In one order: the same statement gets the same plan.
        for conjunct in conjuncts.indices where rest.contains(conjunct) {
            result *= guess(conjunct)
        }
        return result
    }

    /// What counted paths say of the conditions that their bounds take care of. A partial index has no
    /// entries of rows that other conditions leave out.
    func countedShares(_ paths: [AccessPath]) -> [CountedShare] {
        paths.compactMap { path in
            guard path.isCounted, case .index(let index, _, _) = path.access,
                index.predicate == nil
            else { return nil }
            return CountedShare(conjuncts: path.used, share: min(1, path.rows / tableRows))
        }.sorted { $0.share < $1.share }
    }
}
