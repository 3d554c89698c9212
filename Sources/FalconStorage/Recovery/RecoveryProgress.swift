/// Tells the listener how an open comes on: at each phase's begin and end, and about ten times a second
/// between. For one thread.
final class RecoveryProgress {
    private let path: String
    private let listener: (any EngineEventListener)?
    private let clock: any StorageClock
    private var event = RecoveryEvent(phase: .scan)
    private var began: UInt64 = 0
    private var lastTold: UInt64 = 0
    private static let intervalNanos: UInt64 = 100_000_000

    init(path: String, listener: (any EngineEventListener)?, clock: any StorageClock) {
        self.path = path
        self.listener = listener
        self.clock = clock
    }

    func begin(_ phase: RecoveryEvent.Phase, totalBytes: UInt64, files: Int) {
        event = RecoveryEvent(phase: phase)
        event.totalBytes = totalBytes
        event.files = files
        began = clock.monotonicNanos()
        lastTold = began
        tell()
    }

    /// Cheap when nobody listens or it is too early to say something again.
    func advance(doneBytes: UInt64, records: UInt64) {
        guard listener != nil else { return }
        let now = clock.monotonicNanos()
        guard now &- lastTold >= Self.intervalNanos else { return }
        lastTold = now
        event.doneBytes = min(doneBytes, event.totalBytes)
        event.records = records
        event.elapsedMicros = (now &- began) / 1000
        tell()
    }

    func end(records: UInt64) {
        event.doneBytes = event.totalBytes
        event.records = records
        event.elapsedMicros = (clock.monotonicNanos() &- began) / 1000
        event.isEnd = true
        tell()
    }

    private func tell() { listener?.engine(at: path, did: .recovering(event)) }
}
