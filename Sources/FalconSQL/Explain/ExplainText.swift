import FalconSchema

/// EXPLAIN's text, laid out as PostgreSQL does.
struct ExplainText {
    let options: ExplainOptions
    let report: ExplainReport

    /// One string per output line.
    func lines(_ tree: ExplainNode) -> [String] {
        var lines: [String] = []
        write(tree, 0, &lines)
        if options.showsSummary {
            lines.append("Planning Time: \(Self.milliseconds(report.planning)) ms")
            if options.isAnalyzed {
                lines.append("Execution Time: \(Self.milliseconds(report.execution)) ms")
            }
        }
        return lines
    }

    private static func spaces(_ indent: Int) -> String { String(repeating: "  ", count: indent) }

    private func write(_ node: ExplainNode, _ indent: Int, _ lines: inout [String]) {
        var indent = indent
        if let name = node.subplanName {
            lines.append(Self.spaces(indent) + name)
            indent += 1
        }
        var line = ""
        if indent > 0 {
            line = Self.spaces(indent) + "->  "
            indent += 2
        }
        lines.append(line + node.title + numbers(node))
        indent += 1
        for detail in node.details where detail.isInText {
            let text: String
            switch detail.value {
            case .text(let value): text = value
            case .list(let values): text = values.joined(separator: ", ")
            case .number(let value): text = String(value)
            }
            lines.append("\(Self.spaces(indent))\(detail.name): \(text)")
        }
        for child in node.children { write(child, indent, &lines) }
    }

    private func numbers(_ node: ExplainNode) -> String {
        var text = ""
        if options.showsCosts {
            text +=
                "  (cost=\(Self.fixed(node.startupCost, 2))..\(Self.fixed(node.totalCost, 2)) "
                + "rows=\(Self.whole(node.rows)) width=\(node.width))"
        }
        guard options.isAnalyzed else { return text }
        guard let counters = node.counters, counters.loops > 0 else {
            return text + " (never executed)"
        }
        text += " (actual "
        if options.isTimed {
            text +=
                "time=\(Self.milliseconds(counters.startupPerLoop))"
                + "..\(Self.milliseconds(counters.totalPerLoop)) "
        }
        return text + "rows=\(counters.rowsPerLoop) loops=\(counters.loops))"
    }

    static func whole(_ value: Double) -> String { String(Int64(min(max(value, 0), 1e15))) }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        fixed(Double(nanoseconds) / 1e6, 3)
    }

    /// With so many decimal places.
    static func fixed(_ value: Double, _ places: Int) -> String {
        let scale = places == 2 ? 100.0 : 1000.0
        let scaled = Int64((min(max(value, 0), 1e12) * scale).rounded())
        let fraction = String(scaled % Int64(scale))
        return "\(scaled / Int64(scale))."
            + String(repeating: "0", count: max(0, places - fraction.utf8.count)) + fraction
    }
}
