extension PlanNode {
    /// The planner's guess of the work before the first row: everything below, where all rows are needed first.
    var startupCost: Double {
        switch operation {
        case .sort(let sort): return sort.child.estimatedCost
        case .aggregate(let aggregate): return aggregate.child.estimatedCost
        case .distinct(let distinct) where !distinct.isSorted: return distinct.child.estimatedCost
        case .join(let join):
            if case .hash = join.strategy {
                return join.right.estimatedCost + join.left.startupCost
            }
            return join.left.startupCost
        default: return children.first?.startupCost ?? 0
        }
    }

    /// Whether it is a join that holds all rows of one side against all of the other.
    var triesAllPairs: Bool {
        switch operation {
        case .filter(let child, _): return child.triesAllPairs
        case .join(let join):
            if case .nestedLoop = join.strategy, join.condition != nil,
                case .materialize = join.right.operation
            {
                return true
            }
            return join.left.triesAllPairs
        default: return false
        }
    }
}
