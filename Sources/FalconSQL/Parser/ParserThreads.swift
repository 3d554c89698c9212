import Glibc

/// Threads with large stacks for texts too long or too deep for the caller's own.
///
/// libpg_query keeps a pthread key per thread that ever called it, so the set of calling threads
/// must be fixed: event loops and workers are, and these are.
final class ParserThreads: @unchecked Sendable {
    static let shared = ParserThreads(count: 2, stackBytes: LargeStack.bytes)

    private final class Job {
        let work: () -> Void
        var done = false
        init(_ work: @escaping () -> Void) { self.work = work }
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Job] = []
    private var started = 0

    private init(count: Int, stackBytes: Int) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        changed = .allocate(capacity: 1)
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        for _ in 0..<count {
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, stackBytes)
            pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
            var thread = pthread_t()
            let me = Unmanaged.passUnretained(self).toOpaque()
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<ParserThreads>.fromOpaque(argument).takeUnretainedValue().loop()
                    return nil
                }, me)
            if status == 0 { started += 1 }
            pthread_attr_destroy(&attributes)
        }
    }

    private static let membership: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The current thread is one of them: handing work to another and waiting for it could leave
    /// all of them waiting.
    static var isCurrent: Bool { pthread_getspecific(membership) != nil }

    private func loop() {
        LargeStack.mark()
        pthread_setspecific(Self.membership, Unmanaged.passUnretained(self).toOpaque())
        pthread_mutex_lock(mutex)
        while true {
            guard let job = jobs.popLast() else {
                pthread_cond_wait(changed, mutex)
                continue
            }
            pthread_mutex_unlock(mutex)
            job.work()
            pthread_mutex_lock(mutex)
            job.done = true
            pthread_cond_broadcast(changed)
        }
    }

    /// Runs `work` on one of the threads and waits for it; false when there is no thread.
    func run(_ work: () -> Void) -> Bool {
        if Self.isCurrent {
            work()
            return true
        }
        guard started > 0 else { return false }
        withoutActuallyEscaping(work) { work in
            let job = Job(work)
            pthread_mutex_lock(mutex)
            jobs.append(job)
            pthread_cond_broadcast(changed)
            while !job.done { pthread_cond_wait(changed, mutex) }
            pthread_mutex_unlock(mutex)
        }
        return true
    }
}
