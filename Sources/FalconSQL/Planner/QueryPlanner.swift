import FalconSchema

/// A planned part of a query.
struct Planned {
    var node: PlanNode
    var rows: Double
    var cost: Double { didSet { node.estimatedCost = cost } }
    /// Greatest number of rows touched, whatever the data; nil: no bound.
    var bound: Int?

    init(node: PlanNode, rows: Double, cost: Double, bound: Int?) {
        self.node = node
        self.rows = rows
        self.cost = cost
        self.bound = bound
        node.estimatedCost = cost
    }

    func with(_ operation: PlanOperation, slots: [Int]? = nil, rows: Double? = nil) -> Planned {
        let count = rows ?? self.rows
        return Planned(
            node: PlanNode(
                operation, outputSlots: slots ?? node.outputSlots, estimatedRows: count),
            rows: count, cost: cost + count * 0.1, bound: bound)
    }
}

/// Turns a bound statement into a physical plan: access paths, join order and strategy, where
/// filters, projections and sorts go.
final class QueryPlanner {
    let binder: Binder
    var subplans: [Subplan] = []
    private var subplanBounds: [Int?] = []
    /// Some expression may take long whatever the number of rows.
    private var callsCostly = false
    var commonTables: [CommonTablePlan] = []

    init(binder: Binder) { self.binder = binder }

    func physicalPlan(
        _ query: LogicalQuery, _ command: PhysicalPlan.Command
    ) throws(SQLError) -> PhysicalPlan {
        let planned = try plan(query)
        // Data-modifying common tables run whether anything reads them or not.
        for entry in binder.commonTables where entry.isModifying && entry.index < 0 {
            try planCommonTable(entry)
        }
        let columns = query.outputs.map {
            ResultColumn(
                name: $0.name, type: $0.type, tableOID: $0.tableOID, attribute: $0.attribute)
        }
        let isBounded =
            (planned.bound ?? .max) <= 1000 && commonTables.isEmpty
            && subplanBounds.allSatisfy { ($0 ?? .max) <= 100 } && !callsCostly
        let plan = PhysicalPlan(
            command: command, root: planned.node, columns: columns,
            resultSlots: query.outputs.map(\.slot), slotCount: binder.slotCount,
            subplans: subplans, commonTables: commonTables,
            parameterTypes: try binder.finalParameterTypes(), relations: binder.relations,
            isBounded: isBounded, readsSurroundings: binder.readsSurroundings)
        if binder.hasFoldingFailures {
            plan.foldingFailure = FoldingCheck.failure(plan, binder.foldingFailures)
        }
        return plan
    }

    private func noteCost(_ call: FunctionExpression) {
        if !call.function.isCheap || call.function.isLong(with: call.arguments) {
            callsCostly = true
        }
    }

    /// LIMIT bounds the rows, not what a call does before it gives the first.
    func noteCost(_ call: SetReturningCall) {
        if let function = call.function, function.volatility == .volatile { callsCostly = true }
    }

    /// Plans the subqueries inside an expression that is going into the plan.
    @discardableResult
    func ready(_ expression: BoundExpression) throws(SQLError) -> BoundExpression {
        var pending: [SubqueryExpression] = []
        expression.walk { node in
            if let call = node as? FunctionExpression {
                noteCost(call)
            }
            if let subquery = node as? SubqueryExpression, subquery.index < 0 {
                pending.append(subquery)
            }
            if let comparison = (node as? ArrayComparison)?.comparison {
                comparison.walk { inner in
                    if let call = inner as? FunctionExpression { noteCost(call) }
                    if let subquery = inner as? SubqueryExpression, subquery.index < 0 {
                        pending.append(subquery)
                    }
                }
            }
        }
        for subquery in pending {
            let planned = try plan(subquery.query)
            subquery.index = subplans.count
            subplans.append(
                Subplan(
                    root: planned.node, resultSlots: subquery.query.outputs.map(\.slot),
                    correlatedSlots: subquery.correlatedSlots))
            subplanBounds.append(planned.bound)
        }
        return expression
    }

    func ready(_ expressions: [BoundExpression]) throws(SQLError) {
        for expression in expressions { try ready(expression) }
    }

    func planCommonTable(_ entry: CommonTableEntry) throws(SQLError) {
        let planned = try plan(entry.query)
        entry.index = commonTables.count
        commonTables.append(
            CommonTablePlan(
                name: entry.name, root: planned.node,
                resultSlots: entry.query.outputs.map(\.slot)))
    }

    // MARK: Queries

    func plan(_ query: LogicalQuery) throws(SQLError) -> Planned {
        switch query.body {
        case .select(let select): return try planSelect(select, query)
        case .values(let rows, let slots):
            for row in rows { try ready(row) }
            let count = Double(rows.count)
            let planned = Planned(
                node: PlanNode(
                    .values(ValuesNode(rows: rows, slots: slots)), outputSlots: slots,
                    estimatedRows: count),
                rows: count, cost: count * 0.1, bound: rows.count)
            return try finish(planned, query)
        case .setOperation(let operation, let all, let left, let right, let slots):
            let a = try plan(left)
            let b = try plan(right)
            let rows = operation == .union ? a.rows + b.rows : a.rows
            let node = SetOperationNode(
                operation: operation, all: all, left: a.node, leftSlots: left.outputs.map(\.slot),
                right: b.node, rightSlots: right.outputs.map(\.slot), slots: slots,
                types: query.outputs.map(\.type))
            var bound: Int?
            if let x = a.bound, let y = b.bound { bound = x + y }
            let planned = Planned(
                node: PlanNode(.setOperation(node), outputSlots: slots, estimatedRows: rows),
                rows: rows, cost: a.cost + b.cost + rows * 0.2, bound: bound)
            return try finish(planned, query)
        case .modify(let modify): return try planModify(modify)
        }
    }

    /// ORDER BY and LIMIT over a query's own output.
    private func finish(_ planned: Planned, _ query: LogicalQuery) throws(SQLError) -> Planned {
        var planned = planned
        if !query.sort.isEmpty { planned = try sorted(planned, query) }
        return try limited(planned, query)
    }

    func sorted(_ planned: Planned, _ query: LogicalQuery) throws(SQLError) -> Planned {
        for key in query.sort { try ready(key.expression) }
        let node = SortNode(
            child: planned.node, keys: query.sort, limit: query.limit, offset: query.offset)
        var result = planned.with(.sort(node))
        result.cost += Self.sortCost(planned.rows)
        return result
    }

    static func sortCost(_ rows: Double) -> Double { rows * 0.3 * Double(max(1, rows.exponent)) }

    func limited(_ planned: Planned, _ query: LogicalQuery) throws(SQLError) -> Planned {
        guard query.limit != nil || query.offset != nil else { return planned }
        return try limited(planned, query.limit, offset: query.offset)
    }

    func limited(
        _ planned: Planned, _ limit: BoundExpression?, offset: BoundExpression? = nil
    ) throws(SQLError) -> Planned {
        if let limit { try ready(limit) }
        if let offset { try ready(offset) }
        var rows = planned.rows
        var bound = planned.bound
        if let constant = limit as? ConstantExpression, case .int(let count) = constant.value,
            count >= 0
        {
            rows = min(rows, Double(count))
            if offset == nil, Self.isStreaming(planned.node) {
                bound = min(bound ?? .max, Int(clamping: count))
            }
        }
        var result = planned.with(.limit(planned.node, limit: limit, offset: offset), rows: rows)
        if let limit = RowLimit(limit, offset: offset) {
            let read = limit.count(of: planned.rows) / max(1, planned.rows)
            let startup = planned.node.startupCost
            result.cost = startup + max(0, planned.cost - startup) * read + rows * 0.1
        }
        result.bound = bound
        return result
    }

    /// Rows come one by one, at a constant cost each.
    private static func isStreaming(_ node: PlanNode) -> Bool {
        switch node.operation {
        case .scan(let scan): return scan.filter == nil
        case .project(let project): return isStreaming(project.child)
        case .values, .result: return true
        default: return false
        }
    }

    // MARK: SELECT

    private func planSelect(
        _ select: LogicalSelect, _ query: LogicalQuery
    ) throws(SQLError) -> Planned {
        var isSorted = query.sort.isEmpty
        var order: [SortKey] = []
        if !query.sort.isEmpty, !select.isGrouped, select.setReturning.isEmpty {
            if case .all = select.distinct {} else { order = query.sort }
        }
        let joins = JoinPlanner(planner: self, select: select)
        let extreme = Self.extremeOrder(select)
        let limit = extreme == nil ? RowLimit(query) : RowLimit(Self.oneRow)
        var planned = try joins.plan(order: extreme ?? order, limit: limit)
        if joins.isOrdered, extreme != nil {
            planned = try limited(planned, Self.oneRow)
        } else if joins.isOrdered, !order.isEmpty {
            isSorted = true
        }
        if select.isGrouped { planned = try aggregated(planned, select) }

        let projected = Set(select.projections.map(\.slot))
        var needsEarlyProjection = !select.setReturning.isEmpty
        if case .none = select.distinct {} else { needsEarlyProjection = true }
        for key in query.sort {
            key.expression.walk { node in
                if let slot = (node as? SlotReference)?.slot, projected.contains(slot) {
                    needsEarlyProjection = true
                }
            }
        }
        if needsEarlyProjection { planned = try self.projected(planned, select) }
        if case .all = select.distinct {
            let keys = query.outputs.map {
                SlotReference(slot: $0.slot, name: $0.name, type: $0.type, location: -1)
                    as BoundExpression
            }
            planned = planned.with(
                .distinct(DistinctNode(child: planned.node, keys: keys, isSorted: false)),
                slots: Self.unique(query.outputs.map(\.slot)), rows: max(1, planned.rows * 0.5))
        }
        if !isSorted { planned = try sorted(planned, query) }
        if case .on(let keys) = select.distinct {
            planned = planned.with(
                .distinct(DistinctNode(child: planned.node, keys: keys, isSorted: true)),
                rows: max(1, planned.rows * 0.5))
        }
        if !select.locks.isEmpty { planned = try locked(planned, select) }
        planned = try limited(planned, query)
        if !needsEarlyProjection { planned = try self.projected(planned, select) }
        return planned
    }

    static func unique(_ slots: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return slots.filter { seen.insert($0).inserted }
    }

    private func projected(
        _ planned: Planned, _ select: LogicalSelect
    ) throws(SQLError) -> Planned {
        guard !select.projections.isEmpty || !select.setReturning.isEmpty else { return planned }
        for projection in select.projections { try ready(projection.expression) }
        for call in select.setReturning { try ready(call.arguments) }
        let slots = select.projections.map(\.slot)
        let node = ProjectNode(
            child: planned.node, expressions: select.projections.map(\.expression), slots: slots,
            setReturning: select.setReturning)
        let produced = select.setReturning.flatMap(\.slots)
        var result = planned.with(
            .project(node), slots: Self.unique(planned.node.outputSlots + produced + slots),
            rows: select.setReturning.isEmpty ? planned.rows : planned.rows * 100)
        if !select.setReturning.isEmpty { result.bound = nil }
        return result
    }

    private func aggregated(
        _ planned: Planned, _ select: LogicalSelect
    ) throws(SQLError) -> Planned {
        try ready(select.groupKeys)
        for call in select.calls {
            try ready(call.arguments)
            if let filter = call.filter { try ready(filter) }
            for key in call.order { try ready(key.expression) }
        }
        let node = AggregateNode(
            child: planned.node, keys: select.groupKeys, keySlots: select.groupSlots,
            calls: select.calls)
        let rows = select.groupKeys.isEmpty ? 1 : max(1, planned.rows * 0.1)
        var result = planned.with(
            .aggregate(node), slots: Self.unique(select.groupSlots + select.calls.map(\.slot)),
            rows: rows)
        if let having = LogicExpression.all(select.having) {
            try ready(having)
            result = result.with(.filter(result.node, having), rows: max(1, rows * 0.3))
        }
        return result
    }

    private func locked(_ planned: Planned, _ select: LogicalSelect) throws(SQLError) -> Planned {
        let joins = try joinRecheck(select)
        let recheck = LogicExpression.all(joins.conditions + select.conjuncts)
        if let recheck { try ready(recheck) }
        var targets: [LockRowsNode.Target] = []
        for request in select.locks {
            guard let table = request.relation.table,
                let target = rowTarget(request.relation, table, recheck, joins.outerJoins)
            else { continue }
            targets.append(
                LockRowsNode.Target(row: target, strength: request.strength, wait: request.wait))
        }
        return planned.with(.lockRows(LockRowsNode(child: planned.node, targets: targets)))
    }

    private func rowTarget(
        _ relation: Relation, _ table: TableDescriptor, _ recheck: BoundExpression?,
        _ outerJoins: [RowTarget.OuterJoin] = []
    ) -> RowTarget? {
        guard let key = relation.rowKeySlot else { return nil }
        var slots: [Int?] = Array(repeating: nil, count: table.columns.count)
        for column in relation.columns where column.slot >= 0 {
            slots[Int(column.attribute) - 1] = column.slot
        }
        return RowTarget(
            table: table, alias: relation.alias, rowKeySlot: key, columnSlots: slots,
            recheck: recheck, outerJoins: outerJoins)
    }

    /// The joins of FROM as a row that was waited for is held against them.
    private func joinRecheck(_ select: LogicalSelect) throws(SQLError) -> JoinRecheck {
        let joins = select.from?.reduced(select.conjuncts).recheck ?? JoinRecheck()
        for join in joins.outerJoins { try ready(join.condition) }
        return joins
    }

    // MARK: INSERT, UPDATE, DELETE, MERGE

    /// The row that UPDATE, DELETE and MERGE change; nil of INSERT.
    private func changedRow(_ modify: LogicalModify) throws(SQLError) -> RowTarget? {
        guard let relation = modify.relation, case .select(let select) = modify.source.body else {
            return nil
        }
        var joins = JoinRecheck()
        if case .merge(_, let conditions) = modify.kind {
            joins.conditions = conditions
        } else {
            joins = try joinRecheck(select)
            joins.conditions += select.conjuncts
        }
        let recheck = LogicExpression.all(joins.conditions)
        if let recheck { try ready(recheck) }
        return rowTarget(relation, modify.table, recheck, joins.outerJoins)
    }

    private func planModify(_ modify: LogicalModify) throws(SQLError) -> Planned {
        let source = try plan(modify.source)
        for check in modify.checks { try ready(check.condition) }
        let target = ModifyTarget(
            table: modify.table, alias: modify.alias, newSlots: modify.newSlots,
            checks: modify.checks, emitsRows: modify.isReturning)
        let slots = Self.unique(source.node.outputSlots + modify.newSlots.compactMap { $0 })
        let row = try changedRow(modify)
        var planned: Planned
        switch modify.kind {
        case .insert(let values, let conflict):
            for value in values { if let value { try ready(value) } }
            if let update = conflict?.update {
                for assignment in update.assignments { try ready(assignment.value) }
                if let condition = update.condition { try ready(condition) }
                try ready(update.visibility)
            }
            planned = source.with(
                .insert(
                    InsertNode(
                        target: target, child: source.node, values: values, onConflict: conflict)),
                slots: slots)
        case .update(let assignments):
            guard let row else { throw SQLError(.internalError, "UPDATE lacks its target") }
            for assignment in assignments { try ready(assignment.value) }
            planned = source.with(
                .update(
                    UpdateNode(
                        target: target, row: row, child: source.node, assignments: assignments)),
                slots: slots)
            let referenced = binder.catalog.referencedColumns(of: modify.table)
            if assignments.contains(where: { referenced.contains($0.attribute) }) {
                planned.bound = nil
            }
        case .delete:
            guard let row else { throw SQLError(.internalError, "DELETE lacks its target") }
            planned = source.with(
                .delete(DeleteNode(target: target, row: row, child: source.node)), slots: slots)
            // What references the rows is looked for, and may go with them.
            if !binder.catalog.referencedColumns(of: modify.table).isEmpty { planned.bound = nil }
        case .merge(let actions, _):
            guard let row else { throw SQLError(.internalError, "MERGE lacks its target") }
            for action in actions { try ready(action.expressions) }
            planned = source.with(
                .merge(
                    MergeNode(target: target, row: row, child: source.node, actions: actions)),
                slots: slots)
            if !binder.catalog.referencedColumns(of: modify.table).isEmpty { planned.bound = nil }
        }
        if !modify.projections.isEmpty {
            for projection in modify.projections { try ready(projection.expression) }
            let produced = modify.projections.map(\.slot)
            planned = planned.with(
                .project(
                    ProjectNode(
                        child: planned.node, expressions: modify.projections.map(\.expression),
                        slots: produced)), slots: Self.unique(slots + produced))
        }
        return planned
    }
}
