import FalconSchema

/// Finds the constant expression whose folding fails the statement, as PostgreSQL's planner does
/// whether a row ever reaches it or not: `SELECT 1/0 FROM empty` is an error.
///
/// Passed over is what PostgreSQL's simplification drops: branches of CASE, AND, OR and COALESCE that
/// constants before them rule out, and outputs of subqueries that nothing reads.
struct FoldingCheck {
    private let failures: [ObjectIdentifier: SQLError]
    private let plan: PhysicalPlan
    private var required: [BoundExpression] = []
    private var outputs: [(slot: Int, expression: BoundExpression)] = []
    private var usedSlots: Set<Int> = []

    /// The failure, or nil. `failures` are the binder's, by expression.
    static func failure(
        _ plan: PhysicalPlan, _ failures: [ObjectIdentifier: SQLError]
    ) -> SQLError? {
        var check = FoldingCheck(plan: plan, failures: failures)
        return check.run()
    }

    private init(plan: PhysicalPlan, failures: [ObjectIdentifier: SQLError]) {
        self.plan = plan
        self.failures = failures
    }

    private mutating func run() -> SQLError? {
        usedSlots.formUnion(plan.resultSlots)
        var pending = [plan.root] + plan.subplans.map(\.root) + plan.commonTables.map(\.root)
        while let node = pending.popLast() {
            collect(node)
            pending += node.children
        }
        for expression in required + outputs.map(\.expression) { use(expression) }
        do throws(SQLError) {
            for expression in required { try check(expression) }
            for output in outputs where usedSlots.contains(output.slot) {
                try check(output.expression)
            }
            return nil
        } catch { return error }
    }

    /// Notes the slots that `expression` reads.
    private mutating func use(_ expression: BoundExpression) {
        var slots: [Int] = []
        expression.walk { node in
            if let slot = (node as? SlotReference)?.slot { slots.append(slot) }
            if let subquery = node as? SubqueryExpression, subquery.kind != .exists,
                plan.subplans.indices.contains(subquery.index)
            {
                slots += plan.subplans[subquery.index].resultSlots
            }
        }
        usedSlots.formUnion(slots)
    }

    // MARK: What a plan holds

    private mutating func require(_ expression: BoundExpression?) {
        if let expression { required.append(expression) }
    }

    private mutating func collect(_ node: PlanNode) {
        switch node.operation {
        case .result(let condition): require(condition)
        case .values(let values):
            for row in values.rows { outputs += zip(values.slots, row).map { ($0, $1) } }
        case .scan(let scan):
            require(scan.filter)
            if case .index(_, let bounds, _) = scan.access { required += bounds.expressions }
        case .function(let function):
            for call in function.calls {
                required += call.arguments
                require(call.scalar)
            }
        case .commonTable(let scan):
            guard plan.commonTables.indices.contains(scan.index) else { return }
            usedSlots.formUnion(plan.commonTables[scan.index].resultSlots)
        case .filter(_, let condition): require(condition)
        case .project(let project):
            outputs += zip(project.slots, project.expressions).map { ($0, $1) }
            for call in project.setReturning { required += call.arguments }
        case .join(let join):
            require(join.condition)
            if case .hash(let keys) = join.strategy {
                required += keys.flatMap { [$0.left, $0.right] }
            }
        case .aggregate(let aggregate):
            required += aggregate.keys
            for call in aggregate.calls {
                required += call.arguments + call.order.map(\.expression)
                require(call.filter)
            }
        case .sort(let sort): required += sort.keys.map(\.expression)
        case .limit(_, let limit, let offset):
            require(limit)
            require(offset)
        case .distinct(let distinct): required += distinct.keys
        case .setOperation(let operation):
            usedSlots.formUnion(operation.leftSlots + operation.rightSlots)
        case .insert(let insert):
            required += insert.values.compactMap { $0 }
            collect(insert.target)
            guard let update = insert.onConflict?.update else { return }
            required += update.assignments.map(\.value)
            require(update.condition)
        case .update(let update):
            required += update.assignments.map(\.value)
            collect(update.target)
        case .merge(let merge):
            required += merge.actions.flatMap(\.expressions)
            collect(merge.target)
        case .delete, .materialize, .lockRows, .window: return
        }
    }

    private mutating func collect(_ target: ModifyTarget) {
        required += target.checks.map(\.condition)
    }

    // MARK: What simplification reaches

    private func check(_ expression: BoundExpression) throws(SQLError) {
        if let failure = failures[ObjectIdentifier(expression)] { throw failure }
        switch expression {
        case let choice as CaseExpression:
            for (condition, result) in zip(choice.conditions, choice.results) {
                try check(condition)
                if let constant = condition as? ConstantExpression {
                    guard case .bool(true) = constant.value else { continue }
                    return try check(result)
                }
                try check(result)
            }
            if let otherwise = choice.otherwise { try check(otherwise) }
        case let choice as ChoiceExpression where choice.kind == .coalesce:
            for operand in choice.operands {
                try check(operand)
                if let constant = operand as? ConstantExpression, !constant.value.isNull { return }
            }
        case let logic as LogicExpression:
            for operand in logic.operands {
                try check(operand)
                if case .bool(let value)? = (operand as? ConstantExpression)?.value,
                    value != logic.isAnd
                {
                    return
                }
            }
        case let comparison as ArrayComparison:
            for child in comparison.children { try check(child) }
            try check(comparison.comparison)
        default:
            for child in expression.children { try check(child) }
        }
    }
}
