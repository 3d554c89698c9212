import FalconSchema

/// EXPLAIN's text.
public enum PlanExplainer {
    /// One string per output line, as PostgreSQL lays them out.
    public static func lines(_ plan: PhysicalPlan, showCosts: Bool = true) -> [String] {
        var writer = Writer(plan: plan, showCosts: showCosts)
        writer.node(plan.root, depth: 0)
        return writer.lines
    }

    private struct Writer {
        let plan: PhysicalPlan
        let showCosts: Bool
        let expressions: ExpressionText
        var lines: [String] = []
        private var shownSubplans: Set<Int> = []
        private var shownCommonTables: Set<Int> = []

        init(plan: PhysicalPlan, showCosts: Bool) {
            self.plan = plan
            self.showCosts = showCosts
            expressions = ExpressionText(isQualified: Self.relationCount(plan) > 1)
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

        // MARK: Lines

        private mutating func head(_ title: String, _ node: PlanNode, _ depth: Int) {
            let prefix =
                depth == 0
                ? "" : String(repeating: " ", count: depth * 6 - 4) + "->  "
            var line = prefix + title
            if showCosts {
                line += "  (rows=\(Int(clamping: Int64(min(node.estimatedRows, 1e15)))))"
            }
            lines.append(line)
        }

        private mutating func detail(_ text: String, _ depth: Int) {
            lines.append(String(repeating: " ", count: depth * 6 + 2) + text)
        }

        private mutating func condition(
            _ label: String, _ expression: BoundExpression?, _ depth: Int
        ) {
            guard let expression else { return }
            detail("\(label): \(expressions.text(expression))", depth)
        }

        private func list(_ items: [BoundExpression]) -> String {
            items.map { expressions.text($0) }.joined(separator: ", ")
        }

        /// Subqueries of `parts` and common tables, below the node they are used by.
        private mutating func subplans(_ parts: [BoundExpression?], _ depth: Int) {
            var found: [SubqueryExpression] = []
            for part in parts {
                part?.walk { node in
                    if let subquery = node as? SubqueryExpression { found.append(subquery) }
                }
            }
            for subquery in found
            where subquery.index >= 0 && subquery.index < plan.subplans.count
                && shownSubplans.insert(subquery.index).inserted
            {
                let isInitial =
                    subquery.correlatedSlots.isEmpty && subquery.kind != .any
                    && subquery.kind != .all
                let number = subquery.index + 1
                detail(
                    isInitial
                        ? "InitPlan \(number) (returns $\(subquery.index))" : "SubPlan \(number)",
                    depth)
                node(plan.subplans[subquery.index].root, depth: depth + 1)
            }
        }

        // MARK: Nodes

        mutating func node(_ node: PlanNode, depth: Int) {
            switch node.operation {
            case .result(let condition):
                head("Result", node, depth)
                self.condition("One-Time Filter", condition, depth)
                subplans([condition], depth)
            case .values(let values):
                head(values.rows.count == 1 ? "Result" : "Values Scan", node, depth)
                subplans(values.rows.flatMap { $0 }, depth)
            case .scan(let scan): self.scan(scan, node, depth)
            case .function(let function): functionScan(function, node, depth)
            case .commonTable(let scan): commonTable(scan, node, depth)
            case .filter(let child, let filter):
                // PostgreSQL shows a filter inside the node it applies to.
                let start = lines.count
                self.node(child, depth: depth)
                let line =
                    String(repeating: " ", count: depth * 6 + 2)
                    + "Filter: \(expressions.text(filter))"
                lines.insert(line, at: min(start + 1, lines.count))
                subplans([filter], depth)
            case .project(let project):
                if project.setReturning.isEmpty {
                    self.node(project.child, depth: depth)
                    subplans(project.expressions, depth)
                } else {
                    head("ProjectSet", node, depth)
                    self.node(project.child, depth: depth + 1)
                }
            case .join(let join): self.join(join, node, depth)
            case .aggregate(let aggregate):
                head(aggregate.keys.isEmpty ? "Aggregate" : "HashAggregate", node, depth)
                if !aggregate.keys.isEmpty {
                    detail("Group Key: \(list(aggregate.keys))", depth)
                }
                self.node(aggregate.child, depth: depth + 1)
            case .sort(let sort):
                head("Sort", node, depth)
                let keys = sort.keys.map { key in
                    expressions.text(key.expression) + (key.isDescending ? " DESC" : "")
                        + (key.nullsFirst == key.isDescending
                            ? "" : key.nullsFirst ? " NULLS FIRST" : " NULLS LAST")
                }
                detail("Sort Key: \(keys.joined(separator: ", "))", depth)
                self.node(sort.child, depth: depth + 1)
            default: rareNode(node, depth: depth)
            }
        }

        private mutating func rareNode(_ node: PlanNode, depth: Int) {
            switch node.operation {
            case .limit(let child, let limit, let offset):
                head("Limit", node, depth)
                self.node(child, depth: depth + 1)
                subplans([limit, offset], depth)
            case .distinct(let distinct):
                if distinct.isSorted {
                    head("Unique", node, depth)
                } else {
                    head("HashAggregate", node, depth)
                    detail("Group Key: \(list(distinct.keys))", depth)
                }
                self.node(distinct.child, depth: depth + 1)
            case .setOperation(let operation): setOperation(operation, node, depth)
            case .materialize(let child):
                head("Materialize", node, depth)
                self.node(child, depth: depth + 1)
            case .lockRows(let lock):
                head("LockRows", node, depth)
                self.node(lock.child, depth: depth + 1)
            case .insert(let insert):
                head("Insert on \(name(insert.target.table, insert.target.alias))", node, depth)
                if let conflict = insert.onConflict {
                    detail(
                        "Conflict Resolution: \(conflict.update == nil ? "NOTHING" : "UPDATE")",
                        depth)
                }
                self.node(insert.child, depth: depth + 1)
                subplans(insert.values, depth)
            case .update(let update):
                head("Update on \(name(update.target.table, update.target.alias))", node, depth)
                self.node(update.child, depth: depth + 1)
                subplans(update.assignments.map(\.value), depth)
            case .delete(let delete):
                head("Delete on \(name(delete.target.table, delete.target.alias))", node, depth)
                self.node(delete.child, depth: depth + 1)
            case .window(let child):
                head("WindowAgg", node, depth)
                self.node(child, depth: depth + 1)
            default: break
            }
        }

        private func name(_ table: TableDescriptor, _ alias: String) -> String {
            alias == table.name ? table.name : "\(table.name) \(alias)"
        }

        private mutating func scan(_ scan: ScanNode, _ node: PlanNode, _ depth: Int) {
            let table = name(scan.table, scan.alias)
            switch scan.access {
            case .full(let isReverse):
                head("Seq Scan\(isReverse ? " Backward" : "") on \(table)", node, depth)
            case .index(let index, let bounds, let isReverse):
                head(
                    "Index Scan\(isReverse ? " Backward" : "") using \(index.name) on \(table)",
                    node, depth)
                let condition = indexCondition(scan, index, bounds)
                if !condition.isEmpty { detail("Index Cond: \(condition)", depth) }
            }
            condition("Filter", scan.filter, depth)
            subplans([scan.filter], depth)
        }

        private func indexCondition(
            _ scan: ScanNode, _ index: IndexDescriptor, _ bounds: IndexBounds
        ) -> String {
            func column(_ position: Int) -> String {
                guard position < index.columns.count else { return "?" }
                let attribute = Int(index.columns[position].attribute)
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
                    parts.append("(\(column(position)) = ANY (ARRAY[\(list(values))]))")
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

        private mutating func functionScan(
            _ scan: FunctionScanNode, _ node: PlanNode, _ depth: Int
        ) {
            let function = scan.calls.first?.function?.name ?? ""
            let title =
                function.isEmpty || function == scan.alias
                ? scan.alias : "\(function) \(scan.alias)"
            head("Function Scan on \(title)", node, depth)
        }

        private mutating func commonTable(_ scan: CTEScanNode, _ node: PlanNode, _ depth: Int) {
            let title = scan.alias == scan.name ? scan.name : "\(scan.name) \(scan.alias)"
            head("CTE Scan on \(title)", node, depth)
            if scan.index < plan.commonTables.count, shownCommonTables.insert(scan.index).inserted {
                detail("CTE \(scan.name)", depth)
                self.node(plan.commonTables[scan.index].root, depth: depth + 1)
            }
        }

        private mutating func join(_ join: JoinNode, _ node: PlanNode, _ depth: Int) {
            let kind: String
            switch join.kind {
            case .inner: kind = ""
            case .left: kind = " Left"
            case .full: kind = " Full"
            case .semi: kind = " Semi"
            case .anti: kind = " Anti"
            }
            switch join.strategy {
            case .nestedLoop:
                head(kind.isEmpty ? "Nested Loop" : "Nested Loop\(kind) Join", node, depth)
                condition("Join Filter", join.condition, depth)
                self.node(join.left, depth: depth + 1)
                self.node(join.right, depth: depth + 1)
            case .hash(let keys):
                head("Hash\(kind) Join", node, depth)
                let conditions = keys.map {
                    "(\(expressions.text($0.left)) = \(expressions.text($0.right)))"
                }
                let text = conditions.joined(separator: " AND ")
                detail("Hash Cond: \(conditions.count > 1 ? "(\(text))" : text)", depth)
                condition("Join Filter", join.condition, depth)
                self.node(join.left, depth: depth + 1)
                head("Hash", join.right, depth + 1)
                self.node(join.right, depth: depth + 2)
            }
            subplans([join.condition], depth)
        }

        private mutating func setOperation(
            _ operation: SetOperationNode, _ node: PlanNode, _ depth: Int
        ) {
            let title: String
            switch (operation.operation, operation.all) {
            case (.union, true): title = "Append"
            case (.union, false): title = "HashAggregate"
            case (.intersect, let all): title = "HashSetOp Intersect\(all ? " All" : "")"
            case (.except, let all): title = "HashSetOp Except\(all ? " All" : "")"
            }
            head(title, node, depth)
            self.node(operation.left, depth: depth + 1)
            self.node(operation.right, depth: depth + 1)
        }
    }
}

extension PlanNode {
    /// Direct inputs.
    public var children: [PlanNode] {
        switch operation {
        case .result, .values, .scan, .function, .commonTable: return []
        case .filter(let child, _), .limit(let child, _, _), .materialize(let child),
            .window(let child):
            return [child]
        case .project(let node): return [node.child]
        case .join(let node): return [node.left, node.right]
        case .aggregate(let node): return [node.child]
        case .sort(let node): return [node.child]
        case .distinct(let node): return [node.child]
        case .setOperation(let node): return [node.left, node.right]
        case .lockRows(let node): return [node.child]
        case .insert(let node): return [node.child]
        case .update(let node): return [node.child]
        case .delete(let node): return [node.child]
        }
    }
}
