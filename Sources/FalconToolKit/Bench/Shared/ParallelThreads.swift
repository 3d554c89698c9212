#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads of the operating system, started together and waited for.
enum ParallelThreads {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs the body on a thread of its own that nobody waits for; false when there can be none.
    static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = start(body) else { return false }
        pthread_detach(thread)
        return true
    }

    private static func start(_ body: @escaping () -> Void) -> pthread_t? {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if status == 0 { return thread }
        work.release()
        return nil
    }

    /// Runs the bodies, each on a thread of its own. The caller sees to it that they share nothing
    /// unsafely.
    static func run(_ bodies: [() -> Void]) {
        if bodies.count == 1 { return bodies[0]() }
        var threads: [pthread_t] = []
        for body in bodies {
            if let thread = start(body) { threads.append(thread) } else { body() }
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
