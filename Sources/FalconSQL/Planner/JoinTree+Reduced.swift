extension JoinTree {
    /// The tree with each outer join as the inner or one-sided join that it is in effect, because
    /// `conditions` above it hold for no row with NULLs in place of a relation. As in PostgreSQL: which
    /// rows may be locked depends on it.
    func reduced(_ conditions: [BoundExpression]) -> JoinTree {
        guard case .join(let kind, let left, let right, let own) = self else { return self }
        let reduced = Self.reduced(
            kind, requiresLeft: left.isRequired(by: conditions),
            requiresRight: right.isRequired(by: conditions))
        switch reduced {
        case .inner:
            let all = conditions + own
            return .join(.inner, left.reduced(all), right.reduced(all), own)
        case .left: return .join(.left, left.reduced(conditions), right.reduced(own), own)
        case .right: return .join(.right, left.reduced(own), right.reduced(conditions), own)
        case .full: return .join(.full, left.reduced([]), right.reduced([]), own)
        }
    }

    private static func reduced(
        _ kind: AST.JoinKind, requiresLeft: Bool, requiresRight: Bool
    ) -> AST.JoinKind {
        switch (kind, requiresLeft, requiresRight) {
        case (.left, _, true), (.right, true, _), (.full, true, true): .inner
        case (.full, true, false): .left
        case (.full, false, true): .right
        default: kind
        }
    }

    private func isRequired(by conditions: [BoundExpression]) -> Bool {
        switch self {
        case .join(_, let left, let right, _):
            return left.isRequired(by: conditions) || right.isRequired(by: conditions)
        case .relation(let relation):
            let slots = Set(relation.columns.map(\.slot).filter { $0 >= 0 })
            let nulls = NullEffect {
                ($0 as? SlotReference).map { slots.contains($0.slot) } ?? false
            }
            return conditions.contains { nulls.refuses($0) }
        }
    }

    /// Whether an outer join may give NULLs in place of the relation's rows.
    func isNullable(_ relation: Relation) -> Bool { isNullable(relation, false) ?? false }

    /// Nil: not in the tree.
    private func isNullable(_ relation: Relation, _ isUnder: Bool) -> Bool? {
        switch self {
        case .relation(let found): return found === relation ? isUnder : nil
        case .join(let kind, let left, let right, _):
            return left.isNullable(relation, isUnder || kind == .right || kind == .full)
                ?? right.isNullable(relation, isUnder || kind == .left || kind == .full)
        }
    }
}
