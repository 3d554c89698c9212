import FalconSchema

/// The rows of one call of a set-returning function.
struct CallRows {
    let call: SetReturningCall
    private var source: RowSource?
    private var single: Datum?
    /// A strict function that returns no set was given a NULL: its one row is of NULLs.
    private var givesNullRow = false
    private var columns: [Datum]

    init(_ call: SetReturningCall) {
        self.call = call
        columns = Array(repeating: .null, count: call.slots.count)
    }

    mutating func open(_ row: RowContext) throws(SQLError) {
        close()
        if let scalar = call.scalar {
            single = try scalar.evaluate(row)
            return
        }
        guard let function = call.function else { return }
        var arguments: [Datum] = []
        for argument in call.arguments {
            let value = try argument.evaluate(row)
            if function.isStrict, value.isNull {
                givesNullRow = !function.isDeclaredSet
                return
            }
            arguments.append(value)
        }
        guard case .set(let make) = function.body else {
            throw SQLError(.wrongObjectType, "function \(function.name) does not return a set")
        }
        source = try make(arguments, call.arguments.map(\.type.oid), row.functions)
    }

    /// Puts the next row into the call's slots, NULLs at the end (then false).
    mutating func next(_ row: RowContext) throws(SQLError) -> Bool {
        if let value = single {
            single = nil
            if let slot = call.slots.first { row.slots[slot] = value }
            return true
        }
        if let source {
            if try source.next(into: &columns) {
                for (index, slot) in call.slots.enumerated() { row.slots[slot] = columns[index] }
                return true
            }
            self.source = nil
        }
        for slot in call.slots { row.slots[slot] = .null }
        defer { givesNullRow = false }
        return givesNullRow
    }

    mutating func close() {
        source = nil
        single = nil
        givesNullRow = false
    }
}

final class FunctionScanOperator: Operator {
    private let node: FunctionScanNode
    private var calls: [CallRows]
    private var ordinality: Int64 = 0

    init(_ executor: PlanExecutor, _ node: FunctionScanNode) {
        self.node = node
        calls = node.calls.map { CallRows($0) }
        super.init(executor)
    }

    override func open() throws(SQLError) {
        ordinality = 0
        for index in calls.indices { try calls[index].open(row) }
    }
    override func close() {
        for index in calls.indices { calls[index].close() }
    }

    override func next() throws(SQLError) -> Bool {
        try executor.checkInterrupts()
        var any = false
        for index in calls.indices where try calls[index].next(row) { any = true }
        guard any else { return false }
        if let slot = node.ordinalitySlot {
            ordinality += 1
            row.slots[slot] = .int(ordinality)
        }
        return true
    }
}

/// A projection with set-returning calls in it.
final class SetProjectOperator: Operator {
    private let child: Operator
    private let node: ProjectNode
    private var calls: [CallRows]
    private var hasRow = false

    init(_ executor: PlanExecutor, _ node: ProjectNode, child: Operator) {
        self.child = child
        self.node = node
        calls = node.setReturning.map { CallRows($0) }
        super.init(executor)
    }

    override func open() throws(SQLError) {
        hasRow = false
        try child.open()
    }
    override func close() {
        child.close()
        for index in calls.indices { calls[index].close() }
    }

    override func next() throws(SQLError) -> Bool {
        while true {
            try executor.checkInterrupts()
            if !hasRow {
                guard try child.next() else { return false }
                hasRow = true
                for index in calls.indices { try calls[index].open(row) }
            }
            var any = false
            for index in calls.indices where try calls[index].next(row) { any = true }
            guard any else {
                hasRow = false
                continue
            }
            // The scalar columns may read the calls' slots: computed for each output row.
            for (index, expression) in node.expressions.enumerated() {
                row.slots[node.slots[index]] = try expression.evaluate(row)
            }
            return true
        }
    }
}

/// A system relation's rows, computed when the scan starts.
final class VirtualScanOperator: Operator {
    private let node: ScanNode
    private var rows: [[Datum]] = []
    private var place = 0

    init(_ executor: PlanExecutor, _ node: ScanNode) {
        self.node = node
        super.init(executor)
    }

    override func open() throws(SQLError) {
        rows = try VirtualTables.rows(
            node.table, executor.transaction, session: row.functions.session)
        place = 0
        releaseHeld()
        try hold(rows.count &* (48 &+ node.table.columns.count &* MemoryLayout<Datum>.stride))
    }
    override func close() {
        rows = []
        releaseHeld()
    }

    override func next() throws(SQLError) -> Bool {
        while place < rows.count {
            let values = rows[place]
            place += 1
            for column in node.columns {
                row.slots[column.slot] = values[Int(column.attribute) - 1]
            }
            guard let filter = node.filter else { return true }
            if try filter.isTrue(row) { return true }
        }
        return false
    }
}
