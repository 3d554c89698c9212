import FalconStorage
import Synchronization

/// Hears how long each phase of an open takes.
final class KVReplay: EngineEventListener {
    private let ends = Mutex<[RecoveryEvent]>([])
    /// Hears everything too.
    private let next: any EngineEventListener

    init(next: any EngineEventListener) { self.next = next }

    func engine(at path: String, did event: EngineEvent) {
        next.engine(at: path, did: event)
        if case .recovering(let event) = event, event.isEnd { ends.withLock { $0.append(event) } }
    }

    private func end(_ phase: RecoveryEvent.Phase) -> RecoveryEvent? {
        ends.withLock { $0.first { $0.phase == phase } }
    }
    var commits: UInt64 { end(.apply)?.records ?? 0 }

    /// `scan 0.105 s, apply 0.312 s, validate 0.000 s; 201.4 MB of log in 1 segments, 9 commits, 4 tables`
    var text: String {
        let phases = RecoveryEvent.Phase.allCases.map { phase in
            let seconds = Double(end(phase)?.elapsedMicros ?? 0) / 1e6
            return "\(phase.rawValue) " + BenchText.number(seconds, width: 0, decimals: 3) + " s"
        }
        let log = Double(end(.apply)?.totalBytes ?? 0) / 1_048_576
        return "  " + phases.joined(separator: ", ") + "; "
            + BenchText.number(log, width: 0, decimals: 1) + " MB of log in "
            + "\(end(.apply)?.files ?? 0) segments, \(commits) commits, "
            + "\(end(.validate)?.files ?? 0) tables\n"
    }
}
