import FalconSchema

/// ARRAY[…]. Of arrays, it makes one with one more dimension.
public final class ArrayConstructor: BoundExpression, @unchecked Sendable {
    public let elements: [BoundExpression]
    public let elementType: OID
    /// The elements are arrays themselves.
    public let isNested: Bool

    public init(
        _ elements: [BoundExpression], elementType: OID, isNested: Bool, type: SQLType,
        location: Int
    ) {
        self.elements = elements
        self.elementType = elementType
        self.isNested = isNested
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        var values: [Datum] = []
        values.reserveCapacity(elements.count)
        if !isNested {
            for element in elements { values.append(try element.evaluate(row)) }
            return .array(try checked(ArrayValue(elementType: elementType, values)))
        }
        var inner: [(length: Int32, lowerBound: Int32)]?
        var count: Int32 = 0
        for element in elements {
            guard case .array(let array) = try element.evaluate(row) else { continue }
            if let inner {
                let same =
                    inner.count == array.dimensions.count
                    && zip(inner, array.dimensions).allSatisfy { $0.length == $1.length }
                guard same else {
                    throw SQLError(
                        SQLState("2202E"),
                        "multidimensional arrays must have array expressions with matching dimensions"
                    )
                }
            }
            inner = array.dimensions
            values += array.elements
            count += 1
        }
        guard let inner, !values.isEmpty else {
            return .array(ArrayValue(elementType: elementType, []))
        }
        return .array(
            try checked(
                ArrayValue(
                    elementType: elementType, dimensions: [(length: count, lowerBound: 1)] + inner,
                    elements: values)))
    }
    private func checked(_ array: ArrayValue) throws(SQLError) -> ArrayValue {
        try ValueLimit.check(array)
        return array
    }
    public override var children: [BoundExpression] { elements }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ArrayConstructor(
            children, elementType: elementType, isNested: isNested, type: type, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// `array[i][j]`: one element, NULL outside the bounds.
public final class SubscriptExpression: BoundExpression, @unchecked Sendable {
    public let array: BoundExpression
    public let subscripts: [BoundExpression]

    public init(_ array: BoundExpression, _ subscripts: [BoundExpression], type: SQLType) {
        self.array = array
        self.subscripts = subscripts
        super.init(type: type, location: array.location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .array(let array) = try array.evaluate(row) else { return .null }
        var index = 0
        let isRightDepth = subscripts.count == array.dimensions.count
        for (position, expression) in subscripts.enumerated() {
            guard case .int(let value) = try expression.evaluate(row) else { return .null }
            guard isRightDepth else { continue }
            let dimension = array.dimensions[position]
            let (offset, overflow) = value.subtractingReportingOverflow(Int64(dimension.lowerBound))
            guard !overflow, offset >= 0, offset < Int64(dimension.length) else { return .null }
            index = index * Int(dimension.length) + Int(offset)
        }
        guard isRightDepth, index < array.elements.count else { return .null }
        return array.elements[index]
    }
    public override var children: [BoundExpression] { [array] + subscripts }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        SubscriptExpression(children[0], Array(children.dropFirst()), type: type)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool { true }
}

/// `array[lower:upper]` of a one-dimensional array.
public final class SliceExpression: BoundExpression, @unchecked Sendable {
    public let array: BoundExpression
    public let lower: BoundExpression?
    public let upper: BoundExpression?

    public init(_ array: BoundExpression, lower: BoundExpression?, upper: BoundExpression?) {
        self.array = array
        self.lower = lower
        self.upper = upper
        super.init(type: array.type, location: array.location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .array(let value) = try array.evaluate(row) else { return .null }
        guard value.dimensions.count <= 1 else {
            throw SQLError(
                .featureNotSupported, "slices of multidimensional arrays are not supported")
        }
        guard let dimension = value.dimensions.first else {
            return .array(ArrayValue(elementType: value.elementType, []))
        }
        let first = Int64(dimension.lowerBound)
        var low = first
        var high = first + Int64(dimension.length) - 1
        if let lower {
            guard case .int(let bound) = try lower.evaluate(row) else { return .null }
            low = max(low, bound)
        }
        if let upper {
            guard case .int(let bound) = try upper.evaluate(row) else { return .null }
            high = min(high, bound)
        }
        guard low <= high else { return .array(ArrayValue(elementType: value.elementType, [])) }
        return .array(
            ArrayValue(
                elementType: value.elementType,
                Array(value.elements[Int(low - first)...Int(high - first)])))
    }
    public override var children: [BoundExpression] {
        [array] + (lower.map { [$0] } ?? []) + (upper.map { [$0] } ?? [])
    }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        var rest = children.dropFirst()
        let newLower = lower == nil ? nil : rest.popFirst()
        let newUpper = upper == nil ? nil : rest.popFirst()
        return SliceExpression(children[0], lower: newLower, upper: newUpper)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? SliceExpression else { return false }
        return (other.lower == nil) == (lower == nil) && (other.upper == nil) == (upper == nil)
    }
}

/// `left op ANY (array)` and `left op ALL (array)`, and IN over a list that is not constant.
///
/// The comparison is an expression over two slots that this node fills, so that any operator works
/// without a call convention of its own.
public final class ArrayComparison: BoundExpression, @unchecked Sendable {
    public let left: BoundExpression
    public let array: BoundExpression
    public let isAll: Bool
    public let leftSlot: Int
    public let elementSlot: Int
    /// `leftSlot op elementSlot`.
    public let comparison: BoundExpression

    public init(
        _ left: BoundExpression, array: BoundExpression, isAll: Bool, leftSlot: Int,
        elementSlot: Int, comparison: BoundExpression, location: Int
    ) {
        self.left = left
        self.array = array
        self.isAll = isAll
        self.leftSlot = leftSlot
        self.elementSlot = elementSlot
        self.comparison = comparison
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard case .array(let array) = try array.evaluate(row) else { return .null }
        if array.elements.isEmpty { return .bool(isAll) }
        row.slots[leftSlot] = try left.evaluate(row)
        var sawNull = false
        for element in array.elements {
            row.slots[elementSlot] = element
            if case .bool(let value) = try comparison.evaluate(row) {
                if value != isAll { return .bool(value) }
            } else {
                sawNull = true
            }
        }
        return sawNull ? .null : .bool(isAll)
    }
    public override var children: [BoundExpression] { [left, array] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        ArrayComparison(
            children[0], array: children[1], isAll: isAll, leftSlot: leftSlot,
            elementSlot: elementSlot, comparison: comparison, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? ArrayComparison else { return false }
        return other.isAll == isAll && other.leftSlot == leftSlot
    }
}

/// `left [NOT] IN (constants)` of one type: looked up in a hash table when the list is long.
public final class InListExpression: BoundExpression, @unchecked Sendable {
    public let left: BoundExpression
    /// Of `operandType`, none NULL.
    public let values: [Datum]
    public let hasNull: Bool
    public let isNegated: Bool
    public let operandType: OID
    private let table: [ValueKey: Bool]

    public init(
        _ left: BoundExpression, values: [Datum], hasNull: Bool, isNegated: Bool, operandType: OID,
        location: Int
    ) {
        self.left = left
        self.values = values
        self.hasNull = hasNull
        self.isNegated = isNegated
        self.operandType = operandType
        var table: [ValueKey: Bool] = [:]
        if values.count > 8 {
            for value in values { table[ValueKey(value, type: operandType)] = true }
        }
        self.table = table
        super.init(type: .bool, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let value = try left.evaluate(row)
        if value.isNull { return .null }
        let isFound: Bool
        if values.count > 8 {
            isFound = table[ValueKey(value, type: operandType)] != nil
        } else {
            isFound = values.contains {
                DatumOrder.compare(value, $0, type: operandType) == 0
            }
        }
        if isFound { return .bool(!isNegated) }
        return hasNull ? .null : .bool(isNegated)
    }
    public override var children: [BoundExpression] { [left] }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        InListExpression(
            children[0], values: values, hasNull: hasNull, isNegated: isNegated,
            operandType: operandType, location: location)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? InListExpression, other.isNegated == isNegated,
            other.hasNull == hasNull, other.operandType == operandType,
            other.values.count == values.count
        else { return false }
        return zip(values, other.values).allSatisfy {
            DatumOrder.compare($0, $1, type: operandType) == 0
        }
    }
}

/// A value as a dictionary key, equal as GROUP BY has it.
public struct ValueKey: Hashable {
    public let value: Datum
    public let type: OID
    public init(_ value: Datum, type: OID) {
        self.value = value
        self.type = type
    }
    public static func == (a: ValueKey, b: ValueKey) -> Bool {
        DatumOrder.isNotDistinct(a.value, b.value, type: a.type)
    }
    public func hash(into hasher: inout Hasher) {
        DatumOrder.hash(value, type: type, into: &hasher)
    }
}
