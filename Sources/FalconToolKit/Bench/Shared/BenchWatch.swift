import FalconStorage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Says on standard error what holds a run up, and gives the run up when a full disk does for longer than the
/// engine lets a commit wait: one that is in the log's buffer cannot be refused and would wait on for ever.
final class BenchWatch: EngineEventListener {
    /// Beyond the engine's own wait, so that an error of the engine's comes first where there is one.
    static let graceMicros: UInt64 = 5_000_000
    /// The engine tries to write again and again: the disk has room once it has not been full for so long.
    static let roomMicros: UInt64 = 5_000_000
    private static let lookMicros: UInt32 = 100_000

    private struct State {
        var isDiskFull = false
        var isLooking = false
        /// Since when it has not been full.
        var roomSince: UInt64?
        /// Reads go on beside a full disk.
        var expectsWrites = false
        var engine: StorageEngine?
        /// The newest commit, and since when no other has come.
        var newest: UInt64?
        var since: UInt64 = 0
    }
    private let state = Mutex(State())
    private let path: String
    private let limitNanos: UInt64
    private let clock: any StorageClock
    private let standardError: BenchErrorStream
    private let abandon: @Sendable (ToolExit) -> Void
    private let detach: @Sendable (@escaping @Sendable () -> Void) -> Bool

    /// - Parameter detach: runs what looks at the wait until it is over on another thread.
    init(
        path: String, waitMicros: UInt64, _ clock: any StorageClock,
        _ standardError: BenchErrorStream, abandon: @escaping @Sendable (ToolExit) -> Void,
        detach: @escaping @Sendable (@escaping @Sendable () -> Void) -> Bool = {
            ParallelThreads.detach($0)
        }
    ) {
        self.path = path
        limitNanos = min(waitMicros, .max / 2000) &* 1000 &+ Self.graceMicros &* 1000
        self.clock = clock
        self.standardError = standardError
        self.abandon = abandon
        self.detach = detach
    }

    /// The engine whose commits count; nil once it is closed.
    func use(_ engine: StorageEngine?) {
        state.withLock { state in
            state.engine = engine
            if engine == nil { state.isDiskFull = false }
        }
    }

    func expectWrites(_ expects: Bool) { state.withLock { $0.expectsWrites = expects } }

    func engine(at path: String, did event: EngineEvent) {
        switch event {
        case .delayChanged(let reason): diskIsFull(reason == .diskFull)
        case .stalled(let operation):
            say(
                "\(operation.operation) of \(operation.path) has taken \(seconds(operation)) s so far"
            )
        case .stallEnded(let operation):
            say("\(operation.operation) of \(operation.path) took \(seconds(operation)) s")
        case .poisoned(let error): say("the database takes no more writes: \(error)")
        default: break
        }
    }

    private func diskIsFull(_ isFull: Bool) {
        let begins = state.withLock { state in
            state.isDiskFull = isFull
            guard isFull, !state.isLooking else { return false }
            (state.isLooking, state.newest, state.roomSince) = (true, nil, nil)
            return true
        }
        guard begins else { return }
        say("the disk is full: writes are held back")
        _ = detach { self.look() }
    }

    private func look() {
        while let isOver = isHeldTooLong() {
            if isOver {
                standardError.write(Finding(error).text)
                return abandon(.io)
            }
            usleep(Self.lookMicros)
        }
    }

    /// Nil once the disk has room. Every commit begins the wait anew.
    func isHeldTooLong() -> Bool? {
        let now = clock.monotonicNanos()
        let answer: Bool? = state.withLock { state in
            if state.isDiskFull {
                state.roomSince = nil
            } else {
                let since = state.roomSince ?? now
                state.roomSince = since
                if now &- since >= Self.roomMicros * 1000 {
                    state.isLooking = false
                    return nil
                }
            }
            let newest = state.engine?.publishedTimestamp.rawValue ?? 0
            if newest != state.newest || !state.expectsWrites {
                (state.newest, state.since) = (newest, now)
            }
            return now &- state.since > limitNanos
        }
        if answer == nil { say("the disk has room again") }
        return answer
    }

    private var error: StorageError {
        StorageError(
            .diskFull, kind: .retryable,
            "The disk is full: writes have been held back for \(limitNanos / 1_000_000_000) seconds.",
            location: .init(path: path), hint: "Free space, or measure with less data.")
    }

    private func seconds(_ operation: StalledOperation) -> UInt64 { operation.micros / 1_000_000 }

    private func say(_ text: String) { standardError.write("\(path): \(text).\n") }
}
