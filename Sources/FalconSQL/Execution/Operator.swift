import FalconSchema
import FalconStorage

/// A running plan node. Rows are not passed: ``next()`` leaves them in the plan's registers.
class Operator {
    unowned(unsafe) final let executor: PlanExecutor
    final let row: RowContext

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
}

/// Rows saved from the registers of one node, in one flat array.
struct SavedRows {
    let slots: [Int]
    private(set) var values: [Datum] = []
    private(set) var count = 0

    init(slots: [Int]) { self.slots = slots }

    mutating func append(from row: RowContext) {
        for slot in slots { values.append(row.slots[slot]) }
        count += 1
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
