import FalconSchema

/// EXPLAIN (FORMAT JSON), with PostgreSQL's keys in PostgreSQL's order.
struct ExplainJSON {
    let options: ExplainOptions
    let report: ExplainReport

    func text(_ tree: ExplainNode) -> String {
        var parts = ["    \"Plan\": " + node(tree, 2)]
        if options.showsSummary {
            parts.append("    \"Planning Time\": \(ExplainText.milliseconds(report.planning))")
        }
        if options.isAnalyzed {
            parts.append("    \"Triggers\": [\n    ]")
            if options.showsSummary {
                parts.append(
                    "    \"Execution Time\": \(ExplainText.milliseconds(report.execution))")
            }
        }
        return "[\n  {\n" + parts.joined(separator: ",\n") + "\n  }\n]"
    }

    /// The object of one node, its braces at `level`.
    private func node(_ node: ExplainNode, _ level: Int) -> String {
        let indent = String(repeating: "  ", count: level + 1)
        var parts: [String] = []
        func add(_ name: String, _ value: String) { parts.append("\(indent)\"\(name)\": \(value)") }
        add("Node Type", JSONText.quoted(node.kind))
        for (name, value) in node.traits { add(name, JSONText.quoted(value)) }
        if !node.relationship.isEmpty {
            add("Parent Relationship", JSONText.quoted(node.relationship))
        }
        if let name = node.subplanName { add("Subplan Name", JSONText.quoted(name)) }
        add("Parallel Aware", "false")
        add("Async Capable", "false")
        for (name, value) in node.identity { add(name, JSONText.quoted(value)) }
        for (name, value) in numbers(node) { add(name, value) }
        for detail in node.details {
            switch detail.value {
            case .text(let value): add(detail.name, JSONText.quoted(value))
            case .list(let values):
                add(
                    detail.name,
                    "[" + values.map { JSONText.quoted($0) }.joined(separator: ", ") + "]")
            case .number(let value): add(detail.name, String(value))
            }
        }
        if !node.children.isEmpty {
            let inner = String(repeating: "  ", count: level + 2)
            let plans = node.children.map { inner + self.node($0, level + 2) }
            add("Plans", "[\n" + plans.joined(separator: ",\n") + "\n\(indent)]")
        }
        return "{\n" + parts.joined(separator: ",\n") + "\n"
            + String(repeating: "  ", count: level) + "}"
    }

    private func numbers(_ node: ExplainNode) -> [(String, String)] {
        var result: [(String, String)] = []
        if options.showsCosts {
            result = [
                ("Startup Cost", ExplainText.fixed(node.startupCost, 2)),
                ("Total Cost", ExplainText.fixed(node.totalCost, 2)),
                ("Plan Rows", ExplainText.whole(node.rows)), ("Plan Width", String(node.width)),
            ]
        }
        guard options.isAnalyzed else { return result }
        let counters = node.counters
        if options.isTimed {
            result.append(
                (
                    "Actual Startup Time",
                    ExplainText.milliseconds(counters?.startupPerLoop ?? 0)
                ))
            result.append(
                ("Actual Total Time", ExplainText.milliseconds(counters?.totalPerLoop ?? 0)))
        }
        result.append(("Actual Rows", String(counters?.rowsPerLoop ?? 0)))
        result.append(("Actual Loops", String(counters?.loops ?? 0)))
        return result
    }
}
