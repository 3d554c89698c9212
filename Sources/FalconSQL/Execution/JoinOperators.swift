import FalconSchema

/// Restarts the right side for each left row.
final class NestedLoopOperator: Operator {
    private let node: JoinNode
    private let left: Operator
    private let right: Operator
    private let rightSlots: [Int]
    private let keepsRight: Bool
    private var hasLeft = false
    private var hasMatch = false

    init(_ executor: PlanExecutor, _ node: JoinNode, left: Operator, right: Operator) {
        self.node = node
        self.left = left
        self.right = right
        rightSlots = node.right.outputSlots
        if case .materialize = node.right.operation {
            keepsRight = true
        } else {
            keepsRight = false
        }
        super.init(executor)
    }

    override func open() throws(SQLError) {
        hasLeft = false
        // The rows it keeps may be those of another row outside.
        if keepsRight { right.close() }
        try left.open()
    }
    override func close() {
        left.close()
        right.close()
    }

    override func next() throws(SQLError) -> Bool {
        while true {
            try executor.checkInterrupts()
            if !hasLeft {
                guard try left.next() else { return false }
                hasLeft = true
                hasMatch = false
                try right.open()
            }
            while try right.next() {
                if let condition = node.condition, try !condition.isTrue(row) {
                    try executor.checkInterrupts()
                    continue
                }
                hasMatch = true
                switch node.kind {
                case .inner, .left, .full: return true
                case .semi:
                    hasLeft = false
                    return true
                case .anti: break
                }
                break
            }
            hasLeft = false
            if hasMatch { continue }
            switch node.kind {
            case .left, .full:
                for slot in rightSlots { row.slots[slot] = .null }
                return true
            case .anti: return true
            case .inner, .semi: continue
            }
        }
    }
}

/// Builds a hash table of the right side and probes it with the left.
final class HashJoinOperator: Operator {
    private let node: JoinNode
    private let keys: [JoinNode.HashKey]
    private let types: [OID]
    private let left: Operator
    private let right: Operator
    private var saved: SavedRows
    private var table: [DatumKey: [Int]] = [:]
    private var integers: [Int64: [Int]] = [:]
    private let isInteger: Bool
    private var matched: [Bool] = []
    private var candidates: [Int] = []
    private var candidate = 0
    private var hasLeft = false
    private var hasMatch = false
    private var leftovers: Int?

    init(
        _ executor: PlanExecutor, _ node: JoinNode, keys: [JoinNode.HashKey], left: Operator,
        right: Operator
    ) {
        self.node = node
        self.keys = keys
        types = keys.map(\.type.oid)
        isInteger =
            keys.count == 1
            && [.int2, .int4, .int8, .oid, .date, .timestamp, .timestamptz].contains(types[0])
        self.left = left
        self.right = right
        saved = SavedRows(slots: node.right.outputSlots)
        super.init(executor)
    }

    override func open() throws(SQLError) {
        saved.removeAll()
        table.removeAll()
        integers.removeAll()
        releaseHeld()
        try right.open()
        build: while try right.next() {
            try executor.checkInterrupts()
            if isInteger {
                guard case .int(let value) = try keys[0].right.evaluate(row) else {
                    if node.kind == .full { try saved.append(for: self) }
                    continue
                }
                let known = integers.count
                integers[value, default: []].append(saved.count)
                try hold(Self.placeBytes &+ (integers.count > known ? Self.keyBytes : 0))
                try saved.append(for: self)
                continue
            }
            var values: [Datum] = []
            values.reserveCapacity(keys.count)
            for key in keys {
                let value = try key.right.evaluate(row)
                if value.isNull {
                    if node.kind == .full { try saved.append(for: self) }
                    continue build
                }
                values.append(value)
            }
            let known = table.count
            table[DatumKey(values: values, types: types), default: []].append(saved.count)
            try hold(
                Self.placeBytes
                    &+ (table.count > known ? RowMemory.row(values) &+ Self.keyBytes : 0))
            try saved.append(for: self)
        }
        right.close()
        if node.kind == .full { matched = Array(repeating: false, count: saved.count) }
        hasLeft = false
        leftovers = nil
        try left.open()
    }

    override func close() {
        left.close()
        right.close()
        saved.removeAll()
        table.removeAll()
        integers.removeAll()
        releaseHeld()
    }

    /// What a key of the hash table takes beside its values, and each of its rows' places.
    private static let keyBytes = 144
    private static let placeBytes = 16

    private func probe() throws(SQLError) -> [Int] {
        if isInteger {
            guard case .int(let value) = try keys[0].left.evaluate(row) else { return [] }
            return integers[value] ?? []
        }
        var values: [Datum] = []
        values.reserveCapacity(keys.count)
        for key in keys {
            let value = try key.left.evaluate(row)
            if value.isNull { return [] }
            values.append(value)
        }
        return table[DatumKey(values: values, types: types)] ?? []
    }

    override func next() throws(SQLError) -> Bool {
        if leftovers != nil { return nextLeftover() }
        while true {
            try executor.checkInterrupts()
            if !hasLeft {
                guard try left.next() else {
                    if node.kind == .full {
                        leftovers = 0
                        return nextLeftover()
                    }
                    return false
                }
                hasLeft = true
                hasMatch = false
                candidates = try probe()
                candidate = 0
            }
            while candidate < candidates.count {
                let index = candidates[candidate]
                candidate += 1
                saved.restore(index, to: row)
                if let condition = node.condition, try !condition.isTrue(row) { continue }
                hasMatch = true
                if node.kind == .full { matched[index] = true }
                switch node.kind {
                case .inner, .left, .full: return true
                case .semi:
                    hasLeft = false
                    return true
                case .anti: break
                }
                break
            }
            hasLeft = false
            if hasMatch { continue }
            switch node.kind {
            case .left, .full:
                for slot in saved.slots { row.slots[slot] = .null }
                return true
            case .anti: return true
            case .inner, .semi: continue
            }
        }
    }

    /// FULL JOIN's right rows that matched nothing.
    private func nextLeftover() -> Bool {
        while let index = leftovers, index < saved.count {
            leftovers = index + 1
            if matched[index] { continue }
            for slot in node.left.outputSlots { row.slots[slot] = .null }
            saved.restore(index, to: row)
            return true
        }
        return false
    }
}
