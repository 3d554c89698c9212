import FalconSchema

final class ResultOperator: Operator {
    private let condition: BoundExpression?
    private var isDone = true
    init(_ executor: PlanExecutor, condition: BoundExpression?) {
        self.condition = condition
        super.init(executor)
    }
    override func open() throws(SQLError) { isDone = false }
    override func next() throws(SQLError) -> Bool {
        if isDone { return false }
        isDone = true
        guard let condition else { return true }
        return try condition.isTrue(row)
    }
}

final class ValuesOperator: Operator {
    private let node: ValuesNode
    private var place = 0
    init(_ executor: PlanExecutor, _ node: ValuesNode) {
        self.node = node
        super.init(executor)
    }
    override func open() throws(SQLError) { place = 0 }
    override func next() throws(SQLError) -> Bool {
        guard place < node.rows.count else { return false }
        let expressions = node.rows[place]
        for (index, expression) in expressions.enumerated() {
            row.slots[node.slots[index]] = try expression.evaluate(row)
        }
        place += 1
        return true
    }
}

final class FilterOperator: Operator {
    private let child: Operator
    private let condition: BoundExpression
    init(_ executor: PlanExecutor, child: Operator, condition: BoundExpression) {
        self.child = child
        self.condition = condition
        super.init(executor)
    }
    override func open() throws(SQLError) { try child.open() }
    override func close() { child.close() }
    override func next() throws(SQLError) -> Bool {
        while try child.next() {
            if try condition.isTrue(row) { return true }
            try executor.checkInterrupts()
        }
        return false
    }
}

final class ProjectOperator: Operator {
    private let child: Operator
    private let expressions: [BoundExpression]
    private let slots: [Int]
    init(_ executor: PlanExecutor, _ node: ProjectNode, child: Operator) {
        self.child = child
        expressions = node.expressions
        slots = node.slots
        super.init(executor)
    }
    override func open() throws(SQLError) { try child.open() }
    override func close() { child.close() }
    override func next() throws(SQLError) -> Bool {
        guard try child.next() else { return false }
        for index in expressions.indices {
            row.slots[slots[index]] = try expressions[index].evaluate(row)
        }
        return true
    }
}

final class LimitOperator: Operator {
    private let child: Operator
    private let limit: BoundExpression?
    private let offset: BoundExpression?
    private var remaining = Int64.max
    private var toSkip: Int64 = 0

    init(
        _ executor: PlanExecutor, child: Operator, limit: BoundExpression?,
        offset: BoundExpression?
    ) {
        self.child = child
        self.limit = limit
        self.offset = offset
        super.init(executor)
    }

    static func count(
        _ expression: BoundExpression?, _ row: RowContext, isLimit: Bool
    ) throws(SQLError) -> Int64? {
        guard case .int(let value)? = try expression?.evaluate(row) else { return nil }
        if value < 0 {
            throw isLimit
                ? SQLError(SQLState("2201W"), "LIMIT must not be negative")
                : SQLError(SQLState("2201X"), "OFFSET must not be negative")
        }
        return value
    }

    override func open() throws(SQLError) {
        remaining = try Self.count(limit, row, isLimit: true) ?? .max
        toSkip = try Self.count(offset, row, isLimit: false) ?? 0
        try child.open()
    }
    override func close() { child.close() }

    override func next() throws(SQLError) -> Bool {
        if remaining == 0 { return false }
        while toSkip > 0 {
            guard try child.next() else {
                remaining = 0
                return false
            }
            toSkip -= 1
        }
        guard try child.next() else {
            remaining = 0
            return false
        }
        if remaining != .max { remaining -= 1 }
        return true
    }
}

/// Keeps its child's rows at the first pass and replays them when restarted.
final class MaterializeOperator: Operator {
    private let child: Operator
    private var saved: SavedRows
    private var isFilled = false
    private var place = 0
    init(_ executor: PlanExecutor, child: Operator, slots: [Int]) {
        self.child = child
        saved = SavedRows(slots: slots)
        super.init(executor)
    }
    override func open() throws(SQLError) {
        if !isFilled {
            saved.removeAll()
            releaseHeld()
            try child.open()
            while try child.next() { try saved.append(for: self) }
            child.close()
            isFilled = true
        }
        place = 0
    }
    override func close() {
        child.close()
        saved.removeAll()
        releaseHeld()
        isFilled = false
    }
    override func next() throws(SQLError) -> Bool {
        guard place < saved.count else { return false }
        saved.restore(place, to: row)
        place += 1
        return true
    }
}

final class SortOperator: Operator {
    private let child: Operator
    private let node: SortNode
    private var saved: SavedRows
    private var order: [Int] = []
    private var place = 0

    init(_ executor: PlanExecutor, _ node: SortNode, child: Operator, slots: [Int]) {
        self.child = child
        self.node = node
        saved = SavedRows(slots: slots)
        super.init(executor)
    }

    override func open() throws(SQLError) {
        saved.removeAll()
        releaseHeld()
        var keys: [Datum] = []
        var capacity = 0
        let width = node.keys.count
        try child.open()
        while try child.next() {
            try executor.checkInterrupts()
            try saved.append(for: self)
            if keys.count + width > capacity {
                // The keys, and the order of the rows.
                let grown = max(capacity * 2, width * 16)
                try hold((grown - capacity) * (MemoryLayout<Datum>.stride + 8 / max(width, 1)))
                keys.reserveCapacity(grown)
                capacity = grown
            }
            for key in node.keys { keys.append(try key.expression.evaluate(row)) }
        }
        child.close()
        order = Array(0..<saved.count)
        let definitions = node.keys.map {
            ($0.expression.type.oid, $0.isDescending, $0.nullsFirst)
        }
        keys.withUnsafeBufferPointer { keys in
            order.sort { a, b in
                for index in 0..<width {
                    let (type, descending, nullsFirst) = definitions[index]
                    let comparison = DatumOrder.compare(
                        keys[a * width + index], keys[b * width + index], type: type,
                        descending: descending, nullsFirst: nullsFirst)
                    if comparison != 0 { return comparison < 0 }
                }
                return a < b
            }
        }
        place = 0
    }

    override func close() {
        child.close()
        saved.removeAll()
        order = []
        releaseHeld()
    }

    override func next() throws(SQLError) -> Bool {
        guard place < order.count else { return false }
        saved.restore(order[place], to: row)
        place += 1
        return true
    }
}

final class DistinctOperator: Operator {
    private let child: Operator
    private let node: DistinctNode
    private let types: [OID]
    private var seen: Set<DatumKey> = []
    private var last: DatumKey?

    init(_ executor: PlanExecutor, _ node: DistinctNode, child: Operator) {
        self.child = child
        self.node = node
        types = node.keys.map(\.type.oid)
        super.init(executor)
    }
    override func open() throws(SQLError) {
        seen.removeAll()
        releaseHeld()
        last = nil
        try child.open()
    }
    override func close() {
        seen.removeAll()
        releaseHeld()
        child.close()
    }
    override func next() throws(SQLError) -> Bool {
        while try child.next() {
            var values: [Datum] = []
            values.reserveCapacity(types.count)
            for key in node.keys { values.append(try key.evaluate(row)) }
            let key = DatumKey(values: values, types: types)
            if node.isSorted {
                if key == last { continue }
                last = key
                return true
            }
            if seen.insert(key).inserted {
                try hold(RowMemory.key(values))
                return true
            }
        }
        return false
    }
}

final class SetOperator: Operator {
    private let node: SetOperationNode
    private let left: Operator
    private let right: Operator
    private let types: [OID]
    private var seen: Set<DatumKey> = []
    private var counts: [DatumKey: Int] = [:]
    private var isOnRight = false

    init(_ executor: PlanExecutor, _ node: SetOperationNode, left: Operator, right: Operator) {
        self.node = node
        self.left = left
        self.right = right
        types = node.types.map(\.oid)
        super.init(executor)
    }

    override func open() throws(SQLError) {
        forget()
        isOnRight = false
        if node.operation != .union {
            try right.open()
            while try right.next() {
                try executor.checkInterrupts()
                let known = counts.count
                let key = key(node.rightSlots)
                counts[key, default: 0] += 1
                if counts.count > known { try hold(RowMemory.key(key.values)) }
            }
            right.close()
        }
        try left.open()
    }

    override func close() {
        left.close()
        right.close()
        forget()
    }

    private func forget() {
        seen.removeAll()
        counts.removeAll()
        releaseHeld()
    }

    /// Whether `key` has not been seen yet.
    private func isFirst(_ key: DatumKey) throws(SQLError) -> Bool {
        guard seen.insert(key).inserted else { return false }
        try hold(RowMemory.key(key.values))
        return true
    }

    private func key(_ slots: [Int]) -> DatumKey {
        DatumKey(values: slots.map { row.slots[$0] }, types: types)
    }

    private func emit(_ slots: [Int]) {
        for index in slots.indices { row.slots[node.slots[index]] = row.slots[slots[index]] }
    }

    override func next() throws(SQLError) -> Bool {
        while true {
            try executor.checkInterrupts()
            if isOnRight {
                guard try right.next() else { return false }
                if !node.all, try !isFirst(key(node.rightSlots)) { continue }
                emit(node.rightSlots)
                return true
            }
            guard try left.next() else {
                left.close()
                guard node.operation == .union else { return false }
                isOnRight = true
                try right.open()
                continue
            }
            switch node.operation {
            case .union:
                if !node.all, try !isFirst(key(node.leftSlots)) { continue }
            case .intersect:
                let key = key(node.leftSlots)
                guard let count = counts[key], count > 0 else { continue }
                if node.all {
                    counts[key] = count - 1
                } else if try !isFirst(key) {
                    continue
                }
            case .except:
                let key = key(node.leftSlots)
                if node.all {
                    if let count = counts[key], count > 0 {
                        counts[key] = count - 1
                        continue
                    }
                } else if counts[key] != nil {
                    continue
                } else if try !isFirst(key) {
                    continue
                }
            }
            emit(node.leftSlots)
            return true
        }
    }
}

final class CommonTableOperator: Operator {
    private let node: CTEScanNode
    private var store: CommonTableStore?
    private var place = 0
    init(_ executor: PlanExecutor, _ node: CTEScanNode) {
        self.node = node
        super.init(executor)
    }
    override func open() throws(SQLError) {
        store = nil
        place = 0
    }
    override func close() { store = nil }
    override func next() throws(SQLError) -> Bool {
        if store == nil { store = try executor.commonTable(node.index) }
        guard let store else { return false }
        guard place < store.rows.count else { return false }
        for (index, slot) in node.slots.enumerated() { row.slots[slot] = store.rows[place][index] }
        place += 1
        return true
    }
}
