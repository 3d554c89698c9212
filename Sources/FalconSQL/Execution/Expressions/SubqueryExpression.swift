import FalconSchema

/// EXISTS, a scalar subquery, ARRAY(subquery), or `left op ANY|ALL (subquery)`.
public final class SubqueryExpression: BoundExpression, @unchecked Sendable {
    public let kind: AST.SubqueryKind
    /// Fields compared in ANY/ALL.
    public let left: [BoundExpression]
    /// Slots the fields are put in for `comparison`.
    public let leftSlots: [Int]
    /// Over `leftSlots` and the subquery's result slots.
    public let comparison: BoundExpression?
    /// The comparison is `=` on single ordered values of this type: a hash table can serve an
    /// uncorrelated ANY.
    public let hashType: OID?
    /// What the binder made of the subquery; planned into subplan ``index``.
    let query: LogicalQuery
    /// Slots of enclosing queries the subquery reads.
    public var correlatedSlots: [Int] { query.outerSlots.sorted() }
    /// Its place in ``PhysicalPlan/subplans``, -1 until planned. Set once, before execution.
    public internal(set) var index = -1

    init(
        _ kind: AST.SubqueryKind, query: LogicalQuery, left: [BoundExpression] = [],
        leftSlots: [Int] = [], comparison: BoundExpression? = nil, hashType: OID? = nil,
        type: SQLType, location: Int
    ) {
        self.kind = kind
        self.query = query
        self.left = left
        self.leftSlots = leftSlots
        self.comparison = comparison
        self.hashType = hashType
        super.init(type: type, location: location)
    }

    private final class HashedRows {
        var values: Set<ValueKey> = []
        var hasNull = false
        var isEmpty = true
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard let runner = row.subplans, index >= 0 else {
            throw SQLError(.internalError, "a subquery has no executor")
        }
        let isFixed = query.outerSlots.isEmpty
        switch kind {
        case .exists, .scalar, .array:
            if isFixed, case .scalar(let value)? = runner.cachedSubplanValue(index) { return value }
            try runner.openSubplan(index, row)
            defer { runner.closeSubplan(index, row) }
            let value = try run(runner, row)
            if isFixed { runner.cacheSubplanValue(index, .scalar(value)) }
            return value
        case .any, .all:
            for position in left.indices {
                row.slots[leftSlots[position]] = try left[position].evaluate(row)
            }
            if isFixed, kind == .any, let hashType {
                return try probe(runner, row, hashType)
            }
            return try isFixed ? compareCached(runner, row) : compareFresh(runner, row)
        }
    }

    private var resultSlots: [Int] { query.outputs.map(\.slot) }

    private func run(_ runner: any SubplanRunner, _ row: RowContext) throws(SQLError) -> Datum {
        switch kind {
        case .exists:
            return .bool(try runner.nextSubplanRow(index, row))
        case .scalar:
            guard try runner.nextSubplanRow(index, row) else { return .null }
            let value = row.slots[query.outputs[0].slot]
            if try runner.nextSubplanRow(index, row) {
                throw SQLError(
                    .cardinalityViolation,
                    "more than one row returned by a subquery used as an expression")
            }
            return value
        default:
            var elements: [Datum] = []
            let slot = query.outputs[0].slot
            while try runner.nextSubplanRow(index, row) { elements.append(row.slots[slot]) }
            let element = TypeRegistry.elementType(of: type.oid) ?? .text
            return .array(ArrayValue(elementType: element, elements))
        }
    }

    private func probe(
        _ runner: any SubplanRunner, _ row: RowContext, _ type: OID
    ) throws(SQLError) -> Datum {
        let rows: HashedRows
        if case .object(let object)? = runner.cachedSubplanValue(index),
            let found = object as? HashedRows
        {
            rows = found
        } else {
            rows = HashedRows()
            let slot = query.outputs[0].slot
            try runner.openSubplan(index, row)
            defer { runner.closeSubplan(index, row) }
            while try runner.nextSubplanRow(index, row) {
                rows.isEmpty = false
                let value = row.slots[slot]
                if value.isNull {
                    rows.hasNull = true
                } else {
                    if rows.values.insert(ValueKey(value, type: type)).inserted {
                        try runner.holdForSubplans(64 &+ value.heapBytes)
                    }
                }
            }
            runner.cacheSubplanValue(index, .object(rows))
        }
        if rows.isEmpty { return .bool(false) }
        let value = row.slots[leftSlots[0]]
        if value.isNull { return .null }
        if rows.values.contains(ValueKey(value, type: type)) { return .bool(true) }
        return rows.hasNull ? .null : .bool(false)
    }

    private func compareFresh(
        _ runner: any SubplanRunner, _ row: RowContext
    ) throws(SQLError) -> Datum {
        try runner.openSubplan(index, row)
        defer { runner.closeSubplan(index, row) }
        let isAll = kind == .all
        var sawNull = false
        while try runner.nextSubplanRow(index, row) {
            if case .bool(let value)? = try comparison?.evaluate(row) {
                if value != isAll { return .bool(value) }
            } else {
                sawNull = true
            }
        }
        return sawNull ? .null : .bool(isAll)
    }

    private func compareCached(
        _ runner: any SubplanRunner, _ row: RowContext
    ) throws(SQLError) -> Datum {
        let slots = resultSlots
        var rows: [[Datum]] = []
        if case .rows(let cached)? = runner.cachedSubplanValue(index) {
            rows = cached
        } else {
            try runner.openSubplan(index, row)
            defer { runner.closeSubplan(index, row) }
            while try runner.nextSubplanRow(index, row) {
                let values = slots.map { row.slots[$0] }
                try runner.holdForSubplans(RowMemory.row(values))
                rows.append(values)
            }
            runner.cacheSubplanValue(index, .rows(rows))
        }
        let isAll = kind == .all
        var sawNull = false
        for values in rows {
            for (slot, value) in zip(slots, values) { row.slots[slot] = value }
            if case .bool(let value)? = try comparison?.evaluate(row) {
                if value != isAll { return .bool(value) }
            } else {
                sawNull = true
            }
        }
        return sawNull ? .null : .bool(isAll)
    }

    public override var children: [BoundExpression] { left }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        SubqueryExpression(
            kind, query: query, left: children, leftSlots: leftSlots, comparison: comparison,
            hashType: hashType, type: type, location: location)
    }
}
