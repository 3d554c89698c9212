import FalconSchema

/// Plans FROM and WHERE of one SELECT: which index, which order, which join.
final class JoinPlanner {
    private let planner: QueryPlanner
    private let select: LogicalSelect
    private var relations: [Relation] = []
    /// Which relation a slot belongs to; slots of enclosing queries are in none.
    private var owners: [Int: Int] = [:]
    /// The result already has the order asked for.
    private(set) var isOrdered = false

    private struct Conjunct {
        var expression: BoundExpression
        /// Relations it reads.
        var mask: UInt64
    }

    /// Something to be joined: a relation or an outer join.
    private struct Item {
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

    private func add(_ relation: Relation) throws(SQLError) {
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

    private func mask(_ slots: some Sequence<Int>) -> UInt64 {
        var mask: UInt64 = 0
        for slot in slots {
            if let owner = owners[slot] { mask |= 1 << UInt64(owner) }
        }
        return mask
    }

    private func mask(of expression: BoundExpression) -> UInt64 {
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

    private func conjunct(_ expression: BoundExpression) -> Conjunct {
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

    private func filtered(
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
        let rows = path.passingRows ?? max(1, path.rows * Selectivity.of(rest))
        return Planned(
            node: PlanNode(.scan(node), outputSlots: slots, estimatedRows: rows), rows: rows,
            cost: path.cost, bound: path.bound)
    }

    private func readyBounds(_ access: ScanAccess) throws(SQLError) {
        guard case .index(_, let bounds, _) = access else { return }
        try planner.ready(bounds.expressions)
    }

    // MARK: Join trees

    private func treeMask(_ tree: JoinTree) -> UInt64 {
        switch tree {
        case .relation(let relation):
            guard let index = relations.firstIndex(where: { $0 === relation }) else { return 0 }
            return 1 << UInt64(index)
        case .join(_, let left, let right, _): return treeMask(left) | treeMask(right)
        }
    }

    private func needs(_ tree: JoinTree) -> UInt64 {
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
    private func planTree(
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

    private func split(
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
        return path.passingRows ?? path.rows
    }

    private func planItem(
        _ item: Item, _ conjuncts: [Conjunct], available: UInt64
    ) throws(SQLError) -> Planned {
        switch item.kind {
        case .relation(let relation):
            return try planRelation(relation, conjuncts.map(\.expression))
        case .outer(let kind, let left, let right, let conditions):
            return try planOuter(kind, left, right, conditions, conjuncts, available)
        }
    }

    // MARK: Joining

    private func joinInner(
        _ left: Planned, _ leftMask: UInt64, _ item: Item, _ pending: inout [Conjunct],
        _ available: UInt64
    ) throws(SQLError) -> Planned {
        let (own, others) = split(pending, within: item.mask | available)
        let (between, rest) = split(others, within: item.mask | leftMask | available)
        pending = rest
        return try join(
            .inner, left, leftMask, between, item.needs & leftMask != 0
        ) { (conjuncts, outer) throws(SQLError) in
            try self.planItem(item, own + conjuncts, available: available | outer)
        } rightMask: {
            item.mask
        }
    }

    private func planOuter(
        _ kind: AST.JoinKind, _ leftTree: JoinTree, _ rightTree: JoinTree,
        _ conditions: [BoundExpression], _ conjuncts: [Conjunct], _ available: UInt64
    ) throws(SQLError) -> Planned {
        let leftMask = treeMask(leftTree)
        let rightMask = treeMask(rightTree)
        var on = conditions.map { conjunct($0) }
        if kind == .left {
            // A condition that is not true for NULLs on the right makes it an inner join.
            if conjuncts.contains(where: {
                $0.mask & rightMask != 0 && isStrict($0.expression, rightMask)
            }) {
                return try planTree(
                    .join(.inner, leftTree, rightTree, conditions), conjuncts, available: available)
            }
            let (forLeft, above) = split(conjuncts, within: leftMask | available)
            let left = try planTree(leftTree, forLeft, available: available)
            let (forRight, between) = split(on, within: rightMask | available)
            on = between
            let isLateral = needs(rightTree) & leftMask != 0
            let joined = try join(.left, left, leftMask, on, isLateral) {
                (conjuncts, outer) throws(SQLError) in
                try self.planTree(
                    rightTree, forRight + conjuncts, available: available | outer)
            } rightMask: {
                rightMask
            }
            return try filtered(joined, above.map(\.expression))
        }
        let left = try planTree(leftTree, [], available: available)
        let joined = try join(.full, left, leftMask, on, false) {
            (conjuncts, outer) throws(SQLError) in
            try self.planTree(rightTree, conjuncts, available: available | outer)
        } rightMask: {
            rightMask
        }
        return try filtered(joined, conjuncts.map(\.expression))
    }

    /// Whether a condition is surely not true when all slots of `mask` are NULL.
    private func isStrict(_ expression: BoundExpression, _ mask: UInt64) -> Bool {
        NullEffect { node in
            (node as? SlotReference).map { self.mask(CollectionOfOne($0.slot)) & mask != 0 }
                ?? false
        }.refuses(expression)
    }

    /// `a = b` with one side over `left`, the other over `right`.
    private func hashKey(
        _ expression: BoundExpression, _ left: UInt64, _ right: UInt64
    ) -> JoinNode.HashKey? {
        guard let equality = expression as? ComparisonExpression, equality.comparison == .equal
        else {
            return nil
        }
        let l = mask(of: equality.left)
        let r = mask(of: equality.right)
        let type = SQLType(equality.operandType)
        if l & right == 0, r & right != 0, r & ~right == 0 {
            return JoinNode.HashKey(left: equality.left, right: equality.right, type: type)
        }
        if r & right == 0, l & right != 0, l & ~right == 0 {
            return JoinNode.HashKey(left: equality.right, right: equality.left, type: type)
        }
        return nil
    }

    /// What it costs to hold a row against one that is kept.
    private static let pairCost = 0.2

    /// Joins `left` with what `planRight` plans, as a nested loop whose inner side looks rows up by
    /// the outer row, or as a hash join, whichever is cheaper.
    private func join(
        _ kind: JoinKind, _ left: Planned, _ leftMask: UInt64, _ between: [Conjunct],
        _ isLateral: Bool,
        planRight: ([Conjunct], UInt64) throws(SQLError) -> Planned,
        rightMask: () -> UInt64
    ) throws(SQLError) -> Planned {
        let rightMask = rightMask()
        func build(_ strategy: JoinNode.Strategy, _ right: Planned, _ condition: BoundExpression?)
            throws(SQLError) -> Planned
        {
            if let condition { try planner.ready(condition) }
            let node = JoinNode(
                kind: kind, strategy: strategy, left: left.node, right: right.node,
                condition: condition)
            let onlyLeft = kind == .semi || kind == .anti
            var slots = left.node.outputSlots
            if !onlyLeft { slots = QueryPlanner.unique(slots + right.node.outputSlots) }
            var rows: Double
            switch (kind, strategy) {
            case (.semi, _), (.anti, _): rows = max(1, left.rows * 0.5)
            case (_, .nestedLoop):
                rows = max(
                    1, left.rows * right.rows * (condition.map { Selectivity.of($0) } ?? 1))
            case (_, .hash): rows = max(left.rows, right.rows)
            }
            if kind == .left || kind == .full { rows = max(rows, left.rows) }
            var cost = left.cost
            switch strategy {
            case .nestedLoop:
                if case .materialize = right.node.operation {
                    cost += right.cost + left.rows * right.rows * Self.pairCost
                } else {
                    cost += left.rows * (right.cost + 0.1)
                }
            case .hash: cost += right.cost + right.rows * 1.5 + left.rows * 0.5
            }
            var bound: Int?
            if let l = left.bound, let r = right.bound {
                let (product, overflow) = l.multipliedReportingOverflow(by: max(r, 1))
                if !overflow { bound = product + l }
            }
            return Planned(
                node: PlanNode(.join(node), outputSlots: slots, estimatedRows: rows), rows: rows,
                cost: cost, bound: bound)
        }
        // FULL joins must see every right row once: no pushing of conditions into the right side.
        if kind != .full {
            let inner = try planRight(between, leftMask)
            if isLateral || readsOuter(inner.node, leftMask) {
                let loop = try build(.nestedLoop, inner, nil)
                if isLateral { return loop }
                let other = try hashed(
                    try planRight([], 0), between, leftMask, rightMask, build)
                return loop.cost <= other.cost ? loop : other
            }
        }
        let alone = try planRight([], 0)
        return try hashed(alone, between, leftMask, rightMask, build)
    }

    private func hashed(
        _ right: Planned, _ between: [Conjunct], _ leftMask: UInt64, _ rightMask: UInt64,
        _ build: (JoinNode.Strategy, Planned, BoundExpression?) throws(SQLError) -> Planned
    ) throws(SQLError) -> Planned {
        var keys: [JoinNode.HashKey] = []
        var rest: [BoundExpression] = []
        for conjunct in between {
            if let key = hashKey(conjunct.expression, leftMask, rightMask) {
                keys.append(key)
            } else {
                rest.append(conjunct.expression)
            }
        }
        let condition = LogicExpression.all(rest)
        if keys.isEmpty {
            // Every pair is tried: keep the right rows instead of computing them again.
            let kept = (right.bound ?? .max) <= 1 ? right : right.with(.materialize(right.node))
            return try build(.nestedLoop, kept, condition)
        }
        for key in keys {
            try planner.ready(key.left)
            try planner.ready(key.right)
        }
        return try build(.hash(keys), right, condition)
    }

    /// Whether the inner side's access is by an index (so that pushing the outer row in pays).
    private func readsOuter(_ node: PlanNode, _ outer: UInt64) -> Bool {
        switch node.operation {
        case .scan(let scan):
            guard case .index(_, let bounds, _) = scan.access else { return false }
            let isLookup = bounds.equalities.contains { match in
                if case .equal(let value) = match { return !(value is ConstantExpression) }
                return false
            }
            return isLookup || bounds.expressions.contains { mask(of: $0) & outer != 0 }
        case .filter(let child, _): return readsOuter(child, outer)
        case .project(let project): return readsOuter(project.child, outer)
        case .join(let join): return readsOuter(join.left, outer)
        default: return false
        }
    }

    // MARK: EXISTS and IN

    private struct SemiJoin {
        var isAnti: Bool
        var inner: LogicalSelect
        /// The IN comparison, beside the subquery's own conditions.
        var comparison: BoundExpression?
    }

    /// A top-level [NOT] EXISTS or IN whose subquery is a plain join can become a semi join.
    private func semiJoin(_ expression: BoundExpression) -> SemiJoin? {
        var subject = expression
        var isAnti = false
        if let not = expression as? NotExpression {
            subject = not.operand
            isAnti = true
        }
        guard let subquery = subject as? SubqueryExpression, subquery.index < 0,
            case .select(let inner) = subquery.query.body, inner.from != nil, !inner.isGrouped,
            inner.setReturning.isEmpty, inner.locks.isEmpty, subquery.query.limit == nil,
            subquery.query.offset == nil, relations.count + inner.relations.count <= 60
        else { return nil }
        if case .on = inner.distinct { return nil }
        switch subquery.kind {
        case .exists:
            // Uncorrelated: one look decides for all rows.
            guard subquery.correlatedSlots.contains(where: { owners[$0] != nil }) else {
                return nil
            }
            return SemiJoin(isAnti: isAnti, inner: inner, comparison: nil)
        case .any:
            guard !isAnti, subquery.hashType != nil, let left = subquery.left.first,
                let comparison = subquery.comparison as? ComparisonExpression
            else { return nil }
            let output = subquery.query.outputs[0]
            let value =
                inner.projections.first { $0.slot == output.slot }?.expression ?? comparison.right
            return SemiJoin(
                isAnti: false, inner: inner, comparison: comparison.withChildren([left, value]))
        default: return nil
        }
    }

    private func joinSemi(_ left: Planned, _ semi: SemiJoin) throws(SQLError) -> Planned {
        guard let from = semi.inner.from else { return left }
        let leftMask = relations.count == 64 ? UInt64.max : (1 << UInt64(relations.count)) - 1
        for relation in semi.inner.relations { try add(relation) }
        let rightMask = treeMask(from)
        var conjuncts = semi.inner.conjuncts.map { conjunct($0) }
        if let comparison = semi.comparison { conjuncts.append(conjunct(comparison)) }
        let (own, between) = split(conjuncts, within: rightMask)
        return try join(semi.isAnti ? .anti : .semi, left, leftMask, between, false) {
            (pushed, outer) throws(SQLError) in
            try self.planTree(from, own + pushed, available: outer)
        } rightMask: {
            rightMask
        }
    }
}
