import Synchronization
import Testing

@testable import FalconStorage

/// A damaged blob file is recorded and told of; its sound values are read on, and its damaged rows can be
/// deleted, overwritten and given up.
@Suite struct BlobDamageTests {
    private final class Recorder: EngineEventListener {
        let files = Mutex<[CorruptionReport.BlobFile]>([])
        let healed = Atomic<Int>(0)
        func engine(at path: String, did event: EngineEvent) {
            switch event {
            case .blobDamaged(let file): files.withLock { $0.append(file) }
            case .damageNotRepeated: healed.wrappingAdd(1, ordering: .relaxed)
            default: break
            }
        }
        var count: Int { files.withLock { $0.count } }
    }
    private let recorder = Recorder()

    /// Rows 0-39 of 400 bytes in one blob file, in key order.
    private func database(
        change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> (EngineFixture, path: String) {
        var options = EngineOptions.smallBlobs
        options.targetFileBytes = 1 << 20
        options.memtableBytes = 1 << 20
        options.blockCacheBytes = 0
        options.compression = .none
        options.eventListener = recorder
        change(&options)
        let fixture = try EngineFixture(options: options)
        try put(fixture, 0..<40, round: 1)
        try fixture.engine.flush()
        let name = try #require(try fixture.filesOnDisk(".blob").first)
        return (fixture, "/db/sst/" + name)
    }

    private func put(_ fixture: EngineFixture, _ rows: Range<Int>, round: Int) throws {
        let batch = WriteBatch()
        for row in rows {
            try batch.put(
                key: bytes(key(row)), value: bytes(EngineFixture.large(key(row), round)))
        }
        try fixture.engine.commitAndWait(batch)
    }

    private func key(_ row: Int) -> String { "k\(100 + row)" }
    private func value(_ row: Int, _ round: Int = 1) -> String {
        EngineFixture.large(key(row), round)
    }

    /// Flips a bit in the value of `row`.
    private func damage(_ fixture: EngineFixture, _ path: String, _ row: Int) throws {
        let file = try fixture.fileSystem.open(path, .readWrite)
        let recordBytes = BlobFormat.recordHeadBytes + 4 + 400
        let place = UInt64(BlobFormat.headerBytes + row * recordBytes + 100)
        let byte = try file.readExactly(1, at: place)[0]
        try file.write([byte ^ 4], at: place)
    }

    private func settle(_ fixture: EngineFixture) throws {
        try fixture.engine.writable().background.keeper.awaitIdle()
    }

    private func expectDamaged(_ fixture: EngineFixture, _ path: String, _ row: Int) throws {
        let error = #expect(throws: StorageError.self) { _ = try fixture.get(key(row)) }
        #expect(error?.code == .corruption && error?.location?.path == path)
    }

    @Test(arguments: [false, true])
    func theFirstReaderHasItRecordedForEver(scans: Bool) throws {
        let (fixture, path) = try database()
        try damage(fixture, path, 7)
        #expect(fixture.engine.corruptionReport().isEmpty)
        if scans {
            #expect(throws: StorageError.self) { _ = try fixture.rows() }
        } else {
            try expectDamaged(fixture, path, 7)
        }
        try settle(fixture)
        for _ in 0..<2 {
            let report = fixture.engine.corruptionReport()
            #expect(report.entries.isEmpty)
            let file = try #require(report.blobFiles.first)
            #expect(report.blobFiles.count == 1 && file.path == path)
            #expect(file.offset == 64 + 7 * 428 && file.foundBy == .read)
            #expect(file.liveRecords == 40 && file.reason.contains("checksum"))
            #expect(fixture.blobs.damagedFiles == 1)
            for row in 0..<40 where row != 7 { #expect(try fixture.get(key(row)) == value(row)) }
            try expectDamaged(fixture, path, 7)
            #expect(throws: StorageError.self) { try fixture.engine.checkpoint(to: "/copy") }
            try fixture.reopen()
        }
        // Once when it was found, once at each open.
        #expect(recorder.count == 3)
    }

    /// A bit that tipped on the way is no damage.
    @Test func whatPassesTheSecondTimeIsNotRecorded() throws {
        let (fixture, path) = try database()
        try damage(fixture, path, 7)
        let error = #expect(throws: StorageError.self) { _ = try fixture.get(key(7)) }
        try settle(fixture)
        try damage(fixture, path, 7)
        let files = fixture.version.blobs.entries.map(\.file.number)
        #expect(try fixture.engine.recheckQuarantined() == files)
        #expect(fixture.engine.corruptionReport().isEmpty)
        let keeper = try fixture.engine.writable().background.keeper
        keeper.note(try #require(error), by: .read)
        keeper.awaitIdle()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(recorder.healed.load(ordering: .relaxed) == 1)
    }

    /// The checksum is over what was compressed: it can be right where the value is lost.
    @Test func damageInCompressedBytesIsFoundAgain() throws {
        let (fixture, _) = try database { $0.compression = .lz4 }
        try fixture.put("packed", String(repeating: "ab", count: 400))
        try fixture.engine.flush()
        let path = "/db/sst/" + (try #require(try fixture.filesOnDisk(".blob").last))
        let file = try fixture.fileSystem.open(path, .readWrite)
        let uid = try BlobHeader.decode(
            try file.readExactly(BlobFormat.headerBytes, at: 0), path: path)
        let offset = UInt64(BlobFormat.headerBytes)
        let size = Int(try file.size() - BlobFormat.frameBytes)
        var record = try file.readExactly(size, at: offset)
        try #require(record[20] == BlockCodec.lz4.rawValue)
        for place in (BlobFormat.recordHeadBytes + 6)..<size { record[place] = 0xFF }
        let sum = record[8...].withUnsafeBytes {
            Checksum.xxh3($0, seed: BlobFormat.seed(uid, offset, .record))
        }
        withUnsafeBytes(of: sum.littleEndian) { record.replaceSubrange(0..<8, with: $0) }
        try file.write(record, at: offset)
        let error = #expect(throws: StorageError.self) { _ = try fixture.get("packed") }
        #expect(error?.message.contains("decompress") == true)
        try settle(fixture)
        #expect(fixture.engine.corruptionReport().blobFiles.map(\.path) == [path])
        #expect(recorder.healed.load(ordering: .relaxed) == 0)
    }

    /// The cure is in the rows: no read of the damaged value is needed to be rid of it.
    @Test func damagedRowsAreDeletedAndOverwritten() throws {
        let (fixture, path) = try database()
        try damage(fixture, path, 7)
        try damage(fixture, path, 9)
        try expectDamaged(fixture, path, 7)
        try settle(fixture)
        try fixture.delete(key(7))
        try fixture.put(key(9), "new")
        #expect(try fixture.get(key(7)) == nil)
        #expect(try fixture.get(key(9)) == "new")
        #expect(try fixture.rows().count == 39)
        try fixture.engine.compact()
        #expect(try fixture.rows().count == 39)
        #expect(try fixture.engine.rows(KeyRange(lower: Array(key(8).utf8))).count == 32)
    }

    /// Compactions go on, and the reference to what cannot be moved stays as it is.
    @Test func compactionMeetsDamageAndCarriesTheReferenceOn() throws {
        let (fixture, path) = try database()
        try damage(fixture, path, 39)
        try put(fixture, 0..<30, round: 2)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        try settle(fixture)
        let report = fixture.engine.corruptionReport()
        #expect(report.blobFiles.map(\.path) == [path])
        #expect(report.blobFiles.first?.foundBy == .compaction)
        try expectDamaged(fixture, path, 39)
        for row in 0..<39 { #expect(try fixture.get(key(row)) == value(row, row < 30 ? 2 : 1)) }
        try fixture.reopen()
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        try expectDamaged(fixture, path, 39)
    }

    @Test(arguments: [false, true])
    func aMissingOrCutFileRefusesNothingButItsValues(isCut: Bool) throws {
        let (fixture, path) = try database()
        try fixture.put("small", "1")
        try put(fixture, 40..<50, round: 1)
        try fixture.engine.flush()
        let whole = try fixture.fileSystem.contents(of: path)
        try fixture.engine.close()
        if isCut {
            try fixture.fileSystem.open(path, .readWrite).truncate(to: 100)
        } else {
            try fixture.fileSystem.remove(path)
        }
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().blobFiles.map(\.path) == [path])
        #expect(fixture.engine.corruptionReport().blobFiles.first?.foundBy == .open)
        for row in [0, 39] { try expectDamaged(fixture, path, row) }
        for row in 40..<50 { #expect(try fixture.get(key(row)) == value(row)) }
        #expect(try fixture.get("small") == "1")
        try fixture.put(key(3), "again")
        try fixture.engine.flush()
        #expect(try fixture.get(key(3)) == "again")
        try fixture.engine.close()
        // Put back, it is as if nothing had been.
        if isCut { try fixture.fileSystem.remove(path) }
        let file = try fixture.fileSystem.open(path, .create)
        try file.write(whole, at: 0)
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try fixture.get(key(39)) == value(39))
    }

    /// A MANIFEST that lost its last edit looks like this: what it does not know is kept.
    @Test func strangersStayWhileAFileIsMissing() throws {
        let (fixture, path) = try database()
        try fixture.engine.close()
        let stranger = "/db/sst/00000000000000ff.blob"
        try fixture.fileSystem.rename(path, to: stranger)
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(try fixture.fileSystem.exists(stranger))
    }

    /// What cannot be read is deleted by commits; what can moves elsewhere, and the file goes.
    @Test(arguments: [false, true])
    func givingUpDeletesTheDamagedRowsOnly(isMissing: Bool) throws {
        let (fixture, path) = try database()
        try put(fixture, 0..<3, round: 2)
        try fixture.engine.flush()
        if isMissing {
            try fixture.engine.close()
            try fixture.fileSystem.remove(path)
            try fixture.reopen()
        } else {
            try damage(fixture, path, 1)
            try damage(fixture, path, 7)
            try damage(fixture, path, 20)
            try expectDamaged(fixture, path, 7)
            try settle(fixture)
        }
        let lost = try fixture.engine.dropQuarantined()
        #expect(lost.blobFiles.map(\.path) == [path] && lost.entries.isEmpty)
        try fixture.engine.awaitIdle()
        #expect(fixture.engine.corruptionReport().isEmpty)
        #expect(try !fixture.fileSystem.exists(path))
        #expect(try fixture.filesMatchVersion())
        let left = (0..<40).filter { isMissing ? $0 < 3 : $0 != 7 && $0 != 20 }
        for _ in 0..<2 {
            #expect(
                try fixture.rows() == left.map { key($0) + "=" + value($0, $0 < 3 ? 2 : 1) })
            try fixture.reopen()
        }
        #expect(try fixture.engine.dropQuarantined().isEmpty)
        let wrong = #expect(throws: StorageError.self) {
            try fixture.engine.dropQuarantined([FileNumber(999)])
        }
        #expect(wrong?.code == .invalidArgument)
    }
}
