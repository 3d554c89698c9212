import FalconTestKit
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
            let indices = Array(
                Swift.stride(from: Int(seed % UInt64(stride)), to: calls, by: stride).prefix(left))
            if let problem = try Self.points(kind, indices, seed) {
                Issue.record("\(problem); \(SurvivalSettings.replay(seed))")
                return
            }
            left -= indices.count
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

    /// The first problem at one of `indices`. Most of a point's time is spent waiting: several run at
    /// once.
    private static func points(
        _ kind: FaultKind, _ indices: [Int], _ seed: UInt64
    ) throws -> String? {
        let atOnce = 6
        for start in stride(from: 0, to: indices.count, by: atOnce) {
            let group = Array(indices[start..<min(start + atOnce, indices.count)])
            let problem = Problem()
            let hanging = try Bounded.run(group.count) { position in
                do {
                    try FaultRun(kind, index: group[position], seed: seed).play()
                } catch {
                    problem.text.withLock { $0 = "\(kind) at call \(group[position]): \(error)" }
                }
            }
            if let first = hanging.first { return "\(kind) at call \(group[first]): hangs" }
            if let text = problem.text.withLock({ $0 }) { return text }
        }
        return nil
    }

    private final class Problem: Sendable {
        let text = Mutex<String?>(nil)
    }
}
