import Synchronization
import Testing

@testable import FalconStorage

/// Damaged tables go out of service; everything else goes on.
@Suite struct QuarantineTests {
    private final class Recorder: EngineEventListener {
        let entries = Mutex<[CorruptionReport.Entry]>([])
        let healed = Atomic<Int>(0)
        func engine(at path: String, did event: EngineEvent) {
            switch event {
            case .quarantined(let entry): entries.withLock { $0.append(entry) }
            case .damageNotRepeated: healed.wrappingAdd(1, ordering: .relaxed)
            default: break
            }
        }
        var count: Int { entries.withLock { $0.count } }
    }
    private let recorder = Recorder()

    /// Rows 0-99 in the last level, 0-49 once more in level 0, and 60 deleted there by a table of its own.
    private func engine(
        change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> (ClassEngine, newest: String) {
        let recorder = recorder
        let fixture = try ClassEngine {
            $0.blockCacheBytes = 0
            $0.blockBytes = 512
            $0.eventListener = recorder
            change(&$0)
        }
        try fixture.fill(0..<100, "old", bytes: 60)
        try fixture.engine.compact()
        let before = try Set(fixture.files("sst", ".sst"))
        try fixture.fill(0..<50, "new", bytes: 60)
        try fixture.engine.flush()
        let newest = try #require(try Set(fixture.files("sst", ".sst")).subtracting(before).first)
        return (fixture, newest)
    }

    private func flip(_ memory: MemoryFileSystem, _ path: String, _ offset: UInt64) throws {
        let file = try memory.open(path, .readWrite)
        let byte = try file.readExactly(1, at: offset)
        try file.write([byte[0] ^ 8], at: offset)
    }

    private func settle(_ engine: StorageEngine) throws {
        try engine.writable().background.keeper.awaitIdle()
    }

    private func key(_ row: Int) -> String { "k\(100 + row)" }

    /// Rows of the damaged table fail, whatever its blocks hold; nothing older shows through.
    private func expectQuarantine(_ fixture: ClassEngine, _ path: String) throws {
        let engine = fixture.engine
        for row in [0, 13, 25, 49] {
            let error = try failure { _ = try engine.value(key(row)) }
            #expect(error?.code == .corruption && error?.location?.path == path, "row \(row)")
            #expect(error?.message.contains("out of service") == true)
        }
        for row in [50, 75, 99] { #expect(try engine.value(key(row))?.hasPrefix("old") == true) }
        let error = try failure { _ = try engine.rows() }
        #expect(error?.code == .corruption && error?.location?.path == path)
        let rest = KeyRange(lower: Array(key(50).utf8))
        #expect(try engine.rows(rest).count == 50)
        #expect(try engine.rows(rest, backward: true).count == 50)
        let many = try failure {
            _ = try engine.multiGet([key(70), key(20)].map { Array($0.utf8) })
        }
        #expect(many?.code == .corruption)
        #expect(try engine.multiGet([Array(key(70).utf8)])[0] != nil)
    }

    @Test func aDamagedBlockTakesItsTableOutOfServiceUntilItIsRestored() throws {
        let (fixture, path) = try engine()
        let whole = try fixture.memory.contents(of: path)
        try flip(fixture.memory, path, 700)
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try failure { _ = try fixture.engine.rows() }?.code == .corruption)
        try settle(fixture.engine)
        let entry = try #require(fixture.engine.corruptionReport().entries.first)
        #expect(entry.path == path && entry.level == 0 && entry.foundBy == .read)
        #expect(entry.entryCount == 50 && entry.bytes == UInt64(whole.count))
        #expect(entry.offset.map { $0 < 1000 } == true && entry.reason.contains("checksum"))
        #expect(entry.smallest == Array(key(0).utf8) && entry.largest == Array(key(49).utf8))
        #expect(entry.range.upper == Array(key(49).utf8) + [0])
        #expect(recorder.count == 1)
        #expect(fixture.engine.statistics().quarantinedTables == 1)
        try expectQuarantine(fixture, path)
        // A newer version answers, from the memtable and from a table; its neighbours still fail.
        try fixture.put(key(13), "newest")
        #expect(try fixture.engine.value(key(13)) == "newest")
        try fixture.engine.flush()
        #expect(try fixture.engine.value(key(13)) == "newest")
        #expect(try failure { _ = try fixture.engine.value(key(14)) }?.code == .corruption)
        #expect(try failure { try fixture.engine.checkpoint(to: "/copy") }?.code == .corruption)
        // Compactions leave it alone, and MANIFEST remembers.
        try fixture.engine.compact()
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().entries == [entry])
        #expect(recorder.count == 2)
        #expect(try failure { _ = try fixture.engine.value(key(0)) }?.code == .corruption)
        #expect(try fixture.engine.value(key(13)) == "newest")
        #expect(try fixture.engine.recheckQuarantined().isEmpty)
        // The file comes back as it was.
        let file = try fixture.memory.open(path, .readWrite)
        try file.write(whole, at: 0)
        #expect(try fixture.engine.recheckQuarantined() == [entry.file])
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().filter { $0.contains("new") }.count == 50)
        #expect(try fixture.engine.value(key(13)) == "newest")
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        try fixture.engine.compact()
        #expect(try fixture.engine.rows().count == 100)
    }

    @Test(arguments: ["missing", "cut", "footer", "header", "index"])
    func whatIsWrongWithATableIsFoundByTheOpen(damage: String) throws {
        let (fixture, path) = try engine()
        let whole = try fixture.memory.contents(of: path)
        try fixture.engine.close()
        switch damage {
        case "missing": try fixture.memory.remove(path)
        case "cut":
            try fixture.memory.open(path, .readWrite).truncate(to: UInt64(whole.count / 2))
        case "footer": try flip(fixture.memory, path, UInt64(whole.count - 30))
        case "header": try flip(fixture.memory, path, 3)
        default:
            let footer = try TableReader.decodeFooter(
                Array(whole.suffix(TableFormat.footerBytes)), UInt64(whole.count), path)
            try flip(fixture.memory, path, footer.index.offset + 1)
        }
        try fixture.reopen()
        if damage == "index" {
            // Found by who needs it first.
            #expect(try failure { _ = try fixture.engine.value(key(3)) }?.code == .corruption)
            try settle(fixture.engine)
        }
        let entry = try #require(fixture.engine.corruptionReport().entries.first)
        #expect(entry.foundBy == (damage == "index" ? .read : .open) && entry.path == path)
        #expect(recorder.count == 1)
        try expectQuarantine(fixture, path)
        var reading = fixture.options
        reading.isReadOnly = true
        let reader = try ClassEngine.open(fixture.memory.crashClone(.keepUnsynced), reading)
        #expect(reader.corruptionReport().entries.map(\.file) == [entry.file])
        #expect(try failure { _ = try reader.value(key(0)) }?.code == .corruption)
        #expect(try reader.value(key(80)) != nil)
        // Restored while the engine was down: sound again, without a word.
        try fixture.engine.close()
        try? fixture.memory.remove(path)
        try fixture.memory.open(path, .create).write(whole, at: 0)
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().count == 100)
    }

    @Test func aLossThatIsAcceptedShowsWhatLiesBeneath() throws {
        let (fixture, path) = try engine()
        try flip(fixture.memory, path, 700)
        _ = try? fixture.engine.rows()
        try settle(fixture.engine)
        let wrong = try failure { try fixture.engine.dropQuarantined([FileNumber(999_999)]) }
        #expect(wrong?.code == .invalidArgument)
        let lost = try fixture.engine.dropQuarantined()
        #expect(lost.entries.map(\.path) == [path])
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().filter { $0.contains("old") }.count == 100)
        try fixture.engine.awaitIdle()
        #expect(try !fixture.files("sst", ".sst").contains(path))
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().count == 100)
        #expect(try fixture.engine.dropQuarantined().isEmpty)
    }

    @Test func bytesThatPassWhenReadAgainAreNoDamage() throws {
        let (fixture, path) = try engine()
        let flaky = FlakyFileSystem(fixture.memory)
        try fixture.engine.close()
        let engine = try ClassEngine.open(flaky, fixture.options)
        defer { try? engine.close() }
        _ = try engine.rows()
        flaky.spoilNextRead(of: path)
        #expect(try failure { _ = try engine.value(key(20)) }?.code == .corruption)
        try settle(engine)
        #expect(engine.corruptionReport().isEmpty)
        #expect(recorder.healed.load(ordering: .relaxed) == 1 && recorder.count == 0)
        #expect(try engine.value(key(20))?.hasPrefix("new") == true)
    }

    @Test(arguments: [false, true])
    func writesAndCompactionsGoOnBesideADamagedTable(isInLastLevel: Bool) throws {
        let (fixture, newest) = try engine {
            $0.level0CompactionTrigger = 4
            $0.level0SlowdownTrigger = 8
            $0.level0StopTrigger = 12
            $0.memtableBytes = 16 << 10
        }
        var path = newest
        if isInLastLevel {
            try fixture.engine.compact()
            // The inputs are unlinked by now.
            try fixture.engine.awaitIdle()
            path = try #require(try fixture.files("sst", ".sst").first)
        }
        try flip(fixture.memory, path, 700)
        // Compactions find it, too.
        for round in 0..<30 {
            try fixture.fill(0..<100, "round \(round)", bytes: 60)
            try fixture.engine.flush()
        }
        try settle(fixture.engine)
        try fixture.engine.awaitIdle()
        #expect(fixture.engine.corruptionReport().entries.map(\.path) == [path])
        let statistics = fixture.engine.statistics()
        #expect(statistics.level0Count < 12, "\(statistics.levels)")
        #expect(statistics.backgroundError == nil)
        #expect(statistics.poisonCause == nil)
        // Everything was written anew: newer versions answer for all of it.
        for row in 0..<100 {
            #expect(try fixture.engine.value(key(row))?.hasPrefix("round 29") == true)
        }
        try fixture.reopen()
        for row in 0..<100 {
            #expect(try fixture.engine.value(key(row))?.hasPrefix("round 29") == true)
        }
        try fixture.engine.dropQuarantined()
        try fixture.engine.compact()
        #expect(try fixture.engine.rows().count == 100)
        #expect(try fixture.engine.rows().allSatisfy { $0.contains("round 29") })
    }

    @Test func aManifestThatLostItsLastEditIsNoReasonToRemoveTables() throws {
        let (fixture, path) = try engine()
        try fixture.engine.close()
        try fixture.memory.rename(path, to: "/db/sst/00000000000000ff.sst")
        let names = try fixture.files("sst", ".sst")
        let error = try failure { try fixture.reopen() }
        #expect(error?.code == .corruption && error?.location?.path == path)
        #expect(try fixture.files("sst", ".sst") == names)
    }

    @Test func recordsAreWrittenAndReadBack() throws {
        let error = StorageError.corruption("Bad.", path: "/db/sst/x", offset: 77)
        for finder in CorruptionReport.Finder.allCases {
            var edit = VersionEdit()
            let record = QuarantineRecord(
                error, file: FileNumber(5), finder: finder, wallMicros: 123)
            edit.quarantined = [record]
            edit.released = [FileNumber(9)]
            let bytes = edit.encoded()
            let decoded = try bytes.withUnsafeBytes { try VersionEdit.decode($0, path: "m") }
            #expect(decoded == edit)
            #expect(decoded?.quarantined.first?.offset == 77)
        }
    }
}

extension EngineStatistics {
    fileprivate var level0Count: Int { levels.first?.fileCount ?? 0 }
}

/// A file system that gives back one wrong byte once.
private final class FlakyFileSystem: WrappingFileSystem {
    let base: any FileSystem
    fileprivate let spoiled = Mutex<String?>(nil)

    init(_ base: any FileSystem) { self.base = base }

    func spoilNextRead(of path: String) { spoiled.withLock { $0 = path } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        FlakyFile(try base.open(path, mode), self)
    }
}

private final class FlakyFile: WrappingFile {
    let base: any File
    private let owner: FlakyFileSystem

    init(_ base: any File, _ owner: FlakyFileSystem) {
        self.base = base
        self.owner = owner
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        let count = try base.read(into: buffer, at: offset)
        let spoils = owner.spoiled.withLock { spoiled in
            guard spoiled == path, count > 0 else { return false }
            spoiled = nil
            return true
        }
        if spoils { buffer[0] ^= 1 }
        return count
    }
}
