import FalconSchema

/// Proves that rows of a query satisfy a partial index's predicate, from the conditions that they
/// satisfy. What it cannot prove it takes for unproven.
struct PredicateProof {
    /// All true of the rows.
    private let conditions: [BoundExpression]

    init(_ conditions: [BoundExpression]) {
        self.conditions = conditions.map { Self.simplified($0) }
    }

    /// `predicate` and the conditions name columns by the same slots.
    func implies(_ predicate: BoundExpression) -> Bool {
        let predicate = Self.simplified(predicate)
        if let logic = predicate as? LogicExpression, logic.isAnd {
            return logic.operands.allSatisfy { implies($0) }
        }
        return conditions.contains { Self.implies($0, predicate) }
    }

    /// Whether `predicate`, no AND, is true wherever `condition` is.
    private static func implies(
        _ condition: BoundExpression, _ predicate: BoundExpression
    ) -> Bool {
        if condition.matches(predicate) { return !condition.isVolatile }
        for alternatives in alternatives(of: condition) {
            // What the condition allows must all satisfy the predicate.
            if alternatives.allSatisfy({ PredicateProof([$0]).implies(predicate) }) { return true }
        }
        if let logic = condition as? LogicExpression, logic.isAnd {
            return PredicateProof(logic.operands).implies(predicate)
        }
        for alternatives in alternatives(of: predicate) {
            if alternatives.contains(where: { PredicateProof([condition]).implies($0) }) {
                return true
            }
        }
        if let test = predicate as? NullTestExpression, test.isNotNull {
            return isStrict(condition, on: test.operand)
        }
        if let known = condition as? ComparisonExpression,
            let wanted = predicate as? ComparisonExpression
        {
            return implies(known, wanted)
        }
        return false
    }

    /// `a OR b`, and `x IN (a, b)` as `x = a OR x = b`: at most one list.
    private static func alternatives(of expression: BoundExpression) -> [[BoundExpression]] {
        if let logic = expression as? LogicExpression, !logic.isAnd { return [logic.operands] }
        guard let list = expression as? InListExpression, !list.isNegated, list.values.count <= 100
        else { return [] }
        let operands = list.values.map { value in
            ComparisonExpression(
                .equal, list.left,
                ConstantExpression(value, type: SQLType(list.operandType)),
                operandType: list.operandType, location: -1) as BoundExpression
        }
        return operands.isEmpty ? [] : [operands]
    }

    // MARK: Comparisons with constants

    /// `x op c`, the constant on the right.
    private struct Range {
        var subject: BoundExpression
        var comparison: Comparison
        var value: Datum
        var type: OID

        init?(_ expression: ComparisonExpression) {
            type = expression.operandType
            if let constant = expression.right as? ConstantExpression {
                (subject, comparison, value) = (
                    expression.left, expression.comparison, constant.value
                )
            } else if let constant = expression.left as? ConstantExpression {
                (subject, comparison, value) = (
                    expression.right, expression.comparison.commuted, constant.value
                )
            } else {
                return nil
            }
            if value.isNull { return nil }
        }
    }

    private static func implies(
        _ known: ComparisonExpression, _ wanted: ComparisonExpression
    ) -> Bool {
        guard let known = Range(known), let wanted = Range(wanted), known.type == wanted.type,
            DatumOrder.isOrdered(known.type), isSame(known.subject, wanted.subject)
        else { return false }
        let order = DatumOrder.compare(known.value, wanted.value, type: known.type)
        switch (known.comparison, wanted.comparison) {
        case (.equal, let comparison): return comparison.holds(order)
        case (.notEqual, .notEqual): return order == 0
        case (.greater, .greater), (.greaterOrEqual, .greaterOrEqual): return order >= 0
        case (.greater, .greaterOrEqual), (.greater, .notEqual): return order >= 0
        case (.greaterOrEqual, .greater), (.greaterOrEqual, .notEqual): return order > 0
        case (.less, .less), (.lessOrEqual, .lessOrEqual): return order <= 0
        case (.less, .lessOrEqual), (.less, .notEqual): return order <= 0
        case (.lessOrEqual, .less), (.lessOrEqual, .notEqual): return order < 0
        default: return false
        }
    }

    /// The same value, whatever it is called.
    private static func isSame(_ a: BoundExpression, _ b: BoundExpression) -> Bool {
        let (a, b) = (unlabelled(a), unlabelled(b))
        return a.matches(b) && !a.isVolatile
    }

    private static func unlabelled(_ expression: BoundExpression) -> BoundExpression {
        var expression = expression
        while let relabel = expression as? RelabelExpression { expression = relabel.operand }
        return expression
    }

    // MARK: NULL

    /// NULL `operand` would make `condition` NULL or false.
    private static func isStrict(
        _ condition: BoundExpression, on operand: BoundExpression
    ) -> Bool {
        NullEffect { isSame($0, operand) }.refuses(condition)
    }

    // MARK: Booleans

    /// As a condition the same: `x = true` and `x IS TRUE` are `x`, `x = false` is `NOT x`.
    private static func simplified(_ condition: BoundExpression) -> BoundExpression {
        if let test = condition as? BooleanTestExpression {
            switch test.test {
            case .isTrue: return simplified(test.operand)
            case .isFalse: return simplified(NotExpression(test.operand))
            default: return condition
            }
        }
        if let not = condition as? NotExpression, let inner = not.operand as? NotExpression {
            return simplified(inner.operand)
        }
        guard let comparison = condition as? ComparisonExpression, comparison.operandType == .bool,
            comparison.comparison == .equal || comparison.comparison == .notEqual
        else { return condition }
        let isEqual = comparison.comparison == .equal
        for (constant, other) in [
            (comparison.left, comparison.right), (comparison.right, comparison.left),
        ] {
            guard case .bool(let value)? = (constant as? ConstantExpression)?.value else {
                continue
            }
            return simplified(value == isEqual ? other : NotExpression(other))
        }
        return condition
    }
}
