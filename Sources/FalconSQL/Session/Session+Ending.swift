import FalconSchema

/// How a session is ended from outside while it has nothing to do: pg_terminate_backend, and the
/// idle timeouts.
extension Session {
    /// Has `callback` called, on any thread, when the session is asked to end. Whoever serves it then
    /// looks at ``endRequest`` once no request is running, tells the client and closes the session.
    public func whenAskedToEnd(_ callback: @escaping @Sendable () -> Void) {
        interrupt.whenAskedToEnd(callback)
    }

    /// What the client is to be told (FATAL) before the session is closed; nil when it may go on.
    /// Thread-safe.
    public var endRequest: SQLError? {
        if interrupt.isEnding { return interrupt.error }
        switch idle.expiredPlace {
        case .transaction: return Interrupt.idleInTransaction
        case .session: return Interrupt.idleSession
        case nil: return nil
        }
    }

    /// transaction_timeout: from the transaction's first statement on, or from when it was set, to its end
    /// or to where it was set to 0.
    func startTransactionTimer() {
        guard settings.transactionTimeoutMS > 0 else { return stopTransactionTimer() }
        guard transactionTimer == nil, transaction.isActive else { return }
        let interrupt = interrupt
        transactionTimer = database.timers.schedule(
            afterMilliseconds: settings.transactionTimeoutMS
        ) { interrupt.raise(.transactionTimeout) }
    }

    func stopTransactionTimer() {
        guard let timer = transactionTimer else { return }
        timer.cancel()
        transactionTimer = nil
    }

    /// The session waits for its client now.
    func beginIdle(inTransaction: Bool) {
        let milliseconds =
            inTransaction
            ? settings.idleInTransactionTimeoutMS : settings.idleSessionTimeoutMS
        if milliseconds > 0 {
            idle.begin(inTransaction ? .transaction : .session, milliseconds: milliseconds)
        } else if idle.isOn {
            idle.end()
        }
    }
}
