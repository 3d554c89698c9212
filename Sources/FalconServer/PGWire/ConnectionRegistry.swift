import FalconSchema
import Synchronization

/// Every open connection, and the limits on them.
final class ConnectionRegistry: Sendable {
    private struct State: Sendable {
        var connections: [ObjectIdentifier: PGConnection] = [:]
        var sessions = 0
        var isDraining = false
        var whenEmpty: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let maxSessions: Int

    init(maxSessions: Int) { self.maxSessions = maxSessions }

    var sessionCount: Int { state.withLock { $0.sessions } }
    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// False when there is no room even to be told so.
    func add(_ connection: PGConnection) -> Bool {
        state.withLock { state in
            // Sockets that have not asked for a session yet (cancel requests among them) have a
            // bound of their own.
            guard state.connections.count < 2 * maxSessions + 64 else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            return true
        }
    }

    func remove(_ connection: PGConnection, hadSession: Bool) {
        let whenEmpty: (@Sendable () -> Void)? = state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = nil
            if hadSession { state.sessions -= 1 }
            guard state.connections.isEmpty else { return nil }
            defer { state.whenEmpty = nil }
            return state.whenEmpty
        }
        whenEmpty?()
    }

    /// Takes a place for a session; the error is what the client is told when there is none.
    func reserveSession() throws(SQLError) {
        let refusal: SQLError? = state.withLock { state in
            if state.isDraining {
                return SQLError(
                    .cannotConnectNow, "the database system is shutting down", severity: .fatal)
            }
            guard state.sessions < maxSessions else {
                return SQLError(
                    .tooManyConnections, "sorry, too many clients already", severity: .fatal)
            }
            state.sessions += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    func releaseSession() { state.withLock { $0.sessions -= 1 } }

    /// Tells every connection to end when its statement has; `whenEmpty` fires once all are gone.
    func drain(whenEmpty: @escaping @Sendable () -> Void) {
        let connections = state.withLock { state -> [PGConnection] in
            state.isDraining = true
            if !state.connections.isEmpty { state.whenEmpty = whenEmpty }
            return Array(state.connections.values)
        }
        if connections.isEmpty { whenEmpty() }
        for connection in connections { connection.requestDrain() }
    }

    /// Cancels what still runs and closes.
    func terminateAll() {
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.requestTermination()
        }
    }
}
