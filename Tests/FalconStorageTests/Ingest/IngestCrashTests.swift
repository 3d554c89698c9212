import Synchronization
import Testing

@testable import FalconStorage

/// An ingestion that a power cut ends has happened whole or not at all.
@Suite struct IngestCrashTests {
    private struct Cut {
        var call: String
        var isAcknowledged: Bool
        var fileSystem: MemoryFileSystem
    }

    private static let policies: [CrashPolicy] = [.dropUnsynced, .keepUnsynced, .loseEntries]
    private static let old = ["a=old", "z=old"]
    private static let new = ["a=1", "b=1", "y=2", "z=2"]

    /// From the first call that changes the disk until MANIFEST has the files and the flush that brought them there
    /// is over.
    @Test(arguments: policies, [IngestOptions.Transfer.link, .copy, .move])
    func everyCallMayBeTheLast(
        _ policy: CrashPolicy, _ transfer: IngestOptions.Transfer
    ) throws {
        let memory = MemoryFileSystem()
        let cuts = Mutex<[Cut]>([])
        let isArmed = Atomic<Bool>(false)
        let isAcknowledged = Atomic<Bool>(false)
        let observed = ObservedFileSystem(memory) { operation, path in
            guard isArmed.load(ordering: .acquiring) else { return }
            // Before the clone: what was promised by then must be in it.
            let acknowledged = isAcknowledged.load(ordering: .acquiring)
            cuts.withLock {
                let clone = memory.crashClone(policy, seed: UInt64($0.count))
                $0.append(
                    Cut(
                        call: "\(operation.rawValue) \(path)", isAcknowledged: acknowledged,
                        fileSystem: clone))
            }
        }
        func open(_ files: any FileSystem) throws -> StorageEngine {
            try StorageEngine.open(
                at: "/db", options: .small,
                environment: StorageEnvironment(
                    fileSystem: files, clock: ManualClock(), random: SystemRandom()))
        }
        let engine = try open(observed)
        let batch = WriteBatch()
        try batch.put("a", "old")
        try batch.put("z", "old")
        try engine.commitAndWait(batch)
        let environment = StorageEnvironment(fileSystem: memory)
        try SortedFixture.write([.put("a", "1"), .put("b", "1")], to: "/1.sst", environment)
        try SortedFixture.write([.put("y", "2"), .put("z", "2")], to: "/2.sst", environment)
        isArmed.store(true, ordering: .releasing)
        try engine.ingest(["/1.sst", "/2.sst"], IngestOptions(transfer: transfer))
        isAcknowledged.store(true, ordering: .releasing)
        try engine.flush()
        // Changes nothing, and is acknowledged after the ingestion in any case.
        let again = WriteBatch()
        try again.put("a", "1")
        try engine.commitAndWait(again)
        isArmed.store(false, ordering: .releasing)
        try engine.close()
        let made = cuts.withLock { $0 }
        #expect(made.contains { !$0.isAcknowledged } && made.contains { $0.isAcknowledged })
        for cut in made {
            // Once more after a life that may have been cut short itself.
            for life in 0..<2 {
                let survivor = try open(cut.fileSystem)
                let rows = try survivor.rows()
                #expect(
                    rows == Self.new || !cut.isAcknowledged && rows == Self.old,
                    "before \(cut.call), life \(life): \(rows)")
                try survivor.awaitIdle()
                let named = survivor.tree.state.version.dataFiles.map {
                    FileNames.tableName($0.number)
                }
                let found = try cut.fileSystem.list("/db/sst").filter { $0.hasSuffix(".sst") }
                #expect(Set(found) == Set(named), "before \(cut.call), life \(life)")
                try survivor.close()
            }
        }
    }
}
