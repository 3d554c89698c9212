import Synchronization

/// What checks that run side by side share: how far they are, how fast they may read, and whether they
/// should end.
public final class VerificationPace: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let done = Atomic<UInt64>(0)
    private let pace: BytePace

    /// - Parameters:
    ///   - bytesPerSecond: what all may read together; 0: no limit.
    ///   - sleep: waits so many milliseconds.
    public init(
        bytesPerSecond: UInt64 = 0, clock: any StorageClock,
        sleep: @escaping @Sendable (UInt32) -> Void
    ) {
        pace = BytePace(bytesPerSecond: bytesPerSecond, clock: clock, sleep: sleep)
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
        pace.spend(UInt64(clamping: bytes)) { !isStopped }
    }

    /// The same files, whose reads are paid for here.
    public func limiting(_ fileSystem: any FileSystem) -> any FileSystem {
        pace.bytesPerSecond > 0 ? PacedFileSystem(fileSystem, self) : fileSystem
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
