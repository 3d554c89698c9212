import FalconSchema

/// Advisory locks: real ones, in the lock table. A statement that must wait runs again when the lock
/// is its own.
extension FunctionLibrary {
    private static func key(_ arguments: [Datum], _ session: Session) -> AdvisoryKey {
        let database = session.state.oid.rawValue
        if arguments.count == 2 {
            return AdvisoryKey(
                database: database, Int32(truncatingIfNeeded: arguments[0].int),
                Int32(truncatingIfNeeded: arguments[1].int))
        }
        return AdvisoryKey(database: database, arguments[0].int)
    }

    static func sqlSession(of context: FunctionContext) throws(SQLError) -> Session {
        guard let bridge = context.session as? SessionBridge, let session = bridge.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        return session
    }

    /// True when the lock is had; throws to wait for it.
    private static func lock(
        _ arguments: [Datum], _ mode: LockMode, isSession: Bool, mayWait: Bool,
        _ context: FunctionContext
    ) throws(SQLError) -> Bool {
        let session = try sqlSession(of: context)
        let key = key(arguments, session)
        return isSession
            ? try session.lockAdvisory(key, mode, mayWait: mayWait)
            : try session.lockAdvisoryInTransaction(key, mode, mayWait: mayWait)
    }

    mutating func addAdvisory() {
        for suffix in ["_int8", "_int4"] {
            for (shared, mode) in [("", LockMode.exclusive), ("_shared", .share)] {
                many("pg_advisory_lock" + shared + suffix) { (a, c) throws(SQLError) in
                    _ = try Self.lock(a, mode, isSession: true, mayWait: true, c)
                    return .text("")
                }
                many("pg_advisory_xact_lock" + shared + suffix) { (a, c) throws(SQLError) in
                    _ = try Self.lock(a, mode, isSession: false, mayWait: true, c)
                    return .text("")
                }
                many("pg_try_advisory_lock" + shared + suffix) { (a, c) throws(SQLError) in
                    .bool(try Self.lock(a, mode, isSession: true, mayWait: false, c))
                }
                many("pg_try_advisory_xact_lock" + shared + suffix) { (a, c) throws(SQLError) in
                    .bool(try Self.lock(a, mode, isSession: false, mayWait: false, c))
                }
                many("pg_advisory_unlock" + shared + suffix) { (a, c) throws(SQLError) in
                    let session = try Self.sqlSession(of: c)
                    return .bool(session.unlockAdvisory(Self.key(a, session), mode))
                }
            }
        }
        nullary("pg_advisory_unlock_all") { c throws(SQLError) in
            try Self.sqlSession(of: c).unlockAllAdvisory()
            return .text("")
        }
        unary("pg_blocking_pids") { (a, c) throws(SQLError) in
            let locks = try Self.sqlSession(of: c).database.locks
            let processes = locks.blockingProcesses(of: Int32(truncatingIfNeeded: a.int))
            return .array(
                ArrayValue(elementType: .int4, processes.map { .int(Int64($0)) }))
        }
    }
}
