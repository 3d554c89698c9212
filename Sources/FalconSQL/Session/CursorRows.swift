import FalconSchema
import FalconStorage

/// Rows that a cursor keeps: those it may go back to, or what is left of one WITH HOLD when its transaction
/// commits. In memory, on the account of the queries.
final class CursorRows: ResultSink {
    private var rows: [[Datum]] = []
    /// The keys of the scanned table's rows, for WHERE CURRENT OF; empty when nobody can ask for them.
    private var keys: [Datum] = []
    /// How many rows came before the first that is kept.
    private var forgotten: Int
    /// The cursor's query has no more.
    var isComplete = false
    /// The row limit of the read that is under way; 0: none.
    var reading: Int?
    private let keySlot: Int?
    private weak var run: StatementRun?
    private let memory: MemoryMeter

    /// - Parameter forgotten: where in the cursor's rows the first one is.
    init(
        _ budget: MemoryBudget?, of run: StatementRun?, forgotten: Int = 0, isHold: Bool = false
    ) {
        memory = MemoryMeter(
            budget, .queries, user: "The rows of a cursor" + (isHold ? " WITH HOLD" : ""))
        self.run = run
        self.forgotten = forgotten
        keySlot = run?.executor?.plan.scannedKeySlot
    }

    /// How many the cursor has given so far.
    var count: Int { forgotten + rows.count }
    var all: [[Datum]] { rows }

    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        var bytes = RowMemory.row(values)
        var key = Datum.null
        if let keySlot, let executor = run?.executor {
            key = executor.row.slots[keySlot]
            bytes &+= RowMemory.row([key])
        }
        try memory.add(bytes)
        rows.append(values)
        if keySlot != nil { keys.append(key) }
    }

    /// The row at `index` among the cursor's.
    subscript(index: Int) -> [Datum]? {
        let place = index - forgotten
        return rows.indices.contains(place) ? rows[place] : nil
    }

    func key(at index: Int) -> Datum? {
        let place = index - forgotten
        return keys.indices.contains(place) ? keys[place] : nil
    }

    /// The cursor only goes forward: what it has passed is of no use.
    func forget(at index: Int) {
        let place = index - forgotten
        guard rows.indices.contains(place) else { return }
        memory.remove(RowMemory.row(rows[place]) &- 48)
        rows[place] = []
    }

    func rowDescription(_ columns: [ResultColumn]) {}
    func commandComplete(_ tag: String) {}
    func emptyQuery() {}
    func portalSuspended() {}
    func notice(_ notice: SQLError) {}
    func parameterStatus(_ name: String, _ value: String) {}
    func copyInResponse(_ format: CopyFormat, columnCount: Int) {}
    func copyOutResponse(_ format: CopyFormat, columnCount: Int) {}
    func copyData(_ bytes: [UInt8]) {}
    func copyDone() {}
    var wantsPause: Bool { false }
}
