import FalconSchema

/// Turns a plan, and what ANALYZE measured of it, into what EXPLAIN shows.
struct ExplainBuilder {
    let plan: PhysicalPlan
    let options: ExplainOptions
    let report: ExplainReport
    let expressions: ExpressionText
    private let columns: ExplainColumns
    private var shownSubplans: Set<Int> = []
    private var shownCommonTables: Set<Int> = []

    init(plan: PhysicalPlan, options: ExplainOptions, report: ExplainReport) {
        self.plan = plan
        self.options = options
        self.report = report
        expressions = ExpressionText(
            isQualified: options.isVerbose || Self.relationCount(plan) > 1)
        columns = ExplainColumns(plan, expressions)
    }

    mutating func tree() -> ExplainNode {
        var tree = build(plan.root)
        // Common tables that nothing read: those that modify.
        for index in plan.commonTables.indices where !shownCommonTables.contains(index) {
            shownCommonTables.insert(index)
            tree.children.insert(commonTable(index), at: 0)
        }
        if options.isVerbose, !plan.resultSlots.isEmpty {
            tree.details.removeAll { $0.name == "Output" }
            tree.details.insert(
                .init(name: "Output", value: .list(columns.texts(plan.resultSlots))), at: 0)
        }
        return tree
    }

    private static func relationCount(_ plan: PhysicalPlan) -> Int {
        var count = 0
        var pending = [plan.root] + plan.subplans.map(\.root) + plan.commonTables.map(\.root)
        while let node = pending.popLast() {
            switch node.operation {
            case .scan, .function, .commonTable: count += 1
            default: break
            }
            pending += node.children
        }
        return count
    }

    // MARK: Parts of nodes

    private func list(_ items: [BoundExpression]) -> [String] {
        items.map { expressions.text($0) }
    }

    /// A node with its numbers; its inputs are still to come.
    private func make(_ title: String, _ node: PlanNode, kind: String? = nil) -> ExplainNode {
        var result = ExplainNode(title, kind: kind)
        result.startupCost = node.startupCost
        result.totalCost = max(node.estimatedCost, result.startupCost)
        result.rows = max(1, node.estimatedRows)
        result.width = columns.width(node.outputSlots)
        result.counters = report.measurement?.counters[ObjectIdentifier(node)]
        if options.isVerbose {
            let texts = columns.texts(node.outputSlots)
            if !texts.isEmpty { result.details.append(.init(name: "Output", value: .list(texts))) }
        }
        return result
    }

    private mutating func child(_ node: PlanNode, _ relationship: String = "Outer") -> ExplainNode {
        var result = build(node)
        result.relationship = relationship
        return result
    }

    /// Subqueries of `parts`, below the node they are used by: those that run once before its inputs,
    /// the others behind.
    private mutating func addSubplans(_ parts: [BoundExpression?], to result: inout ExplainNode) {
        var found: [SubqueryExpression] = []
        for part in parts {
            part?.walk { node in
                if let subquery = node as? SubqueryExpression { found.append(subquery) }
            }
        }
        var initial: [ExplainNode] = []
        for subquery in found
        where subquery.index >= 0 && subquery.index < plan.subplans.count
            && shownSubplans.insert(subquery.index).inserted
        {
            let isInitial =
                subquery.correlatedSlots.isEmpty && subquery.kind != .any && subquery.kind != .all
            var node = build(plan.subplans[subquery.index].root)
            let number = subquery.index + 1
            node.relationship = isInitial ? "InitPlan" : "SubPlan"
            node.subplanName =
                isInitial
                ? "InitPlan \(number) (returns $\(subquery.index))" : "SubPlan \(number)"
            if isInitial { initial.append(node) } else { result.children.append(node) }
        }
        result.children.insert(contentsOf: initial, at: 0)
    }

    private mutating func commonTable(_ index: Int) -> ExplainNode {
        var node = build(plan.commonTables[index].root)
        node.relationship = "InitPlan"
        node.subplanName = "CTE \(plan.commonTables[index].name)"
        return node
    }

    private func addFilter(_ text: String, removed: Int64?, to result: inout ExplainNode) {
        result.add("Filter", text)
        guard options.isAnalyzed else { return }
        let loops = max(1, result.counters?.loops ?? 1)
        let count = ((removed ?? 0) + loops / 2) / loops
        result.details.append(
            .init(name: "Rows Removed by Filter", value: .number(count), isInText: count > 0))
    }

    // MARK: Nodes

    private mutating func build(_ node: PlanNode) -> ExplainNode {
        var result: ExplainNode
        switch node.operation {
        case .result(let condition):
            result = make("Result", node)
            if let condition { result.add("One-Time Filter", expressions.text(condition)) }
            addSubplans([condition], to: &result)
        case .values(let values):
            if values.rows.count == 1 {
                result = make("Result", node)
            } else {
                result = make("Values Scan on \"*VALUES*\"", node, kind: "Values Scan")
                result.identity = [("Alias", "*VALUES*")]
            }
            addSubplans(values.rows.flatMap { $0 }, to: &result)
        case .scan(let scan): result = self.scan(scan, node)
        case .function(let function): result = functionScan(function, node)
        case .commonTable(let scan): result = commonTableScan(scan, node)
        case .filter(let child, let filter): result = self.filter(child, filter, node)
        case .project(let project): result = self.project(project, node)
        case .join(let join): result = self.join(join, node)
        case .aggregate(let aggregate): result = self.aggregate(aggregate, node)
        case .sort(let sort):
            result = make("Sort", node)
            let keys = sort.keys.map { key in
                expressions.text(key.expression) + (key.isDescending ? " DESC" : "")
                    + (key.nullsFirst == key.isDescending
                        ? "" : key.nullsFirst ? " NULLS FIRST" : " NULLS LAST")
            }
            result.details.append(.init(name: "Sort Key", value: .list(keys)))
            result.children.append(child(sort.child))
            addSubplans(sort.keys.map(\.expression), to: &result)
        default: result = rareNode(node)
        }
        return result
    }

    private mutating func rareNode(_ node: PlanNode) -> ExplainNode {
        var result: ExplainNode
        switch node.operation {
        case .limit(let input, let limit, let offset):
            result = make("Limit", node)
            result.children.append(child(input))
            addSubplans([limit, offset], to: &result)
        case .distinct(let distinct):
            if distinct.isSorted {
                result = make("Unique", node)
            } else {
                result = make("HashAggregate", node, kind: "Aggregate")
                result.traits = [("Strategy", "Hashed"), ("Partial Mode", "Simple")]
                result.details.append(.init(name: "Group Key", value: .list(list(distinct.keys))))
            }
            result.children.append(child(distinct.child))
        case .setOperation(let operation): result = setOperation(operation, node)
        case .materialize(let input):
            result = make("Materialize", node)
            result.children.append(child(input))
        case .lockRows(let lock):
            result = make("LockRows", node)
            result.children.append(child(lock.child))
        case .insert(let insert):
            result = modify("Insert", insert.target, insert.child, node)
            if let conflict = insert.onConflict {
                result.add("Conflict Resolution", conflict.update == nil ? "NOTHING" : "UPDATE")
            }
            addSubplans(insert.values, to: &result)
        case .update(let update):
            result = modify("Update", update.target, update.child, node)
            addSubplans(update.assignments.map(\.value), to: &result)
        case .delete(let delete): result = modify("Delete", delete.target, delete.child, node)
        case .merge(let merge):
            result = modify("Merge", merge.target, merge.child, node)
            addSubplans(merge.actions.flatMap(\.expressions), to: &result)
        default: result = make("WindowAgg", node)
        }
        return result
    }

    /// PostgreSQL shows a filter inside the node it applies to.
    private mutating func filter(
        _ input: PlanNode, _ condition: BoundExpression, _ node: PlanNode
    ) -> ExplainNode {
        var result = build(input)
        let passed = report.measurement?.counters[ObjectIdentifier(node)]
        let removed = passed.map { (result.counters?.rows ?? 0) - $0.rows }
        result.counters = passed ?? result.counters
        result.rows = max(1, node.estimatedRows)
        addFilter(expressions.text(condition), removed: removed, to: &result)
        addSubplans([condition], to: &result)
        return result
    }

    /// And a projection inside the node that gives its rows.
    private mutating func project(_ project: ProjectNode, _ node: PlanNode) -> ExplainNode {
        var result: ExplainNode
        if project.setReturning.isEmpty {
            result = build(project.child)
            result.width = columns.width(node.outputSlots)
        } else {
            result = make("ProjectSet", node)
            result.children.append(child(project.child))
        }
        addSubplans(project.expressions, to: &result)
        return result
    }

    private mutating func aggregate(
        _ aggregate: AggregateNode, _ node: PlanNode
    ) -> ExplainNode {
        let isHashed = !aggregate.keys.isEmpty
        var result = make(isHashed ? "HashAggregate" : "Aggregate", node, kind: "Aggregate")
        result.traits = [("Strategy", isHashed ? "Hashed" : "Plain"), ("Partial Mode", "Simple")]
        if isHashed {
            result.details.append(.init(name: "Group Key", value: .list(list(aggregate.keys))))
        }
        result.children.append(child(aggregate.child))
        addSubplans(aggregate.keys + aggregate.calls.flatMap(\.arguments), to: &result)
        return result
    }

    private func name(_ table: TableDescriptor, _ alias: String) -> String {
        let full = options.isVerbose ? "\(table.schema).\(table.name)" : table.name
        return alias == table.name ? full : "\(full) \(alias)"
    }

    private func identity(_ table: TableDescriptor, _ alias: String) -> [(String, String)] {
        [("Relation Name", table.name)] + (options.isVerbose ? [("Schema", table.schema)] : [])
            + [("Alias", alias)]
    }

    private mutating func modify(
        _ word: String, _ target: ModifyTarget, _ input: PlanNode, _ node: PlanNode
    ) -> ExplainNode {
        var result = make(
            "\(word) on \(name(target.table, target.alias))", node, kind: "ModifyTable")
        result.traits = [("Operation", word)]
        result.identity = identity(target.table, target.alias)
        result.details.removeAll { $0.name == "Output" }
        if !target.emitsRows {
            result.rows = 0
            result.width = 0
        }
        result.children.append(child(input))
        return result
    }

    private mutating func scan(_ scan: ScanNode, _ node: PlanNode) -> ExplainNode {
        let table = name(scan.table, scan.alias)
        var result: ExplainNode
        switch scan.access {
        case .full(let isReverse):
            result = make(
                "Seq Scan\(isReverse ? " Backward" : "") on \(table)", node, kind: "Seq Scan")
            result.identity = identity(scan.table, scan.alias)
        case .currentOf(let cursor):
            result = make("Tid Scan on \(table)", node, kind: "Tid Scan")
            result.identity = identity(scan.table, scan.alias)
            result.add("TID Cond", "CURRENT OF \(Identifier.quoted(cursor))")
        case .index(let index, let bounds, let isReverse):
            result = make(
                "Index Scan\(isReverse ? " Backward" : "") using \(index.name) on \(table)", node,
                kind: "Index Scan")
            result.identity =
                [
                    ("Scan Direction", isReverse ? "Backward" : "Forward"),
                    ("Index Name", index.name),
                ] + identity(scan.table, scan.alias)
            let condition = indexCondition(scan, index, bounds)
            if !condition.isEmpty { result.add("Index Cond", condition) }
        }
        if let filter = scan.filter {
            addFilter(
                expressions.text(filter), removed: result.counters?.removed, to: &result)
        }
        addSubplans([scan.filter], to: &result)
        return result
    }

    private func indexCondition(
        _ scan: ScanNode, _ index: IndexDescriptor, _ bounds: IndexBounds
    ) -> String {
        let columns = scan.table.entryColumns(of: index)
        func column(_ position: Int) -> String {
            guard position < columns.count else { return "?" }
            let attribute = Int(columns[position].attribute)
            guard attribute >= 1, attribute <= scan.table.columns.count else { return "?" }
            let name = scan.table.columns[attribute - 1].name
            return expressions.isQualified ? "\(scan.alias).\(name)" : name
        }
        var parts: [String] = []
        for (position, match) in bounds.equalities.enumerated() {
            switch match {
            case .equal(let value):
                parts.append("(\(column(position)) = \(expressions.text(value)))")
            case .anyOf(let values):
                let items = list(values).joined(separator: ", ")
                parts.append("(\(column(position)) = ANY (ARRAY[\(items)]))")
            case .anyElement(let array):
                parts.append("(\(column(position)) = ANY (\(expressions.text(array))))")
            case .isNull: parts.append("(\(column(position)) IS NULL)")
            }
        }
        let next = column(bounds.equalities.count)
        if let lower = bounds.lower {
            let symbol = lower.isInclusive ? ">=" : ">"
            parts.append("(\(next) \(symbol) \(expressions.text(lower.value)))")
        }
        if let upper = bounds.upper {
            let symbol = upper.isInclusive ? "<=" : "<"
            parts.append("(\(next) \(symbol) \(expressions.text(upper.value)))")
        }
        return parts.count > 1 ? "(\(parts.joined(separator: " AND ")))" : parts.first ?? ""
    }

    private func functionScan(_ scan: FunctionScanNode, _ node: PlanNode) -> ExplainNode {
        let function = scan.calls.first?.function?.name ?? ""
        let title =
            function.isEmpty || function == scan.alias ? scan.alias : "\(function) \(scan.alias)"
        var result = make("Function Scan on \(title)", node, kind: "Function Scan")
        if !function.isEmpty { result.identity.append(("Function Name", function)) }
        result.identity.append(("Alias", scan.alias))
        return result
    }

    private mutating func commonTableScan(_ scan: CTEScanNode, _ node: PlanNode) -> ExplainNode {
        let title = scan.alias == scan.name ? scan.name : "\(scan.name) \(scan.alias)"
        var result = make("CTE Scan on \(title)", node, kind: "CTE Scan")
        result.identity = [("CTE Name", scan.name), ("Alias", scan.alias)]
        if scan.index < plan.commonTables.count, shownCommonTables.insert(scan.index).inserted {
            result.children.append(commonTable(scan.index))
        }
        return result
    }

    private mutating func join(_ join: JoinNode, _ node: PlanNode) -> ExplainNode {
        let kind: String
        switch join.kind {
        case .inner: kind = "Inner"
        case .left: kind = "Left"
        case .full: kind = "Full"
        case .semi: kind = "Semi"
        case .anti: kind = "Anti"
        }
        let infix = kind == "Inner" ? "" : " \(kind)"
        var result: ExplainNode
        switch join.strategy {
        case .nestedLoop:
            result = make(
                infix.isEmpty ? "Nested Loop" : "Nested Loop\(infix) Join", node,
                kind: "Nested Loop")
            if let condition = join.condition {
                result.add("Join Filter", expressions.text(condition))
            }
            result.children = [child(join.left), child(join.right, "Inner")]
        case .hash(let keys):
            result = make("Hash\(infix) Join", node, kind: "Hash Join")
            let conditions = keys.map {
                "(\(expressions.text($0.left)) = \(expressions.text($0.right)))"
            }
            let text = conditions.joined(separator: " AND ")
            result.add("Hash Cond", conditions.count > 1 ? "(\(text))" : text)
            if let condition = join.condition {
                result.add("Join Filter", expressions.text(condition))
            }
            let left = child(join.left)
            var hash = make("Hash", join.right)
            hash.startupCost = hash.totalCost
            hash.relationship = "Inner"
            hash.children = [child(join.right)]
            result.children = [left, hash]
        }
        result.identity = [("Join Type", kind)]
        addSubplans([join.condition], to: &result)
        return result
    }

    private mutating func setOperation(
        _ operation: SetOperationNode, _ node: PlanNode
    ) -> ExplainNode {
        var result: ExplainNode
        switch (operation.operation, operation.all) {
        case (.union, true): result = make("Append", node)
        case (.union, false):
            result = make("HashAggregate", node, kind: "Aggregate")
            result.traits = [("Strategy", "Hashed"), ("Partial Mode", "Simple")]
        case (.intersect, let all), (.except, let all):
            let command =
                (operation.operation == .intersect ? "Intersect" : "Except") + (all ? " All" : "")
            result = make("HashSetOp \(command)", node, kind: "SetOp")
            result.traits = [("Strategy", "Hashed")]
            result.identity = [("Command", command)]
        }
        result.children = [
            child(operation.left, "Member"), child(operation.right, "Member"),
        ]
        return result
    }
}
