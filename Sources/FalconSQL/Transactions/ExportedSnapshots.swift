import FalconSchema
import FalconStorage
import Synchronization

/// Snapshots that open transactions have exported, by their identifiers: pg_export_snapshot and SET
/// TRANSACTION SNAPSHOT. Thread-safe.
final class ExportedSnapshots: Sendable {
    struct Export: Sendable {
        var snapshot: Snapshot
        var database: OID
        var isolation: IsolationLevel
        var isReadOnly: Bool
        /// Under SERIALIZABLE: what is tracked of the exporting transaction keeps all that an importing
        /// one is held against. Without, nothing can go wrong with the snapshot.
        var isTracked: Bool
    }

    private struct State {
        var exports: [String: Export] = [:]
        var nextTransaction: UInt32 = 1
    }
    private let state = Mutex(State())

    /// Names a transaction that exports for the first time.
    func makeTransactionNumber() -> UInt32 {
        state.withLock { state in
            defer { state.nextTransaction = max(1, state.nextTransaction &+ 1) }
            return state.nextTransaction
        }
    }

    func add(_ export: Export, as identifier: String) {
        state.withLock { $0.exports[identifier] = export }
    }

    /// The exporting transaction is about to end.
    func remove(_ identifiers: [String]) {
        state.withLock { state in
            for identifier in identifiers { state.exports[identifier] = nil }
        }
    }

    /// Calls `body` with the export, whose transaction does not end meanwhile.
    func with<R: Sendable>(
        _ identifier: String, _ body: (Export?) throws(SQLError) -> R
    ) throws(SQLError) -> R {
        let result: Result<R, SQLError> = state.withLock { state in
            do throws(SQLError) {
                return .success(try body(state.exports[identifier]))
            } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// The identifiers that a transaction has exported snapshots under.
struct OwnExports {
    var transactionNumber: UInt32 = 0
    var identifiers: [String] = []

    var isEmpty: Bool { identifiers.isEmpty }

    /// Of PostgreSQL's form: session, transaction, number within it.
    mutating func next(processID: Int32, _ exports: ExportedSnapshots) -> String {
        if identifiers.isEmpty { transactionNumber = exports.makeTransactionNumber() }
        let identifier =
            Self.hex(UInt32(bitPattern: processID)) + "-" + Self.hex(transactionNumber)
            + "-\(identifiers.count + 1)"
        identifiers.append(identifier)
        return identifier
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
