import FalconSchema

/// The WHERE of a partial index, bound: which rows have an entry. Belongs to one thread at a time.
final class IndexPredicateTest {
    /// Over the table's columns in slots attribute - 1.
    let condition: BoundExpression
    private let row: RowContext

    /// Binding needs no catalog and no session: only immutable functions are in a predicate.
    init(_ predicate: IndexPredicate, of table: TableDescriptor) throws(SQLError) {
        let context = FunctionContext(
            settings: DisplaySettings(), transactionTimestamp: 0, statementTimestamp: 0,
            session: nil)
        let binder = Binder(
            catalog: NoCatalog(), context: context, parameterTypes: [], allowsNewParameters: false)
        let slots = binder.rowSlots(of: table)
        condition = try SQLError.unplaced { () throws(SQLError) in
            try binder.bindIndexPredicate(
                try SQLParser.parseExpression(predicate.expression), table, slots)
        }
        row = RowContext(
            slotCount: max(binder.slotCount, table.columns.count), parameters: [],
            functions: context)
    }

    /// Whether a row with these values, by attribute - 1, has an entry.
    func covers(_ values: [Datum]) throws(SQLError) -> Bool {
        for place in values.indices where place < row.slotCount { row.slots[place] = values[place] }
        return try condition.isTrue(row)
    }
}

/// A catalog without anything in it.
private struct NoCatalog: CatalogReader {
    var searchPath: [String] { [] }
    func table(schema: String?, name: String) throws(SQLError) -> TableDescriptor? { nil }
    func table(oid: OID) throws(SQLError) -> TableDescriptor? { nil }
    func schemaExists(_ name: String) throws(SQLError) -> Bool { false }
}

extension Binder {
    /// New slots for a stored row, by attribute - 1: the first of a binder are these places.
    fileprivate func rowSlots(of table: TableDescriptor) -> [Int?] {
        table.columns.map { column in
            let slot = newSlot(owner: nil)
            return column.isDropped ? nil : slot
        }
    }
}

extension StatementPlanner {
    /// The predicate of a new partial index as the catalog stores it.
    func storedPredicate(
        _ expression: AST.Expression, table: TableDescriptor
    ) throws(SQLError) -> IndexPredicate {
        let binder = Binder(
            catalog: catalog, context: context, parameterTypes: [], allowsNewParameters: false)
        let slots = binder.rowSlots(of: table)
        let bound = try binder.bindIndexPredicate(expression, table, slots)
        guard bound.isImmutable else {
            throw SQLError(
                .invalidObjectDefinition,
                "functions in index predicate must be marked IMMUTABLE")
        }
        return IndexPredicate(
            expression: ExpressionDeparser.unqualifiedText(
                of: expression, literals: binder.fixedLiterals),
            attributes: bound.slotsRead.map { Int16($0 + 1) })
    }
}

extension BoundExpression {
    /// The slots it reads, ascending.
    var slotsRead: [Int] {
        var slots: Set<Int> = []
        walk { node in
            if let slot = (node as? SlotReference)?.slot { slots.insert(slot) }
        }
        return slots.sorted()
    }

    /// Its value depends on its slots alone: not on settings, the clock or the session.
    var isImmutable: Bool {
        var isImmutable = true
        func visit(_ node: BoundExpression) {
            switch node {
            case let call as FunctionExpression:
                if call.function.volatility != .immutable { isImmutable = false }
            case is ClockExpression, is SessionNameExpression, is SubqueryExpression:
                isImmutable = false
            case let cast as TextConversionExpression:
                if Self.readsSettings(cast.type.oid) || Self.readsSettings(cast.operand.type.oid) {
                    isImmutable = false
                }
            case let comparison as ArrayComparison: comparison.comparison.walk(visit)
            default: return
            }
        }
        walk(visit)
        return isImmutable
    }

    /// Reading or writing such a value as text depends on settings or names.
    private static func readsSettings(_ type: OID) -> Bool {
        switch type {
        case .date, .time, .timestamp, .timestamptz, .interval, .regclass, .regnamespace, .regrole,
            .regproc, .regprocedure, .regtype:
            return true
        default: return TypeRegistry.elementType(of: type) != nil
        }
    }
}

/// A partial index's predicate as PostgreSQL prints it.
extension IndexText {
    static func predicate(
        _ index: IndexDescriptor, _ table: TableDescriptor, isPretty: Bool = false
    ) -> String? {
        guard let predicate = index.predicate else { return nil }
        guard let test = try? IndexPredicateTest(predicate, of: table) else {
            return predicate.expression
        }
        let texts = ExpressionText(isQualified: false, isDefinition: true)
        let text = isPretty ? texts.prettyText(test.condition) : texts.text(test.condition)
        // What EXPLAIN abbreviates is shown as it is stored.
        return text.contains("(...)") ? predicate.expression : text
    }
}
