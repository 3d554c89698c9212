import FalconSchema

/// Signals to other sessions.
extension FunctionLibrary {
    mutating func addSignals() {
        unary("pg_cancel_backend") { (a, c) throws(SQLError) in
            let session = try Self.sqlSession(of: c)
            return .bool(try session.signal(Int32(truncatingIfNeeded: a.int), .user))
        }
        many("pg_terminate_backend") { (a, c) throws(SQLError) in
            let session = try Self.sqlSession(of: c)
            let timeout = a.count > 1 ? a[1].int : 0
            guard timeout >= 0 else {
                throw SQLError(.numericValueOutOfRange, "\"timeout\" must not be negative")
            }
            let process = Int32(truncatingIfNeeded: a[0].int)
            guard try session.signal(process, .terminated) else { return .bool(false) }
            if timeout == 0 { return .bool(true) }
            return .bool(try session.awaitEnd(of: process, milliseconds: timeout))
        }
    }
}

extension Session {
    /// False, and a warning, when there is no such session.
    func signal(_ process: Int32, _ reason: Interrupt.Reason) throws(SQLError) -> Bool {
        guard let user = database.user(ofProcess: process) else {
            return noSuchProcess(process)
        }
        try checkMaySignal(user, reason)
        guard database.interrupt(processID: process, reason) else {
            return noSuchProcess(process)
        }
        // One's own statement ends at once.
        try interrupt.check()
        return true
    }

    private func noSuchProcess(_ process: Int32) -> Bool {
        functionNotices.append(
            SQLError(
                .warning, "PID \(process) is not a PostgreSQL backend process",
                severity: .warning))
        return false
    }

    /// Who is no superuser may signal one's own sessions only.
    private func checkMaySignal(
        _ user: String, _ reason: Interrupt.Reason
    ) throws(SQLError) {
        let own = settings.user
        if user == own || database.isSuperuser(own) { return }
        let ends = reason == .terminated
        let message =
            database.isSuperuser(user)
            ? (ends
                ? "must be a superuser to terminate superuser process"
                : "must be a superuser to cancel superuser query")
            : "must be a member of the role whose "
                + (ends ? "process is being terminated" : "query is being canceled")
                + " or member of pg_signal_backend"
        throw SQLError(.insufficientPrivilege, message)
    }

    /// Keeps this worker thread until the session is gone; false, and a warning, when it is not in time.
    func awaitEnd(of process: Int32, milliseconds: Int64) throws(SQLError) -> Bool {
        let wait = startTimer(
            Int(clamping: min(milliseconds, Int64(Int32.max))), for: .sessionEnd)
        database.whenGone(process, wait)
        try block(wait)
        if !database.isOpen(process) { return true }
        let unit = milliseconds == 1 ? "millisecond" : "milliseconds"
        functionNotices.append(
            SQLError(
                .warning,
                "backend with PID \(process) did not terminate within \(milliseconds) \(unit)",
                severity: .warning))
        return false
    }
}
