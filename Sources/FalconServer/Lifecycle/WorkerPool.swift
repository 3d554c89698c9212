import Glibc
import Synchronization

/// Threads for statements that may run long: a fixed number, with stacks deep enough for nested
/// expressions. Event loops hand work over and get their answer by callback.
final class WorkerPool: @unchecked Sendable {
    static let stackBytes = 32 << 20

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    // Guarded by `mutex`. Jobs are taken from `ready`, last first; new ones gather in `arrived`.
    private var ready: [@Sendable () -> Void] = []
    private var arrived: [@Sendable () -> Void] = []
    private var isStopping = false
    /// Threads that wait inside a job, those started in their place, and how many are to end.
    private var blockedCount = 0
    private var substituteCount = 0
    private var surplusCount = 0
    private static let maxSubstitutes = 512
    private var threads: [pthread_t] = []
    private let running = Atomic<Int>(0)

    /// Jobs being run right now.
    var activeJobs: Int { running.load(ordering: .relaxed) }

    init(threadCount: Int) {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        for _ in 0..<max(1, threadCount) { _ = startThread() }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        arrived.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// A job's thread begins (or ends) to wait: another one takes its place meanwhile.
    func thread(isBlocked: Bool) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isBlocked {
            blockedCount += 1
            guard !isStopping, surplusCount == 0 else {
                if surplusCount > 0 {
                    surplusCount -= 1
                    substituteCount += 1
                }
                return
            }
            guard substituteCount < Self.maxSubstitutes else { return }
            if startThread() { substituteCount += 1 }
        } else {
            blockedCount -= 1
            guard substituteCount > blockedCount else { return }
            substituteCount -= 1
            surplusCount += 1
            pthread_cond_signal(condition)
        }
    }

    /// Runs what is queued, then ends the threads.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        let ending = threads
        threads = []
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(condition)
        for thread in ending { pthread_join(thread, nil) }
    }

    /// With `mutex` held, or before anybody else knows the pool.
    private func startThread() -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        var thread = pthread_t()
        // The thread keeps the pool alive until it ends.
        let argument = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                let pool = Unmanaged<WorkerPool>.fromOpaque(raw).takeRetainedValue()
                pool.run()
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            return false
        }
        threads.append(thread)
        return true
    }

    private func run() {
        while let job = next() {
            running.wrappingAdd(1, ordering: .relaxed)
            job()
            running.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if surplusCount > 0, !isStopping {
                surplusCount -= 1
                let own = pthread_self()
                threads.removeAll { pthread_equal($0, own) != 0 }
                pthread_detach(own)
                return nil
            }
            if let job = ready.popLast() { return job }
            if !arrived.isEmpty {
                swap(&ready, &arrived)
                ready.reverse()
                continue
            }
            if isStopping { return nil }
            pthread_cond_wait(condition, mutex)
        }
    }
}
