/// What NULLs make of an expression.
struct NullEffect {
    /// The expressions that are NULL.
    let isNull: (BoundExpression) -> Bool

    init(_ isNull: @escaping (BoundExpression) -> Bool) { self.isNull = isNull }

    /// `condition` is surely NULL or false.
    func refuses(_ condition: BoundExpression) -> Bool {
        switch condition {
        case let logic as LogicExpression:
            return logic.isAnd
                ? logic.operands.contains { refuses($0) }
                : logic.operands.allSatisfy { refuses($0) }
        case let test as NullTestExpression: return test.isNotNull && isMadeNull(test.operand)
        case let test as BooleanTestExpression:
            switch test.test {
            case .isTrue: return refuses(test.operand)
            case .isFalse, .isNotUnknown: return isMadeNull(test.operand)
            default: return false
            }
        default: return isMadeNull(condition)
        }
    }

    /// `expression` is surely NULL.
    func isMadeNull(_ expression: BoundExpression) -> Bool {
        if isNull(expression) { return true }
        switch expression {
        case is ComparisonExpression, is IntegerArithmetic, is NotExpression,
            is RelabelExpression, is TextConversionExpression, is ModifierExpression,
            is IntegerCast:
            return expression.children.contains { isMadeNull($0) }
        case let list as InListExpression: return isMadeNull(list.left)
        case let any as ArrayComparison where !any.isAll: return isMadeNull(any.left)
        case let call as FunctionExpression where call.function.isStrict:
            return call.arguments.contains { isMadeNull($0) }
        default: return false
        }
    }
}
