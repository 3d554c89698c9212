import FalconSchema

/// A bound query, before access paths and join order are chosen.
final class LogicalQuery {
    struct Output {
        var name: String
        var type: SQLType
        /// Where the column is in each result row.
        var slot: Int
        var tableOID: OID = .invalid
        var attribute: Int16 = 0
        /// A record, which is text here: no relation has such a column.
        var isRecord = false
    }

    enum Body {
        case select(LogicalSelect)
        case values([[BoundExpression]], slots: [Int])
        case setOperation(AST.SetOperation, all: Bool, LogicalQuery, LogicalQuery, slots: [Int])
        case modify(LogicalModify)
    }

    var outputs: [Output] = []
    var body: Body
    var sort: [SortKey] = []
    var limit: BoundExpression?
    var offset: BoundExpression?
    /// Slots of enclosing queries read anywhere inside.
    var outerSlots: Set<Int> = []

    init(body: Body) { self.body = body }
}

/// A bound SELECT core.
final class LogicalSelect {
    enum Distinct {
        case none
        case all
        case on([BoundExpression])
    }

    var from: JoinTree?
    /// Every relation in `from`, in order of appearance.
    var relations: [Relation] = []
    /// WHERE, split at its ANDs.
    var conjuncts: [BoundExpression] = []
    var isGrouped = false
    var groupKeys: [BoundExpression] = []
    var groupSlots: [Int] = []
    var calls: [AggregateCall] = []
    var having: [BoundExpression] = []
    /// Computed output expressions and their slots; plain slots are passed through.
    var projections: [(expression: BoundExpression, slot: Int)] = []
    var setReturning: [SetReturningCall] = []
    var distinct = Distinct.none
    var locks: [LockRequest] = []
    /// What in it keeps its rows from being locked: FOR UPDATE "is not allowed with" that.
    var refusesLocks: String?

    struct LockRequest {
        var relation: Relation
        var strength: AST.LockStrength
        var wait: AST.LockWaitPolicy
    }
}

/// FROM: relations joined by trees of joins.
indirect enum JoinTree {
    case relation(Relation)
    case join(AST.JoinKind, JoinTree, JoinTree, [BoundExpression])
}

/// A column that names can resolve to.
final class RangeColumn {
    let name: String
    /// The relation's alias, for messages and EXPLAIN.
    let qualifier: String
    let type: SQLType
    let tableOID: OID
    let attribute: Int16
    /// Assigned at the first reference when the relation computes it on demand; -1 before.
    var slot: Int
    /// What the name stands for when it is no plain slot (merged columns of a FULL JOIN USING).
    let expression: BoundExpression?

    init(
        name: String, qualifier: String = "", type: SQLType, slot: Int = -1,
        tableOID: OID = .invalid, attribute: Int16 = 0, expression: BoundExpression? = nil
    ) {
        self.name = name
        self.qualifier = qualifier
        self.type = type
        self.slot = slot
        self.tableOID = tableOID
        self.attribute = attribute
        self.expression = expression
    }
}

/// A leaf of FROM.
final class Relation {
    enum Source {
        case table(TableDescriptor)
        case query(LogicalQuery)
        case function([SetReturningCall], ordinality: Int?)
        case commonTable(CommonTableEntry)
        /// One empty row: the source of a DML statement without FROM.
        case empty
    }
    let source: Source
    let alias: String
    /// Columns with a slot are those anything refers to.
    let columns: [RangeColumn]
    /// Set when DML or row locks need the row's key.
    var rowKeySlot: Int?
    /// WHERE CURRENT OF.
    var cursor: String?
    /// Whose query the source is.
    var view: OID?
    /// Columns of the records among its columns.
    var fieldSlots: [Int] = []
    /// Slots of other relations of the same FROM that it reads (LATERAL).
    var lateralSlots: Set<Int> = []

    init(source: Source, alias: String, columns: [RangeColumn]) {
        self.source = source
        self.alias = alias
        self.columns = columns
    }

    var table: TableDescriptor? {
        if case .table(let table) = source { return table }
        return nil
    }
}

/// A WITH query and how often it is read.
final class CommonTableEntry {
    let name: String
    let query: LogicalQuery
    let isMaterialized: Bool?
    let columns: [RangeColumn]
    var references = 0
    /// Its place in ``PhysicalPlan/commonTables`` once planned.
    var index = -1
    var isModifying: Bool {
        if case .modify = query.body { return true }
        return false
    }

    init(name: String, query: LogicalQuery, isMaterialized: Bool?, columns: [RangeColumn]) {
        self.name = name
        self.query = query
        self.isMaterialized = isMaterialized
        self.columns = columns
    }
}

/// A bound INSERT, UPDATE, DELETE or MERGE.
final class LogicalModify {
    enum Kind {
        case insert(values: [BoundExpression?], onConflict: ConflictAction?)
        case update([ColumnAssignment])
        case delete
        /// Joined by the conditions.
        case merge([MergeAction], on: [BoundExpression])
    }
    let kind: Kind
    let table: TableDescriptor
    let alias: String
    /// Rows to insert, or the joined rows among which those to change are found.
    let source: LogicalQuery
    /// The relation being changed (UPDATE, DELETE).
    let relation: Relation?
    let newSlots: [Int?]
    let checks: [BoundCheck]
    /// RETURNING's computed expressions.
    let projections: [(expression: BoundExpression, slot: Int)]
    let isReturning: Bool

    init(
        kind: Kind, table: TableDescriptor, alias: String, source: LogicalQuery,
        relation: Relation?, newSlots: [Int?], checks: [BoundCheck],
        projections: [(expression: BoundExpression, slot: Int)], isReturning: Bool
    ) {
        self.kind = kind
        self.table = table
        self.alias = alias
        self.source = source
        self.relation = relation
        self.newSlots = newSlots
        self.checks = checks
        self.projections = projections
        self.isReturning = isReturning
    }
}
