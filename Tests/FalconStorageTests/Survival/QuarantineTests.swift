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

    /// Of a table that is out whole all rows fail; nothing older shows through.
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

    /// Rows in `lost` fail, and every scan that meets them; all others are served, up to its very edges.
    private func expectLoss(_ engine: StorageEngine, _ path: String, _ lost: KeyRange) throws {
        let rows = (0..<100).map { Array(key($0).utf8) }
        let isLost = rows.map { row in
            !KeyOrder.less(row, lost.lower ?? []) && KeyOrder.less(row, lost.upper ?? [])
        }
        #expect(isLost.contains(true) && isLost.contains(false))
        for (number, row) in rows.enumerated() {
            let want = number < 50 ? "new" : "old"
            if isLost[number] {
                let error = try failure { _ = try engine.value(key(number)) }
                #expect(error?.code == .corruption && error?.location?.path == path, "\(number)")
                #expect(error?.message.contains("cannot be read") == true)
                #expect(try failure { _ = try engine.multiGet([row]) }?.code == .corruption)
            } else {
                #expect(try engine.value(key(number))?.hasPrefix(want) == true, "\(number)")
                #expect(try engine.multiGet([row])[0]?.starts(with: want.utf8) == true)
            }
        }
        let before = isLost.prefix { !$0 }.count
        let after = isLost.reversed().prefix { !$0 }.count
        for backward in [false, true] {
            #expect(
                try engine.rows(KeyRange(upper: lost.lower), backward: backward).count == before)
            #expect(try engine.rows(KeyRange(lower: lost.upper), backward: backward).count == after)
            let iterator = try engine.makeIterator(.all, at: .max)
            var seen = 0
            let error = try failure {
                if backward { try iterator.seekToLast() } else { try iterator.seekToFirst() }
                while iterator.isValid {
                    seen += 1
                    if backward { try iterator.previous() } else { try iterator.next() }
                }
            }
            #expect(error?.code == .corruption && error?.location?.path == path)
            // Backward a row shows once the one before it is known.
            #expect(backward ? seen <= after : seen == before)
        }
    }

    private func loss(_ entry: CorruptionReport.Entry) throws -> KeyRange {
        #expect(!entry.isWhole && entry.losses.count == 1)
        return try #require(entry.losses.first?.keys)
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
        #expect(
            entry.losses.first.map { $0.offset <= 700 && 700 < $0.offset + $0.byteCount } == true)
        #expect(entry.smallest == Array(key(0).utf8) && entry.largest == Array(key(49).utf8))
        #expect(entry.range.upper == Array(key(49).utf8) + [0])
        #expect(recorder.count == 1)
        #expect(fixture.engine.statistics().quarantinedTables == 1)
        let lost = try loss(entry)
        try expectLoss(fixture.engine, path, lost)
        // A newer version answers, from the memtable and from a table; its neighbours still fail.
        let rows = (0..<50).filter {
            let row = Array(key($0).utf8)
            return !KeyOrder.less(row, lost.lower ?? []) && KeyOrder.less(row, lost.upper ?? [])
        }
        try #require(rows.count > 1)
        try fixture.put(key(rows[0]), "newest")
        #expect(try fixture.engine.value(key(rows[0])) == "newest")
        try fixture.engine.flush()
        #expect(try fixture.engine.value(key(rows[0])) == "newest")
        #expect(try failure { _ = try fixture.engine.value(key(rows[1])) }?.code == .corruption)
        #expect(try failure { try fixture.engine.checkpoint(to: "/copy") }?.code == .corruption)
        // Compactions leave it alone, and MANIFEST remembers.
        try fixture.engine.compact()
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().entries == [entry])
        #expect(recorder.count == 2)
        #expect(try failure { _ = try fixture.engine.value(key(rows[1])) }?.code == .corruption)
        #expect(try fixture.engine.value(key(rows[0])) == "newest")
        #expect(try fixture.engine.value(key(rows[0] - 1))?.hasPrefix("new") == true)
        #expect(try fixture.engine.recheckQuarantined().isEmpty)
        // The file comes back as it was.
        let file = try fixture.memory.open(path, .readWrite)
        try file.write(whole, at: 0)
        #expect(try fixture.engine.recheckQuarantined() == [entry.file])
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().filter { $0.contains("=new") }.count == 50)
        #expect(try fixture.engine.value(key(rows[0])) == "newest")
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        try fixture.engine.compact()
        #expect(try fixture.engine.rows().count == 100)
    }

    private func reader(_ fixture: ClassEngine, _ path: String) throws -> TableReader {
        let file = try fixture.memory.open(path, .read)
        return try TableReader.open(file: file, uid: nil, size: file.size(), cache: nil)
    }

    /// Each block in turn: data blocks, and partitions of the index.
    @Test(arguments: [false, true])
    func whatNoDamagedBlockHoldsIsServed(isPartitioned: Bool) throws {
        let (fixture, path) = try engine {
            $0.compression = .none
            $0.blockBytes = 256
            if isPartitioned { $0.partitioningBytes = 64 }
        }
        let table = try reader(fixture, path)
        #expect(table.hasPartitions == isPartitioned)
        let index = try #require(table.index)
        var handles = (0..<index.count).map { index.handle($0) }
        if isPartitioned {
            for place in 0..<index.count {
                var pin = BlockPin()
                let leaf = try table.partition(place, &pin)
                handles += (0..<leaf.count).map { leaf.handle($0) }
            }
        }
        #expect(handles.count > 8)
        try fixture.engine.close()
        for (number, handle) in handles.enumerated() {
            let memory = fixture.memory.fork()
            try flip(memory, path, handle.offset + 5)
            let engine = try ClassEngine.open(memory, fixture.options)
            defer { try? engine.close() }
            #expect(try failure { _ = try engine.rows() }?.code == .corruption)
            try settle(engine)
            let entry = try #require(engine.corruptionReport().entries.first)
            #expect(entry.losses.first?.offset == handle.offset)
            let lost = try loss(entry)
            if isPartitioned, number < index.count, index.count == 1 { continue }
            try expectLoss(engine, path, lost)
        }
    }

    @Test(arguments: [false, true])
    func withoutItsFilterATableIsReadWhole(isPartitioned: Bool) throws {
        let (fixture, path) = try engine { if isPartitioned { $0.partitioningBytes = 64 } }
        let footer = try reader(fixture, path).footer
        try fixture.engine.close()
        try flip(fixture.memory, path, footer.filter.offset + 9)
        try fixture.reopen()
        for row in 0..<100 {
            let want = row < 50 ? "new" : "old"
            #expect(try fixture.engine.value(key(row))?.hasPrefix(want) == true)
        }
        #expect(try fixture.engine.value("k1000") == nil)
        try settle(fixture.engine)
        for _ in 0..<2 {
            let entry = try #require(fixture.engine.corruptionReport().entries.first)
            #expect(entry.path == path && !entry.isWhole)
            #expect(entry.losses.map(\.offset) == [footer.filter.offset])
            #expect(entry.losses[0].keys == nil)
            #expect(try fixture.engine.rows().count == 100)
            try fixture.reopen()
        }
        // Nothing is given up with it.
        try fixture.engine.dropQuarantined()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.engine.rows().filter { $0.contains("=new") }.count == 50)
    }

    @Test func withoutItsRangeTombstonesATableIsOutWhole() throws {
        let fixture = try ClassEngine { $0.blockCacheBytes = 0 }
        try fixture.fill(0..<100, "old")
        try fixture.engine.compact()
        let before = try Set(fixture.files("sst", ".sst"))
        try fixture.fill(0..<10, "new")
        try fixture.deleteRange(key(20), key(40))
        try fixture.engine.flush()
        let path = try #require(try Set(fixture.files("sst", ".sst")).subtracting(before).first)
        let footer = try reader(fixture, path).footer
        try fixture.engine.close()
        try flip(fixture.memory, path, footer.rangeTombstones.offset + 2)
        try fixture.reopen()
        for row in [0, 9, 15, 20, 39] {
            #expect(try failure { _ = try fixture.engine.value(key(row)) }?.code == .corruption)
        }
        #expect(try fixture.engine.value(key(40)) != nil)
        try settle(fixture.engine)
        #expect(fixture.engine.corruptionReport().entries.map(\.isWhole) == [true])
    }

    @Test func damageThatComesLaterIsRecordedToo() throws {
        let (fixture, path) = try engine { $0.compression = .none }
        try flip(fixture.memory, path, 700)
        _ = try? fixture.engine.rows()
        try settle(fixture.engine)
        #expect(fixture.engine.corruptionReport().entries.first?.losses.count == 1)
        try flip(fixture.memory, path, 2500)
        for row in 0..<50 { _ = try? fixture.engine.value(key(row)) }
        try settle(fixture.engine)
        let entry = try #require(fixture.engine.corruptionReport().entries.first)
        #expect(entry.losses.count == 2 && !entry.isWhole)
        #expect(recorder.count == 2)
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().entries == [entry])
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
        let keys = try loss(try #require(fixture.engine.corruptionReport().entries.first))
        let lost = try fixture.engine.dropQuarantined()
        #expect(lost.entries.map(\.path) == [path])
        #expect(fixture.engine.corruptionReport().isEmpty)
        // Old rows where blocks were lost, the others as they were.
        func expectSalvage() throws {
            #expect(try fixture.engine.rows().count == 100)
            for row in 0..<50 {
                let utf8 = Array(key(row).utf8)
                let isLost =
                    !KeyOrder.less(utf8, keys.lower ?? [])
                    && KeyOrder.less(utf8, keys.upper ?? [])
                #expect(
                    try fixture.engine.value(key(row))?.hasPrefix(isLost ? "old" : "new") == true)
            }
        }
        try expectSalvage()
        try fixture.engine.awaitIdle()
        #expect(try !fixture.files("sst", ".sst").contains(path))
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        try expectSalvage()
        try fixture.engine.compact()
        try expectSalvage()
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
            let damage = TableDamage(
                error: error, isWhole: false,
                losses: [
                    .init(
                        offset: 77, byteCount: 9,
                        keys: KeyRange(lower: [1, 2], upper: [3])),
                    .init(offset: 1 << 33, byteCount: 1 << 20),
                ])
            edit.quarantined = [
                record,
                QuarantineRecord(damage, file: FileNumber(6), finder: finder, wallMicros: 1),
            ]
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
