import CFalconPlatform
import Glibc

/// A mutex with conditions, for state that threads wait on. (`Synchronization.Mutex` has no
/// conditions.) Not recursive.
final class Monitor: @unchecked Sendable {
    fileprivate let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        _ = falcon_mutex_init_spinning(mutex)
    }
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inline(__always) func lock() { pthread_mutex_lock(mutex) }
    @inline(__always) func unlock() { pthread_mutex_unlock(mutex) }
    @inline(__always) func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }

    func locked<R>(_ body: () -> R) -> R {
        lock()
        defer { unlock() }
        return body()
    }
}

/// Something threads wait for while they hold a monitor.
final class MonitorCondition: @unchecked Sendable {
    private let monitor: Monitor
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init(_ monitor: Monitor) {
        self.monitor = monitor
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }
    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Releases the monitor, sleeps until signalled (or for no reason), takes it again.
    func wait() { pthread_cond_wait(condition, monitor.mutex) }

    /// Like `wait`, for `nanos` at most; false when the time ran out.
    func wait(nanos: UInt64) -> Bool {
        let deadline = falcon_monotonic_nanos() &+ nanos
        var time = timespec(
            tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        return pthread_cond_timedwait(condition, monitor.mutex, &time) != ETIMEDOUT
    }

    func signal() { pthread_cond_signal(condition) }
    func broadcast() { pthread_cond_broadcast(condition) }
}

/// A named operating-system thread that runs one closure.
final class WorkerThread: @unchecked Sendable {
    private final class Body {
        let name: String
        let niceness: Int32
        let run: @Sendable () -> Void
        init(name: String, niceness: Int32, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.niceness = niceness
            self.run = run
        }
    }
    private var handle = pthread_t()
    private var isStarted = false

    /// Niceness of the threads whose work commits and reads should not wait behind: enough for the
    /// scheduler to let a thread that commits go on, not so much that they starve.
    static let backgroundNiceness: Int32 = 5

    /// Starts `body` at once; throws when the system has no thread left.
    init(
        name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void
    ) throws(StorageError) {
        let box = Unmanaged.passRetained(Body(name: name, niceness: niceness, run: body))
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                falcon_set_thread_name(body.name)
                if body.niceness > 0 { falcon_set_thread_background(body.niceness) }
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw .posix(code, "pthread_create", path: name)
        }
        isStarted = true
    }

    /// Waits for the end of the closure. Once, and not from the thread itself.
    func join() {
        guard isStarted else { return }
        isStarted = false
        pthread_join(handle, nil)
    }
}
