import FalconSchema

/// A node of a physical plan: pure data. `operation` says what it does; executors switch over it
/// once when they are built.
public final class PlanNode: @unchecked Sendable {
    public let operation: PlanOperation
    /// The slots that hold this node's row after it produced one, without duplicates. A node that
    /// stores rows saves its child's `outputSlots` and restores them on output.
    public let outputSlots: [Int]
    /// The planner's guess, for EXPLAIN and for sizing hash tables.
    public let estimatedRows: Double
    /// The planner's guess of the work, its inputs' included, in its own unit. Set while planning.
    var estimatedCost: Double = 0

    public init(_ operation: PlanOperation, outputSlots: [Int], estimatedRows: Double = 1) {
        self.operation = operation
        self.outputSlots = outputSlots
        self.estimatedRows = estimatedRows
    }
}

public enum PlanOperation: Sendable {
    /// One row with no column of its own; none if `condition` is not true.
    case result(condition: BoundExpression?)
    case values(ValuesNode)
    case scan(ScanNode)
    case function(FunctionScanNode)
    case commonTable(CTEScanNode)
    /// Passes rows whose condition is true.
    case filter(PlanNode, BoundExpression)
    case project(ProjectNode)
    case join(JoinNode)
    case aggregate(AggregateNode)
    case sort(SortNode)
    /// Skips `offset`, then passes `limit` rows. Each is an int8 expression evaluated once; NULL or
    /// nil is no limit. Negative: 2201W (limit) or 2201X (offset).
    case limit(PlanNode, limit: BoundExpression?, offset: BoundExpression?)
    case distinct(DistinctNode)
    case setOperation(SetOperationNode)
    /// Keeps its child's rows at the first pass and replays them when restarted.
    case materialize(PlanNode)
    case lockRows(LockRowsNode)
    case insert(InsertNode)
    case update(UpdateNode)
    case delete(DeleteNode)
    case merge(MergeNode)
    case window(PlanNode)
}

/// Rows written in the statement. Evaluates one row of `rows` at a time into `slots`.
public final class ValuesNode: Sendable {
    public let rows: [[BoundExpression]]
    public let slots: [Int]
    public init(rows: [[BoundExpression]], slots: [Int]) {
        self.rows = rows
        self.slots = slots
    }
}

/// Computes expressions (in order; a later one may read an earlier one's slot). Columns that are
/// passed through unchanged keep their slot and are not listed.
public final class ProjectNode: Sendable {
    public let child: PlanNode
    public let expressions: [BoundExpression]
    /// Where each expression's value goes.
    public let slots: [Int]
    /// Set-returning calls of the select list, run in lock-step: the node emits rows until the
    /// longest is exhausted, shorter ones giving NULL. Empty: exactly one row per child row.
    public let setReturning: [SetReturningCall]
    public init(
        child: PlanNode, expressions: [BoundExpression], slots: [Int],
        setReturning: [SetReturningCall] = []
    ) {
        self.child = child
        self.expressions = expressions
        self.slots = slots
        self.setReturning = setReturning
    }
}

public enum JoinKind: Sendable {
    case inner
    /// Every left row; unmatched ones with the right side's `outputSlots` set to NULL.
    case left
    case full
    /// Left rows with at least one match; right slots are not part of the output.
    case semi
    /// Left rows with no match.
    case anti
}

/// A join. Right joins have been turned round.
public final class JoinNode: Sendable {
    public enum Strategy: Sendable {
        /// Restart the right side for each left row. Its scans may read left slots in their bounds.
        case nestedLoop
        /// Build a hash table of the right side by `rightKeys`, probe with `leftKeys`. Keys are
        /// parallel, of equal types, compared by ``HashKey/type``'s equality; NULL matches nothing.
        case hash([HashKey])
    }
    public struct HashKey: Sendable {
        public var left: BoundExpression
        public var right: BoundExpression
        /// Both sides' type.
        public var type: SQLType
    }
    public let kind: JoinKind
    public let strategy: Strategy
    public let left: PlanNode
    public let right: PlanNode
    /// What makes a pair of rows match beyond the hash keys.
    public let condition: BoundExpression?
    public init(
        kind: JoinKind, strategy: Strategy, left: PlanNode, right: PlanNode,
        condition: BoundExpression?
    ) {
        self.kind = kind
        self.strategy = strategy
        self.left = left
        self.right = right
        self.condition = condition
    }
}

/// One sort key.
public struct SortKey: Sendable {
    public var expression: BoundExpression
    public var isDescending: Bool
    public var nullsFirst: Bool
    public init(_ expression: BoundExpression, isDescending: Bool, nullsFirst: Bool) {
        self.expression = expression
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst
    }
}

/// Sorts its child's rows. Stable.
public final class SortNode: Sendable {
    public let child: PlanNode
    public let keys: [SortKey]
    /// With LIMIT above: only the first `limit` + `offset` rows matter (evaluate both once).
    public let limit: BoundExpression?
    public let offset: BoundExpression?
    public init(
        child: PlanNode, keys: [SortKey], limit: BoundExpression? = nil,
        offset: BoundExpression? = nil
    ) {
        self.child = child
        self.keys = keys
        self.limit = limit
        self.offset = offset
    }
}

/// Removes rows whose `keys` equal those of a row already passed (NULLs equal each other). With
/// `isSorted` equal keys are adjacent and comparing neighbours is enough (DISTINCT ON).
public final class DistinctNode: Sendable {
    public let child: PlanNode
    public let keys: [BoundExpression]
    public let isSorted: Bool
    public init(child: PlanNode, keys: [BoundExpression], isSorted: Bool) {
        self.child = child
        self.keys = keys
        self.isSorted = isSorted
    }
}

/// UNION, INTERSECT, EXCEPT. Rows of both sides are copied from their slots to `slots`; without
/// `all`, duplicates are removed as DISTINCT does.
public final class SetOperationNode: Sendable {
    public let operation: AST.SetOperation
    public let all: Bool
    public let left: PlanNode
    public let leftSlots: [Int]
    public let right: PlanNode
    public let rightSlots: [Int]
    public let slots: [Int]
    public let types: [SQLType]
    public init(
        operation: AST.SetOperation, all: Bool, left: PlanNode, leftSlots: [Int], right: PlanNode,
        rightSlots: [Int], slots: [Int], types: [SQLType]
    ) {
        self.operation = operation
        self.all = all
        self.left = left
        self.leftSlots = leftSlots
        self.right = right
        self.rightSlots = rightSlots
        self.slots = slots
        self.types = types
    }
}

/// Reads common table `index` of the plan, writing its result columns to `slots` (parallel to the
/// common table's `resultSlots`).
public final class CTEScanNode: Sendable {
    public let index: Int
    public let name: String
    public let alias: String
    public let slots: [Int]
    public init(index: Int, name: String, alias: String, slots: [Int]) {
        self.index = index
        self.name = name
        self.alias = alias
        self.slots = slots
    }
}
