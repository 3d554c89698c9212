import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// Damaged bytes are noticed or make no difference: never a wrong answer, a trap or a hang.
@Suite struct BitFlipTests {
    /// 0: every bit of one log segment, one table and the manifest.
    static let flips = SurvivalSettings.number("FALCON_FLIPS", 20_000)

    @Test(arguments: DamageExemplar.Ending.allCases, [false, true])
    func damageIsToldOrHarmless(_ ending: DamageExemplar.Ending, isEncrypted: Bool) throws {
        let seed = SurvivalSettings.seed &+ (ending == .closed ? 0 : 1)
        let exemplar = try DamageExemplar(ending, seed: seed, isEncrypted: isEncrypted)
        let tally = DamageTally()
        if Self.flips == 0 {
            for (path, bytes) in Self.largest(exemplar) {
                for first in stride(from: 0, to: bytes * 8, by: DamageTally.batch) {
                    try tally.take(
                        exemplar,
                        (first..<min(first + DamageTally.batch, bytes * 8)).map { bit in
                            (.flip(path: path, bit: bit), bit % 64 == 0)
                        })
                }
            }
        } else {
            var random = SplitMix64(seed: seed)
            while tally.count < Self.flips / 2, tally.problem == nil {
                var trials: [DamageTally.Trial] = []
                while trials.count < DamageTally.batch {
                    guard let damage = Damage.random(exemplar, &random) else { continue }
                    trials.append((damage, random.next() % 16 == 0))
                }
                try tally.take(exemplar, trials)
            }
        }
        #expect(
            tally.problem == nil, "\(tally.problem ?? ""); \(SurvivalSettings.replay(seed))")
        #expect(tally.detected > 0 && tally.harmless > 0)
        SurvivalSettings.progress(
            "flips: \(ending): \(tally.detected) detected, \(tally.harmless) harmless")
    }

    /// The largest file of each kind.
    private static func largest(_ exemplar: DamageExemplar) -> [(path: String, bytes: Int)] {
        ["/wal/", ".sst", ".blob", "MANIFEST", "CURRENT", "FORMAT", "KEYS"].compactMap { part in
            exemplar.files(part).max { $0.bytes < $1.bytes }
        }
    }
}

/// Runs trials, and counts.
final class DamageTally {
    typealias Trial = (damage: Damage, writes: Bool)
    static let batch = 500

    private struct Count {
        var all = 0
        var detected = 0
        var harmless = 0
        var current: Damage?
        var problem: String?
    }
    private final class Counter: Sendable {
        let count = Mutex(Count())
    }
    private let counter = Counter()

    var count: Int { counter.count.withLock { $0.all } }
    var detected: Int { counter.count.withLock { $0.detected } }
    var harmless: Int { counter.count.withLock { $0.harmless } }
    var problem: String? { counter.count.withLock { $0.problem } }

    /// Runs `trials` until the first problem; one that hangs is a problem.
    func take(_ exemplar: DamageExemplar, _ trials: [Trial]) throws {
        guard problem == nil else { return }
        let counter = counter
        let hanging = try Bounded.run { _ in
            for (damage, writes) in trials {
                counter.count.withLock {
                    $0.all += 1
                    $0.current = damage
                }
                do {
                    let outcome = try DamageTrial(
                        exemplar: exemplar, damage: damage, writes: writes
                    ).run()
                    counter.count.withLock {
                        if outcome == .detected { $0.detected += 1 } else { $0.harmless += 1 }
                    }
                } catch {
                    counter.count.withLock {
                        $0.problem = "\(exemplar.ending): \(damage): \(error)"
                    }
                    return
                }
            }
        }
        if !hanging.isEmpty {
            counter.count.withLock {
                $0.problem = "\(exemplar.ending): hangs: \($0.current?.description ?? "")"
            }
        }
        if count % 20_000 < Self.batch {
            SurvivalSettings.progress("flips: \(exemplar.ending): \(count) done")
        }
    }
}
