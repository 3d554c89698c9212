import FalconSchema
import Synchronization

/// What was decoded of each slot since the server's start, for pg_stat_replication_slots. Thread-safe.
final class SlotStatistics: Sendable {
    struct Totals {
        var transactions: Int64 = 0
        var bytes: Int64 = 0

        mutating func add(bytes count: Int) {
            transactions += 1
            bytes = bytes.addingReportingOverflow(Int64(count)).partialValue
        }
    }

    private struct Entry {
        var totals = Totals()
        var resetMicros: Int64?
    }

    private let entries = Mutex<[String: Entry]>([:])

    func add(_ totals: Totals, to name: String) {
        entries.withLock { entries in
            entries[name, default: Entry()].totals.transactions += totals.transactions
            entries[name, default: Entry()].totals.bytes &+= totals.bytes
        }
    }

    /// - Parameter micros: since 2000.
    func reset(_ name: String, at micros: Int64) {
        entries.withLock { $0[name] = Entry(resetMicros: micros) }
    }

    /// The slot is gone, or another one has its name.
    func forget(_ name: String) { entries.withLock { $0[name] = nil } }

    /// A row of pg_stat_replication_slots. Nothing is spilled or streamed: a transaction is read from the log once it
    /// has committed.
    func row(_ name: String) -> [Datum] {
        let entry = entries.withLock { $0[name] } ?? Entry()
        return [.text(name)] + [Datum](repeating: .int(0), count: 6) + [
            .int(entry.totals.transactions), .int(entry.totals.bytes),
            entry.resetMicros.map { .int($0) } ?? .null,
        ]
    }
}
