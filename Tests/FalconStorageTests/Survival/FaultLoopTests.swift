import Synchronization
import Testing

@testable import FalconStorage

/// Fails the n-th call, for every n, in every way a call can fail.
@Suite struct FaultLoopTests {
    static let points = SurvivalSettings.number("FALCON_FAULT_POINTS", 2200)

    @Test(arguments: FaultKind.allCases)
    func aFailingCallIsToldAndLosesNothing(_ kind: FaultKind) throws {
        var seed = SurvivalSettings.seed
        var left = Self.points / FaultKind.allCases.count + 1
        while left > 0 {
            let calls = try Self.count(kind, seed)
            // Evenly over the run when there are more calls than points.
            let stride = max(1, calls / left)
            var index = Int(seed % UInt64(stride))
            while index < calls, left > 0 {
                if let problem = try Self.point(kind, index, seed) {
                    Issue.record("\(problem); \(SurvivalSettings.replay(seed))")
                    return
                }
                left -= 1
                index += stride
            }
            SurvivalSettings.progress("faults: \(kind) seed \(seed), \(left) points to go")
            seed &+= 1
        }
    }

    /// Calls that `kind` could strike in the run of `seed`.
    private static func count(_ kind: FaultKind, _ seed: UInt64) throws -> Int {
        let run = FaultRun(kind, index: nil, seed: seed)
        try run.play()
        return max(1, run.matchedCalls)
    }

    private static func point(_ kind: FaultKind, _ index: Int, _ seed: UInt64) throws -> String? {
        let problem = Problem()
        let ended = try Bounded.run {
            do {
                try FaultRun(kind, index: index, seed: seed).play()
            } catch {
                problem.text.withLock { $0 = "\(kind) at call \(index): \(error)" }
            }
        }
        return ended ? problem.text.withLock { $0 } : "\(kind) at call \(index): hangs"
    }

    private final class Problem: Sendable {
        let text = Mutex<String?>(nil)
    }
}
