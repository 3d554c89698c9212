import FalconSchema
import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// A snapshot and the stream behind it are every row and every change, once.
@Suite struct ChangeSnapshotTests {
    /// An engine with one table, written to by random transactions.
    private final class Shop: @unchecked Sendable {
        let fileSystem = MemoryFileSystem()
        let clock = ManualClock()
        let environment: StorageEnvironment
        let table = TestTable("t", storage: 1001)
        let engine: StorageEngine
        private var random: SplitMix64
        private var rows: [Int: String] = [:]
        /// The rows after each transaction, the first before any.
        let states = Mutex<[[Int: String]]>([[:]])
        /// The end of the last transaction.
        let lastEnd = Mutex(LSN.zero)

        init(seed: UInt64, retainBytes: UInt64 = .max) throws {
            random = SplitMix64(seed: seed)
            environment = StorageEnvironment(
                fileSystem: fileSystem, clock: clock, random: SeededRandom(seed: seed))
            var options = EngineOptions()
            options.memtableBytes = 64 << 10
            options.walSegmentBytes = 64 << 10
            options.targetFileBytes = 16 << 10
            options.levelBaseBytes = 64 << 10
            options.blockCacheBytes = 1 << 20
            options.walRetainBytes = retainBytes
            engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
            let batch = WriteBatch()
            for operation in [TestTable.database("shop", 5), table.create] {
                try add(operation, to: batch)
            }
            _ = try engine.commitAndWait(batch)
        }

        private func add(_ operation: LogBuilder.Operation, to batch: WriteBatch) throws {
            try operation.key.withRaw { key throws(StorageError) in
                var failure: StorageError?
                operation.value.withUnsafeBytes { value in
                    do throws(StorageError) {
                        if operation.kind == .delete {
                            try batch.delete(
                                key: key, class: operation.operationClass, sql: operation.sql)
                        } else {
                            try batch.put(
                                key: key, value: value, class: operation.operationClass,
                                sql: operation.sql, descriptorVersion: 1)
                        }
                    } catch { failure = error }
                }
                if let failure { throw failure }
            }
        }

        func write(_ number: Int) throws {
            let batch = WriteBatch()
            var touched: Set<Int> = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let id = Int.random(in: 0..<60, using: &random)
                guard touched.insert(id).inserted else { continue }
                let note = "n\(number)" + String(repeating: "x", count: 100)
                if rows[id] == nil {
                    try add(try table.put(id, note), to: batch)
                    rows[id] = note
                } else if Bool.random(using: &random) {
                    try add(try table.put(id, note, .update), to: batch)
                    rows[id] = note
                } else {
                    try add(try table.delete(id), to: batch)
                    rows[id] = nil
                }
            }
            clock.advance(micros: 1000)
            let receipt = try engine.commitAndWait(batch)
            lastEnd.withLock { $0 = receipt.lsn }
            states.withLock { $0.append(rows) }
            if number % 37 == 0 { try engine.flush() }
        }
    }

    private struct Shown {
        var snapshot: [Int: String] = [:]
        var transactions: [[(op: String, id: Int, note: String?)]] = []
        var lsn = ""
    }

    private func parse(_ lines: [String]) throws -> Shown {
        var shown = Shown()
        for line in lines {
            let event = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let op = try #require(event["op"] as? String)
            let id = (event["key"] as? [String: Any])?["id"] as? Int
            let note = (event["after"] as? [String: Any])?["note"] as? String
            switch op {
            case "read":
                let id = try #require(id)
                #expect(shown.snapshot[id] == nil, "row \(id) twice in the snapshot")
                shown.snapshot[id] = note
            case "snapshot":
                shown.lsn = try #require(event["end_lsn"] as? String)
                #expect(event["rows"] as? Int == shown.snapshot.count)
                #expect(shown.transactions.isEmpty)
            case "begin": shown.transactions.append([])
            case "insert", "update", "delete":
                shown.transactions[shown.transactions.count - 1].append(
                    (op, try #require(id), note))
            default: break
            }
        }
        return shown
    }

    /// The snapshot is the state after some transaction, and what follows leads to every later one.
    private func check(_ shown: Shown, _ states: [[Int: String]], _ seed: UInt64) throws {
        var rows = shown.snapshot
        let left = shown.transactions.count
        let place = states.count - 1 - left
        try #require(place >= 0, "seed \(seed): \(left) transactions shown of \(states.count - 1)")
        #expect(states[place] == rows, "seed \(seed): the snapshot is no state of the table")
        for (number, transaction) in shown.transactions.enumerated() {
            for change in transaction {
                rows[change.id] = change.op == "delete" ? nil : change.note
            }
            #expect(rows == states[place + number + 1], "seed \(seed): transaction \(number)")
        }
    }

    @Test(arguments: [21, 22, 23, 24, 25, 26] as [UInt64])
    func theStreamGoesOnWhereTheSnapshotEndsUnderWrites(_ seed: UInt64) throws {
        print("cdc snapshot: seed \(seed)")
        let shop = try Shop(seed: seed)
        for number in 1...120 { try shop.write(number) }
        let isDone = Atomic<Bool>(false)
        let problem = Mutex<String?>(nil)
        let writer = Thread {
            do {
                for number in 121...400 { try shop.write(number) }
            } catch { problem.withLock { $0 = "\(error)" } }
            isDone.store(true, ordering: .sequentiallyConsistent)
        }
        writer.start()
        let out = MemoryStream()
        let err = MemoryStream()
        let stop = Atomic<Bool>(false)
        let looks = Atomic<Int>(0)
        nonisolated(unsafe) let shown = out
        let context = ToolContext(
            standardOutput: out, standardError: err, environment: shop.environment,
            interruption: { stop.load(ordering: .relaxed) },
            sleep: { _ in
                usleep(200)
                guard isDone.load(ordering: .sequentiallyConsistent) else { return }
                let end = shop.lastEnd.withLock { $0 }
                let look = looks.wrappingAdd(1, ordering: .relaxed).newValue
                // Until the last transaction came, or far too long.
                if shown.text.contains("\"end_lsn\":\"\(end)\"") || look > 20_000 {
                    stop.store(true, ordering: .relaxed)
                }
            })
        let exit = ToolRunner.run(CDCTail.self, ["/db", "--snapshot", "--follow"], context)
        #expect(exit == .clean, "\(err.text)")
        #expect(problem.withLock { $0 } == nil)
        let lines = out.text.split(separator: "\n").map(String.init)
        try check(try parse(lines), shop.states.withLock { $0 }, seed)
        try shop.engine.close()
    }

    @Test(arguments: [31, 32] as [UInt64])
    func ofADeadDirectoryItIsTheLastState(_ seed: UInt64) throws {
        // The log is released as far as tables hold its rows.
        let shop = try Shop(seed: seed, retainBytes: seed == 31 ? .max : 0)
        for number in 1...300 { try shop.write(number) }
        try shop.engine.close()
        let before = shop.fileSystem.snapshotContents()
        let run = ToolRun(
            CDCTail.self, ["/db", "--snapshot"], environment: shop.environment)
        #expect(run.exit == .clean, "\(run.diagnostics)")
        #expect(shop.fileSystem.snapshotContents() == before)
        let shown = try parse(run.lines)
        #expect(shown.transactions.isEmpty)
        #expect(shown.snapshot == shop.states.withLock { $0.last })
        let first = try #require(run.lines.first { $0.contains("\"read\"") })
        #expect(first.contains("\"lsn\":\"\(shown.lsn)\""))
        let debezium = ToolRun(
            CDCTail.self, ["/db", "--snapshot", "--dialect", "debezium"],
            environment: shop.environment)
        let rows = debezium.lines.filter { $0.contains("\"op\":\"r\"") }
        #expect(rows.count == shown.snapshot.count)
        #expect(rows.allSatisfy { $0.contains("\"snapshot\":\"true\"") })
    }

    /// Killed amid the snapshot, the sink begins it anew; killed behind it, the stream goes on.
    @Test(arguments: [41, 42, 43] as [UInt64])
    func aSinkThatIsKilledHasEachRowOnce(_ seed: UInt64) throws {
        print("cdc snapshot to a sink: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let shop = try Shop(seed: seed)
        for number in 1...60 { try shop.write(number) }
        try shop.fileSystem.createDirectory("/out")
        let faults = FaultInjectingFileSystem(shop.fileSystem)
        var number = 60
        for _ in 0..<60 {
            faults.setRule(
                FaultRule(
                    .mutating, pathContains: "/out", index: Int.random(in: 0..<14, using: &random),
                    count: .max, errno: 5, partialBytes: 100))
            let environment = StorageEnvironment(
                fileSystem: faults, clock: SystemClock(), random: SeededRandom(seed: 1))
            let run = ToolRun(
                CDCTail.self, ["/db", "--snapshot", "--sink", "/out/s"], environment: environment)
            #expect(run.exit == .clean || run.exit == .io, "\(run.diagnostics)")
            number += 1
            try shop.write(number)
        }
        try shop.engine.close()
        let last = ToolRun(
            CDCTail.self, ["/db", "--snapshot", "--sink", "/out/s"], environment: shop.environment)
        #expect(last.exit == .clean, "\(last.diagnostics)")
        let text = String(
            decoding: try shop.fileSystem.contents(of: "/out/s"), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        try check(try parse(lines), shop.states.withLock { $0 }, seed)
    }

    @Test func aSlotIsWhereItsStreamBegins() throws {
        let shop = try Shop(seed: 5)
        for number in 1...3 { try shop.write(number) }
        let slot = try ReplicationSlotStore(shop.engine).create("s", database: DatabaseID(0))
        try ReplicationSlotStore(shop.engine).create("other", database: DatabaseID(9))
        for number in 4...9 { try shop.write(number) }
        try shop.engine.close()
        func tail(_ arguments: String...) -> ToolRun {
            ToolRun(CDCTail.self, ["/db"] + arguments, environment: shop.environment)
        }
        let run = tail("--slot", "s")
        #expect(run.exit == .clean)
        #expect(!run.lines.isEmpty)
        #expect(run.lines == tail("--from-lsn", slot.confirmedLSN.description).lines)
        #expect(tail("--slot", "other").lines.isEmpty)
        #expect(tail("--slot", "t").exit == .usage)
        #expect(tail("--slot", "s", "--snapshot").exit == .usage)
    }
}
