/// A row-lock query's joins, as they are decided anew for a row that changed while its lock was waited for:
/// the other tables' rows stay those it was joined with.
struct JoinRecheck {
    /// Of inner joins: false, and the row is gone.
    var conditions: [BoundExpression] = []
    /// Of outer joins, the inner ones first.
    var outerJoins: [RowTarget.OuterJoin] = []
}

extension JoinTree {
    /// Of a tree in which no locked row is on the nullable side of a join: those sides' rows are as they
    /// were, and what was true of them among themselves still is. So their own joins need no look, and
    /// neither has a FULL join, where both sides are such.
    var recheck: JoinRecheck {
        var found = JoinRecheck()
        collect(into: &found)
        return found
    }

    private func collect(into found: inout JoinRecheck) {
        guard case .join(let kind, let left, let right, let conditions) = self else { return }
        switch kind {
        case .inner:
            left.collect(into: &found)
            right.collect(into: &found)
            found.conditions += conditions
        case .left: Self.collect(kept: left, nullable: right, conditions, into: &found)
        case .right: Self.collect(kept: right, nullable: left, conditions, into: &found)
        case .full: break
        }
    }

    private static func collect(
        kept: JoinTree, nullable: JoinTree, _ conditions: [BoundExpression],
        into found: inout JoinRecheck
    ) {
        kept.collect(into: &found)
        guard let condition = LogicExpression.all(conditions) else { return }
        found.outerJoins.append(
            RowTarget.OuterJoin(condition: condition, nullableSlots: nullable.slots))
    }

    /// Where its relations put their rows.
    private var slots: [Int] {
        switch self {
        case .relation(let relation):
            relation.columns.map(\.slot).filter { $0 >= 0 } + relation.fieldSlots
                + (relation.rowKeySlot.map { [$0] } ?? [])
        case .join(_, let left, let right, _): left.slots + right.slots
        }
    }
}
