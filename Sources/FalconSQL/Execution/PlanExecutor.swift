import FalconSchema
import FalconStorage

/// One execution of a plan at a time: its registers, its operators, and the view of the data its
/// statement has. Kept with a prepared statement and used again.
final class PlanExecutor: SubplanRunner {
    let plan: PhysicalPlan
    let row: RowContext
    let transaction: Transaction
    let engine: StorageEngine

    /// What the statement sees: commits up to `readTimestamp`, and own writes below `ordinal`.
    private(set) var readTimestamp = Timestamp.zero
    private(set) var ordinal: UInt32 = 0
    private var snapshot: Snapshot?

    /// Rows the topmost modification affected.
    var affectedRows: Int64 = 0
    /// Where EXPLAIN ANALYZE counts. To be set before the first ``begin(snapshot:parameters:functions:)``.
    var measurement: PlanMeasurement?

    private let memory: MemoryMeter
    /// What its operators and kept rows have taken of ``memory``.
    @exclusivity(unchecked) private var heldBytes = 0

    private var root: Operator?
    private var subplans: [Operator?]
    private var subplanValues: [SubplanValue?]
    private var subplanBytes = 0
    private var commonTables: [CommonTableStore]
    private var commonOperators: [Operator?]

    init(plan: PhysicalPlan, transaction: Transaction, functions: FunctionContext) {
        self.plan = plan
        self.transaction = transaction
        engine = transaction.engine
        memory = transaction.queryMemory
        row = RowContext(slotCount: plan.slotCount, parameters: [], functions: functions)
        subplans = Array(repeating: nil, count: plan.subplans.count)
        subplanValues = Array(repeating: nil, count: plan.subplans.count)
        commonTables = plan.commonTables.map { _ in CommonTableStore() }
        commonOperators = Array(repeating: nil, count: plan.commonTables.count)
        row.subplans = self
    }

    deinit {
        if heldBytes > 0 { memory.remove(heldBytes) }
        guard plan.isDeep else { return }
        LargeStack.release((root, subplans, commonOperators)) {
            root = nil
            subplans = []
            commonOperators = []
        }
    }

    /// Starts from the first row, reading at `snapshot` and own writes below `ordinal` (nil: all so far).
    func begin(
        snapshot: Snapshot, parameters: [Datum], functions: FunctionContext,
        ordinal: UInt32? = nil
    ) throws(SQLError) {
        self.snapshot = snapshot
        readTimestamp = snapshot.timestamp
        self.ordinal = ordinal ?? transaction.batch.nextOrdinal
        affectedRows = 0
        row.parameters = parameters
        row.functions = functions
        forgetRows()
        if root == nil { root = try OperatorBuilder(executor: self).build(plan.root) }
        try root?.open()
    }

    @inline(__always)
    func next() throws(SQLError) -> Bool {
        guard let root else { return false }
        return try root.next()
    }

    /// COPY FROM: inserts the row whose source values are in the plan's source slots.
    func insertCurrentRow() throws(SQLError) {
        guard let insert = root as? InsertOperator else { return }
        if try insert.process() { affectedRows += 1 }
    }

    /// Runs every data-modifying WITH query that nothing has read to its end.
    func finish() throws(SQLError) {
        for index in commonTables.indices where !commonTables[index].isComplete {
            switch plan.commonTables[index].root.operation {
            case .insert, .update, .delete: try fill(index)
            default: continue
            }
        }
    }

    /// Lets go of iterators and the snapshot; may begin again.
    func end() {
        root?.close()
        for index in subplans.indices { subplans[index]?.close() }
        for index in commonOperators.indices { commonOperators[index]?.close() }
        forgetRows()
        if heldBytes > 0 { release(heldBytes) }
        snapshot = nil
    }

    private func forgetRows() {
        for index in subplanValues.indices { subplanValues[index] = nil }
        for store in commonTables { reset(store) }
        if subplanBytes > 0 { release(subplanBytes) }
        subplanBytes = 0
    }

    // MARK: Memory

    /// Charges rows that the query keeps, or throws 53200.
    @inline(__always)
    func hold(_ bytes: Int) throws(SQLError) {
        try memory.add(bytes)
        heldBytes &+= bytes
    }

    func release(_ bytes: Int) {
        // What ends with the executor has been given back as a whole.
        let given = min(bytes, heldBytes)
        heldBytes &-= given
        memory.remove(given)
    }

    func holdForSubplans(_ bytes: Int) throws(SQLError) {
        try hold(bytes)
        subplanBytes &+= bytes
    }

    private func reset(_ store: CommonTableStore) {
        release(store.heldBytes)
        store.reset()
    }

    // MARK: Reading

    /// The transaction's own writes, when there are any to see.
    @inline(__always)
    var overlay: WriteBatch? {
        let batch = transaction.batch
        return ordinal == 0 || batch.isEmpty ? nil : batch
    }

    /// Calls `body` with the row of `key` as the statement sees it; false when there is none.
    @inline(__always)
    func withRow(
        _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(SQLError) -> Void
    ) throws(SQLError) -> Bool {
        if overlay != nil {
            switch try transaction.written(key, below: ordinal) {
            case .absent: break
            case .deleted: return false
            case .value(let value):
                try body(value)
                return true
            }
        }
        transaction.serializable?.reads.note(key)
        return try withCommitted(key, at: readTimestamp, body)
    }

    /// Calls `body` with the committed row of `key` at `timestamp`.
    @inline(__always)
    func withCommitted(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp,
        _ body: (UnsafeRawBufferPointer) throws(SQLError) -> Void
    ) throws(SQLError) -> Bool {
        var failure: SQLError?
        var found = false
        do throws(StorageError) {
            let result: Void? = try engine.withValue(
                key, at: timestamp, mayWait: transaction.mayWait
            ) {
                value, _ throws(StorageError) in
                do throws(SQLError) { try body(value) } catch { failure = error }
            }
            found = result != nil
        } catch { throw SQLError(storage: error) }
        if let failure { throw failure }
        return found
    }

    func makeIterator(_ range: KeyRange) throws(SQLError) -> RangeIterator {
        transaction.serializable?.reads.note(lower: range.lower, upper: range.upper)
        let overlay = overlay
        let timestamp = readTimestamp
        let below = ordinal
        var options = ReadOptions()
        options.mayWait = transaction.mayWait
        options.defersLargeValues = true
        return try storage { [options] () throws(StorageError) in
            try engine.makeIterator(
                range, at: timestamp, overlay: overlay, below: below, options: options)
        }
    }

    @inline(__always)
    func checkInterrupts() throws(SQLError) { try transaction.interrupt.check() }

    // MARK: Subplans

    func openSubplan(_ index: Int, _ row: RowContext) throws(SQLError) {
        if subplans[index] == nil {
            subplans[index] = try OperatorBuilder(executor: self).build(plan.subplans[index].root)
        }
        try subplans[index]?.open()
    }

    func nextSubplanRow(_ index: Int, _ row: RowContext) throws(SQLError) -> Bool {
        guard let subplan = subplans[index] else { return false }
        return try subplan.next()
    }

    func closeSubplan(_ index: Int, _ row: RowContext) { subplans[index]?.close() }

    func cachedSubplanValue(_ index: Int) -> SubplanValue? { subplanValues[index] }
    func cacheSubplanValue(_ index: Int, _ value: SubplanValue) { subplanValues[index] = value }

    // MARK: Common tables

    /// The rows of common table `index`, computed at the first call.
    func commonTable(_ index: Int) throws(SQLError) -> CommonTableStore {
        if !commonTables[index].isComplete { try fill(index) }
        return commonTables[index]
    }

    private func fill(_ index: Int) throws(SQLError) {
        let definition = plan.commonTables[index]
        if commonOperators[index] == nil {
            commonOperators[index] = try OperatorBuilder(executor: self).build(definition.root)
        }
        guard let operation = commonOperators[index] else { return }
        let store = commonTables[index]
        reset(store)
        let affected = affectedRows
        try operation.open()
        while try operation.next() {
            let values = definition.resultSlots.map { row.slots[$0] }
            let bytes = RowMemory.row(values)
            try hold(bytes)
            store.heldBytes &+= bytes
            store.rows.append(values)
        }
        operation.close()
        affectedRows = affected
        store.isComplete = true
    }
}

/// A WITH query's rows.
final class CommonTableStore {
    var rows: [[Datum]] = []
    var isComplete = false
    var heldBytes = 0
    func reset() {
        rows.removeAll()
        heldBytes = 0
        isComplete = false
    }
}
