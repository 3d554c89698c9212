import FalconSchema
import FalconStorage

extension SQLError {
    /// The client's view of an engine error: the one table from storage codes to SQLSTATE.
    init(storage error: StorageError) {
        let state: SQLState
        switch error.code {
        case .poisoned, .commitOutcomeUnknown: state = .transactionResolutionUnknown
        case .diskFull: state = .diskFull
        case .outOfMemory: state = .outOfMemory
        case .corruption, .unsupportedFormat: state = .dataCorrupted
        case .io, .inUse: state = .ioError
        case .cancelled: state = .queryCanceled
        case .wouldBlock: state = Self.diskWait.state
        case .readOnly: state = .readOnlySQLTransaction
        case .snapshotTooOld: state = SQLState("72000")
        case .closed: state = .adminShutdown
        case .clockJump: state = .objectNotInPrerequisiteState
        case .invalidArgument: state = .invalidParameterValue
        default: state = error.kind == .retryable ? .serializationFailure : .internalError
        }
        self.init(
            state, Self.shown(error.message, at: error.location), detail: error.cause,
            hint: error.hint)
    }

    /// The message with the file, and the place in it, where it is about one.
    private static func shown(_ message: String, at location: StorageError.Location?) -> String {
        guard let location else { return message }
        let offset = location.offset.map { " at offset \($0)" } ?? ""
        return "\(message) [\(location.path)\(offset)]"
    }

    /// Not an error of the client's: the statement must wait for the transaction's pending lock
    /// and run again. Never leaves the session.
    static let lockWait = SQLError(SQLState("!WAIT"), "waiting for a lock")
    var isLockWait: Bool { state.rawValue == "!WAIT" }

    /// The same for a read that an event loop must not wait for: the statement must run again on a
    /// worker thread.
    static let diskWait = SQLError(SQLState("!DISK"), "waiting for the disk")
    var isDiskWait: Bool { state.rawValue == "!DISK" }
}

/// Runs an engine call and turns its error into the client's.
@inline(__always)
func storage<R>(_ body: () throws(StorageError) -> R) throws(SQLError) -> R {
    do throws(StorageError) { return try body() } catch { throw SQLError(storage: error) }
}
