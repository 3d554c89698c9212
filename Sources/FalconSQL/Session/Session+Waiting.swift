import FalconSchema

/// Waits for locks, commits, timers and worker threads: a session blocks nobody while it waits.
extension Session {
    /// Continues after `waiting`, `paused` or `needsWorker`; may return any progress again.
    public func resume(_ sink: any ResultSink) -> SessionProgress {
        isOnWorker = awaitsWorker
        awaitsWorker = false
        do throws(SQLError) {
            if let commit = pendingCommit {
                guard let result = commit.result else { return waiting(commit) }
                pendingCommit = nil
                try finishCommit(result)
            }
            if let wait = transaction.pendingWait {
                guard wait.outcome != nil else { return waiting(wait) }
                try finishLockWait(wait)
            }
            if let blocked = try resumeEnd() { return blocked }
        } catch {
            abandonEnd(error)
            var error = error
            // PostgreSQL writes many rows at once, and waits then.
            if let place = copyIn?.place {
                error.context = [error.context, place].compactMap { $0 }.joined(separator: "\n")
            }
            return fail(error, sink)
        }
        if copyIn != nil { return continueCopy(sink) }
        return drive(sink)
    }

    func waiting(_ commit: CommitWait) -> SessionProgress {
        .waiting(SessionWait { commit.onReady($0) })
    }

    func waiting(_ wait: LockWait) -> SessionProgress {
        .waiting(SessionWait { wait.onReady($0) })
    }

    /// Begins waiting for the lock that the statement ran into.
    func beginLockWait() -> SessionProgress {
        guard let wait = transaction.pendingWait else { return .finished }
        interrupt.beginWait(wait)
        // A lock's is there already: the lock table needs it to find deadlocks.
        if !wait.isQueued { wait.owner.waiting.withLock { $0 = wait } }
        if settings.lockTimeoutMS > 0, wait.isQueued {
            let locks = database.locks
            lockTimer = database.timers.schedule(afterMilliseconds: settings.lockTimeoutMS) {
                locks.cancel(wait, .timedOut)
            }
        }
        return waiting(wait)
    }

    func finishLockWait(_ wait: LockWait) throws(SQLError) {
        lockTimer?.cancel()
        lockTimer = nil
        interrupt.endWait()
        transaction.pendingWait = nil
        let context = transaction.waitContext
        transaction.waitContext = nil
        do throws(SQLError) { try take(wait) } catch {
            var error = error
            error.context = context
            throw error
        }
    }

    /// Throws unless the wait has come to what it was for.
    private func take(_ wait: LockWait) throws(SQLError) {
        switch database.locks.finishWait(wait) {
        case .granted: if wait.isTimer { sleep.finished += 1 }
        case .timedOut:
            throw SQLError(.lockNotAvailable, "canceling statement due to lock timeout")
        case .cancelled: throw interrupt.error
        case .deadlock(let detail):
            throw SQLError(
                .deadlockDetected, "deadlock detected", detail: detail,
                hint: "See server log for query details.")
        }
    }

    /// The rest is for a worker thread.
    func needsWorker() -> SessionProgress {
        awaitsWorker = true
        return .needsWorker
    }

    /// Bytes of a statement or parameter from which work on it is for a worker.
    static let largeInput = 256 << 10

    // MARK: Statements and their timers

    func startStatement() {
        sleep = SleepState()
        activity.modes = (transaction.isolation, transaction.isReadOnly)
        transaction.limits = (settings.maxWriteKeys, settings.maxWriteBytes)
        owner.setPriority(settings.transactionPriority)
        startTransactionTimer()
        if !advisoryLog.isEmpty { advisoryLog = AdvisoryLog() }
        if !told.isEmpty { told = ToldNotices() }
        startStatementTimer()
    }

    /// Also for a commit that is held back, which the statement's own timer does not cover.
    func startStatementTimer() {
        if settings.statementTimeoutMS > 0 {
            let interrupt = interrupt
            statementTimer = database.timers.schedule(
                afterMilliseconds: settings.statementTimeoutMS
            ) { interrupt.raise(.statementTimeout) }
        }
    }

    func stopStatement() {
        guard let timer = statementTimer else { return }
        timer.cancel()
        statementTimer = nil
    }

    /// Brings what functions see up to date for a statement.
    func refreshFunctions() {
        refreshSettings()
        functions.transactionTimestamp = transaction.startMicros
        functions.statementTimestamp = Self.nowMicros()
    }

    func refreshSettings() {
        if functionsGeneration != settings.generation {
            functionsGeneration = settings.generation
            functions.settings = settings.display
        }
        functions.settings.transactionTimestamp = transaction.startMicros
    }
}
