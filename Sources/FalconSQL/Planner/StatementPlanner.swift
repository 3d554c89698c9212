import FalconSchema

/// Binds and plans. One per statement being prepared; not shared.
public struct StatementPlanner {
    public let catalog: any CatalogReader
    /// How literals are read ('now', zoneless timestamps, dates) and what reg* names resolve in. A
    /// plan made under other settings may hold other constants.
    public let context: FunctionContext
    private var stackAllowance: UInt?
    /// For a cursor's query: of a simple scan the rows' keys are read, for WHERE CURRENT OF.
    var keepsRowKeys = false
    /// Told of the relations as their names are found, whatever becomes of the statement.
    var found: FoundRelations?
    /// Told of what the statement's own text names.
    var names: NamedReferences?

    public init(catalog: any CatalogReader, context: FunctionContext) {
        self.catalog = catalog
        self.context = context
    }

    /// Stack that binding a deep statement may use: it bounds the plan's depth, so that planning it
    /// (on a thread of ``ParserThreads``) and running it (on a ``LargeStack``) have enough, too.
    private static let deepStackBytes: UInt = 96 << 20
    /// The same where a large stack may be used by half already.
    private static let innerStackBytes: UInt = 48 << 20

    /// As ``plan(_:parameterTypes:)``, for a statement that may nest deeply: on a thread with a large
    /// stack. The plan is to be run on one, too.
    func planDeep(
        _ statement: AST.Statement, parameterTypes: [OID]
    ) throws(SQLError) -> PhysicalPlan {
        var planner = self
        planner.stackAllowance = Self.deepStackBytes
        var result: Result<PhysicalPlan, SQLError> = .failure(
            SQLError(.outOfMemory, "out of memory"))
        _ = ParserThreads.shared.run {
            do throws(SQLError) {
                let plan = try planner.plan(statement, parameterTypes: parameterTypes)
                plan.isDeep = true
                result = .success(plan)
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    private func binder(_ parameterTypes: [OID] = [], allowsNew: Bool = true) -> Binder {
        Binder(
            catalog: catalog, context: context, parameterTypes: parameterTypes,
            allowsNewParameters: allowsNew,
            stackAllowance: stackAllowance ?? (LargeStack.isCurrent ? Self.innerStackBytes : nil),
            found: found, names: names)
    }

    private var emptyScope: Scope { Scope(parent: nil, query: QueryState()) }

    /// The plan of a SELECT, INSERT, UPDATE, DELETE (or of an EXPLAIN's, COPY's, DECLARE's inner
    /// statement). `parameterTypes` are those the client declared: `.invalid` or `.unknown` entries,
    /// and parameters beyond them, are inferred. 0A000 for statements without a plan.
    public func plan(
        _ statement: AST.Statement, parameterTypes: [OID] = []
    ) throws(SQLError) -> PhysicalPlan {
        let binder = binder(parameterTypes)
        let query: LogicalQuery
        let command: PhysicalPlan.Command
        switch statement {
        case .select(let select):
            query = try binder.bindQuery(select, nil)
            if keepsRowKeys { binder.keepRowKeys(of: query) }
            command = .select
        case .insert:
            query = try binder.bindModification(statement, nil)
            command = .insert
        case .update:
            query = try binder.bindModification(statement, nil)
            command = .update
        case .delete:
            query = try binder.bindModification(statement, nil)
            command = .delete
        case .merge:
            query = try binder.bindModification(statement, nil)
            command = .merge
        default:
            throw SQLError(.featureNotSupported, "this statement has no plan")
        }
        return try QueryPlanner(binder: binder).physicalPlan(query, command)
    }

    /// Rows fed by COPY FROM: an INSERT into `columns` (all when empty) whose source rows the
    /// executor puts into the slots of ``CopyPlan/sourceSlots`` in place of running a child.
    public func planCopyFrom(
        table: TableDescriptor, columns: [String]
    ) throws(SQLError) -> CopyPlan {
        try binder().bindCopy(table, columns)
    }

    /// The type a written type name stands for.
    public func resolveType(_ name: AST.TypeName) throws(SQLError) -> SQLType {
        try TypeNames.resolve(name)
    }

    /// A column default: converted to the column's type by assignment; no column may be named. It
    /// may read no slot but its own scratch ones: evaluate it in a context of `slotCount` slots.
    public func bindDefault(
        _ expression: AST.Expression, type: SQLType, column: String
    ) throws(SQLError) -> (expression: BoundExpression, slotCount: Int) {
        let binder = binder(allowsNew: false)
        let bound = try binder.bindDefault(expression, type: type, column: column)
        return (bound, binder.slotCount)
    }

    /// A new column default as the catalog stores it: bound once, so that a bad one fails now, and
    /// its dates and times read under the settings of now.
    func storedDefault(
        _ expression: AST.Expression, type: SQLType, column: String
    ) throws(SQLError) -> String {
        let binder = binder(allowsNew: false)
        _ = try binder.bindDefault(expression, type: type, column: column)
        return ExpressionDeparser.text(of: expression, literals: binder.fixedLiterals)
    }

    /// The same for a new CHECK over `table`.
    func storedCheck(
        _ expression: AST.Expression, table: TableDescriptor
    ) throws(SQLError) -> String {
        let binder = binder(allowsNew: false)
        let slots: [Int?] = table.columns.map { _ in binder.newSlot(owner: nil) }
        _ = try binder.bindCheck(expression, table, slots)
        return ExpressionDeparser.text(of: expression, literals: binder.fixedLiterals)
    }

    /// The column that a CHECK names when it names one alone.
    func onlyColumn(
        of expression: AST.Expression, in table: TableDescriptor
    ) throws(SQLError) -> String? {
        let slots = try bindCheck(expression, table: table).expression.slotsRead
        guard slots.count == 1, table.columns.indices.contains(slots[0]) else { return nil }
        return table.columns[slots[0]].name
    }

    /// The plan of a new view's query, with its dates and times by location, as text that reads the
    /// same under any settings.
    func planView(
        _ query: AST.Statement, columns: [String] = []
    ) throws(SQLError) -> (plan: PhysicalPlan, literals: [Int: String]) {
        let (logical, binder) = try bindStored(query, columns)
        return (
            try QueryPlanner(binder: binder).physicalPlan(logical, .select), binder.fixedLiterals
        )
    }

    /// The plan of CREATE TABLE AS's query.
    func planTable(_ query: AST.Statement, columns: [String]) throws(SQLError) -> PhysicalPlan {
        let (logical, binder) = try bindStored(query, columns)
        return try QueryPlanner(binder: binder).physicalPlan(logical, .select)
    }

    /// A query whose columns are to be a relation's: there are no parameters for it.
    /// - Parameter columns: the names that the first of its columns are to have.
    private func bindStored(
        _ query: AST.Statement, _ columns: [String]
    ) throws(SQLError) -> (query: LogicalQuery, binder: Binder) {
        let binder = binder(allowsNew: false)
        guard case .select(let select) = query else {
            throw SQLError(.featureNotSupported, "this statement has no plan")
        }
        let logical = try binder.bindQuery(select, nil)
        for (place, output) in logical.outputs.enumerated() where output.isRecord {
            let name = columns.indices.contains(place) ? columns[place] : output.name
            throw SQLError(
                .invalidTableDefinition, "column \"\(name)\" has pseudo-type record")
        }
        return (logical, binder)
    }

    /// What a query names, wherever in it.
    func references(in query: AST.Select) throws(SQLError) -> NamedReferences {
        let names = NamedReferences()
        var planner = self
        planner.names = names
        _ = try planner.binder().bindQuery(query, nil)
        return names
    }

    /// Why a view of `query` is not automatically updatable; nil when it is.
    func updateObstacle(_ query: AST.Statement) throws(SQLError) -> String? {
        guard case .select(let select) = query else { return nil }
        return try binder().updateObstacle(select)
    }

    /// Whether rows may be written through a view; false also for one that cannot be read any more.
    func isUpdatable(view name: String, schema: String) -> Bool {
        let name = AST.TableName(
            catalog: nil, schema: schema, name: name, alias: nil, isOnly: false,
            isTemporary: false, isUnlogged: false, location: -1)
        do throws(SQLError) {
            _ = try binder().writeTarget(name, .update)
            return true
        } catch {
            return false
        }
    }

    /// A CHECK (boolean) over the columns of `table`, whose values are in slots attribute - 1.
    public func bindCheck(
        _ expression: AST.Expression, table: TableDescriptor
    ) throws(SQLError) -> (expression: BoundExpression, slotCount: Int) {
        let binder = binder(allowsNew: false)
        let slots: [Int?] = table.columns.map { _ in binder.newSlot(owner: nil) }
        let bound = try binder.bindCheck(expression, table, slots)
        return (bound, binder.slotCount)
    }

    /// Any expression over the columns of `table` (in slots attribute - 1), converted to `type` by
    /// assignment: ALTER COLUMN TYPE's USING.
    public func bindConversion(
        _ expression: AST.Expression, table: TableDescriptor, type: SQLType, column: String
    ) throws(SQLError) -> (expression: BoundExpression, slotCount: Int) {
        let binder = binder(allowsNew: false)
        let slots: [Int?] = table.columns.map { _ in binder.newSlot(owner: nil) }
        let bound = try binder.bindOverTable(expression, table, slots)
        let converted = try binder.coerceForAssignment(bound, to: type, column: column)
        return (converted, binder.slotCount)
    }

    /// The implicit conversion of the value in slot 0; nil when there is none.
    func bindImplicitCast(
        from: SQLType, to: SQLType
    ) throws(SQLError) -> (expression: BoundExpression, slotCount: Int)? {
        let binder = binder(allowsNew: false)
        let slot = binder.newSlot(owner: nil)
        let value = SlotReference(slot: slot, name: "", type: from, location: -1)
        return try binder.coerce(value, to: to, .implicit).map { ($0, binder.slotCount) }
    }

    /// Expressions without columns, each converted to its type by assignment: EXECUTE's arguments.
    public func bindArguments(
        _ expressions: [AST.Expression], types: [SQLType]
    ) throws(SQLError) -> (expressions: [BoundExpression], slotCount: Int) {
        let binder = binder(allowsNew: false)
        let scope = emptyScope
        var result: [BoundExpression] = []
        for (index, expression) in expressions.enumerated() where index < types.count {
            let bound = try binder.within(.arguments) { () throws(SQLError) in
                try binder.bind(expression, scope)
            }
            guard let converted = try binder.coerce(bound, to: types[index], .assignment) else {
                throw SQLError(
                    .datatypeMismatch,
                    "parameter $\(index + 1) of type \(TypeNames.text(bound.type.oid)) cannot be "
                        + "coerced to the expected type \(TypeNames.text(types[index].oid))",
                    hint: "You will need to rewrite or cast the expression.",
                    byteOffset: bound.location >= 0 ? bound.location : nil)
            }
            result.append(converted)
        }
        return (result, binder.slotCount)
    }
}

/// How COPY FROM inserts: ``InsertNode/child`` is a ``PlanOperation/result(condition:)`` standing for
/// the current source row.
public struct CopyPlan: Sendable {
    public var insert: InsertNode
    /// Where to put each source column's value, in the order of the COPY's columns.
    public var sourceSlots: [Int]
    public var sourceTypes: [SQLType]
    public var slotCount: Int
}
