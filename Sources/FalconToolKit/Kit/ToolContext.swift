import FalconStorage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a tool gets from its process instead of reaching for it: streams, file system, clocks, and
/// whether someone wants it to stop. Tests make one over memory.
public final class ToolContext {
    public private(set) var standardOutput: ToolStream
    public let standardError: ToolStream
    public private(set) var environment: StorageEnvironment
    /// See ``masterKey(_:)``.
    var sharedKey: SharedMasterKey?
    /// How falconctl comes to a server; other tools have no way to one.
    var connector: (any ControlConnector)?
    private let interruption: @Sendable () -> Bool
    /// Waits so many milliseconds.
    let sleep: @Sendable (UInt32) -> Void
    /// Ends the process at once, from any thread: for threads that nothing else can end.
    let abandon: @Sendable (ToolExit) -> Void

    public var fileSystem: any FileSystem { environment.fileSystem }

    public init(
        standardOutput: ToolStream, standardError: ToolStream,
        environment: StorageEnvironment = StorageEnvironment(),
        interruption: @escaping @Sendable () -> Bool = { false },
        sleep: @escaping @Sendable (UInt32) -> Void = { usleep($0 &* 1000) },
        abandon: @escaping @Sendable (ToolExit) -> Void = { _exit($0.rawValue) }
    ) {
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.environment = environment
        self.interruption = interruption
        self.sleep = sleep
        self.abandon = abandon
    }

    /// Reads through another environment from now on.
    func use(_ environment: StorageEnvironment) { self.environment = environment }

    /// Sends what standard output would get to a new file at `path` from now on; nothing may have been
    /// written. The tool's end makes it durable.
    func divertOutput(to path: String) throws(StorageError) {
        standardOutput = FileStream(try fileSystem.open(path, .create))
    }

    /// Processors that threads of this process may run on.
    static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Waits before looking again at something that another process changes.
    public func pause(milliseconds: UInt32) { sleep(milliseconds) }

    /// SIGINT or SIGTERM arrived: end soon, with what there is.
    public var isInterrupted: Bool { interruption() }

    /// Nobody reads standard output any more: end soon, quietly.
    public var isOutputClosed: Bool { standardOutput.isClosed }

    /// A report goes to a file: that nobody reads standard output is no reason to end.
    var goesOnUnread = false

    /// True when a long loop should end.
    public var shouldStop: Bool { isInterrupted || (isOutputClosed && !goesOnUnread) }

    /// A line of diagnostics on standard error, or several; the last one may have its end already.
    public func diagnose(_ line: String) {
        standardError.write(line.hasSuffix("\n") ? line : line + "\n")
        standardError.flush()
    }

    /// The process's own streams and signals.
    static func process() -> ToolContext {
        _ = ToolSignals.interrupted.load(ordering: .relaxed)
        signal(SIGPIPE, SIG_IGN)
        signal(SIGINT) { _ in ToolSignals.interrupted.store(true, ordering: .relaxed) }
        signal(SIGTERM) { _ in ToolSignals.interrupted.store(true, ordering: .relaxed) }
        return ToolContext(
            standardOutput: DescriptorStream(STDOUT_FILENO),
            standardError: DescriptorStream(STDERR_FILENO, bufferBytes: 0),
            interruption: { ToolSignals.interrupted.load(ordering: .relaxed) })
    }
}

private enum ToolSignals {
    static let interrupted = Atomic<Bool>(false)
}
