import FalconSchema

/// EXISTS and IN as joins.
extension JoinPlanner {
    struct SemiJoin {
        var isAnti: Bool
        var inner: LogicalSelect
        /// The IN comparison, beside the subquery's own conditions.
        var comparison: BoundExpression?
    }

    /// A top-level [NOT] EXISTS or IN whose subquery is a plain join can become a semi join.
    func semiJoin(_ expression: BoundExpression) -> SemiJoin? {
        var subject = expression
        var isAnti = false
        if let not = expression as? NotExpression {
            subject = not.operand
            isAnti = true
        }
        guard let subquery = subject as? SubqueryExpression, subquery.index < 0,
            case .select(let inner) = subquery.query.body, inner.from != nil, !inner.isGrouped,
            inner.setReturning.isEmpty, inner.locks.isEmpty, subquery.query.limit == nil,
            subquery.query.offset == nil, relations.count + inner.relations.count <= 60
        else { return nil }
        if case .on = inner.distinct { return nil }
        switch subquery.kind {
        case .exists:
            // Uncorrelated: one look decides for all rows.
            guard subquery.correlatedSlots.contains(where: { owners[$0] != nil }) else {
                return nil
            }
            return SemiJoin(isAnti: isAnti, inner: inner, comparison: nil)
        case .any:
            guard !isAnti, subquery.hashType != nil, let left = subquery.left.first,
                let comparison = subquery.comparison as? ComparisonExpression
            else { return nil }
            let output = subquery.query.outputs[0]
            let value =
                inner.projections.first { $0.slot == output.slot }?.expression ?? comparison.right
            return SemiJoin(
                isAnti: false, inner: inner, comparison: comparison.withChildren([left, value]))
        default: return nil
        }
    }

    func joinSemi(_ left: Planned, _ semi: SemiJoin) throws(SQLError) -> Planned {
        guard let from = semi.inner.from else { return left }
        let leftMask = relations.count == 64 ? UInt64.max : (1 << UInt64(relations.count)) - 1
        for relation in semi.inner.relations { try add(relation) }
        let rightMask = treeMask(from)
        var conjuncts = semi.inner.conjuncts.map { conjunct($0) }
        if let comparison = semi.comparison { conjuncts.append(conjunct(comparison)) }
        let (own, between) = split(conjuncts, within: rightMask)
        return try join(semi.isAnti ? .anti : .semi, left, leftMask, between, false) {
            (pushed, outer) throws(SQLError) in
            try self.planTree(from, own + pushed, available: outer)
        } rightMask: {
            rightMask
        }
    }
}
