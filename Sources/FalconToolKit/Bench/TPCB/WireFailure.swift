import FalconStorage

/// Why a statement or a connection failed.
struct WireFailure: Error {
    let message: String
    /// The server's SQLSTATE; nil when the connection is what failed.
    let sqlState: String?

    init(_ message: String, sqlState: String? = nil) {
        self.message = message
        self.sqlState = sqlState
    }

    /// The transaction may be tried again: serialization failure or deadlock.
    var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

    var storageError: StorageError {
        let text = sqlState.map { "The server answers \($0): \(message)" } ?? message
        return StorageError(sqlState == nil ? .targetUnreachable : .io, kind: .transient, text)
    }
}
