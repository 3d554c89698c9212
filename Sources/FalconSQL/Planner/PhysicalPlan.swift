import FalconSchema

/// A statement ready to run, any number of times, with any parameters, by any number of sessions
/// at once: no names are left in it.
public final class PhysicalPlan: @unchecked Sendable {
    public enum Command: Sendable { case select, insert, update, delete, merge }

    public let command: Command
    /// The topmost node. For INSERT/UPDATE/DELETE without RETURNING it is the ``ModifyNode``, run to
    /// its end for its effect; with RETURNING its rows are the result.
    public private(set) var root: PlanNode
    /// The result's columns; empty without RETURNING.
    public let columns: [ResultColumn]
    /// Where the result's columns are after each row, parallel to `columns`.
    public let resultSlots: [Int]
    /// Size of the ``RowContext``.
    public let slotCount: Int
    /// Subqueries inside expressions, by ``SubqueryExpression/index``.
    public private(set) var subplans: [Subplan]
    /// WITH queries that are computed once and read by ``CTEScanNode``.
    public private(set) var commonTables: [CommonTablePlan]
    /// Types of $1…, as given or inferred.
    public let parameterTypes: [SQLType]
    /// Relations used, with the descriptor version the plan was made for and the relation lock it
    /// needs. After taking the locks, a different version means the plan must be made again.
    public let relations: [PlanRelation]
    /// True when the statement touches a handful of rows whatever the data: point reads and writes,
    /// VALUES. Then it may run inline on an event loop.
    public let isBounded: Bool
    /// Literals were read whose meaning depends on settings, the clock or names: the same text
    /// parsed again may mean something else.
    public let readsSurroundings: Bool
    /// It nests so deeply that running and releasing it need a large stack. Set before it is shared.
    var isDeep = false
    /// What PostgreSQL's planner would have refused it with, for whoever is going to run it: 1/0 in
    /// a place that counts. Set before it is shared.
    var foldingFailure: SQLError?

    public init(
        command: Command, root: PlanNode, columns: [ResultColumn], resultSlots: [Int],
        slotCount: Int, subplans: [Subplan], commonTables: [CommonTablePlan],
        parameterTypes: [SQLType], relations: [PlanRelation], isBounded: Bool,
        readsSurroundings: Bool = false
    ) {
        self.command = command
        self.root = root
        self.columns = columns
        self.resultSlots = resultSlots
        self.slotCount = slotCount
        self.subplans = subplans
        self.commonTables = commonTables
        self.parameterTypes = parameterTypes
        self.relations = relations
        self.isBounded = isBounded
        self.readsSurroundings = readsSurroundings
    }

    deinit {
        guard isDeep else { return }
        LargeStack.release((root, subplans, commonTables)) {
            root = PlanNode(.result(condition: nil), outputSlots: [])
            subplans = []
            commonTables = []
        }
    }

    /// True when it writes or locks no row.
    public var isReadOnly: Bool { relations.allSatisfy { $0.lock == .accessShare } }
    /// Constants may decide whether it reads a partial index.
    var mayUsePartialIndex: Bool {
        command != .insert
            && relations.contains { $0.table.indexes.contains { $0.predicate != nil } }
    }
    /// Its rows are sent as they come, and it may begin again without undoing anything.
    var isPureRead: Bool { command == .select && isReadOnly }
}

/// PostgreSQL's relation lock modes, weakest first.
public enum RelationLock: Int, Comparable, Sendable {
    case accessShare = 1
    case rowShare, rowExclusive, shareUpdateExclusive, share, shareRowExclusive, exclusive
    case accessExclusive
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

public struct PlanRelation: Sendable {
    /// Of a view all but the columns and the storage.
    public var table: TableDescriptor
    public var lock: RelationLock
    public var isView = false
}

/// A subquery inside an expression. Runs in its plan's own ``RowContext``.
public struct Subplan: Sendable {
    public let root: PlanNode
    /// Where its output columns are.
    public let resultSlots: [Int]
    /// Slots of enclosing queries it reads; empty: one run serves the whole execution.
    public let correlatedSlots: [Int]
}

/// A WITH query computed once, at its first read (a data-modifying one in any case, before the
/// statement ends).
public struct CommonTablePlan: Sendable {
    public let name: String
    public let root: PlanNode
    public let resultSlots: [Int]
}
