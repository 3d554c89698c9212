import FalconSchema

/// Binds and plans. One per statement being prepared; not shared.
public struct StatementPlanner {
    public let catalog: any CatalogReader
    /// How literals are read ('now', zoneless timestamps, dates) and what reg* names resolve in. A
    /// plan made under other settings may hold other constants.
    public let context: FunctionContext
    private var stackAllowance: UInt?

    public init(catalog: any CatalogReader, context: FunctionContext) {
        self.catalog = catalog
        self.context = context
    }

    /// Stack that binding a deep statement may use: it bounds the plan's depth, so that planning it
    /// (on a thread of ``ParserThreads``) and running it (on a worker) have enough, too.
    private static let deepStackBytes: UInt = 96 << 20

    /// As ``plan(_:parameterTypes:)``, for a statement that may nest deeply: on a thread with a large
    /// stack. The plan is for a worker thread.
    func planDeep(
        _ statement: AST.Statement, parameterTypes: [OID]
    ) throws(SQLError) -> PhysicalPlan {
        var planner = self
        planner.stackAllowance = Self.deepStackBytes
        var result: Result<PhysicalPlan, SQLError> = .failure(
            SQLError(.outOfMemory, "out of memory"))
        _ = ParserThreads.shared.run {
            do throws(SQLError) {
                result = .success(
                    try planner.plan(statement, parameterTypes: parameterTypes))
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    private func binder(_ parameterTypes: [OID] = [], allowsNew: Bool = true) -> Binder {
        Binder(
            catalog: catalog, context: context, parameterTypes: parameterTypes,
            allowsNewParameters: allowsNew, stackAllowance: stackAllowance)
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
