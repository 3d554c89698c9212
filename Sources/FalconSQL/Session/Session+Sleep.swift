import FalconSchema
import Glibc

extension Session {
    /// pg_sleep's place in the current statement.
    struct SleepState {
        /// The statement consists of sleeps and what costs and changes nothing: it may run again.
        var parks = false
        /// Calls made in this run of the statement, and how many of them are over.
        var calls = 0
        var finished = 0
    }

    /// A wait that a timer ends.
    func startTimer(_ milliseconds: Int, for purpose: LockWait.Purpose = .timer) -> LockWait {
        let wait = LockWait(for: purpose, of: owner)
        _ = database.timers.schedule(afterMilliseconds: milliseconds) {
            wait.resolve(.granted)?()
        }
        return wait
    }

    /// Keeps this thread until `wait` is over.
    func block(_ wait: LockWait) throws(SQLError) {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        defer {
            sem_destroy(semaphore)
            semaphore.deallocate()
        }
        database.options.whenBlocking?(true)
        defer { database.options.whenBlocking?(false) }
        let signal = SemaphoreSignal(semaphore)
        interrupt.beginWait(wait)
        wait.owner.waiting.withLock { $0 = wait }
        wait.onReady { signal.post() }
        while sem_wait(semaphore) != 0 {}
        wait.owner.waiting.withLock { $0 = nil }
        interrupt.endWait()
        if case .granted? = wait.outcome { return }
        throw interrupt.error
    }

    /// Whether running `plan` again from its start is the same as going on behind its first sleep.
    static func mayPark(_ plan: PhysicalPlan) -> Bool {
        guard plan.command == .select, plan.subplans.isEmpty, plan.commonTables.isEmpty,
            case .project(let project) = plan.root.operation, project.setReturning.isEmpty,
            case .result(let condition) = project.child.operation, !(condition?.isVolatile ?? false)
        else { return false }
        return project.expressions.allSatisfy { expression in
            var isSafe = true
            expression.walk { node in
                if let call = node as? FunctionExpression, call.function.volatility == .volatile,
                    !call.function.name.hasPrefix("pg_sleep")
                {
                    isSafe = false
                }
            }
            return isSafe
        }
    }
}

/// A semaphore that outlives its use here: the waiter frees it only after the post.
private struct SemaphoreSignal: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>
    init(_ semaphore: UnsafeMutablePointer<sem_t>) { self.semaphore = semaphore }
    func post() { sem_post(semaphore) }
}
