import Glibc
import Testing

@testable import FalconStorage

@Suite struct WatermarkSyncTests {
    /// After a failed sync the kernel may have dropped what was written since the one before, whatever
    /// the error says: a later sync that succeeds must not vouch for it.
    @Test(arguments: [ENOSPC, EIO])
    func aWatermarksFailedSyncPoisonsTheLog(errno: Int32) throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem(), rule: FaultKind.diskFull.counting)
        let engine = try StorageEngine.open(
            at: "/db", options: .small,
            environment: StorageEnvironment(
                fileSystem: faults, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        // The first sync is the commit's, the second that of the watermark which follows it.
        faults.setRule(
            FaultRule(.operation(.sync), pathContains: ".wal", index: 1, errno: errno))
        try engine.write(CommitOptions(durability: .synced)) { batch throws(StorageError) in
            try batch.put("a", "1")
        }
        let hanging = try Bounded.run(seconds: 10) { _ in
            while engine.statistics().poisonCause == nil { sched_yield() }
        }
        #expect(hanging.isEmpty)
        #expect(engine.statistics().poisonCause?.code == .io)
    }
}
