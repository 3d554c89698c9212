import FalconSchema
import FalconStorage

/// A running plan node. Rows are not passed: ``next()`` leaves them in the plan's registers.
class Operator {
    unowned(unsafe) final let executor: PlanExecutor
    final let row: RowContext
    /// Charged for the rows it keeps.
    @exclusivity(unchecked) private final var heldBytes = 0

    init(_ executor: PlanExecutor) {
        self.executor = executor
        row = executor.row
    }

    /// (Re)starts from the first row.
    func open() throws(SQLError) {}
    /// True when the registers hold the next row.
    func next() throws(SQLError) -> Bool { false }
    /// Gives resources back; may be opened again.
    func close() {}

    /// Charges memory for what it keeps, or throws 53200.
    @inline(__always)
    final func hold(_ bytes: Int) throws(SQLError) {
        try executor.hold(bytes)
        heldBytes &+= bytes
    }

    /// It keeps nothing any more.
    final func releaseHeld() {
        if heldBytes == 0 { return }
        executor.release(heldBytes)
        heldBytes = 0
    }
}

/// What rows and their places in tables are charged with.
enum RowMemory {
    /// A row in an array of its own.
    static func row(_ values: [Datum]) -> Int {
        values.reduce(48 &+ values.count &* MemoryLayout<Datum>.stride) { $0 &+ $1.heapBytes }
    }
    /// A key in a set or dictionary that doubles, its values included.
    static func key(_ values: [Datum]) -> Int { row(values) &+ 128 }
}

/// Rows saved from the registers of one node, in one flat array.
struct SavedRows {
    let slots: [Int]
    private(set) var values: [Datum] = []
    private(set) var count = 0
    private var capacity = 0

    init(slots: [Int]) { self.slots = slots }

    /// Keeps the current row on `owner`'s account.
    mutating func append(for owner: Operator) throws(SQLError) {
        let row = owner.row
        if values.count &+ slots.count > capacity {
            let grown = max(capacity &* 2, slots.count &* 16)
            try owner.hold((grown &- capacity) &* MemoryLayout<Datum>.stride)
            values.reserveCapacity(grown)
            capacity = grown
        }
        var bytes = 0
        for slot in slots {
            let value = row.slots[slot]
            bytes &+= value.heapBytes
            values.append(value)
        }
        count += 1
        if bytes > 0 { try owner.hold(bytes) }
    }

    func restore(_ index: Int, to row: RowContext) {
        var place = index * slots.count
        for slot in slots {
            row.slots[slot] = values[place]
            place += 1
        }
    }

    mutating func removeAll() {
        values.removeAll()
        count = 0
        capacity = 0
    }
}

/// Values as a key of grouping, hash joins and DISTINCT.
struct DatumKey: Hashable {
    var values: [Datum]
    let types: [OID]

    static func == (a: DatumKey, b: DatumKey) -> Bool {
        for index in a.values.indices
        where !DatumOrder.isNotDistinct(a.values[index], b.values[index], type: a.types[index]) {
            return false
        }
        return true
    }

    func hash(into hasher: inout Hasher) {
        for index in values.indices {
            DatumOrder.hash(values[index], type: types[index], into: &hasher)
        }
    }
}
