import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One thread that runs short callbacks at their time: lock_timeout, statement_timeout.
///
/// A cancelled timer stays in the heap until its time and then does nothing; timers are few and
/// mostly never fire.
final class TimerService: @unchecked Sendable {
    final class Timer: Sendable {
        fileprivate let deadlineNanos: UInt64
        fileprivate let action: @Sendable () -> Void
        private let isDone = Atomic(false)
        fileprivate init(_ deadlineNanos: UInt64, _ action: @escaping @Sendable () -> Void) {
            self.deadlineNanos = deadlineNanos
            self.action = action
        }
        /// After this the action does not begin.
        func cancel() { isDone.store(true, ordering: .releasing) }
        fileprivate func fire() {
            if isDone.compareExchange(
                expected: false, desired: true, ordering: .acquiringAndReleasing
            )
            .exchanged {
                action()
            }
        }
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var heap: [Timer] = []
    private var isStopping = false
    private var thread: pthread_t?

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        stop()
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    static func nowNanos() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }

    /// Runs `action` on the timer thread in `milliseconds`. It must be short.
    func schedule(afterMilliseconds milliseconds: Int, _ action: @escaping @Sendable () -> Void)
        -> Timer
    {
        let timer = Timer(Self.nowNanos() &+ UInt64(max(0, milliseconds)) &* 1_000_000, action)
        pthread_mutex_lock(mutex)
        insert(timer)
        if thread == nil, !isStopping { start() }
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
        return timer
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        let running = thread
        thread = nil
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
        if let running { pthread_join(running, nil) }
    }

    private func start() {
        var handle = pthread_t()
        // The thread borrows self: stop() joins it before self goes away.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let result = pthread_create(
            &handle, nil,
            { context in
                if let context {
                    Unmanaged<TimerService>.fromOpaque(context).takeUnretainedValue().run()
                }
                return nil
            }, context)
        if result == 0 { thread = handle }
    }

    private func run() {
        pthread_mutex_lock(mutex)
        while !isStopping {
            guard let first = heap.first else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            if first.deadlineNanos <= Self.nowNanos() {
                removeFirst()
                pthread_mutex_unlock(mutex)
                first.fire()
                pthread_mutex_lock(mutex)
                continue
            }
            var until = timespec()
            until.tv_sec = Int(first.deadlineNanos / 1_000_000_000)
            until.tv_nsec = Int(first.deadlineNanos % 1_000_000_000)
            pthread_cond_timedwait(condition, mutex, &until)
        }
        pthread_mutex_unlock(mutex)
    }

    private func insert(_ timer: Timer) {
        heap.append(timer)
        var i = heap.count - 1
        while i > 0 {
            let parent = (i - 1) / 2
            guard heap[i].deadlineNanos < heap[parent].deadlineNanos else { return }
            heap.swapAt(i, parent)
            i = parent
        }
    }

    private func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2]
            where child < heap.count && heap[child].deadlineNanos < heap[least].deadlineNanos {
                least = child
            }
            if least == i { return }
            heap.swapAt(i, least)
            i = least
        }
    }
}
