import FalconSchema
import FalconStorage

/// What is left of a cursor WITH HOLD when its transaction commits: its rows, in memory, on the account
/// of the queries.
final class HeldRows: ResultSink {
    private var rows: [[Datum]] = []
    private var place = 0
    private let memory: MemoryMeter

    init(_ budget: MemoryBudget?) {
        memory = MemoryMeter(budget, .queries, user: "The rows of a cursor WITH HOLD")
    }

    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        try memory.add(RowMemory.row(values))
        rows.append(values)
    }

    /// The next row, which is forgotten: cursors only go forward.
    func next() -> [Datum]? {
        guard place < rows.count else {
            rows = []
            place = 0
            memory.removeAll()
            return nil
        }
        let values = rows[place]
        rows[place] = []
        place += 1
        memory.remove(RowMemory.row(values) &- 48)
        return values
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
