import Synchronization

/// What checks that run side by side share: how far they are, how fast they may read, and whether they
/// should end.
public final class VerificationPace: Sendable {
    /// The longest time that is slept before ``isStopped`` is looked at again.
    private static let sleepMillis: UInt64 = 50
    /// What was not read in the time that passed may be read later: as much as this time gives.
    private static let burstNanos: UInt64 = 100_000_000

    private let stopped = Atomic<Bool>(false)
    private let done = Atomic<UInt64>(0)
    private let bytesPerSecond: UInt64
    private let clock: any StorageClock
    private let sleep: @Sendable (UInt32) -> Void
    /// When everything that was read so far is paid for, by the monotonic clock.
    private let dueNanos = Mutex<UInt64>(0)

    /// - Parameters:
    ///   - bytesPerSecond: what all may read together; 0: no limit.
    ///   - sleep: waits so many milliseconds.
    public init(
        bytesPerSecond: UInt64 = 0, clock: any StorageClock,
        sleep: @escaping @Sendable (UInt32) -> Void
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.clock = clock
        self.sleep = sleep
    }

    /// Has checks end soon; what they found until then is partial.
    public func stop() { stopped.store(true, ordering: .relaxed) }
    /// ``stop()`` was called.
    public var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// Bytes of files that were checked, each counted once.
    public var checkedBytes: UInt64 { done.load(ordering: .relaxed) }
    func advance(_ bytes: UInt64) { done.wrappingAdd(bytes, ordering: .relaxed) }

    /// Pays for bytes that were read: returns once they keep within the limit.
    func spend(_ bytes: Int) {
        guard bytesPerSecond > 0, bytes > 0 else { return }
        let (whole, rest) = UInt64(bytes).quotientAndRemainder(dividingBy: bytesPerSecond)
        let cost = UInt64(
            clamping: Double(whole) * 1e9 + Double(rest) * 1e9 / Double(bytesPerSecond))
        let due = dueNanos.withLock { due in
            let now = clock.monotonicNanos()
            due = max(due, now &- min(now, Self.burstNanos)) &+ cost
            return due
        }
        while !isStopped {
            let now = clock.monotonicNanos()
            guard due > now else { return }
            let millis = min((due - now) / 1_000_000 + 1, Self.sleepMillis)
            sleep(UInt32(truncatingIfNeeded: millis))
        }
    }

    /// The same files, whose reads are paid for here.
    public func limiting(_ fileSystem: any FileSystem) -> any FileSystem {
        bytesPerSecond > 0 ? PacedFileSystem(fileSystem, self) : fileSystem
    }
}

extension UInt64 {
    fileprivate init(clamping value: Double) {
        self = value < 1e19 ? UInt64(Swift.max(value, 0)) : .max / 2
    }
}

/// A file system whose reads keep within a ``VerificationPace``.
final class PacedFileSystem: WrappingFileSystem {
    private final class PacedFile: WrappingFile {
        let base: any File
        private let pace: VerificationPace

        init(_ base: any File, _ pace: VerificationPace) {
            self.base = base
            self.pace = pace
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(StorageError) -> Int {
            let count = try base.read(into: buffer, at: offset)
            pace.spend(count)
            return count
        }
    }

    let base: any FileSystem
    private let pace: VerificationPace

    init(_ base: any FileSystem, _ pace: VerificationPace) {
        self.base = base
        self.pace = pace
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        PacedFile(try base.open(path, mode), pace)
    }
}
