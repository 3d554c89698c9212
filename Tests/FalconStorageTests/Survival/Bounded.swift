import Synchronization

@testable import FalconStorage

/// Runs what might hang on threads of their own.
enum Bounded {
    private final class Countdown: @unchecked Sendable {
        let monitor = Monitor()
        let changed: MonitorCondition
        var isDone: [Bool]

        init(_ count: Int) {
            changed = MonitorCondition(monitor)
            isDone = Array(repeating: false, count: count)
        }
    }

    /// Runs `body` for 0..<`count` at the same time; returns those that have not ended after `seconds`.
    /// Their threads are left behind.
    static func run(
        _ count: Int = 1, seconds: UInt64 = 60, _ body: @escaping @Sendable (Int) -> Void
    ) throws -> [Int] {
        let countdown = Countdown(count)
        let threads = try (0..<count).map { index in
            try WorkerThread(name: "bounded") {
                body(index)
                countdown.monitor.lock()
                countdown.isDone[index] = true
                countdown.changed.broadcast()
                countdown.monitor.unlock()
            }
        }
        countdown.monitor.lock()
        var isInTime = true
        while isInTime, countdown.isDone.contains(false) {
            isInTime = countdown.changed.wait(nanos: seconds * 1_000_000_000)
        }
        let isDone = countdown.isDone
        countdown.monitor.unlock()
        for (index, thread) in threads.enumerated() where isDone[index] { thread.join() }
        return isDone.indices.filter { !isDone[$0] }
    }
}
