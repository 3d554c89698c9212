import FalconSchema

/// The six comparisons.
public enum Comparison: Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    /// `a op b` as `b op' a`.
    public var commuted: Comparison {
        switch self {
        case .equal, .notEqual: return self
        case .less: return .greater
        case .lessOrEqual: return .greaterOrEqual
        case .greater: return .less
        case .greaterOrEqual: return .lessOrEqual
        }
    }

    public var symbol: String {
        switch self {
        case .equal: return "="
        case .notEqual: return "<>"
        case .less: return "<"
        case .lessOrEqual: return "<="
        case .greater: return ">"
        case .greaterOrEqual: return ">="
        }
    }

    init?(symbol: String) {
        switch symbol {
        case "=": self = .equal
        case "<>", "!=": self = .notEqual
        case "<": self = .less
        case "<=": self = .lessOrEqual
        case ">": self = .greater
        case ">=": self = .greaterOrEqual
        default: return nil
        }
    }

    /// Whether an ordering (negative, zero, positive) satisfies it.
    @inline(__always)
    func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: return order == 0
        case .notEqual: return order != 0
        case .less: return order < 0
        case .lessOrEqual: return order <= 0
        case .greater: return order > 0
        case .greaterOrEqual: return order >= 0
        }
    }
}

/// A comparison of two values of one physical form by the type's own order: whatever the executor
/// and the index code do with the type, this does too.
public class ComparisonExpression: BoundExpression, @unchecked Sendable {
    public final let comparison: Comparison
    public final let left: BoundExpression
    public final let right: BoundExpression
    /// The type both sides are compared as.
    public final let operandType: OID

    public init(
        _ comparison: Comparison, _ left: BoundExpression, _ right: BoundExpression,
        operandType: OID, location: Int
    ) {
        self.comparison = comparison
        self.left = left
        self.right = right
        self.operandType = operandType
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let a = try left.evaluate(row)
        if a.isNull { return .null }
        let b = try right.evaluate(row)
        if b.isNull { return .null }
        return .bool(comparison.holds(DatumOrder.compare(a, b, type: operandType)))
    }

    public final override var children: [BoundExpression] { [left, right] }

    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ComparisonExpression(
            comparison, children[0], children[1], operandType: operandType, location: location)
    }

    public final override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? ComparisonExpression else { return false }
        return other.comparison == comparison && other.operandType == operandType
    }
}

/// A comparison of values held as `Datum.int`: integers, dates, timestamps.
public final class IntegerComparison: ComparisonExpression, @unchecked Sendable {
    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .int(let a) = try left.evaluate(row),
            case .int(let b) = try right.evaluate(row)
        else { return .null }
        return .bool(holds(a, b))
    }

    public override func isTrue(_ row: RowContext) throws(SQLError) -> Bool {
        guard case .int(let a) = try left.evaluate(row),
            case .int(let b) = try right.evaluate(row)
        else { return false }
        return holds(a, b)
    }

    @inline(__always)
    private func holds(_ a: Int64, _ b: Int64) -> Bool {
        switch comparison {
        case .equal: return a == b
        case .notEqual: return a != b
        case .less: return a < b
        case .lessOrEqual: return a <= b
        case .greater: return a > b
        case .greaterOrEqual: return a >= b
        }
    }

    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        IntegerComparison(
            comparison, children[0], children[1], operandType: operandType, location: location)
    }
}

/// Addition, subtraction, multiplication, division and remainder of int2, int4 and int8, checked
/// against the result type's range.
public final class IntegerArithmetic: BoundExpression, @unchecked Sendable {
    public enum Operator: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
    }

    public let operation: Operator
    public let left: BoundExpression
    public let right: BoundExpression

    public init(
        _ operation: Operator, _ left: BoundExpression, _ right: BoundExpression, type: SQLType,
        location: Int
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .int(let a) = try left.evaluate(row),
            case .int(let b) = try right.evaluate(row)
        else { return .null }
        let (value, overflow): (Int64, Bool)
        switch operation {
        case .add: (value, overflow) = a.addingReportingOverflow(b)
        case .subtract: (value, overflow) = a.subtractingReportingOverflow(b)
        case .multiply: (value, overflow) = a.multipliedReportingOverflow(by: b)
        case .divide:
            if b == 0 { throw SQLError(.divisionByZero, "division by zero") }
            (value, overflow) = a.dividedReportingOverflow(by: b)
        case .remainder:
            if b == 0 { throw SQLError(.divisionByZero, "division by zero") }
            // The one overflowing case, MIN % -1, is 0.
            if b == -1 { return .int(0) }
            (value, overflow) = a.remainderReportingOverflow(dividingBy: b)
        }
        if overflow { throw Self.outOfRange(type.oid) }
        switch type.oid {
        case .int4:
            guard value == Int64(Int32(truncatingIfNeeded: value)) else {
                throw Self.outOfRange(.int4)
            }
        case .int2:
            guard value == Int64(Int16(truncatingIfNeeded: value)) else {
                throw Self.outOfRange(.int2)
            }
        default: break
        }
        return .int(value)
    }

    static func outOfRange(_ type: OID) -> SQLError {
        let name = type == .int2 ? "smallint" : type == .int4 ? "integer" : "bigint"
        return SQLError(.numericValueOutOfRange, "\(name) out of range")
    }

    public override var children: [BoundExpression] { [left, right] }

    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        IntegerArithmetic(operation, children[0], children[1], type: type, location: location)
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? IntegerArithmetic)?.operation == operation
    }
}

/// A cast between integer types that needs only a range check (or nothing, when it widens).
public final class IntegerCast: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression
    /// How EXPLAIN and CHECK texts show it.
    public let isImplicit: Bool

    public init(_ operand: BoundExpression, to type: SQLType, isImplicit: Bool, location: Int) {
        self.operand = operand
        self.isImplicit = isImplicit
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .int(let value) = try operand.evaluate(row) else { return .null }
        switch type.oid {
        case .int2:
            guard value == Int64(Int16(truncatingIfNeeded: value)) else {
                throw IntegerArithmetic.outOfRange(.int2)
            }
        case .int4:
            guard value == Int64(Int32(truncatingIfNeeded: value)) else {
                throw IntegerArithmetic.outOfRange(.int4)
            }
        default: break
        }
        return .int(value)
    }

    public override var children: [BoundExpression] { [operand] }

    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        IntegerCast(children[0], to: type, isImplicit: isImplicit, location: location)
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}
