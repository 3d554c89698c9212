import Glibc

/// Threads with a large stack for statements that nest deeply: running their plans and releasing
/// their trees recurse as deeply as they were written.
///
/// A thread is made for one piece of work and ends with it: nothing on it may call libpg_query,
/// which keeps what it has per thread (that is for ``ParserThreads``).
enum LargeStack {
    static let bytes = 256 << 20

    /// Where the stack of the current thread begins when it is a large one.
    private static let base: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    private final class Job {
        let work: () -> Void
        init(_ work: @escaping () -> Void) { self.work = work }
    }

    /// To be called first on a thread that has `bytes` of stack.
    static func mark() {
        var marker: UInt8 = 0
        withUnsafeMutablePointer(to: &marker) { here in
            _ = pthread_setspecific(base, UnsafeRawPointer(here))
        }
    }

    /// The current thread's stack is large, and at least half of it is free.
    static var isCurrent: Bool {
        guard let start = pthread_getspecific(base) else { return false }
        var marker: UInt8 = 0
        let here = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
        return UInt(bitPattern: start) &- here < UInt(bytes / 2)
    }

    /// The current thread was made for one piece of work: libpg_query must not run on it.
    static var isTransient: Bool {
        pthread_getspecific(base) != nil && !ParserThreads.isCurrent
    }

    /// Runs `work` on a large stack and waits for it. False, without having run it: no thread could
    /// be had.
    static func run(_ work: () -> Void) -> Bool {
        if isCurrent {
            work()
            return true
        }
        return withoutActuallyEscaping(work) { work in
            let job = Job(work)
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setstacksize(&attributes, bytes)
            var thread = pthread_t()
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument else { return nil }
                    LargeStack.mark()
                    Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().work()
                    return nil
                }, Unmanaged.passUnretained(job).toOpaque())
            guard status == 0 else { return false }
            pthread_join(thread, nil)
            return true
        }
    }

    /// Lets go of a deep tree: `clear` takes `tree` away from its owner, on a large stack. Without a
    /// thread the tree stays in memory, which is better than to run out of stack.
    static func release<Tree>(_ tree: @autoclosure () -> Tree, _ clear: () -> Void) {
        if !run(clear) { _ = Unmanaged.passRetained(Holder(tree())) }
    }

    private final class Holder<Value> {
        let value: Value
        init(_ value: Value) { self.value = value }
    }
}
