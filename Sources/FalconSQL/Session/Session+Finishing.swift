import FalconSchema

/// How a request ends, and what the client is told besides its answer.
extension Session {
    /// The request is complete.
    func finish(_ sink: any ResultSink) -> SessionProgress {
        let isExecute = isExecuting
        work = .none
        report(sink)
        noteEnd(isReady: !isExecute)
        return .finished
    }

    private var isExecuting: Bool {
        if case .execute = work { return true }
        return false
    }

    /// For pg_stat_activity: between requests now. Before Sync the extended protocol's work goes on, and
    /// the session is not idle (`isReady` false).
    func noteEnd(isReady: Bool = true) {
        switch block {
        case .none: activity.ended(.idle, now: Self.nowMicros())
        case .inBlock: activity.ended(.idleInTransaction, now: Self.nowMicros())
        case .failed: activity.ended(.failed, now: Self.nowMicros())
        case .implicit: return
        }
        if isReady { beginIdle(inTransaction: block != .none) }
    }

    /// The request failed: the transaction's state follows PostgreSQL's.
    func fail(_ error: SQLError, _ sink: any ResultSink) -> SessionProgress {
        var error = error
        if error.position == nil, let offset = error.byteOffset, offset >= 0 {
            error.position = requestPosition(ofByte: offset)
        } else if let position = error.position, let rewriting, error.state == .syntaxError {
            let offset = currentSQL.unicodeScalars.prefix(position - 1).reduce(0) {
                $0 + String($1).utf8.count
            }
            error.position = Self.position(
                ofByte: rewriting.originalOffset(offset), in: rewriting.original)
        }
        if case .simple(let simple) = work { simple.run?.finish() }
        if case .execute(let execute) = work {
            execute.portal.run?.finish()
            execute.portal.isDone = true
        }
        let isExecute = isExecuting
        work = .none
        copyIn = nil
        failureAfterCommit = nil
        stopStatement()
        if transaction.isActive { failure = error.state }
        abortAfterError()
        report(sink)
        noteEnd(isReady: !isExecute)
        return .failed(error)
    }

    static func position(ofByte offset: Int, in sql: String) -> Int {
        var characters = 1
        for byte in sql.utf8.prefix(offset) where byte & 0xC0 != 0x80 { characters += 1 }
        return characters
    }

    /// Announces reported parameters that changed.
    func report(_ sink: any ResultSink) {
        if !functionNotices.isEmpty { sendFunctionNotices(sink) }
        guard settings.generation != reportedGeneration else { return }
        reportedGeneration = settings.generation
        activity.renamed(settings.value("application_name") ?? "")
        for (index, (name, value)) in settings.reported().enumerated()
        where reportedValues[index] != value {
            reportedValues[index] = value
            sink.parameterStatus(name, value)
        }
    }

    static let failedTransaction = SQLError(
        .inFailedSQLTransaction,
        "current transaction is aborted, commands ignored until end of transaction block")
}
