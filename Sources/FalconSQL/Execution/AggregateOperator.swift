import FalconSchema

/// Groups by hash and computes aggregates; with no key, one group.
final class AggregateOperator: Operator {
    /// One aggregate of one group: its state and what DISTINCT and ORDER BY make it keep.
    private final class Accumulator {
        let state: AggregateState
        var seen: Set<DatumKey> = []
        var ordered: [(arguments: [Datum], keys: [Datum])] = []
        init(_ state: AggregateState) { self.state = state }
    }
    private struct Call {
        let node: AggregateCall
        let make: @Sendable ([OID]) -> AggregateState
        let argumentTypes: [OID]
        let isStrict: Bool
        let keepsValues: Bool
    }

    private let node: AggregateNode
    private let child: Operator
    private let types: [OID]
    private var calls: [Call] = []
    private var groups: [DatumKey: Int] = [:]
    private var integerGroups: [Int64: Int] = [:]
    private let hasIntegerKey: Bool
    private var keys: [[Datum]] = []
    private var accumulators: [[Accumulator]] = []
    private var place = 0

    init(_ executor: PlanExecutor, _ node: AggregateNode, child: Operator) {
        self.node = node
        self.child = child
        types = node.keys.map(\.type.oid)
        hasIntegerKey =
            types.count == 1
            && [.int2, .int4, .int8, .oid, .date, .timestamp, .timestamptz].contains(types[0])
        super.init(executor)
    }

    private func prepare() throws(SQLError) {
        guard calls.count != node.calls.count else { return }
        for call in node.calls {
            let function = call.function
            guard case .aggregate(let make) = function.body else {
                throw SQLError(.wrongObjectType, "\(function.name) is not an aggregate function")
            }
            let types = call.arguments.map(\.type.oid)
            calls.append(
                Call(
                    node: call, make: make, argumentTypes: types, isStrict: function.isStrict,
                    keepsValues: make(types).keepsValues))
        }
    }

    override func open() throws(SQLError) {
        try prepare()
        groups.removeAll()
        integerGroups.removeAll()
        keys.removeAll()
        accumulators.removeAll()
        releaseHeld()
        place = 0
        if node.keys.isEmpty { try addGroup([]) }
        try child.open()
        while try child.next() {
            try executor.checkInterrupts()
            let group = try findGroup()
            for index in calls.indices {
                try add(index, accumulators[group][index])
            }
        }
        child.close()
    }

    override func close() {
        child.close()
        groups.removeAll()
        integerGroups.removeAll()
        keys.removeAll()
        accumulators.removeAll()
        releaseHeld()
    }

    private func addGroup(_ values: [Datum]) throws(SQLError) {
        // Its key twice, for the table and for the result, and the states of its aggregates.
        try hold(2 &* RowMemory.key(values) &+ calls.count &* 192)
        keys.append(values)
        accumulators.append(calls.map { Accumulator($0.make($0.argumentTypes)) })
    }

    private func findGroup() throws(SQLError) -> Int {
        if node.keys.isEmpty { return 0 }
        if hasIntegerKey {
            let value = try node.keys[0].evaluate(row)
            if case .int(let number) = value {
                if let group = integerGroups[number] { return group }
                integerGroups[number] = keys.count
                try addGroup([value])
                return keys.count - 1
            }
        }
        var values: [Datum] = []
        values.reserveCapacity(node.keys.count)
        for key in node.keys { values.append(try key.evaluate(row)) }
        let key = DatumKey(values: values, types: types)
        if let group = groups[key] { return group }
        groups[key] = keys.count
        try addGroup(values)
        return keys.count - 1
    }

    private func add(_ index: Int, _ accumulator: Accumulator) throws(SQLError) {
        let call = calls[index]
        if let filter = call.node.filter, try !filter.isTrue(row) { return }
        let arguments = call.node.arguments
        if arguments.count == 1, !call.node.isDistinct, call.node.order.isEmpty {
            let value = try arguments[0].evaluate(row)
            if call.isStrict, value.isNull { return }
            if call.keepsValues { try hold(Self.valueBytes([value])) }
            try accumulator.state.add(value, row.functions)
            return
        }
        var values: [Datum] = []
        for argument in arguments {
            let value = try argument.evaluate(row)
            if call.isStrict, value.isNull { return }
            values.append(value)
        }
        if call.node.isDistinct {
            let key = DatumKey(values: values, types: call.argumentTypes)
            guard accumulator.seen.insert(key).inserted else { return }
            try hold(RowMemory.key(values))
        }
        if call.node.order.isEmpty {
            try feed(call, accumulator.state, values)
        } else {
            var keys: [Datum] = []
            for key in call.node.order { keys.append(try key.expression.evaluate(row)) }
            try hold(RowMemory.row(values) &+ RowMemory.row(keys) &+ 32)
            accumulator.ordered.append((values, keys))
        }
    }

    /// What a state takes that keeps all values: its array or text doubles.
    private static func valueBytes(_ values: [Datum]) -> Int {
        2 &* values.reduce(0) { $0 &+ $1.heapBytes &+ MemoryLayout<Datum>.stride }
    }

    private func feed(
        _ call: Call, _ state: AggregateState, _ values: [Datum]
    ) throws(SQLError) {
        if call.keepsValues { try hold(Self.valueBytes(values)) }
        if values.count == 1 {
            try state.add(values[0], row.functions)
        } else {
            try state.add(values, row.functions)
        }
    }

    private func result(_ index: Int, _ accumulator: Accumulator) throws(SQLError) -> Datum {
        let call = calls[index]
        if !accumulator.ordered.isEmpty {
            let order = call.node.order
            accumulator.ordered.sort { a, b in
                for (place, key) in order.enumerated() {
                    let comparison = DatumOrder.compare(
                        a.keys[place], b.keys[place], type: key.expression.type.oid,
                        descending: key.isDescending, nullsFirst: key.nullsFirst)
                    if comparison != 0 { return comparison < 0 }
                }
                return false
            }
            for entry in accumulator.ordered { try feed(call, accumulator.state, entry.arguments) }
            accumulator.ordered = []
        }
        return try accumulator.state.result(row.functions)
    }

    override func next() throws(SQLError) -> Bool {
        guard place < keys.count else { return false }
        for (index, slot) in node.keySlots.enumerated() { row.slots[slot] = keys[place][index] }
        for index in calls.indices {
            row.slots[calls[index].node.slot] = try result(index, accumulators[place][index])
        }
        place += 1
        return true
    }
}
