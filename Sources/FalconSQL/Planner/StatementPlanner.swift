import FalconSchema

/// Binds and plans. One per statement being prepared; not shared.
public struct StatementPlanner {
    public let catalog: any CatalogReader

    public init(catalog: any CatalogReader) { self.catalog = catalog }

    /// The plan of a SELECT, INSERT, UPDATE, DELETE (or of an EXPLAIN's, COPY's, DECLARE's inner
    /// statement). `parameterTypes` are those the client declared: `.invalid` or `.unknown` entries,
    /// and parameters beyond them, are inferred. 0A000 for statements without a plan.
    public func plan(
        _ statement: AST.Statement, parameterTypes: [OID] = []
    ) throws(SQLError) -> PhysicalPlan {
        throw SQLError(.featureNotSupported, "planner")
    }

    /// Rows fed by COPY FROM: an INSERT into `columns` (all when empty) whose source rows the
    /// executor puts into the slots of ``CopyPlan/sourceSlots`` in place of running a child.
    public func planCopyFrom(
        table: TableDescriptor, columns: [String]
    ) throws(SQLError) -> CopyPlan {
        throw SQLError(.featureNotSupported, "planner")
    }

    /// The type a written type name stands for.
    public func resolveType(_ name: AST.TypeName) throws(SQLError) -> SQLType {
        throw SQLError(.featureNotSupported, "planner")
    }

    /// A column default: converted to the column's type by assignment; no column may be named.
    public func bindDefault(
        _ expression: AST.Expression, type: SQLType, column: String
    ) throws(SQLError) -> BoundExpression {
        throw SQLError(.featureNotSupported, "planner")
    }

    /// A CHECK (boolean) over the columns of `table`, whose values are in slots attribute - 1.
    public func bindCheck(
        _ expression: AST.Expression, table: TableDescriptor
    ) throws(SQLError) -> BoundExpression {
        throw SQLError(.featureNotSupported, "planner")
    }

    /// Expressions without columns, each converted to its type by assignment: EXECUTE's arguments.
    public func bindArguments(
        _ expressions: [AST.Expression], types: [SQLType]
    ) throws(SQLError) -> [BoundExpression] {
        throw SQLError(.featureNotSupported, "planner")
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
