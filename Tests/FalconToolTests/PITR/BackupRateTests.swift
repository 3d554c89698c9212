import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// Base backups that keep within a rate, by a clock that the sleeper moves on.
struct BackupRateTests {
    private static let rate: UInt64 = 64 << 10

    /// Tables stay as they are written.
    private func history(
        _ change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: 71) {
            $0.compactOnlyWhenAsked()
            change(&$0)
        }
        try fill(history, 0..<250)
        return history
    }

    /// 4000 bytes for each number that no codec makes smaller.
    private func fill(_ history: EngineHistory, _ numbers: Range<Int>) throws {
        var random = SplitMix64(seed: UInt64(numbers.upperBound))
        for number in numbers {
            let batch = WriteBatch()
            let letters = (0..<4000).map { _ in
                Unicode.Scalar(UInt8.random(in: 33...126, using: &random))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: letters)
            try history.put("k\(number)", text, into: batch)
            history.clock.advance(micros: 1000)
            _ = try history.engine.commitAndWait(batch)
        }
        try history.engine.flush()
    }

    /// Sleeps by moving the clock; counts.
    private final class Sleeper: Sendable {
        let count = Atomic<Int>(0)
        private let clock: ManualClock
        init(_ clock: ManualClock) { self.clock = clock }
        func sleep(_ millis: UInt32) {
            count.wrappingAdd(1, ordering: .relaxed)
            clock.advance(micros: UInt64(millis) * 1000)
        }
        var sleeps: Int { count.load(ordering: .relaxed) }
    }

    private func bytes(_ backup: BackupManifest) -> UInt64 {
        backup.files.reduce(0) { $0 + ($1.isReused ? 0 : $1.byteCount) }
    }

    @Test func itTakesAsLongAsTheRateSays() throws {
        let history = try history()
        let sleeper = Sleeper(history.clock)
        let before = history.clock.monotonicNanos()
        var last: UInt64 = 0
        let backup = try history.engine.backup(
            label: "slow", maxBytesPerSecond: Self.rate, sleep: { sleeper.sleep($0) }
        ) { (done, total) throws(StorageError) in
            #expect(done >= last && done <= total)
            last = done
            let shown = history.engine.archiveStatus()?.backup
            #expect(shown?.label == "slow" && shown?.maxBytesPerSecond == Self.rate)
            #expect((shown?.copiedBytes ?? 0) <= (shown?.totalBytes ?? 0))
        }
        let copied = bytes(backup)
        #expect(copied > 900_000)
        let seconds = Double(history.clock.monotonicNanos() - before) / 1e9
        let wanted = Double(copied) / Double(Self.rate)
        // A tenth of a second's bytes are given in advance.
        #expect((wanted - 0.11...wanted + 0.06).contains(seconds), "\(seconds) for \(wanted)")
        #expect(history.engine.archiveStatus()?.backup == nil)
        // What the repository has already costs nothing.
        let sleeps = sleeper.sleeps
        let again = try history.engine.backup(
            label: "again", maxBytesPerSecond: Self.rate, sleep: { sleeper.sleep($0) },
            progress: { _, _ throws(StorageError) in })
        #expect(bytes(again) == 0 && sleeper.sleeps == sleeps)
        try history.close()
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
    }

    @Test func theConfigurationsRateCountsUnlessAnotherIsGiven() throws {
        let history = try history { $0.archive?.backupBytesPerSecond = Self.rate }
        let sleeper = Sleeper(history.clock)
        let free = try history.engine.backup(
            label: "free", maxBytesPerSecond: 0, sleep: { sleeper.sleep($0) },
            progress: { _, _ throws(StorageError) in })
        #expect(bytes(free) > 900_000 && sleeper.sleeps == 0)
        try fill(history, 300..<350)
        let held = try history.engine.backup(
            label: "held", maxBytesPerSecond: nil, sleep: { sleeper.sleep($0) },
            progress: { _, _ throws(StorageError) in })
        #expect(bytes(held) > 100_000 && sleeper.sleeps > 0)
        try history.close()
    }

    /// It is asked also while it waits, and leaves nothing behind.
    @Test func oneThatIsCancelledEndsAtOnce() throws {
        let history = try history()
        let clock = history.clock
        let sleeper = Sleeper(clock)
        let end = clock.monotonicNanos() + 3_000_000_000
        let error = #expect(throws: StorageError.self) {
            try history.engine.backup(
                label: "cancelled", maxBytesPerSecond: 32 << 10, sleep: { sleeper.sleep($0) }
            ) { _, _ throws(StorageError) in
                if clock.monotonicNanos() >= end {
                    throw StorageError(.cancelled, kind: .retryable, "Enough.")
                }
            }
        }
        #expect(error?.code == .cancelled)
        let beyond = clock.monotonicNanos() - end
        #expect(beyond <= (BytePace.sleepMillis + 1) * 1_000_000, "\(beyond) ns")
        #expect(history.engine.archiveStatus()?.backup == nil)
        #expect(try history.inventory.backups.isEmpty)
        #expect(try history.fileSystem.list("/repo/backups").isEmpty)
        #expect(try !history.fileSystem.list("/repo/files").contains { $0.hasSuffix(".tmp") })
        // The next one is not in its way.
        try history.engine.backup(label: "next")
        #expect(try history.inventory.backups.map(\.label) == ["next"])
        try history.close()
    }

    @Test(
        arguments: [
            ("32k", 32 << 10), ("32", 32 << 10), ("5M", 5 << 20), ("1024M", 1 << 30),
            ("1048576", 1 << 30), ("0", 0), ("0M", 0), ("31k", nil), ("1025M", nil), ("", nil),
            ("M", nil), ("5m", nil), ("5 M", nil), ("-5M", nil), ("1.5M", nil), ("5MB", nil),
            ("18446744073709551615M", nil), ("99999999999999999999", nil),
        ] as [(String, UInt64?)])
    func ratesAreWrittenAsForPgBasebackup(_ text: String, _ rate: UInt64?) {
        #expect((try? BackupRate.parse(text)) == rate)
    }
}
