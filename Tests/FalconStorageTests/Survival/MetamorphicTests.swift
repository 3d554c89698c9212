import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// One history under many options gives one transcript.
@Suite struct MetamorphicTests {
    static let configurations = SurvivalSettings.number("FALCON_METAMORPHIC_CONFIGS", 40)
    static let operations = SurvivalSettings.number("FALCON_METAMORPHIC_OPERATIONS", 2000)
    static let lanes = 2

    @Test(arguments: 0..<lanes)
    func answersDoNotDependOnOptions(_ lane: Int) throws {
        let seed = SurvivalSettings.seed
        let history = MetamorphicGenerator.history(seed: seed, count: Self.operations)
        let configurations = MetamorphicConfiguration.all(Self.configurations, seed: seed)
        var expected: [String] = []
        for index in [0] + stride(from: 1 + lane, to: configurations.count, by: Self.lanes) {
            let configuration = configurations[index]
            let outcome = Outcome()
            let reference = expected
            let hanging = try Bounded.run(seconds: 120) { _ in
                let transcript = Self.play(history, configuration, seed, reference, outcome)
                outcome.transcript.withLock { $0 = transcript }
            }
            let problem = hanging.isEmpty ? nil : "hangs"
            if let problem = problem ?? outcome.problem.withLock({ $0 }) {
                let step = outcome.step.withLock { $0 }
                Issue.record(
                    """
                    \(configuration), step \(step), \(history[step]): \(problem); \
                    \(SurvivalSettings.replay(seed))
                    """)
                return
            }
            if index == 0 { expected = outcome.transcript.withLock { $0 } }
            SurvivalSettings.progress("metamorphic: \(index): \(configuration)")
        }
    }

    private final class Outcome: Sendable {
        let step = Mutex(0)
        let problem = Mutex<String?>(nil)
        let transcript = Mutex<[String]>([])
    }

    /// The transcript, up to the first operation that is answered otherwise than `expected`.
    private static func play(
        _ history: [MetamorphicOperation], _ configuration: MetamorphicConfiguration,
        _ seed: UInt64, _ expected: [String], _ outcome: Outcome
    ) -> [String] {
        var transcript: [String] = []
        do {
            let run = try MetamorphicRun(configuration.options, seed: seed)
            for (step, operation) in history.enumerated() {
                outcome.step.withLock { $0 = step }
                let line = try run.perform(operation)
                transcript.append(line)
                if !expected.isEmpty, line != expected[step] {
                    throw Mismatch("\(line) instead of \(expected[step])")
                }
            }
        } catch {
            outcome.problem.withLock { $0 = "\(error)" }
        }
        return transcript
    }
}
