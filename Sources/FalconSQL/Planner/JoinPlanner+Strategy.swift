import FalconSchema

/// How two sides are joined: by looking rows up, by hashing, or by trying all pairs.
extension JoinPlanner {
    func joinInner(
        _ left: Planned, _ leftMask: UInt64, _ item: Item, _ pending: inout [Conjunct],
        _ available: UInt64
    ) throws(SQLError) -> Planned {
        let (own, others) = split(pending, within: item.mask | available)
        let (between, rest) = split(others, within: item.mask | leftMask | available)
        pending = rest
        return try join(
            .inner, left, leftMask, between, item.needs & leftMask != 0
        ) { (conjuncts, outer) throws(SQLError) in
            try self.planItem(item, own + conjuncts, available: available | outer)
        } rightMask: {
            item.mask
        }
    }

    func planOuter(
        _ kind: AST.JoinKind, _ leftTree: JoinTree, _ rightTree: JoinTree,
        _ conditions: [BoundExpression], _ conjuncts: [Conjunct], _ available: UInt64
    ) throws(SQLError) -> Planned {
        let leftMask = treeMask(leftTree)
        let rightMask = treeMask(rightTree)
        var on = conditions.map { conjunct($0) }
        if kind == .left {
            // A condition that is not true for NULLs on the right makes it an inner join.
            if conjuncts.contains(where: {
                $0.mask & rightMask != 0 && isStrict($0.expression, rightMask)
            }) {
                return try planTree(
                    .join(.inner, leftTree, rightTree, conditions), conjuncts, available: available)
            }
            let (forLeft, above) = split(conjuncts, within: leftMask | available)
            let left = try planTree(leftTree, forLeft, available: available)
            let (forRight, between) = split(on, within: rightMask | available)
            on = between
            let isLateral = needs(rightTree) & leftMask != 0
            let joined = try join(.left, left, leftMask, on, isLateral) {
                (conjuncts, outer) throws(SQLError) in
                try self.planTree(
                    rightTree, forRight + conjuncts, available: available | outer)
            } rightMask: {
                rightMask
            }
            return try filtered(joined, above.map(\.expression))
        }
        let left = try planTree(leftTree, [], available: available)
        let joined = try join(.full, left, leftMask, on, false) {
            (conjuncts, outer) throws(SQLError) in
            try self.planTree(rightTree, conjuncts, available: available | outer)
        } rightMask: {
            rightMask
        }
        return try filtered(joined, conjuncts.map(\.expression))
    }

    /// Whether a condition is surely not true when all slots of `mask` are NULL.
    private func isStrict(_ expression: BoundExpression, _ mask: UInt64) -> Bool {
        NullEffect { node in
            (node as? SlotReference).map { self.mask(CollectionOfOne($0.slot)) & mask != 0 }
                ?? false
        }.refuses(expression)
    }

    /// `a = b` with one side over `left`, the other over `right`.
    private func hashKey(
        _ expression: BoundExpression, _ left: UInt64, _ right: UInt64
    ) -> JoinNode.HashKey? {
        guard let equality = expression as? ComparisonExpression, equality.comparison == .equal
        else {
            return nil
        }
        let l = mask(of: equality.left)
        let r = mask(of: equality.right)
        let type = SQLType(equality.operandType)
        if l & right == 0, r & right != 0, r & ~right == 0 {
            return JoinNode.HashKey(left: equality.left, right: equality.right, type: type)
        }
        if r & right == 0, l & right != 0, l & ~right == 0 {
            return JoinNode.HashKey(left: equality.right, right: equality.left, type: type)
        }
        return nil
    }

    /// What it costs to hold a row against one that is kept.
    private static let pairCost = 0.2

    /// Joins `left` with what `planRight` plans, as a nested loop whose inner side looks rows up by
    /// the outer row, or as a hash join, whichever is cheaper.
    func join(
        _ kind: JoinKind, _ left: Planned, _ leftMask: UInt64, _ between: [Conjunct],
        _ isLateral: Bool,
        planRight: ([Conjunct], UInt64) throws(SQLError) -> Planned,
        rightMask: () -> UInt64
    ) throws(SQLError) -> Planned {
        let rightMask = rightMask()
        func build(_ strategy: JoinNode.Strategy, _ right: Planned, _ condition: BoundExpression?)
            throws(SQLError) -> Planned
        {
            if let condition { try planner.ready(condition) }
            let node = JoinNode(
                kind: kind, strategy: strategy, left: left.node, right: right.node,
                condition: condition)
            let onlyLeft = kind == .semi || kind == .anti
            var slots = left.node.outputSlots
            if !onlyLeft { slots = QueryPlanner.unique(slots + right.node.outputSlots) }
            var rows: Double
            switch (kind, strategy) {
            case (.semi, _), (.anti, _): rows = max(1, left.rows * 0.5)
            case (_, .nestedLoop):
                rows = max(
                    1, left.rows * right.rows * (condition.map { Selectivity.of($0) } ?? 1))
            case (_, .hash): rows = max(left.rows, right.rows)
            }
            if kind == .left || kind == .full { rows = max(rows, left.rows) }
            var cost = left.cost
            switch strategy {
            case .nestedLoop:
                if case .materialize = right.node.operation {
                    cost += right.cost + left.rows * right.rows * Self.pairCost
                } else {
                    cost += left.rows * (right.cost + 0.1)
                }
            case .hash: cost += right.cost + right.rows * 1.5 + left.rows * 0.5
            }
            var bound: Int?
            if let l = left.bound, let r = right.bound {
                let (product, overflow) = l.multipliedReportingOverflow(by: max(r, 1))
                if !overflow { bound = product + l }
            }
            return Planned(
                node: PlanNode(.join(node), outputSlots: slots, estimatedRows: rows), rows: rows,
                cost: cost, bound: bound)
        }
        // FULL joins must see every right row once: no pushing of conditions into the right side.
        if kind != .full {
            let inner = try planRight(between, leftMask)
            if isLateral || readsOuter(inner.node, leftMask) {
                let loop = try build(.nestedLoop, inner, nil)
                if isLateral { return loop }
                let other = try hashed(
                    try planRight([], 0), between, leftMask, rightMask, build)
                return loop.cost <= other.cost ? loop : other
            }
        }
        let alone = try planRight([], 0)
        return try hashed(alone, between, leftMask, rightMask, build)
    }

    private func hashed(
        _ right: Planned, _ between: [Conjunct], _ leftMask: UInt64, _ rightMask: UInt64,
        _ build: (JoinNode.Strategy, Planned, BoundExpression?) throws(SQLError) -> Planned
    ) throws(SQLError) -> Planned {
        var keys: [JoinNode.HashKey] = []
        var rest: [BoundExpression] = []
        for conjunct in between {
            if let key = hashKey(conjunct.expression, leftMask, rightMask) {
                keys.append(key)
            } else {
                rest.append(conjunct.expression)
            }
        }
        let condition = LogicExpression.all(rest)
        if keys.isEmpty {
            // Every pair is tried: keep the right rows instead of computing them again.
            let kept = (right.bound ?? .max) <= 1 ? right : right.with(.materialize(right.node))
            return try build(.nestedLoop, kept, condition)
        }
        for key in keys {
            try planner.ready(key.left)
            try planner.ready(key.right)
        }
        return try build(.hash(keys), right, condition)
    }

    /// Whether the inner side's access is by an index (so that pushing the outer row in pays).
    private func readsOuter(_ node: PlanNode, _ outer: UInt64) -> Bool {
        switch node.operation {
        case .scan(let scan):
            guard case .index(_, let bounds, _) = scan.access else { return false }
            let isLookup = bounds.equalities.contains { match in
                if case .equal(let value) = match { return !(value is ConstantExpression) }
                return false
            }
            return isLookup || bounds.expressions.contains { mask(of: $0) & outer != 0 }
        case .filter(let child, _): return readsOuter(child, outer)
        case .project(let project): return readsOuter(project.child, outer)
        case .join(let join): return readsOuter(join.left, outer)
        default: return false
        }
    }
}
