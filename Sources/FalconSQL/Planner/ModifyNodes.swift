import FalconSchema

/// A CHECK constraint over a row's new values.
public struct BoundCheck: Sendable {
    public var name: String
    /// Violated only when false (NULL passes).
    public var condition: BoundExpression
    /// A view's CHECK OPTION, and `name` the view's: violated unless true.
    public var isOfView = false
}

/// What all modifications share. Constraints are enforced by the executor from the descriptor (NOT
/// NULL, unique indexes) and from `checks`.
public final class ModifyTarget: Sendable {
    public let table: TableDescriptor
    /// The name it goes by in the query.
    public let alias: String
    /// Where the new row's values are (by attribute - 1; nil for dropped columns). UPDATE: an
    /// unassigned column's slot is its old value's. RETURNING and checks read these.
    public let newSlots: [Int?]
    public let checks: [BoundCheck]
    /// True when something above reads rows of this node (RETURNING); else it only counts.
    public let emitsRows: Bool
    public init(
        table: TableDescriptor, alias: String, newSlots: [Int?], checks: [BoundCheck],
        emitsRows: Bool
    ) {
        self.table = table
        self.alias = alias
        self.newSlots = newSlots
        self.checks = checks
        self.emitsRows = emitsRows
    }
}

/// Inserts one row per child row.
public final class InsertNode: Sendable {
    public let target: ModifyTarget
    public let child: PlanNode
    /// The new row: by attribute - 1, an expression over the child's slots (source column, default,
    /// assignment cast applied); nil only for dropped columns. Evaluate all, then store each in its
    /// `newSlots` entry.
    public let values: [BoundExpression?]
    public let onConflict: ConflictAction?
    public init(
        target: ModifyTarget, child: PlanNode, values: [BoundExpression?],
        onConflict: ConflictAction?
    ) {
        self.target = target
        self.child = child
        self.values = values
        self.onConflict = onConflict
    }
}

/// ON CONFLICT.
public final class ConflictAction: Sendable {
    /// OIDs of the unique indexes that may raise the conflict; empty: any.
    public let arbiters: [OID]
    /// Nil: DO NOTHING.
    public let update: ConflictUpdate?
    public init(arbiters: [OID], update: ConflictUpdate?) {
        self.arbiters = arbiters
        self.update = update
    }
}

/// DO UPDATE. The executor loads the existing row into `existingSlots` (`excluded` is the target's
/// `newSlots`), tests `condition`, evaluates `assignments`, then writes the resulting row both to
/// the table and to the target's `newSlots` (RETURNING and checks read it there).
public final class ConflictUpdate: Sendable {
    /// By attribute - 1; nil for dropped columns.
    public let existingSlots: [Int?]
    public let assignments: [ColumnAssignment]
    public let condition: BoundExpression?
    /// Conditions of the views that the target was named by: the existing row has to satisfy them.
    public let visibility: [BoundExpression]
    public init(
        existingSlots: [Int?], assignments: [ColumnAssignment], condition: BoundExpression?,
        visibility: [BoundExpression] = []
    ) {
        self.visibility = visibility
        self.existingSlots = existingSlots
        self.assignments = assignments
        self.condition = condition
    }
}

public struct ColumnAssignment: Sendable {
    public var attribute: Int16
    public var value: BoundExpression
}

/// Where an existing row of a table is within a plan: for UPDATE, DELETE and row locks.
public final class RowTarget: Sendable {
    public let table: TableDescriptor
    public let alias: String
    /// Holds the row's encoded key as `.bytes`.
    public let rowKeySlot: Int
    /// Where its scan put its columns (by attribute - 1; nil: not read). After waiting for a row
    /// lock, the newest version is loaded here and `recheck` evaluated.
    public let columnSlots: [Int?]
    /// Every condition of the query that involves this row, index conditions included: over the
    /// frame, the other tables' slots holding the rows they were joined with. Nil: always true.
    public let recheck: BoundExpression?
    /// Joins that the row is on the kept side of: decided before `recheck`, in this order.
    public let outerJoins: [OuterJoin]

    /// Where the row and its key are.
    var slots: [Int] { columnSlots.compactMap { $0 } + [rowKeySlot] }

    /// An outer join: where its condition no longer holds the other side has no row.
    public struct OuterJoin: Sendable {
        public let condition: BoundExpression
        public let nullableSlots: [Int]
    }

    public init(
        table: TableDescriptor, alias: String, rowKeySlot: Int, columnSlots: [Int?],
        recheck: BoundExpression?, outerJoins: [OuterJoin] = []
    ) {
        self.outerJoins = outerJoins
        self.table = table
        self.alias = alias
        self.rowKeySlot = rowKeySlot
        self.columnSlots = columnSlots
        self.recheck = recheck
    }
}

/// Updates the row each child row singles out (a row already updated by this statement is skipped).
/// Columns of the target that are overwritten and in no index may be missing in `row.columnSlots`, unless the
/// table's REPLICA IDENTITY is FULL.
public final class UpdateNode: Sendable {
    public let target: ModifyTarget
    public let row: RowTarget
    public let child: PlanNode
    /// Evaluated all before any is stored to its `newSlots` entry.
    public let assignments: [ColumnAssignment]
    public init(
        target: ModifyTarget, row: RowTarget, child: PlanNode, assignments: [ColumnAssignment]
    ) {
        self.target = target
        self.row = row
        self.child = child
        self.assignments = assignments
    }
}

/// Deletes the row each child row singles out. Columns that are in no index may be missing in
/// `row.columnSlots`, unless the table's REPLICA IDENTITY is FULL.
public final class DeleteNode: Sendable {
    public let target: ModifyTarget
    public let row: RowTarget
    public let child: PlanNode
    public init(target: ModifyTarget, row: RowTarget, child: PlanNode) {
        self.target = target
        self.row = row
        self.child = child
    }
}

/// SELECT … FOR UPDATE / SHARE: locks the rows of `targets` behind each child row.
public final class LockRowsNode: Sendable {
    public struct Target: Sendable {
        public var row: RowTarget
        public var strength: AST.LockStrength
        public var wait: AST.LockWaitPolicy
    }
    public let child: PlanNode
    public let targets: [Target]
    public init(child: PlanNode, targets: [Target]) {
        self.child = child
        self.targets = targets
    }
}
