import FalconSchema

/// What the slots of a plan hold, for VERBOSE's output lists and for row widths.
struct ExplainColumns {
    private var texts: [Int: String] = [:]
    private var widths: [Int: Int] = [:]

    init(_ plan: PhysicalPlan, _ expressions: ExpressionText) {
        var pending = plan.commonTables.map(\.root) + plan.subplans.map(\.root) + [plan.root]
        while let node = pending.popLast() {
            note(node, expressions)
            pending += node.children
        }
    }

    func texts(_ slots: [Int]) -> [String] { slots.compactMap { texts[$0] } }

    func width(_ slots: [Int]) -> Int { slots.reduce(0) { $0 + (widths[$1] ?? 0) } }

    private mutating func note(_ slot: Int, _ text: String, _ type: SQLType) {
        texts[slot] = text
        widths[slot] = Self.width(type)
    }

    private mutating func note(_ node: PlanNode, _ expressions: ExpressionText) {
        switch node.operation {
        case .scan(let scan):
            for read in scan.columns {
                guard
                    let column = scan.table.columns.first(where: { $0.attribute == read.attribute })
                else { continue }
                let text = expressions.isQualified ? "\(scan.alias).\(column.name)" : column.name
                note(read.slot, text, column.type)
            }
        case .project(let project):
            for (slot, expression) in zip(project.slots, project.expressions) {
                note(slot, expressions.text(expression), expression.type)
            }
            for call in project.setReturning { note(call, expressions, nil) }
        case .values(let values):
            for (index, slot) in values.slots.enumerated() {
                guard let first = values.rows.first, index < first.count else { continue }
                let text =
                    values.rows.count == 1
                    ? expressions.text(first[index]) : "\"*VALUES*\".column\(index + 1)"
                note(slot, text, first[index].type)
            }
        case .function(let function):
            for call in function.calls { note(call, expressions, function.alias) }
        case .aggregate(let aggregate):
            for (slot, key) in zip(aggregate.keySlots, aggregate.keys) {
                note(slot, expressions.text(key), key.type)
            }
            for call in aggregate.calls {
                let arguments = call.arguments.map { expressions.text($0) }
                let inner = arguments.isEmpty ? "*" : arguments.joined(separator: ", ")
                note(
                    call.slot,
                    "\(call.function.name)(\(call.isDistinct ? "DISTINCT " : "")\(inner))",
                    call.resultType)
            }
        case .setOperation(let operation):
            for (index, slot) in operation.slots.enumerated() {
                let source = texts[operation.leftSlots[index]] ?? "column\(index + 1)"
                note(slot, source, operation.types[index])
            }
        default: break
        }
    }

    private mutating func note(
        _ call: SetReturningCall, _ expressions: ExpressionText, _ alias: String?
    ) {
        for (slot, type) in zip(call.slots, call.types) {
            let arguments = call.arguments.map { expressions.text($0) }.joined(separator: ", ")
            note(slot, alias ?? "\(call.function?.name ?? "")(\(arguments))", type)
        }
    }

    /// PostgreSQL's guess of a value's width: exact for types of fixed length, else 32 bytes or what
    /// the type's length allows.
    private static func width(_ type: SQLType) -> Int {
        if let length = TypeRegistry.descriptor(type.oid)?.length, length > 0 { return Int(length) }
        if [.varchar, .bpchar].contains(type.oid), type.modifier >= 4 {
            return min(Int(type.modifier), 32)
        }
        return 32
    }
}
