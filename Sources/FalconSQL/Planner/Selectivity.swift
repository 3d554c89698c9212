/// Guesses of how many rows pass conditions, where nothing is known of the columns.
enum Selectivity {
    /// `<`, `>` and their like.
    static let inequality = 0.33
    /// Both a lower and an upper bound.
    static let range = 0.02

    static func of(_ condition: BoundExpression) -> Double {
        if let logic = condition as? LogicExpression, logic.isAnd { return of(logic.operands) }
        switch (condition as? ComparisonExpression)?.comparison {
        case .equal?: return 0.05
        case nil: return 0.5
        default: return inequality
        }
    }

    static func of(_ conditions: [BoundExpression]) -> Double {
        conditions.reduce(1) { $0 * of($1) }
    }
}
