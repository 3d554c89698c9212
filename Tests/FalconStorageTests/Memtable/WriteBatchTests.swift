import Testing

@testable import FalconStorage

extension WriteBatch {
    func add(_ kind: OperationKind, _ key: [UInt8], _ value: [UInt8], before: [UInt8]? = nil) throws
    {
        try key.withUnsafeBytes { k in
            try value.withUnsafeBytes { v in
                switch kind {
                case .rangeDelete: try deleteRange(lower: k, upper: v, sql: .truncate)
                case .delete: try delete(key: k, class: .index, sql: .delete)
                default:
                    if let before {
                        try before.withUnsafeBytes {
                            try put(
                                key: k, value: v, sql: .update, descriptorVersion: 7, before: $0)
                        }
                    } else {
                        try put(key: k, value: v, sql: .insert, descriptorVersion: 3)
                    }
                }
            }
        }
    }
    func find(_ key: [UInt8], below: UInt32) -> [UInt8]?? {
        key.withUnsafeBytes {
            switch memoryLookup($0, below: below) {
            case .absent: nil
            case .deleted: .some(nil)
            case .value(let v): .some(Array(v))
            }
        }
    }
}

@Suite struct WriteBatchTests {
    struct Op {
        var ordinal: UInt32
        var kind: OperationKind
        var key: [UInt8]
        var value: [UInt8]
        var before: [UInt8]?
    }

    static func less(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBytes { x in b.withUnsafeBytes { KeyOrder.compare(x, $0) < 0 } }
    }

    /// The model's answer: nil absent, .some(nil) deleted.
    static func find(_ ops: [Op], _ key: [UInt8], _ below: UInt32) -> [UInt8]?? {
        for op in ops.reversed() where op.ordinal < below {
            if op.kind == .rangeDelete {
                if !less(key, op.key) && less(key, op.value) { return .some(nil) }
            } else if op.key == key {
                return op.kind == .delete ? .some(nil) : .some(op.value)
            }
        }
        return nil
    }

    @Test(arguments: 0..<60)
    func agreesWithAModel(round: Int) throws {
        var random = SeededRandom(seed: UInt64(round) + 1000)
        let steps = [3, 14, 20, 60, 600, 1][round % 6]
        let batch = WriteBatch()
        var ops: [Op] = []
        var iterators: [(InternalIterator, [[UInt8]: [UInt8]?])] = []
        for step in 0..<steps {
            let space = max(4, steps / 2)
            let ordinal = batch.nextOrdinal
            #expect(ordinal >= UInt32(ops.count))
            switch random.below(40) {
            case 0 where step > 3:
                let mark = UInt32(random.below(Int(ordinal) + 1))
                if iterators.isEmpty {
                    batch.rollback(toOrdinal: mark)
                    ops.removeAll { $0.ordinal >= mark }
                }
            case 1...2 where round % 2 == 0:
                let a = random.key(space: space), b = random.key(space: space)
                let (lower, upper) = Self.less(a, b) ? (a, b) : (b, a)
                try batch.add(.rangeDelete, lower, upper)
                // An empty range is no operation.
                guard lower != upper else { continue }
                ops.append(Op(ordinal: ordinal, kind: .rangeDelete, key: lower, value: upper))
            case 3...8:
                let key = random.key(space: space)
                try batch.add(.delete, key, [])
                ops.append(Op(ordinal: ordinal, kind: .delete, key: key, value: []))
            default:
                let key = random.key(space: space)
                let value = Array(repeating: UInt8(step & 255), count: random.below(300))
                let before = random.below(3) == 0 ? Array("old \(step)".utf8) : nil
                try batch.add(.put, key, value, before: before)
                ops.append(
                    Op(ordinal: ordinal, kind: .put, key: key, value: value, before: before))
            }
            if random.below(steps) == 0 {
                // An iterator that stays open while the batch grows.
                let below = batch.nextOrdinal
                iterators.append((batch.makeIterator(below: below), Self.rows(ops, below)))
            }
        }
        let note: Comment = "seed \(random.seed)"
        #expect(batch.operationCount == ops.count, note)
        #expect(batch.rangeDeleteCount == ops.count { $0.kind == .rangeDelete }, note)
        for _ in 0..<200 {
            let key = random.key(space: max(4, steps / 2))
            let below = UInt32(random.below(Int(batch.nextOrdinal) + 2))
            #expect(batch.find(key, below: below) == Self.find(ops, key, below), note)
        }
        var index = 0
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = try batch.operation(at: ordinal) else { continue }
            let expected = ops[index]
            #expect(operation.ordinal == expected.ordinal, note)
            #expect(operation.kind == expected.kind, note)
            #expect(Array(operation.key) == expected.key, note)
            #expect(Array(operation.value) == expected.value, note)
            #expect(operation.before.map(Array.init) == expected.before, note)
            let sql: SQLOperation =
                switch expected.kind {
                case .rangeDelete: .truncate
                case .delete: .delete
                default: expected.before == nil ? .insert : .update
                }
            #expect(operation.sql == sql, note)
            #expect(operation.class == (expected.kind == .delete ? .index : .row), note)
            index += 1
        }
        #expect(index == ops.count, note)
        let below = UInt32(random.below(Int(batch.nextOrdinal) + 1))
        iterators.append((batch.makeIterator(below: below), Self.rows(ops, below)))
        iterators.append((batch.makeIterator(), Self.rows(ops, .max)))
        for (iterator, rows) in iterators {
            let sorted = rows.keys.sorted(by: Self.less)
            let forward = try iterator.collectForward()
            #expect(forward.map(\.key) == sorted, note)
            #expect(try iterator.collectBackward().map(\.key) == sorted.reversed(), note)
            for entry in forward {
                let value = rows[entry.key] ?? nil
                #expect(entry.kind == (value == nil ? .delete : .put), note)
                #expect(entry.value == value ?? [], note)
            }
            for _ in 0..<20 {
                let key = random.key(space: max(4, steps / 2))
                try key.withUnsafeBytes { try iterator.seek($0, .max) }
                #expect(
                    (iterator.isValid ? Array(iterator.userKey) : nil)
                        == sorted.first { !Self.less($0, key) }, note)
                try key.withUnsafeBytes { try iterator.seekBefore($0) }
                #expect(
                    (iterator.isValid ? Array(iterator.userKey) : nil)
                        == sorted.last { Self.less($0, key) }, note)
            }
        }
        // The memtable gets what a reader above the batch would see.
        let table = try MemTable(capacityBytes: 16 << 20)
        #expect(table.canFit(batch))
        #expect(table.apply(batch, at: Timestamp(5)))
        for _ in 0..<100 {
            let key = random.key(space: max(4, steps / 2))
            let expected = Self.find(ops, key, .max)
            let found = table.find(key, at: 5)
            #expect(found.map { $0.kind == .delete ? nil : $0.value } == expected, note)
        }
    }

    static func rows(_ ops: [Op], _ below: UInt32) -> [[UInt8]: [UInt8]?] {
        var rows: [[UInt8]: [UInt8]?] = [:]
        for op in ops where op.kind != .rangeDelete && op.ordinal < below {
            rows[op.key] = .some(find(ops, op.key, below) ?? nil)
        }
        return rows
    }

    @Test func emptiedBatchStartsAnew() throws {
        let batch = WriteBatch()
        for round in 0..<3 {
            for i in 0..<(round == 1 ? 5 : 100) {
                try batch.add(.put, [UInt8(i)], [UInt8(round)])
            }
            #expect(batch.find([4], below: .max) == .some([UInt8(round)]))
            batch.removeAll()
            #expect(batch.isEmpty)
            #expect(batch.nextOrdinal == 0)
            #expect(batch.find([4], below: .max) == nil)
        }
    }
}
