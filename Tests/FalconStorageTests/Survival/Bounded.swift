import Synchronization

@testable import FalconStorage

/// Runs something that might hang on a thread of its own.
enum Bounded {
    private final class Outcome: Sendable {
        let done = Mutex<Bool>(false)
    }

    /// False when `body` has not ended after `seconds`; its thread is left behind then.
    static func run(seconds: UInt64 = 60, _ body: @escaping @Sendable () -> Void) throws -> Bool {
        let monitor = Monitor()
        let ended = MonitorCondition(monitor)
        let outcome = Outcome()
        let thread = try WorkerThread(name: "bounded") {
            body()
            monitor.lock()
            outcome.done.withLock { $0 = true }
            ended.broadcast()
            monitor.unlock()
        }
        monitor.lock()
        var isInTime = true
        while isInTime, !outcome.done.withLock({ $0 }) {
            isInTime = ended.wait(nanos: seconds * 1_000_000_000)
        }
        let isDone = outcome.done.withLock { $0 }
        monitor.unlock()
        if isDone { thread.join() }
        return isDone
    }
}
