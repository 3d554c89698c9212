import Glibc
import Synchronization
import Testing

@testable import FalconStorage

/// How the system schedules the engine's threads.
struct WorkerThreadTests {
    /// PRIO_PROCESS: of 0, the calling thread.
    private static let process: Int32 = 0

    /// One whose work others should not wait behind does not interrupt them, and gets less.
    @Test(arguments: [Int32(0), WorkerThread.backgroundNiceness])
    func backgroundThreadsStepBack(niceness: Int32) throws {
        let seen = Mutex<(policy: Int32, niceness: Int32)>((-1, -1))
        let before = getpriority(Self.process, 0)
        let thread = try WorkerThread(name: "test", niceness: niceness) {
            seen.withLock { $0 = (sched_getscheduler(0), getpriority(Self.process, 0)) }
        }
        thread.join()
        let (policy, found) = seen.withLock { $0 }
        #expect(policy == (niceness > 0 ? 3 : SCHED_OTHER), "SCHED_BATCH is 3")
        #expect(found == min(before + niceness, 19))
    }
}
