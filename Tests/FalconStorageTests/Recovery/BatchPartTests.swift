import CFalconPlatform
import Glibc
import Testing

@testable import FalconStorage

/// Transactions that are logged in parts.
@Suite struct BatchPartTests {
    private var options: EngineOptions {
        var options = EngineOptions.small
        options.batchPartBytes = 256
        options.memtableBytes = 8 << 20
        options.walRetainBytes = .max
        options.closedTimestampMicros = 0
        return options
    }

    private func batch(_ rows: Range<Int>, _ value: String) throws -> WriteBatch {
        let batch = WriteBatch()
        for row in rows {
            try batch.put(key: bytes("k\(1000 + row)"), value: bytes("\(value)-\(row)"))
        }
        return batch
    }

    private func records(_ fileSystem: any FileSystem) throws -> [(tag: WALRecordTag, end: LSN)] {
        let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
        var found: [(WALRecordTag, LSN)] = []
        while let record = try reader.next() { found.append((record.tag, record.end)) }
        return found
    }

    @Test func aLargeTransactionIsLoggedInPartsAndComesBackWhole() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.put("k1005", "old")
        let large = try batch(0..<200, "v")
        // A later operation on a key of an earlier part wins, and a range delete hides earlier parts.
        try large.put(key: bytes("k1000"), value: bytes("again"))
        try large.deleteRange(lower: bytes("k1100"), upper: bytes("k1150"))
        try large.put(key: bytes("k1120"), value: bytes("after"))
        try fixture.engine.commitAndWait(large)
        let rows = try fixture.rows()
        #expect(rows.count == 151)
        #expect(rows.contains("k1000=again") && rows.contains("k1120=after"))
        try fixture.reopen()
        #expect(try fixture.rows() == rows)
        let parts = try records(fixture.fileSystem).filter { $0.tag == .batchPart }.count
        #expect(parts > 5)
        // Once more, when what the parts rebuilt is flushed.
        try fixture.engine.flush()
        try fixture.reopen()
        #expect(try fixture.rows() == rows)
    }

    /// The log ends after each of a large transaction's records in turn.
    @Test func aTransactionWithoutItsCommitIsDropped() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.put("before", "1")
        try fixture.engine.commitAndWait(try batch(0..<100, "v"))
        let whole = fixture.fileSystem.crashClone(.keepUnsynced)
        let all = try records(whole)
        let parts = all.indices.filter { all[$0].tag == .batchPart }
        let commit = try #require(all.lastIndex { $0.tag == .commit })
        #expect(parts.count > 3 && parts.last == commit - 1)
        for cut in parts + [commit] {
            // A log of its own with the records up to the cut, on the same tables (none).
            let copy = whole.crashClone(.keepUnsynced)
            try rewriteLog(copy, records: cut + 1)
            let engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: copy, clock: ManualClock(), random: SystemRandom()))
            let rows = try engine.rows()
            #expect(rows.count == (cut == commit ? 101 : 1), "cut at \(cut)")
            #expect(rows.contains("before=1"))
            // A further life logs large transactions of its own behind the orphans.
            try engine.commitAndWait(try batch(0..<50, "w"))
            try engine.close()
            let again = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: copy, clock: ManualClock(), random: SystemRandom()))
            #expect(try again.value("k1049") == "w-49")
            #expect(try again.value("k1050") == (cut == commit ? "v-50" : nil))
            try again.close()
        }
    }

    /// Replaces the log in `fileSystem` by its first `count` records, but for those that `keeps` refuses.
    private func rewriteLog(
        _ fileSystem: MemoryFileSystem, records count: Int, keeps: (Int) -> Bool = { _ in true }
    ) throws {
        let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
        var bodies: [(WALRecordTag, [UInt8])] = []
        while bodies.count < count, let record = try reader.next() {
            bodies.append((record.tag, Array(record.body)))
        }
        let identity = try #require(reader.segmentHeader).identity
        for name in try fileSystem.list("/db/wal") { try fileSystem.remove("/db/wal/" + name) }
        let writer = try WALWriter.open(
            directory: "/db/wal", identity: identity, continuation: .beginning,
            options: options.walOptions,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()),
            callbacks: WALCallbacks())
        for (index, (tag, body)) in bodies.enumerated() where keeps(index) {
            try writer.append(tag, body)
        }
        try writer.close()
    }

    @Test func changeReadersSeeTheWholeTransaction() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.engine.commitAndWait(try batch(0..<100, "v"))
        try fixture.engine.close()
        let reader = try ChangeReader(root: "/db", fileSystem: fixture.fileSystem, mode: .dead)
        guard case .transaction(let transaction) = try reader.next() else {
            Issue.record("no transaction")
            return
        }
        var keys: [String] = []
        try transaction.forEachOperation { operation throws(StorageError) in
            keys.append(text(operation.key))
            return true
        }
        #expect(keys == (0..<100).map { "k\(1000 + $0)" })
        #expect(try reader.next() == nil)
    }

    /// Only what was released before the log began may be missing.
    @Test func changeReadersDoNotPassOverATransactionWithoutItsFirstParts() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.engine.commitAndWait(try batch(0..<100, "v"))
        try fixture.put("after", "1")
        try fixture.engine.close()
        for isTrimmed in [false, true] {
            let copy = fixture.fileSystem.crashClone(.keepUnsynced)
            let first = try #require(
                try records(copy).firstIndex { $0.tag == .batchPart })
            try rewriteLog(copy, records: .max) { index in
                isTrimmed ? index > first : index != first
            }
            let reader = try ChangeReader(root: "/db", fileSystem: copy, mode: .dead)
            if isTrimmed {
                guard case .transaction(let next) = try reader.next() else {
                    Issue.record("no transaction")
                    return
                }
                #expect(next.header.partCount == 0)
            } else {
                let error = #expect(throws: StorageError.self) { _ = try reader.next() }
                #expect(error?.code == .targetUnreachable)
            }
        }
    }

    @Test func commitsBesideLargeOnesKeepTheirOrder() throws {
        let fixture = try EngineFixture(options: options)
        let engine = fixture.engine
        let large = try (0..<20).map { try batch(0..<60, "round\($0)") }
        let other = try WorkerThread(name: "other") {
            for index in 0..<500 {
                let batch = WriteBatch()
                try? batch.put(key: bytes("other"), value: bytes("\(index)"))
                _ = try? engine.commitAndWait(batch, CommitOptions(durability: .buffered))
            }
        }
        for batch in large { try engine.commitAndWait(batch, CommitOptions(durability: .written)) }
        other.join()
        try fixture.reopen()
        #expect(try fixture.get("other") == "499")
        #expect(try fixture.get("k1059") == "round19-59")
        var open = false
        for record in try records(fixture.fileSystem) {
            if open { #expect(record.tag == .batchPart || record.tag == .commit) }
            open = record.tag == .batchPart
        }
    }

    /// 64 MiB on a real disk; FALCON_LARGE_MB chooses another size. Prints what it took.
    @Test func aTransactionLargerThanEveryBufferCommitsAndRecovers() throws {
        let megabytes = getenv("FALCON_LARGE_MB").flatMap { Int(String(cString: $0)) } ?? 64
        let fileSystem = PosixFileSystem()
        var template = Array("/tmp/falcon-parts-XXXXXX\0".utf8CString)
        let root = try #require(
            template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
        defer { try? fileSystem.removeTree(root) }
        var options = EngineOptions()
        options.closedTimestampMicros = 0
        let environment = StorageEnvironment(fileSystem: fileSystem)
        let engine = try StorageEngine.open(
            at: root + "/db", options: options, environment: environment)
        let value = [UInt8](repeating: 7, count: 1000)
        let rows = megabytes << 10
        var began = falcon_monotonic_nanos()
        func took() -> String {
            let now = falcon_monotonic_nanos()
            defer { began = now }
            return "\((now - began) / 1_000_000) ms"
        }
        do {
            let batch = WriteBatch()
            for row in 0..<rows {
                var key = UInt64(row).bigEndian
                try withUnsafeBytes(of: &key) { key in
                    try value.withUnsafeBytes { try batch.put(key: key, value: $0) }
                }
            }
            let filled = took()
            try engine.commitAndWait(batch)
            print("\(megabytes) MiB: filled in \(filled), committed in \(took())")
        }
        try engine.close()
        _ = took()
        let reopened = try StorageEngine.open(
            at: root + "/db", options: options, environment: environment)
        print("recovered in \(took())")
        let iterator = try reopened.makeIterator(.all, at: .max)
        try iterator.seekToFirst()
        var found = 0
        while iterator.isValid {
            found += iterator.value.count == 1000 ? 1 : 0
            try iterator.next()
        }
        #expect(found == rows)
        try reopened.close()
    }
}
