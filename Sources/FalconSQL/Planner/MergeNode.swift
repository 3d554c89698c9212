import FalconSchema

/// MERGE: what becomes of each row of the source joined with the target. Where `row`'s key is NULL the
/// source row has no match.
public final class MergeNode: Sendable {
    /// Its `newSlots` are slots of their own for every column.
    public let target: ModifyTarget
    /// `row.columnSlots` has every column, `row.recheck` the join's condition.
    public let row: RowTarget
    public let child: PlanNode
    /// Of those for matched rows, and of those for others, the first one that applies counts.
    public let actions: [MergeAction]
    public init(target: ModifyTarget, row: RowTarget, child: PlanNode, actions: [MergeAction]) {
        self.target = target
        self.row = row
        self.child = child
        self.actions = actions
    }
}

/// WHEN [NOT] MATCHED [AND condition] THEN ….
public struct MergeAction: Sendable {
    public enum Kind: Sendable {
        case update([ColumnAssignment])
        case delete
        /// By attribute - 1; nil for dropped columns.
        case insert([BoundExpression?])
        case nothing
    }
    public var isMatched: Bool
    public var condition: BoundExpression?
    public var kind: Kind
    public init(isMatched: Bool, condition: BoundExpression?, kind: Kind) {
        self.isMatched = isMatched
        self.condition = condition
        self.kind = kind
    }

    /// What it evaluates.
    var expressions: [BoundExpression] {
        let values: [BoundExpression]
        switch kind {
        case .update(let assignments): values = assignments.map(\.value)
        case .insert(let columns): values = columns.compactMap { $0 }
        case .delete, .nothing: values = []
        }
        return (condition.map { [$0] } ?? []) + values
    }
}
