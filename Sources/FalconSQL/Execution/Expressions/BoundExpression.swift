import FalconSchema

/// An expression with every name, type, operator and conversion decided. Immutable once its
/// statement is bound, shared by concurrent executions; what changes between executions is in the
/// ``RowContext``.
open class BoundExpression: @unchecked Sendable {
    public final let type: SQLType
    /// Byte offset in the statement's text, -1 when unknown.
    public final let location: Int

    public init(type: SQLType, location: Int) {
        self.type = type
        self.location = location
    }

    /// The value for the row in `row`'s slots.
    open func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        throw SQLError(.internalError, "expression cannot be evaluated")
    }

    /// As a condition: true only when the value is true (not false, not NULL).
    open func isTrue(_ row: RowContext) throws(SQLError) -> Bool {
        if case .bool(true) = try evaluate(row) { return true }
        return false
    }

    /// Direct subexpressions, in evaluation order.
    open var children: [BoundExpression] { [] }

    /// The same expression over other children (as many as ``children``).
    open func withChildren(_ children: [BoundExpression]) -> BoundExpression { self }

    /// Whether this node says the same as `other`, children aside.
    open func hasSameForm(as other: BoundExpression) -> Bool { false }
}

extension BoundExpression {
    /// Where its text begins, as PostgreSQL's messages about the whole of it point; nil when unknown.
    final var start: Int? {
        var first: Int?
        walk { node in
            if node.location >= 0 { first = min(first ?? node.location, node.location) }
        }
        return first
    }

    /// Structural equality: the same computation on the same slots.
    public final func matches(_ other: BoundExpression) -> Bool {
        if self === other { return true }
        guard Swift.type(of: self) == Swift.type(of: other), type == other.type,
            hasSameForm(as: other)
        else { return false }
        let mine = children
        let others = other.children
        guard mine.count == others.count else { return false }
        for index in mine.indices where !mine[index].matches(others[index]) { return false }
        return true
    }

    /// A copy in which `change` has replaced nodes; it is asked before their children are visited.
    public final func rewritten(
        _ change: (BoundExpression) throws(SQLError) -> BoundExpression?
    ) throws(SQLError) -> BoundExpression {
        if let replacement = try change(self) { return replacement }
        let old = children
        if old.isEmpty { return self }
        var new: [BoundExpression] = []
        new.reserveCapacity(old.count)
        var isChanged = false
        for child in old {
            let replacement = try child.rewritten(change)
            if replacement !== child { isChanged = true }
            new.append(replacement)
        }
        return isChanged ? withChildren(new) : self
    }

    /// Visits the expression and everything below it.
    public final func walk(_ visit: (BoundExpression) -> Void) {
        visit(self)
        for child in children { child.walk(visit) }
    }
}

/// A slot of the row.
public final class SlotReference: BoundExpression, @unchecked Sendable {
    public let slot: Int
    /// For EXPLAIN and messages: `t.a`.
    public let name: String
    /// Identity of the table column, when it is one, for RowDescription.
    public let tableOID: OID
    public let attribute: Int16

    public init(
        slot: Int, name: String, type: SQLType, location: Int, tableOID: OID = .invalid,
        attribute: Int16 = 0
    ) {
        self.slot = slot
        self.name = name
        self.tableOID = tableOID
        self.attribute = attribute
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        row.slots[slot]
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? SlotReference)?.slot == slot
    }
}

/// A value known when the statement is bound.
public final class ConstantExpression: BoundExpression, @unchecked Sendable {
    public let value: Datum

    public init(_ value: Datum, type: SQLType, location: Int = -1) {
        self.value = value
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum { value }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? ConstantExpression else { return false }
        if value.isNull || other.value.isNull { return value.isNull && other.value.isNull }
        if type.oid == .unknown {
            guard case .text(let a) = value, case .text(let b) = other.value else { return false }
            return a.utf8.elementsEqual(b.utf8)
        }
        return DatumOrder.isOrdered(type.oid)
            && DatumOrder.compare(value, other.value, type: type.oid) == 0
    }
}

/// `$n`, in the type the statement's parameters were given or inferred to have.
public final class ParameterExpression: BoundExpression, @unchecked Sendable {
    /// From 0.
    public let index: Int

    public init(index: Int, type: SQLType, location: Int) {
        self.index = index
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard index < row.parameters.count else {
            throw SQLError(.undefinedParameter, "there is no parameter $\(index + 1)")
        }
        return row.parameters[index]
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? ParameterExpression)?.index == index
    }
}
