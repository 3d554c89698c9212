import FalconSchema

/// CASE WHEN condition THEN result … ELSE otherwise END.
public final class CaseExpression: BoundExpression, @unchecked Sendable {
    public let conditions: [BoundExpression]
    public let results: [BoundExpression]
    public let otherwise: BoundExpression?

    public init(
        conditions: [BoundExpression], results: [BoundExpression], otherwise: BoundExpression?,
        type: SQLType, location: Int
    ) {
        self.conditions = conditions
        self.results = results
        self.otherwise = otherwise
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        for index in conditions.indices where try conditions[index].isTrue(row) {
            return try results[index].evaluate(row)
        }
        return try otherwise?.evaluate(row) ?? .null
    }

    public override var children: [BoundExpression] {
        conditions + results + (otherwise.map { [$0] } ?? [])
    }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        let count = conditions.count
        return CaseExpression(
            conditions: Array(children[0..<count]), results: Array(children[count..<2 * count]),
            otherwise: otherwise == nil ? nil : children[2 * count], type: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? CaseExpression else { return false }
        return other.conditions.count == conditions.count
    }
}

/// COALESCE, GREATEST and LEAST over values of one type.
public final class ChoiceExpression: BoundExpression, @unchecked Sendable {
    public enum Kind: Sendable { case coalesce, greatest, least }
    public let kind: Kind
    public let operands: [BoundExpression]

    public init(_ kind: Kind, _ operands: [BoundExpression], type: SQLType, location: Int) {
        self.kind = kind
        self.operands = operands
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        var best = Datum.null
        for operand in operands {
            let value = try operand.evaluate(row)
            if value.isNull { continue }
            if kind == .coalesce { return value }
            if best.isNull {
                best = value
                continue
            }
            let order = DatumOrder.compare(value, best, type: type.oid)
            if kind == .greatest ? order > 0 : order < 0 { best = value }
        }
        return best
    }

    public override var children: [BoundExpression] { operands }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ChoiceExpression(kind, children, type: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? ChoiceExpression)?.kind == kind
    }
}

/// NULLIF(value, other): the value unless `condition` (their equality) holds. `value` is evaluated
/// once for the result and once inside the condition.
public final class NullIfExpression: BoundExpression, @unchecked Sendable {
    public let value: BoundExpression
    public let condition: BoundExpression

    public init(_ value: BoundExpression, condition: BoundExpression, location: Int) {
        self.value = value
        self.condition = condition
        super.init(type: value.type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        try condition.isTrue(row) ? .null : try value.evaluate(row)
    }

    public override var children: [BoundExpression] { [value, condition] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        NullIfExpression(children[0], condition: children[1], location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}
