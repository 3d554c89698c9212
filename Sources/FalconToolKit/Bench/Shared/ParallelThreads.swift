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

    /// Runs the bodies, each on a thread of its own. The caller sees to it that they share nothing
    /// unsafely.
    static func run(_ bodies: [() -> Void]) {
        if bodies.count == 1 { return bodies[0]() }
        var threads: [pthread_t] = []
        for body in bodies {
            var thread = pthread_t()
            let work = Unmanaged.passRetained(Work(body))
            let status = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                    return nil
                }, work.toOpaque())
            if status == 0 {
                threads.append(thread)
            } else {
                work.takeRetainedValue().body()
            }
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
