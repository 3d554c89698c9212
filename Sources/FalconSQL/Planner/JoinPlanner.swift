import FalconSchema

/// Plans FROM and WHERE of one SELECT: which index, which order, which join.
final class JoinPlanner {
    let planner: QueryPlanner
    let select: LogicalSelect
    var relations: [Relation] = []
    /// Which relation a slot belongs to; slots of enclosing queries are in none.
    var owners: [Int: Int] = [:]
    /// The result already has the order asked for.
    private(set) var isOrdered = false

    struct Conjunct {
        var expression: BoundExpression
        /// Relations it reads.
        var mask: UInt64
    }

    /// Something to be joined: a relation or an outer join.
    struct Item {
        enum Kind {
            case relation(Relation)
            case outer(AST.JoinKind, JoinTree, JoinTree, [BoundExpression])
        }
        var kind: Kind
        var mask: UInt64
        /// Relations that must be available first (LATERAL).
        var needs: UInt64
    }

    init(planner: QueryPlanner, select: LogicalSelect) {
        self.planner = planner
        self.select = select
    }

    func add(_ relation: Relation) throws(SQLError) {
        guard relations.count < 64 else {
            throw SQLError(.statementTooComplex, "more than 64 relations in one query level")
        }
        for column in relation.columns where column.slot >= 0 {
            owners[column.slot] = relations.count
        }
        for slot in relation.fieldSlots { owners[slot] = relations.count }
        if let slot = relation.rowKeySlot { owners[slot] = relations.count }
        relations.append(relation)
    }

    func mask(_ slots: some Sequence<Int>) -> UInt64 {
        var mask: UInt64 = 0
        for slot in slots {
            if let owner = owners[slot] { mask |= 1 << UInt64(owner) }
        }
        return mask
    }

    func mask(of expression: BoundExpression) -> UInt64 {
        var result: UInt64 = 0
        expression.walk { node in
            if let slot = (node as? SlotReference)?.slot {
                result |= self.mask(CollectionOfOne(slot))
            } else if let subquery = node as? SubqueryExpression {
                result |= self.mask(subquery.correlatedSlots)
            }
        }
        return result
    }

    func conjunct(_ expression: BoundExpression) -> Conjunct {
        Conjunct(expression: expression, mask: mask(of: expression))
    }

    // MARK: Entry

    func plan(order: [SortKey], limit: RowLimit?) throws(SQLError) -> Planned {
        for relation in select.relations { try add(relation) }
        var conjuncts: [BoundExpression] = []
        var semiJoins: [SemiJoin] = []
        for expression in select.conjuncts {
            if select.from != nil, let semi = semiJoin(expression) {
                semiJoins.append(semi)
            } else {
                conjuncts.append(expression)
            }
        }
        guard let from = select.from else {
            let condition = LogicExpression.all(conjuncts)
            if let condition { try planner.ready(condition) }
            return Planned(
                node: PlanNode(.result(condition: condition), outputSlots: []), rows: 1,
                cost: 0.01, bound: 1)
        }
        // Conditions without columns decide once whether there is any row at all.
        let all = conjuncts.map { conjunct($0) }
        let gates = all.filter { $0.mask == 0 && !$0.expression.isVolatile }
        let rest = all.filter { $0.mask != 0 || $0.expression.isVolatile }
        var planned: Planned
        if select.relations.count == 1, case .relation(let relation) = from {
            planned = try planRelation(
                relation, rest.map(\.expression), order: semiJoins.isEmpty ? order : [],
                limit: limit)
        } else {
            planned = try planTree(from, rest, available: 0)
        }
        for semi in semiJoins { planned = try joinSemi(planned, semi) }
        if let gate = LogicExpression.all(gates.map(\.expression)) {
            try planner.ready(gate)
            let once = PlanNode(.result(condition: gate), outputSlots: [])
            planned = planned.with(
                .join(
                    JoinNode(
                        kind: .inner, strategy: .nestedLoop, left: once, right: planned.node,
                        condition: nil)))
        }
        return planned
    }

    // MARK: Relations

    func filtered(
        _ planned: Planned, _ conditions: [BoundExpression]
    ) throws(SQLError) -> Planned {
        guard let condition = LogicExpression.all(conditions) else { return planned }
        try planner.ready(condition)
        return planned.with(
            .filter(planned.node, condition),
            rows: max(1, planned.rows * Selectivity.of(conditions)))
    }

    private func planRelation(
        _ relation: Relation, _ conjuncts: [BoundExpression], order: [SortKey] = [],
        limit: RowLimit? = nil
    ) throws(SQLError) -> Planned {
        switch relation.source {
        case .table(let table):
            return try planTable(relation, table, conjuncts, order: order, limit: limit)
        case .query(let query):
            return try filtered(try planner.plan(query), conjuncts)
        case .function(let calls, let ordinality):
            for call in calls {
                planner.noteCost(call)
                try planner.ready(call.arguments)
                if let scalar = call.scalar { try planner.ready(scalar) }
            }
            let node = FunctionScanNode(
                calls: calls, ordinalitySlot: ordinality, alias: relation.alias)
            let isScalar = calls.allSatisfy { $0.scalar != nil }
            let rows = isScalar ? 1.0 : 100
            return try filtered(
                Planned(
                    node: PlanNode(
                        .function(node),
                        outputSlots: calls.flatMap(\.slots) + (ordinality.map { [$0] } ?? []),
                        estimatedRows: rows), rows: rows, cost: rows,
                    bound: isScalar ? 1 : nil), conjuncts)
        case .commonTable(let entry):
            return try filtered(try planCommonTable(relation, entry), conjuncts)
        case .empty:
            return try filtered(
                Planned(
                    node: PlanNode(.result(condition: nil), outputSlots: []), rows: 1, cost: 0.01,
                    bound: 1), conjuncts)
        }
    }

    private func planCommonTable(
        _ relation: Relation, _ entry: CommonTableEntry
    ) throws(SQLError) -> Planned {
        if entry.references == 1, entry.isMaterialized != true, !entry.isModifying, entry.index < 0
        {
            return try planner.plan(entry.query)
        }
        if entry.index < 0 { try planner.planCommonTable(entry) }
        let slots = relation.columns.map(\.slot)
        return Planned(
            node: PlanNode(
                .commonTable(
                    CTEScanNode(
                        index: entry.index, name: entry.name, alias: relation.alias, slots: slots)),
                outputSlots: QueryPlanner.unique(slots), estimatedRows: 100), rows: 100, cost: 100,
            bound: nil)
    }

    private func planTable(
        _ relation: Relation, _ table: TableDescriptor, _ conjuncts: [BoundExpression],
        order: [SortKey], limit: RowLimit?
    ) throws(SQLError) -> Planned {
        let tableRows =
            planner.binder.catalog.estimatedRowCount(of: table) ?? RowEstimates.leastRows
        let finder = try AccessPathFinder(
            relation: relation, table: table, tableRows: tableRows, conjuncts: conjuncts,
            binder: planner.binder)
        let path =
            relation.cursor.map { AccessPath(currentOf: $0) }
            ?? finder.best(order: order, limit: limit)
        isOrdered = path.isOrdered && !order.isEmpty
        try readyBounds(path.access)
        var rest: [BoundExpression] = []
        for index in conjuncts.indices where !path.used.contains(index) {
            rest.append(conjuncts[index])
        }
        let filter = LogicExpression.all(rest)
        if let filter { try planner.ready(filter) }
        var columns: [ScanColumn] = []
        var slots: [Int] = []
        for column in relation.columns where column.slot >= 0 {
            columns.append(ScanColumn(attribute: column.attribute, slot: column.slot))
            slots.append(column.slot)
        }
        if let key = relation.rowKeySlot { slots.append(key) }
        let node = ScanNode(
            table: table, alias: relation.alias, access: path.access, columns: columns,
            filter: filter, rowKeySlot: relation.rowKeySlot)
        let rows = path.passingRows
        return Planned(
            node: PlanNode(.scan(node), outputSlots: slots, estimatedRows: rows), rows: rows,
            cost: path.cost, bound: path.bound)
    }

    private func readyBounds(_ access: ScanAccess) throws(SQLError) {
        guard case .index(_, let bounds, _) = access else { return }
        try planner.ready(bounds.expressions)
    }

    // MARK: Join trees

    func treeMask(_ tree: JoinTree) -> UInt64 {
        switch tree {
        case .relation(let relation):
            guard let index = relations.firstIndex(where: { $0 === relation }) else { return 0 }
            return 1 << UInt64(index)
        case .join(_, let left, let right, _): return treeMask(left) | treeMask(right)
        }
    }

    func needs(_ tree: JoinTree) -> UInt64 {
        switch tree {
        case .relation(let relation): return mask(relation.lateralSlots)
        case .join(_, let left, let right, _): return needs(left) | needs(right)
        }
    }

    /// Splits nested inner joins into items and the conditions between them.
    private func flatten(
        _ tree: JoinTree, _ items: inout [Item], _ conjuncts: inout [Conjunct]
    ) {
        switch tree {
        case .relation(let relation):
            items.append(
                Item(
                    kind: .relation(relation), mask: treeMask(tree),
                    needs: mask(relation.lateralSlots)))
        case .join(.inner, let left, let right, let conditions):
            flatten(left, &items, &conjuncts)
            flatten(right, &items, &conjuncts)
            conjuncts += conditions.map { conjunct($0) }
        case .join(let kind, let left, let right, let conditions):
            let whole = treeMask(tree)
            items.append(
                Item(
                    kind: kind == .right
                        ? .outer(.left, right, left, conditions)
                        : .outer(kind, left, right, conditions),
                    mask: whole, needs: needs(tree) & ~whole))
        }
    }

    /// Plans a tree under `conjuncts`; `available` relations are being read outside it and may be
    /// used in bounds and filters.
    func planTree(
        _ tree: JoinTree, _ conjuncts: [Conjunct], available: UInt64
    ) throws(SQLError) -> Planned {
        var items: [Item] = []
        var pending = conjuncts
        flatten(tree, &items, &pending)
        var best = try joinAll(items, pending, available, first: nil)
        guard best.node.triesAllPairs, Self.mayBeReordered(items) else { return best }
        // Another table first may let the others be looked up. By a little a guess is no better.
        for first in items.indices where items[first].needs & ~available == 0 {
            let other = try joinAll(items, pending, available, first: first)
            if other.cost < best.cost * 0.5 { best = other }
        }
        return best
    }

    /// Few tables, which are planned in no time.
    private static func mayBeReordered(_ items: [Item]) -> Bool {
        items.count <= 4
            && items.allSatisfy { item in
                if case .relation(let relation) = item.kind { return relation.table != nil }
                return false
            }
    }

    /// Joins the items one after the other, beginning with `first`.
    private func joinAll(
        _ items: [Item], _ conjuncts: [Conjunct], _ available: UInt64, first: Int?
    ) throws(SQLError) -> Planned {
        var items = items
        var pending = conjuncts
        var joined: UInt64 = 0
        var current: Planned?
        while !items.isEmpty {
            let choice: Int
            if let first, current == nil {
                choice = first
            } else {
                choice = try nextItem(items, joined, current, pending, available)
            }
            let item = items.remove(at: choice)
            if let left = current {
                current = try joinInner(left, joined, item, &pending, available)
            } else {
                let (own, others) = split(pending, within: item.mask | available)
                pending = others
                current = try planItem(item, own, available: available)
            }
            joined |= item.mask
        }
        guard let result = current else {
            throw SQLError(.internalError, "an empty join")
        }
        return try filtered(result, pending.map(\.expression))
    }

    func split(
        _ conjuncts: [Conjunct], within mask: UInt64
    ) -> (inside: [Conjunct], outside: [Conjunct]) {
        var inside: [Conjunct] = []
        var outside: [Conjunct] = []
        for conjunct in conjuncts {
            if conjunct.mask & ~mask == 0 {
                inside.append(conjunct)
            } else {
                outside.append(conjunct)
            }
        }
        return (inside, outside)
    }

    /// The next item to join: what is connected and smallest, starting from the smallest.
    private func nextItem(
        _ items: [Item], _ joined: UInt64, _ current: Planned?, _ pending: [Conjunct],
        _ available: UInt64
    ) throws(SQLError) -> Int {
        if items.count == 1 { return 0 }
        var best = -1
        var bestRank = (2, Double.infinity)
        for (index, item) in items.enumerated() {
            if item.needs & ~(joined | available) != 0 { continue }
            let isConnected =
                joined == 0
                || pending.contains {
                    $0.mask & item.mask != 0 && $0.mask & joined != 0
                }
            let rows = try estimate(item, pending, joined | available)
            let rank = (isConnected ? 0 : 1, rows)
            if best < 0 || rank < bestRank {
                best = index
                bestRank = rank
            }
        }
        guard best >= 0 else { return 0 }
        return best
    }

    /// Rows an item gives per row of what is available.
    private func estimate(
        _ item: Item, _ conjuncts: [Conjunct], _ available: UInt64
    ) throws(SQLError) -> Double {
        guard case .relation(let relation) = item.kind, let table = relation.table else {
            return 1000
        }
        let usable = conjuncts.filter {
            $0.mask & item.mask != 0 && $0.mask & ~(item.mask | available) == 0
        }.map(\.expression)
        let tableRows =
            planner.binder.catalog.estimatedRowCount(of: table) ?? RowEstimates.leastRows
        let path = try AccessPathFinder(
            relation: relation, table: table, tableRows: tableRows, conjuncts: usable,
            binder: planner.binder
        ).best()
        return path.passingRows
    }

    func planItem(
        _ item: Item, _ conjuncts: [Conjunct], available: UInt64
    ) throws(SQLError) -> Planned {
        switch item.kind {
        case .relation(let relation):
            return try planRelation(relation, conjuncts.map(\.expression))
        case .outer(let kind, let left, let right, let conditions):
            return try planOuter(kind, left, right, conditions, conjuncts, available)
        }
    }
}
