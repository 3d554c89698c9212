/// Wall and boot clocks, injected so that tests choose the time.
public protocol StorageClock: AnyObject, Sendable {
    /// Microseconds since 1970-01-01 UTC by the wall clock.
    func wallMicros() -> UInt64
    /// Nanoseconds of a clock that never steps.
    func monotonicNanos() -> UInt64
}

/// Random numbers, injected so that tests replay from a seed.
public protocol StorageRandom: AnyObject, Sendable {
    func next() -> UInt64
}

extension StorageRandom {
    public func nextUID() -> UID { UID(high: next(), low: next()) }
}

/// What an engine gets from its process instead of reaching for it: the file system, the clocks and
/// randomness. All engines of a process share one.
public final class StorageEnvironment: Sendable {
    public let fileSystem: any FileSystem
    public let clock: any StorageClock
    public let random: any StorageRandom

    public init(
        fileSystem: any FileSystem = PosixFileSystem(), clock: any StorageClock = SystemClock(),
        random: any StorageRandom = SystemRandom()
    ) {
        self.fileSystem = fileSystem
        self.clock = clock
        self.random = random
    }
}
