import FalconSchema

/// AND and OR of two or more conditions, in SQL's three-valued logic.
public final class LogicExpression: BoundExpression, @unchecked Sendable {
    public let isAnd: Bool
    public let operands: [BoundExpression]

    public init(isAnd: Bool, _ operands: [BoundExpression], location: Int = -1) {
        self.isAnd = isAnd
        self.operands = operands
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        var sawNull = false
        for operand in operands {
            if case .bool(let value) = try operand.evaluate(row) {
                if value != isAnd { return .bool(value) }
            } else {
                sawNull = true
            }
        }
        return sawNull ? .null : .bool(isAnd)
    }

    public override func isTrue(_ row: RowContext) throws(SQLError) -> Bool {
        if isAnd {
            for operand in operands where !(try operand.isTrue(row)) { return false }
            return true
        }
        for operand in operands where try operand.isTrue(row) { return true }
        return false
    }

    public override var children: [BoundExpression] { operands }

    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        LogicExpression(isAnd: isAnd, children, location: location)
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? LogicExpression)?.isAnd == isAnd
    }

    /// The conditions that must all hold: `expression` itself unless it is an AND.
    public static func conjuncts(of expression: BoundExpression) -> [BoundExpression] {
        if let logic = expression as? LogicExpression, logic.isAnd {
            return logic.operands.flatMap { conjuncts(of: $0) }
        }
        return [expression]
    }

    /// All of `conditions` as one; nil for none.
    public static func all(_ conditions: [BoundExpression]) -> BoundExpression? {
        switch conditions.count {
        case 0: return nil
        case 1: return conditions[0]
        default: return LogicExpression(isAnd: true, conditions)
        }
    }
}

/// NOT.
public final class NotExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression

    public init(_ operand: BoundExpression, location: Int = -1) {
        self.operand = operand
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .bool(let value) = try operand.evaluate(row) else { return .null }
        return .bool(!value)
    }

    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        NotExpression(children[0], location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// IS [NOT] NULL. A row value is NULL when all its fields are, NOT NULL when none is.
public final class NullTestExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression
    public let isNotNull: Bool

    public init(_ operand: BoundExpression, isNotNull: Bool, location: Int = -1) {
        self.operand = operand
        self.isNotNull = isNotNull
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        .bool(try operand.evaluate(row).isNull != isNotNull)
    }

    public override func isTrue(_ row: RowContext) throws(SQLError) -> Bool {
        try operand.evaluate(row).isNull != isNotNull
    }

    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        NullTestExpression(children[0], isNotNull: isNotNull, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? NullTestExpression)?.isNotNull == isNotNull
    }
}

/// IS [NOT] TRUE, FALSE, UNKNOWN.
public final class BooleanTestExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression
    public let test: AST.BooleanTest

    public init(_ operand: BoundExpression, _ test: AST.BooleanTest, location: Int = -1) {
        self.operand = operand
        self.test = test
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let value: Bool?
        if case .bool(let flag) = try operand.evaluate(row) { value = flag } else { value = nil }
        switch test {
        case .isTrue: return .bool(value == true)
        case .isNotTrue: return .bool(value != true)
        case .isFalse: return .bool(value == false)
        case .isNotFalse: return .bool(value != false)
        case .isUnknown: return .bool(value == nil)
        case .isNotUnknown: return .bool(value != nil)
        }
    }

    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        BooleanTestExpression(children[0], test, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? BooleanTestExpression)?.test == test
    }
}

/// IS [NOT] DISTINCT FROM over values of one type.
public final class DistinctTestExpression: BoundExpression, @unchecked Sendable {
    public let left: BoundExpression
    public let right: BoundExpression
    /// IS NOT DISTINCT FROM.
    public let isNegated: Bool
    public let operandType: OID

    public init(
        _ left: BoundExpression, _ right: BoundExpression, isNegated: Bool, operandType: OID,
        location: Int
    ) {
        self.left = left
        self.right = right
        self.isNegated = isNegated
        self.operandType = operandType
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let a = try left.evaluate(row)
        let b = try right.evaluate(row)
        return .bool(DatumOrder.isNotDistinct(a, b, type: operandType) == isNegated)
    }

    public override var children: [BoundExpression] { [left, right] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        DistinctTestExpression(
            children[0], children[1], isNegated: isNegated, operandType: operandType,
            location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? DistinctTestExpression else { return false }
        return other.isNegated == isNegated && other.operandType == operandType
    }
}
