import FalconSchema
import FalconStorage

/// A way to read a table, with what it costs and leaves to do.
struct AccessPath {
    var access: ScanAccess
    /// Conjuncts the bounds take care of, by their index.
    var used: Set<Int>
    /// Rows that come out of the bounds (before the other conjuncts).
    var rows: Double
    var cost: Double
    /// The rows come in the order asked for.
    var isOrdered: Bool
    /// Greatest number of rows, whatever the data; nil: no bound.
    var bound: Int?
    /// Rows if the values that are looked up are not as common as the others.
    var rareRows = Double.infinity
    /// The rows are no guess.
    var isCounted = false
    /// Rows that pass all conjuncts.
    var passingRows = 1.0
}

extension AccessPath {
    /// WHERE CURRENT OF.
    init(currentOf cursor: String) {
        self.init(
            access: .currentOf(cursor), used: [], rows: 1, cost: 1, isOrdered: false, bound: 1)
    }
}

/// Finds the best access path of one table under given conjuncts.
struct AccessPathFinder {
    let relation: Relation
    let table: TableDescriptor
    let tableRows: Double
    /// Conditions that may use this table's columns, outer slots, and slots already available.
    let conjuncts: [BoundExpression]
    let catalog: any CatalogReader
    /// Of no columns: for constants.
    let row: RowContext
    private let attributes: [Int: Int16]
    private(set) var matches: [Match] = []
    /// The indexes that may be read: those whose predicate, if any, the conjuncts imply.
    private var usable: [IndexDescriptor] = []

    /// What a conjunct says about a column.
    enum Condition {
        case equal(BoundExpression)
        case lower(RangeBound)
        case upper(RangeBound)
        case anyOf([BoundExpression])
        case anyElement(BoundExpression)
        case isNull
    }

    struct Match {
        var attribute: Int16
        var condition: Condition
        var conjunct: Int
    }

    init(
        relation: Relation, table: TableDescriptor, tableRows: Double,
        conjuncts: [BoundExpression], binder: Binder
    ) throws(SQLError) {
        catalog = binder.catalog
        row = binder.scratch
        self.relation = relation
        self.table = table
        self.tableRows = max(tableRows, 1)
        self.conjuncts = conjuncts
        var attributes: [Int: Int16] = [:]
        for column in relation.columns where column.slot >= 0 {
            attributes[column.slot] = column.attribute
        }
        self.attributes = attributes
        for index in conjuncts.indices {
            if let (attribute, condition) = match(conjuncts[index]) {
                matches.append(Match(attribute: attribute, condition: condition, conjunct: index))
            }
        }
        for index in table.indexes where index.isValid && catalog.isUsable(index, of: table) {
            guard let predicate = index.predicate else {
                usable.append(index)
                continue
            }
            if try implies(predicate) { usable.append(index) }
        }
    }

    /// Whether some condition reads a column of these.
    private func hasCondition(on wanted: [Int16]) -> Bool {
        conjuncts.contains { conjunct in
            conjunct.slotsRead.contains { slot in
                attributes[slot].map { wanted.contains($0) } ?? false
            }
        }
    }

    /// Whether every row that is asked for has an entry in an index with this predicate.
    private func implies(_ predicate: IndexPredicate) throws(SQLError) -> Bool {
        // Before it is read and bound, which takes longer than all the rest: most conditions have nothing
        // to do with it.
        guard hasCondition(on: predicate.attributes) else { return false }
        var slots: [Int16: Int] = [:]
        for (slot, attribute) in attributes { slots[attribute] = slot }
        // A column that the query does not read is in none of its conditions.
        guard predicate.attributes.allSatisfy({ slots[$0] != nil }) else { return false }
        let test = try IndexPredicateTest(predicate, of: table)
        let condition = try test.condition.rewritten { node throws(SQLError) in
            guard let reference = node as? SlotReference,
                let slot = slots[Int16(truncatingIfNeeded: reference.slot + 1)]
            else { return nil }
            return SlotReference(
                slot: slot, name: reference.name, type: reference.type, location: -1)
        }
        return PredicateProof(conjuncts).implies(condition)
    }

    // MARK: What a conjunct says about a column

    func column(_ expression: BoundExpression) -> Int16? {
        var expression = expression
        while let relabel = expression as? RelabelExpression {
            let from = relabel.operand.type.oid
            guard
                (from.isTextLike && relabel.type.oid.isTextLike)
                    || (from.isInteger && relabel.type.oid.isInteger)
            else { return nil }
            expression = relabel.operand
        }
        guard let reference = expression as? SlotReference else { return nil }
        return attributes[reference.slot]
    }

    /// A value known before the table is read.
    private func isOutside(_ expression: BoundExpression) -> Bool {
        var isOutside = true
        expression.walk { node in
            if let slot = (node as? SlotReference)?.slot, attributes[slot] != nil {
                isOutside = false
            }
            if let subquery = node as? SubqueryExpression,
                subquery.correlatedSlots.contains(where: { attributes[$0] != nil })
            {
                isOutside = false
            }
            if let call = node as? FunctionExpression, call.function.volatility == .volatile {
                isOutside = false
            }
        }
        return isOutside
    }

    /// The index orders this column as the comparison does, and the value has its physical form.
    private func isComparable(_ attribute: Int16, _ operandType: OID, _ value: OID) -> Bool {
        guard attribute >= 1, Int(attribute) <= table.columns.count else { return false }
        let type = table.columns[Int(attribute) - 1].type.oid
        if type.isInteger { return value.isInteger && operandType == .int8 }
        if type.isTextLike { return value.isTextLike && operandType == .text }
        return type == operandType && value == operandType
    }

    private func match(_ expression: BoundExpression) -> (Int16, Condition)? {
        if let comparison = expression as? ComparisonExpression {
            return matchComparison(comparison)
        }
        if let list = expression as? InListExpression, !list.isNegated,
            let attribute = column(list.left),
            isComparable(
                attribute, list.operandType, list.operandType == .text ? .text : list.operandType)
        {
            let constants = list.values.map {
                ConstantExpression($0, type: SQLType(list.operandType)) as BoundExpression
            }
            return (attribute, .anyOf(constants))
        }
        if let any = expression as? ArrayComparison, !any.isAll,
            let comparison = any.comparison as? ComparisonExpression,
            comparison.comparison == .equal,
            (comparison.left as? SlotReference)?.slot == any.leftSlot,
            (comparison.right as? SlotReference)?.slot == any.elementSlot,
            let attribute = column(any.left), isOutside(any.array),
            isComparable(attribute, comparison.operandType, comparison.right.type.oid)
        {
            return (attribute, .anyElement(any.array))
        }
        if let test = expression as? NullTestExpression, !test.isNotNull,
            let attribute = column(test.operand)
        {
            return (attribute, .isNull)
        }
        if let logic = expression as? LogicExpression, !logic.isAnd {
            return matchAlternatives(logic)
        }
        return nil
    }

    private func matchComparison(_ comparison: ComparisonExpression) -> (Int16, Condition)? {
        let attribute: Int16
        let value: BoundExpression
        var kind = comparison.comparison
        if let found = column(comparison.left), isOutside(comparison.right) {
            attribute = found
            value = comparison.right
        } else if let found = column(comparison.right), isOutside(comparison.left) {
            attribute = found
            value = comparison.left
            kind = kind.commuted
        } else {
            return nil
        }
        guard isComparable(attribute, comparison.operandType, value.type.oid) else { return nil }
        switch kind {
        case .equal: return (attribute, .equal(value))
        case .less: return (attribute, .upper(RangeBound(value, isInclusive: false)))
        case .lessOrEqual: return (attribute, .upper(RangeBound(value, isInclusive: true)))
        case .greater: return (attribute, .lower(RangeBound(value, isInclusive: false)))
        case .greaterOrEqual: return (attribute, .lower(RangeBound(value, isInclusive: true)))
        case .notEqual: return nil
        }
    }

    /// `a = x OR a = y`, `a IN (x, y) OR a = z`.
    private func matchAlternatives(_ logic: LogicExpression) -> (Int16, Condition)? {
        var attribute: Int16?
        var values: [BoundExpression] = []
        for operand in logic.operands {
            guard let (found, condition) = match(operand), attribute == nil || attribute == found
            else { return nil }
            switch condition {
            case .equal(let value): values.append(value)
            case .anyOf(let list): values += list
            default: return nil
            }
            attribute = found
        }
        guard let attribute else { return nil }
        return (attribute, .anyOf(values))
    }

    // MARK: Candidates

    /// How many elements an array is taken to have.
    static let arrayElements = 10.0

    /// The best path. `order` is what the result should be sorted by; of a path that gives it no more is
    /// read than `limit` takes.
    func best(order: [SortKey] = [], limit: RowLimit? = nil) -> AccessPath {
        let paths = usable.compactMap { indexPath($0, order) }
        let counted = countedShares(paths)
        var best = fullScan(order)
        var least = total(best, order, limit, counted)
        for path in paths {
            let cost = total(path, order, limit, counted)
            if cost < least {
                best = path
                least = cost
            }
        }
        let share = passingShare(best, counted) { Selectivity.of(conjuncts[$0]) }
        best.passingRows = max(1, best.rows * share)
        return best
    }

    private func fullScan(_ order: [SortKey]) -> AccessPath {
        var isReverse = false
        var isOrdered = false
        if !order.isEmpty, !table.primaryKey.isEmpty,
            let direction = direction(
                order, table.primaryKey, fixed: 0, identity: table.primaryKey.count)
        {
            isReverse = direction
            isOrdered = true
        }
        return AccessPath(
            access: .full(isReverse: isReverse), used: [], rows: tableRows, cost: tableRows + 1,
            isOrdered: isOrdered, bound: nil)
    }

    private func indexPath(_ index: IndexDescriptor, _ order: [SortKey]) -> AccessPath? {
        var bounds = IndexBounds()
        var used: Set<Int> = []
        var points = 1.0
        var pointBound: Int? = 1
        var hasList = false
        var hasNull = false
        scan: for part in table.entryColumns(of: index) {
            let candidates = matches.filter { $0.attribute == part.attribute }
            for match in candidates {
                if case .equal(let value) = match.condition {
                    bounds.equalities.append(.equal(value))
                    used.insert(match.conjunct)
                    continue scan
                }
            }
            for match in candidates {
                switch match.condition {
                case .anyOf(let values):
                    bounds.equalities.append(.anyOf(values))
                    points *= Double(max(1, values.count))
                    pointBound = pointBound.map { $0 * max(1, values.count) }
                    hasList = true
                case .anyElement(let array):
                    bounds.equalities.append(.anyElement(array))
                    points *= Self.arrayElements
                    pointBound = nil
                    hasList = true
                case .isNull:
                    bounds.equalities.append(.isNull)
                    pointBound = nil
                    hasNull = true
                default: continue
                }
                used.insert(match.conjunct)
                continue scan
            }
            for match in candidates {
                if case .lower(let bound) = match.condition, bounds.lower == nil {
                    bounds.lower = bound
                    used.insert(match.conjunct)
                } else if case .upper(let bound) = match.condition, bounds.upper == nil {
                    bounds.upper = bound
                    used.insert(match.conjunct)
                }
            }
            break
        }
        let matched = bounds.equalities.count
        let isComplete = matched >= index.columns.count
        let isUnique = index.isUnique && !hasNull
        bounds.isPoint = isComplete && isUnique && !hasList
        var isReverse = false
        var isOrdered = false
        if !order.isEmpty, !hasList,
            let direction = direction(order, index, fixed: matched, isUnique: isUnique)
        {
            isReverse = direction
            isOrdered = true
        }
        // Of a partial index all that there is may be little.
        if bounds.isUnbounded, index.predicate == nil, !isOrdered || index.isPrimary { return nil }
        let rows: Double
        var rareRows = Double.infinity
        var isCounted = false
        if isComplete, isUnique {
            rows = points
        } else if let count = entryCount(index, bounds, points: points) {
            rows = max(1, min(count, tableRows))
            isCounted = true
        } else {
            rows = guessedRows(index, bounds, points: points)
            rareRows = self.rareRows(index, bounds, points: points)
        }
        let perRow = index.isPrimary ? 1.0 : 2.0
        return AccessPath(
            access: .index(index, bounds, isReverse: isReverse), used: used, rows: rows,
            cost: 0.5 + rows * perRow, isOrdered: isOrdered,
            bound: isComplete && isUnique ? pointBound : nil, rareRows: rareRows,
            isCounted: isCounted)
    }

    private func guessedRows(
        _ index: IndexDescriptor, _ bounds: IndexBounds, points: Double
    ) -> Double {
        let matched = bounds.equalities.count
        let counted = min(matched, index.columns.count)
        guard let same = catalog.rowsPerValue(of: index, columns: counted, rows: tableRows) else {
            return rareRows(index, bounds, points: points)
        }
        let rest = table.entryColumns(of: index)[counted..<matched]
        let rows = rest.reduce(same * points) { $0 * share($1.attribute) }
        return max(1, min(rows * rangeShare(bounds), tableRows * max(1, points)))
    }

    private func rareRows(
        _ index: IndexDescriptor, _ bounds: IndexBounds, points: Double
    ) -> Double {
        let rows = tableRows * points * (index.predicate == nil ? 1 : 0.1)
        let columns = table.entryColumns(of: index).prefix(bounds.equalities.count)
        return max(1, columns.reduce(rows) { $0 * share($1.attribute) } * rangeShare(bounds))
    }

    private func rangeShare(_ bounds: IndexBounds) -> Double {
        if bounds.lower == nil, bounds.upper == nil { return 1 }
        return bounds.lower == nil || bounds.upper == nil
            ? Selectivity.inequality : Selectivity.range
    }
}
