import FalconSchema
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Transaction {
    /// What BEGIN may say, and AND CHAIN repeats.
    struct Modes {
        var isolation: IsolationLevel
        var isReadOnly: Bool
        var isDeferrable: Bool
    }
}

extension Session {
    static func nowMicros() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) &* 1_000_000 &+ Int64(now.tv_nsec) / 1000
            &- Int64(Timestamp.epochMicrosSince1970)
    }

    /// Refuses everything but the end of a failed transaction.
    func checkNotFailed(_ statement: AST.Statement) throws(SQLError) {
        guard block == .failed else { return }
        if case .transaction(let kind) = statement {
            switch kind {
            case .commit, .rollback, .rollbackTo, .prepare: return
            default: break
            }
        }
        throw Self.failedTransaction
    }

    func beginIfNeeded() throws(SQLError) {
        guard block == .none else { return }
        startTransaction()
        block = .implicit
    }

    private func startTransaction() {
        transaction.begin(startMicros: Self.nowMicros())
        hasExecuted = false
        activity.beganTransaction(now: transaction.startMicros)
        transaction.isolation = settings.defaultIsolation
        transaction.isReadOnly = settings.isDefaultReadOnly || database.isReadOnly
        transaction.isDeferrable = settings.isDefaultDeferrable
        modesAtBegin = modes
        settingsAtBegin = settings.saved
        owner.transactionNumber.withLock { $0 = nil }
        functions.shownSnapshot = nil
        lastStatement = ""
        startTransactionTimer()
    }

    /// Ends or continues the transaction after a statement. Non-nil: the commit must be waited for.
    func endTransaction(
        _ end: TransactionEnd, isLast: Bool
    ) throws(SQLError) -> SessionProgress? {
        switch end {
        case .none:
            // Outside a block, the last statement of the message commits before its tag is sent.
            if block == .implicit, isLast { return try commit() }
            return nil
        case .commit(let chain):
            chainAfterCommit = chain ? modes : nil
            if let blocked = try commit() { return blocked }
            return nil
        case .rollback(let chain):
            let modes = modes
            rollback()
            if chain { startChained(modes) }
            return nil
        case .prepare(let gid): return try prepareTransaction(gid)
        case .decide(let gid, let commits): return try decidePrepared(gid, commits: commits)
        }
    }

    private var modes: Transaction.Modes {
        get {
            Transaction.Modes(
                isolation: transaction.isolation, isReadOnly: transaction.isReadOnly,
                isDeferrable: transaction.isDeferrable)
        }
        set {
            transaction.isolation = newValue.isolation
            transaction.isReadOnly = newValue.isReadOnly
            transaction.isDeferrable = newValue.isDeferrable
        }
    }

    private func startChained(_ modes: Transaction.Modes) {
        startTransaction()
        self.modes = modes
        modesAtBegin = modes
        block = .inBlock
    }

    /// Commits. Nil: done already; else the progress to return, and `resume` ends it.
    func commit() throws(SQLError) -> SessionProgress? {
        for (name, portal) in portals where !portal.isHeld { dropPortal(name) }
        if let blocked = try finishDeferredChecks(.commit(chain: chainAfterCommit != nil)) {
            return blocked
        }
        endExports()
        let number: UInt64?
        let hasWrites: Bool
        var tracked: SerializableNode?
        let notifications: NotificationCommit?
        do throws(SQLError) {
            if !temporaryActions.isEmpty { try endTemporaryTables() }
            tracked = try transaction.checkSerializable()
            hasWrites = !transaction.batch.isEmpty
            number = transactionNumber
            if let number { try database.noteStatus(number, in: transaction.batch) }
            notifications = try reserveNotifications()
        } catch {
            // It counts as committed already.
            if let tracked { database.serializables.abandon(tracked) }
            rollback(after: error)
            throw error
        }
        guard !transaction.batch.isEmpty else {
            noteTransaction(.committed)
            transaction.end()
            if let notifications { database.notifications.published(notifications) }
            afterCommit()
            return nil
        }
        let wait = CommitWait()
        let effects = CommitEffects(
            node: tracked, changes: transaction.changes, moves: transaction.moves, database: state,
            owner: owner, notifications: notifications,
            databases: transaction.databaseChanges.map(\.change))
        var durability = database.options.durability
        if settings.isSynchronousCommitOff, durability == .synced { durability = .written }
        // Nothing but its number: nobody loses anything.
        if !hasWrites { durability = .buffered }
        var options = CommitOptions(
            durability: durability,
            transactionID: number.map { TransactionID($0) }, database: state.id)
        let cluster = database
        if effects.needsOrder {
            options.onOrdered = { timestamp, _ in effects.ordered(at: timestamp, in: cluster) }
        }
        let ticket = cluster.engine.commit(transaction.batch, options) { result in
            switch result {
            case .success(let receipt): effects.published(at: receipt.timestamp, in: cluster)
            case .failure: effects.abandoned(in: cluster)
            }
            if let number { cluster.commitsUnderWay.end(number, result) }
            wait.complete(result)
        }
        return try follow(wait, ticket)
    }

    /// Ends the transaction when its commit is done already (nil), or waits for it.
    func follow(
        _ wait: CommitWait, _ ticket: CommitTicket?
    ) throws(SQLError) -> SessionProgress? {
        if let result = wait.result {
            try finishCommit(result)
            return nil
        }
        pendingCommit = wait
        if let ticket {
            wait.hold(ticket)
            interrupt.beginCommit(wait)
            startStatementTimer()
        }
        return waiting(wait)
    }

    func finishCommit(_ result: Result<CommitReceipt, StorageError>) throws(SQLError) {
        switch result {
        case .success(let receipt):
            noteTransaction(.committed, receipt)
        case .failure(let error):
            failure = SQLError(storage: error).state
            noteTransaction(.aborted)
        }
        transaction.reset()
        if interrupt.endCommit() { stopStatement() }
        switch result {
        case .success: afterCommit()
        case .failure(let error):
            // Nothing of it may be left: the session is outside a transaction again.
            chainAfterCommit = nil
            dropAllPortals()
            if let saved = settingsAtBegin { settings.restore(saved) }
            block = .none
            if error.code == .cancelled { throw interrupt.error }
            throw SQLError(storage: error)
        }
    }

    private func afterCommit() {
        for portal in portals.values { portal.isKept = true }
        settings.dropLocals()
        block = .none
        if let modes = chainAfterCommit {
            chainAfterCommit = nil
            startChained(modes)
        }
    }

    /// Rolls the whole transaction back.
    func rollback() {
        dropAllPortals()
        endExports()
        noteTransaction(.aborted)
        transaction.end()
        if let saved = settingsAtBegin { settings.restoreIfChanged(saved) }
        block = .none
    }

    /// The transaction's end has failed: nothing of it is left, and no chain follows.
    func rollback(after error: SQLError) {
        failure = error.state
        chainAfterCommit = nil
        rollback()
    }

    /// What an error does to the transaction.
    func abortAfterError() {
        switch block {
        case .none, .failed: return
        case .implicit: rollback()
        case .inBlock:
            block = .failed
            if let savepoint = transaction.savepoints.last {
                rollBack(to: savepoint)
            } else {
                dropAllPortals()
                endExports()
                noteTransaction(.aborted)
                transaction.end()
                // For AND CHAIN. What BEGIN said is undone, as in PostgreSQL.
                if let modesAtBegin { modes = modesAtBegin }
                if let saved = settingsAtBegin { settings.restoreIfChanged(saved) }
            }
        }
    }

    private func rollBack(to savepoint: Transaction.Savepoint) {
        for (name, portal) in portals where portal.number >= savepoint.nextPortal {
            dropPortal(name)
        }
        transaction.rollback(to: savepoint)
        settings.restoreIfChanged(savepoint.settings)
    }

    // MARK: Transaction statements

    func runTransaction(
        _ kind: AST.Transaction, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        switch kind {
        case .begin(let modes, let isStart):
            if block == .inBlock {
                tell(
                    SQLError(
                        .activeSQLTransaction, "there is already a transaction in progress",
                        severity: .warning), sink)
            } else {
                block = .inBlock
            }
            try setModes(modes)
            return .done(tag: isStart ? "START TRANSACTION" : "BEGIN")
        case .commit(let chain):
            if block == .failed { return .done(tag: "ROLLBACK", then: .rollback(chain: chain)) }
            if block == .implicit {
                if chain { throw Self.chainOutside("COMMIT") }
                tell(
                    SQLError(
                        .noActiveSQLTransaction, "there is no transaction in progress",
                        severity: .warning), sink)
            }
            if let blocked = try holdCursors() { return blocked }
            return .done(tag: "COMMIT", then: .commit(chain: chain))
        case .rollback(let chain):
            if block == .implicit {
                if chain { throw Self.chainOutside("ROLLBACK") }
                tell(
                    SQLError(
                        .noActiveSQLTransaction, "there is no transaction in progress",
                        severity: .warning), sink)
            }
            return .done(tag: "ROLLBACK", then: .rollback(chain: chain))
        case .savepoint(let name):
            try requireBlock("SAVEPOINT")
            transaction.setSavepoint(
                name, settings: settings.saved, nextPortal: nextPortalNumber)
            return .done(tag: "SAVEPOINT")
        case .release(let name):
            try requireBlock("RELEASE SAVEPOINT")
            let index = try savepoint(name)
            transaction.isReadOnly = transaction.savepoints[index].isReadOnly
            transaction.savepoints.removeSubrange(index...)
            return .done(tag: "RELEASE")
        case .rollbackTo(let name):
            if block != .failed { try requireBlock("ROLLBACK TO SAVEPOINT") }
            let index = try savepoint(name)
            let savepoint = transaction.savepoints[index]
            rollBack(to: savepoint)
            transaction.savepoints.removeSubrange((index + 1)...)
            block = .inBlock
            return .done(tag: "ROLLBACK")
        case .prepare(let gid): return runPrepare(gid, sink)
        case .commitPrepared(let gid): return try runDecision(gid, commits: true)
        case .rollbackPrepared(let gid): return try runDecision(gid, commits: false)
        }
    }

    private static func chainOutside(_ what: String) -> SQLError {
        SQLError(
            .noActiveSQLTransaction, "\(what) AND CHAIN can only be used in transaction blocks")
    }

    /// A block, or a Query message with several statements, which are a transaction, too.
    var isInTransactionBlock: Bool {
        if block == .inBlock { return true }
        if case .simple(let simple) = work { return simple.statements.count > 1 }
        return false
    }

    /// - Parameter implicit: a Query message with several statements will do.
    func requireBlock(_ what: String, orImplicit implicit: Bool = false) throws(SQLError) {
        if implicit ? !isInTransactionBlock : block != .inBlock {
            throw SQLError(
                .noActiveSQLTransaction, "\(what) can only be used in transaction blocks")
        }
    }

    /// For VACUUM and its like: neither in a block nor after other statements of a pipeline, whose error
    /// later on must not undo what was answered as done.
    func forbidBlock(_ what: String) throws(SQLError) {
        if isInTransactionBlock {
            throw SQLError(
                .activeSQLTransaction, "\(what) cannot run inside a transaction block")
        }
        guard case .execute(let execute) = work else { return }
        if execute.followsOthers {
            throw SQLError(
                .activeSQLTransaction, "\(what) cannot be executed within a pipeline")
        }
        execute.commitsAtOnce = true
    }

    private func savepoint(_ name: String) throws(SQLError) -> Int {
        guard let index = transaction.savepoints.lastIndex(where: { $0.name == name }) else {
            throw SQLError(SQLState("3B001"), "savepoint \"\(name)\" does not exist")
        }
        return index
    }

    func setModes(_ modes: AST.TransactionModes) throws(SQLError) {
        if let isolation = modes.isolation {
            guard let level = IsolationLevel(rawValue: isolation.lowercased()) else {
                throw SQLError(
                    .invalidParameterValue,
                    "invalid value for parameter \"transaction_isolation\": \"\(isolation)\"",
                    hint: "Available values: serializable, repeatable read, read committed, "
                        + "read uncommitted.")
            }
            if level != transaction.isolation, !transaction.savepoints.isEmpty,
                !transaction.hasSnapshot
            {
                throw SQLError(
                    .activeSQLTransaction,
                    "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction")
            }
            if level != transaction.isolation, transaction.hasSnapshot {
                throw SQLError(
                    .activeSQLTransaction,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query")
            }
            transaction.isolation = level
        }
        if let isReadOnly = modes.isReadOnly {
            if !isReadOnly, transaction.isReadOnly, !transaction.savepoints.isEmpty {
                throw SQLError(
                    .activeSQLTransaction,
                    "cannot set transaction read-write mode inside a read-only transaction")
            }
            if !isReadOnly, transaction.isReadOnly, transaction.hasSnapshot {
                throw SQLError(
                    .activeSQLTransaction,
                    "transaction read-write mode must be set before any query")
            }
            if !isReadOnly, database.isReadOnly {
                throw SQLError(
                    .featureNotSupported,
                    "cannot set transaction read-write mode during recovery",
                    hint: database.engine.openedReadOnly.hint)
            }
            transaction.isReadOnly = isReadOnly
        }
        if let isDeferrable = modes.isDeferrable {
            if !transaction.savepoints.isEmpty {
                throw SQLError(
                    .activeSQLTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction")
            }
            if transaction.hasSnapshot {
                throw SQLError(
                    .activeSQLTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE must be called before any query")
            }
            transaction.isDeferrable = isDeferrable
        }
    }
}
