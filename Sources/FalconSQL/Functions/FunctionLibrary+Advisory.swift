import FalconSchema

/// Advisory locks: real ones, in the lock table. A statement that must wait runs again when the lock
/// is its own.
extension FunctionLibrary {
    private static func key(_ arguments: [Datum], _ session: Session) -> UInt64 {
        let database = UInt64(session.state.id.rawValue)
        if arguments.count == 2 {
            let pair =
                UInt64(UInt32(truncatingIfNeeded: arguments[0].int)) << 32
                | UInt64(UInt32(truncatingIfNeeded: arguments[1].int))
            return LockTable.mix(pair, 0xA0A0_0002_0000_0000 ^ database)
        }
        return LockTable.mix(
            UInt64(bitPattern: arguments[0].int), 0xA0A0_0001_0000_0000 ^ database)
    }

    private static func session(of context: FunctionContext) throws(SQLError) -> Session {
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
        let session = try session(of: context)
        let owner = isSession ? session.advisoryOwner : session.owner
        let result = session.database.locks.acquire(
            key(arguments, session), mode, owner, mayWait: mayWait)
        switch result {
        case .granted: return true
        case .unavailable: return false
        case .waiting(let wait):
            session.transaction.pendingWait = wait
            throw .lockWait
        case .exhausted: throw SQLError(.outOfMemory, "out of shared memory")
        }
    }

    private static func unlock(
        _ arguments: [Datum], _ mode: LockMode, _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        let session = try session(of: context)
        return .bool(
            session.database.locks.releaseHeld(
                session.advisoryOwner, key(arguments, session), mode))
    }

    mutating func addAdvisory() {
        for suffix in ["_int8", "_int4"] {
            for (shared, mode) in [("", LockMode.accessExclusive), ("_shared", .share)] {
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
                    try Self.unlock(a, mode, c)
                }
            }
        }
        nullary("pg_advisory_unlock_all") { c throws(SQLError) in
            let session = try Self.session(of: c)
            session.database.locks.releaseAll(session.advisoryOwner)
            return .text("")
        }
    }
}
