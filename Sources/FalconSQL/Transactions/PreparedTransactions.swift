import FalconSchema
import FalconStorage
import Synchronization

/// The prepared transactions of a cluster by their identifiers. Thread-safe.
final class PreparedTransactions: Sendable {
    private enum Slot {
        /// PREPARE is on its way: the identifier is taken, and there is nothing to decide yet.
        case preparing
        case ready(PreparedTransaction)
        /// Somebody decides about it.
        case busy(PreparedTransaction)
    }

    /// PostgreSQL's GIDSIZE, which counts a NUL.
    private static let identifierBytes = 200

    let limit: Int
    private let slots = Mutex<[String: Slot]>([:])
    /// Decisions since the start.
    let decisionCount = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    // MARK: Preparing

    /// Takes the identifier; ``add(_:)`` or ``forget(_:)`` must follow.
    func reserve(_ gid: String) throws(SQLError) {
        if gid.utf8.count >= Self.identifierBytes {
            throw SQLError(
                .invalidParameterValue, "transaction identifier \"\(gid)\" is too long")
        }
        if limit == 0 {
            throw SQLError(
                .objectNotInPrerequisiteState, "prepared transactions are disabled",
                hint: "Set max_prepared_transactions to a nonzero value.")
        }
        try slots.withLock { slots throws(SQLError) in
            if slots[gid] != nil {
                throw SQLError(
                    .duplicateObject, "transaction identifier \"\(gid)\" is already in use")
            }
            if slots.count >= limit {
                throw SQLError(
                    .outOfMemory, "maximum number of prepared transactions reached",
                    hint: "Increase max_prepared_transactions (currently \(limit)).")
            }
            slots[gid] = .preparing
        }
    }

    /// It is stored: from now on it can be decided.
    func add(_ entry: PreparedTransaction) {
        slots.withLock { $0[entry.header.gid] = .ready(entry) }
    }

    /// How many there are in `database`.
    func count(of database: DatabaseState) -> Int { all.filter { $0.database === database }.count }

    // MARK: Deciding

    /// Takes the transaction for a decision by `user`; ``forget(_:)`` or ``add(_:)`` must follow.
    func claim(
        _ gid: String, user: String, isSuperuser: Bool, database: DatabaseState
    ) throws(SQLError) -> PreparedTransaction {
        try slots.withLock { slots throws(SQLError) in
            switch slots[gid] {
            case .none, .preparing:
                throw SQLError(
                    .undefinedObject,
                    "prepared transaction with identifier \"\(gid)\" does not exist")
            case .busy:
                throw SQLError(
                    .objectNotInPrerequisiteState,
                    "prepared transaction with identifier \"\(gid)\" is busy")
            case .ready(let entry):
                if !isSuperuser, user != entry.header.user {
                    throw SQLError(
                        .insufficientPrivilege,
                        "permission denied to finish prepared transaction",
                        hint: "Must be superuser or the user that prepared the transaction.")
                }
                if entry.database !== database {
                    throw SQLError(
                        .featureNotSupported, "prepared transaction belongs to another database",
                        hint: "Connect to the database where the transaction was prepared to "
                            + "finish it.")
                }
                slots[gid] = .busy(entry)
                return entry
            }
        }
    }

    /// The identifier is free again.
    func forget(_ gid: String) { slots.withLock { $0[gid] = nil } }

    // MARK: Looking

    /// What waits for a decision, the oldest first.
    var all: [PreparedTransaction] {
        let found = slots.withLock { slots in
            slots.values.compactMap { slot -> PreparedTransaction? in
                switch slot {
                case .preparing: nil
                case .ready(let entry), .busy(let entry): entry
                }
            }
        }
        return found.sorted {
            ($0.header.preparedMicros, $0.header.number)
                < ($1.header.preparedMicros, $1.header.number)
        }
    }
}
