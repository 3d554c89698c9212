import Glibc
import Testing

@testable import FalconStorage

@Suite struct CrashCloneTests {
    private func make() throws -> MemoryFileSystem {
        let memory = MemoryFileSystem()
        let file = try memory.open("a", .create)
        try file.write([UInt8](repeating: 1, count: 2048), at: 0)
        try file.syncData()
        try memory.syncDirectory("")
        return memory
    }

    @Test func unsyncedBytesAndNamesAreDroppedOrKept() throws {
        let memory = try make()
        let file = try memory.open("a", .readWrite)
        try file.write([UInt8](repeating: 2, count: 1024), at: 1500)
        try memory.open("new", .create).syncData()
        let dropped = memory.crashClone(.dropUnsynced)
        #expect(try dropped.contents(of: "a") == [UInt8](repeating: 1, count: 2048))
        #expect(try !dropped.exists("new"), "its data was synced, its name was not")
        let kept = memory.crashClone(.keepUnsynced)
        #expect(try kept.fileSize("a") == 2524)
        #expect(try kept.exists("new"))
        // The living one is untouched.
        #expect(try memory.fileSize("a") == 2524)
    }

    @Test func truncationsAndOverwritesUndoInOrder() throws {
        let memory = try make()
        let file = try memory.open("a", .readWrite)
        try file.truncate(to: 100)
        try file.write([5, 5, 5], at: 200)
        try file.truncate(to: 5000)
        try file.write([6], at: 0)
        let dropped = memory.crashClone(.dropUnsynced)
        #expect(try dropped.contents(of: "a") == [UInt8](repeating: 1, count: 2048))
        try file.syncData()
        #expect(try memory.crashClone(.dropUnsynced).fileSize("a") == 5000)
    }

    @Test func aTornWriteSurvivesBySectors() throws {
        let memory = try make()
        let file = try memory.open("a", .readWrite)
        try file.write([UInt8](repeating: 2, count: 2000), at: 10)
        var mixtures: Set<[UInt8]> = []
        for seed in 0..<64 as Range<UInt64> {
            let bytes = try memory.crashClone(.tear(sectorBytes: 512), seed: seed)
                .contents(of: "a")
            #expect(bytes.count == 2048)
            for sector in 0..<4 {
                let body = bytes[max(10, sector * 512)..<min(2010, sector * 512 + 512)]
                #expect(Set(body).count == 1, "a sector is whole: seed \(seed)")
            }
            mixtures.insert(bytes)
            let again = try memory.crashClone(.tear(sectorBytes: 512), seed: seed)
                .contents(of: "a")
            #expect(again == bytes, "one seed, one outcome")
        }
        #expect(mixtures.count == 16, "all mixtures of four sectors come up")
    }

    @Test func aRenameIsAllOrNothing() throws {
        let memory = try make()
        let fresh = try memory.open("a.tmp", .create)
        try fresh.write([9], at: 0)
        try fresh.syncData()
        try memory.rename("a.tmp", to: "a")
        var outcomes: Set<Int> = []
        for seed in 0..<64 as Range<UInt64> {
            let clone = memory.crashClone(.reorder, seed: seed)
            let bytes = try clone.contents(of: "a")
            outcomes.insert(bytes.count)
            #expect(bytes == [9] || bytes == [UInt8](repeating: 1, count: 2048))
            if bytes == [9] { #expect(try !clone.exists("a.tmp")) }
        }
        #expect(outcomes == [1, 2048])
    }

    @Test func hardLinksStayLinks() throws {
        let memory = try make()
        try memory.link("a", to: "b")
        try memory.syncDirectory("")
        let clone = memory.crashClone(.dropUnsynced)
        #expect(try clone.linkCount("b") == 2)
        try clone.open("a", .readWrite).write([7], at: 0)
        #expect(try clone.contents(of: "b").first == 7)
    }

    @Test func theFaultInjectorFailsExactlyTheCallItWasTold() throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        let file = try faults.open("a", .create)
        faults.setRule(
            FaultRule(.operation(.write), pathContains: "a", index: 1, errno: EIO, partialBytes: 2))
        try file.write([1, 1, 1, 1], at: 0)
        let error = #expect(throws: StorageError.self) { try file.write([2, 2, 2, 2], at: 0) }
        #expect(error?.errno == EIO && error?.location?.path == "a")
        #expect(try faults.contents(of: "a") == [2, 2, 1, 1])
        try file.write([3], at: 0)
        #expect(faults.matchedCount == 3 && faults.injectedCount == 1)
        faults.setRule(FaultRule(.reading, index: 0, count: 2, errno: EIO))
        #expect(throws: StorageError.self) { _ = try file.readExactly(1, at: 0) }
        #expect(throws: StorageError.self) { _ = try file.readExactly(1, at: 0) }
        #expect(try file.readExactly(1, at: 0) == [3])
    }

    @Test func theTracerRecordsTheOrderOfCalls() throws {
        let tracing = TracingFileSystem(MemoryFileSystem())
        let file = try tracing.open("a.tmp", .create)
        try file.write([1, 2], at: 4)
        try file.syncData()
        try tracing.rename("a.tmp", to: "a")
        try tracing.syncDirectory("")
        _ = try tracing.exists("a")
        #expect(
            tracing.events.map(\.description) == [
                "create a.tmp", "write a.tmp 4+2", "sync a.tmp", "rename a.tmp -> a",
                "syncDirectory ",
            ])
    }

    @Test func fileNamesAreMadeAndParsedInOnePlace() {
        let names = FileNames(root: "r")
        #expect(names.walSegment(WALSegmentNumber(255)) == "r/wal/00000000000000ff.wal")
        #expect(names.table(FileNumber(16)) == "r/sst/0000000000000010.sst")
        #expect(names.spilledRun(2) == "r/spill/0000000000000002.run")
        #expect(names.spilledOperations(3) == "r/spill/0000000000000003.ops")
        #expect(names.manifest(3) == "r/MANIFEST-0000000000000003")
        for kind in [
            FileKind.walSegment(WALSegmentNumber(9)), .table(FileNumber(.max)), .manifest(1),
            .blob(FileNumber(7)), .spilledRun(0xFEED), .spilledOperations(1),
            .walSpare(4), .current, .lock, .format, .keys, .temporary,
        ] {
            let name =
                switch kind {
                case .walSegment(let number): FileNames.walSegmentName(number)
                case .walSpare(let number): FileNames.walSpareName(number)
                case .table(let number): FileNames.tableName(number)
                case .blob(let number): FileNames.blobName(number)
                case .spilledRun(let number): FileNames.spilledRunName(number)
                case .spilledOperations(let number): FileNames.spilledOperationsName(number)
                case .manifest(let number): FileNames.manifestName(number)
                case .current: "CURRENT"
                case .lock: "LOCK"
                case .format: "FORMAT"
                case .keys: "KEYS"
                case .temporary: FileNames.temporary("CURRENT")
                case .unknown: ""
                }
            #expect(FileNames.parse(name) == kind)
        }
        for odd in ["", ".wal", "1.wal", "00000000000000FF.wal", "MANIFEST-", "x.sst", "a"] {
            #expect(FileNames.parse(odd) == .unknown)
        }
    }
}
