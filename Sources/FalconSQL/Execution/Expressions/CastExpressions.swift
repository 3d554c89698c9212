import FalconSchema

/// The same physical value under another type.
public final class RelabelExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression

    public init(_ operand: BoundExpression, to type: SQLType, location: Int) {
        self.operand = operand
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        try operand.evaluate(row)
    }
    public override func isTrue(_ row: RowContext) throws(SQLError) -> Bool {
        try operand.isTrue(row)
    }
    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        RelabelExpression(children[0], to: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// A conversion through the text form.
public final class TextConversionExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression

    public init(_ operand: BoundExpression, to type: SQLType, location: Int) {
        self.operand = operand
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let value = try operand.evaluate(row)
        if value.isNull { return .null }
        let settings = row.functions.settings
        let text: String
        if case .text(let already) = value, TypeRegistry.physical(operand.type.oid) != .none {
            text = already
        } else {
            try ValueLimit.checkText(of: value)
            text = TypeIO.text(value, type: operand.type.oid, settings: settings)
            try ValueLimit.checkAllocation(text.utf8.count)
        }
        return try TypeIO.parseText(text, type: SQLType(type.oid), settings: settings)
    }
    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        TextConversionExpression(children[0], to: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// Applies a type modifier: varchar's length, numeric's precision.
public final class ModifierExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression
    /// Explicit casts truncate, assignments raise 22001.
    public let isExplicit: Bool

    public init(_ operand: BoundExpression, to type: SQLType, isExplicit: Bool, location: Int) {
        self.operand = operand
        self.isExplicit = isExplicit
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let value = try operand.evaluate(row)
        if value.isNull { return .null }
        return try TypeIO.coerce(value, toModifierOf: type, explicit: isExplicit)
    }
    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ModifierExpression(children[0], to: type, isExplicit: isExplicit, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// An array cast, element by element: `convert` turns the element in slot `elementSlot`.
public final class ArrayCastExpression: BoundExpression, @unchecked Sendable {
    public let operand: BoundExpression
    public let elementSlot: Int
    public let convert: BoundExpression

    public init(
        _ operand: BoundExpression, elementSlot: Int, convert: BoundExpression, to type: SQLType,
        location: Int
    ) {
        self.operand = operand
        self.elementSlot = elementSlot
        self.convert = convert
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .array(let array) = try operand.evaluate(row) else { return .null }
        var elements: [Datum] = []
        elements.reserveCapacity(array.elements.count)
        for element in array.elements {
            row.slots[elementSlot] = element
            elements.append(element.isNull ? .null : try convert.evaluate(row))
        }
        return .array(
            ArrayValue(
                elementType: convert.type.oid, dimensions: array.dimensions, elements: elements))
    }
    public override var children: [BoundExpression] { [operand] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ArrayCastExpression(
            children[0], elementSlot: elementSlot, convert: convert, to: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? ArrayCastExpression else { return false }
        return other.elementSlot == elementSlot
    }
}
