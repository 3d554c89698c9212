import Synchronization

@testable import FalconStorage

/// Holds the engine's flush thread where a flush begins.
final class FlushGate: EngineEventListener {
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private let isShut = Mutex(true)

    init() { changed = MonitorCondition(monitor) }

    func engine(at path: String, did event: EngineEvent) {
        guard case .flushBegan = event else { return }
        monitor.lock()
        while isShut.withLock({ $0 }) { changed.wait() }
        monitor.unlock()
    }

    func open() {
        isShut.withLock { $0 = false }
        monitor.lock()
        changed.broadcast()
        monitor.unlock()
    }
}
