import FalconSchema

/// Groups its child's rows by `keys` and computes `calls` per group. With no key it emits exactly
/// one row, even from no input. Drains its child before the first output.
public final class AggregateNode: Sendable {
    public let child: PlanNode
    public let keys: [BoundExpression]
    /// Where each key's value goes on output; for a plain column its own slot.
    public let keySlots: [Int]
    public let calls: [AggregateCall]
    public init(
        child: PlanNode, keys: [BoundExpression], keySlots: [Int], calls: [AggregateCall]
    ) {
        self.child = child
        self.keys = keys
        self.keySlots = keySlots
        self.calls = calls
    }
}

/// One aggregate of a query.
public final class AggregateCall: Sendable {
    public let function: FunctionDescriptor
    /// Actual types of `arguments`, for making the state.
    public var argumentTypes: [OID] { arguments.map(\.type.oid) }
    /// Already converted to the aggregate's argument types; empty for count(*).
    public let arguments: [BoundExpression]
    public let isDistinct: Bool
    /// Rows for which it is not true are skipped.
    public let filter: BoundExpression?
    /// Input order (`string_agg(x, ',' ORDER BY y)`); empty: as the rows come.
    public let order: [SortKey]
    public let resultType: SQLType
    /// Where the result goes.
    public let slot: Int
    public init(
        function: FunctionDescriptor, arguments: [BoundExpression], isDistinct: Bool,
        filter: BoundExpression?, order: [SortKey], resultType: SQLType, slot: Int
    ) {
        self.function = function
        self.arguments = arguments
        self.isDistinct = isDistinct
        self.filter = filter
        self.order = order
        self.resultType = resultType
        self.slot = slot
    }
}
