/// Wall and boot clocks, injected so that tests choose the time.
public protocol StorageClock: AnyObject, Sendable {
    /// Microseconds since 1970-01-01 UTC by the wall clock.
    func wallMicros() -> UInt64
    /// Nanoseconds of a clock that never steps.
    func monotonicNanos() -> UInt64
}

/// Random numbers, injected so that tests replay from a seed.
public protocol StorageRandom: AnyObject, Sendable {
    /// Any of 2^64 numbers, each as likely. Called from any thread.
    func next() -> UInt64
}

extension StorageRandom {
    /// A new identity, from two numbers: the high half first.
    public func nextUID() -> UID { UID(high: next(), low: next()) }
}

/// What an engine gets from its process instead of reaching for it: the file system, the clocks and
/// randomness. All engines of a process share one.
public final class StorageEnvironment: Sendable {
    /// Where the files are.
    public let fileSystem: any FileSystem
    /// The time of commits, retention and reports.
    public let clock: any StorageClock
    /// Where identities come from; keys and nonces of encryption come from libcrypto.
    public let random: any StorageRandom

    /// By default the operating system's.
    public init(
        fileSystem: any FileSystem = PosixFileSystem(), clock: any StorageClock = SystemClock(),
        random: any StorageRandom = SystemRandom()
    ) {
        self.fileSystem = fileSystem
        self.clock = clock
        self.random = random
    }
}
