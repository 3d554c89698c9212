import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// The file sink shows each change exactly once, whatever ends a run and whenever.
@Suite struct ChangeSinkTests {
    private static let sink = "/out/changes.jsonl"

    /// A clock that moves with every look, so that the sink stores its cursor often.
    private final class RestlessClock: StorageClock {
        private let nanos = Atomic<UInt64>(0)
        let step: UInt64
        init(step: UInt64) { self.step = step }
        func wallMicros() -> UInt64 { 1_767_225_600_000_000 }
        func monotonicNanos() -> UInt64 {
            nanos.wrappingAdd(step, ordering: .relaxed).newValue
        }
    }

    private func history(
        _ seed: UInt64, commits: Int
    ) throws -> (log: LogBuilder, rows: [Int: String]) {
        var random = SplitMix64(seed: seed)
        let log = try LogBuilder(segmentBytes: 16 << 10)
        let table = TestTable("t", storage: 1001)
        var rows: [Int: String] = [:]
        try log.commit([TestTable.database("shop", 5), table.create])
        for number in 1...commits {
            var operations: [LogBuilder.Operation] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let id = Int.random(in: 0..<40, using: &random)
                if rows[id] == nil {
                    operations.append(try table.put(id, "i\(number)"))
                    rows[id] = "i\(number)"
                } else if Bool.random(using: &random) {
                    operations.append(try table.put(id, "u\(number)", .update))
                    rows[id] = "u\(number)"
                } else {
                    operations.append(try table.delete(id))
                    rows[id] = nil
                }
            }
            try log.commit(operations, parts: operations.count > 4 ? 2 : 0)
        }
        try log.close()
        try log.fileSystem.createDirectory("/out")
        for path in ["/", "/out", log.root, log.root + "/wal"] {
            try log.fileSystem.syncDirectory(path)
        }
        return (log, rows)
    }

    /// All bytes that the sink's files hold, the full ones first.
    private func contents(_ fileSystem: MemoryFileSystem) throws -> String {
        let names = try fileSystem.list("/out").filter { !$0.hasSuffix(".cursor") }
        let full = names.filter { $0 != "changes.jsonl" }.sorted()
        let all = full + names.filter { $0 == "changes.jsonl" }
        return try all.map {
            String(decoding: try fileSystem.contents(of: "/out/" + $0), as: UTF8.self)
        }.joined()
    }

    private func apply(_ text: String) throws -> [Int: String] {
        var rows: [Int: String] = [:]
        for line in text.split(separator: "\n") {
            let event = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard let key = event["key"] as? [String: Any], let id = key["id"] as? Int else {
                continue
            }
            let note = (event["after"] as? [String: Any])?["note"] as? String
            switch event["op"] as? String {
            case "insert":
                #expect(rows[id] == nil, "a duplicate of \(id)")
                rows[id] = note
            case "update":
                #expect(rows[id] != nil, "a gap before \(id)")
                rows[id] = note
            case "delete":
                #expect(rows[id] != nil, "a gap before \(id)")
                rows[id] = nil
            default: break
            }
        }
        return rows
    }

    /// Kills at the n-th change of the sink's files, for every n; after each kill the machine may lose
    /// what was not synced, and the next run goes on, to be killed in turn.
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func killedAtAnyMomentItGoesOnWithoutGapOrDuplicate(_ seed: UInt64) throws {
        print("cdc sink: seed \(seed)")
        var random = SplitMix64(seed: seed &* 7919)
        let (log, rows) = try history(seed, commits: 150)
        let all = ToolRun(CDCTail.self, [log.root], environment: log.environment).output
        let policies: [CrashPolicy] = [
            .keepUnsynced, .dropUnsynced, .reorder, .tear(sectorBytes: 64), .loseEntries,
        ]
        var kills = 0
        for rotate in [0, 3000] {
            var disk = log.fileSystem.fork()
            var idle = 0
            while true {
                let faults = FaultInjectingFileSystem(disk)
                faults.setRule(
                    FaultRule(
                        .mutating, pathContains: "/out",
                        index: Int.random(in: 0..<16, using: &random), count: .max, errno: 5,
                        partialBytes: Int.random(in: 0..<300, using: &random)))
                let environment = StorageEnvironment(
                    fileSystem: faults, clock: RestlessClock(step: 400_000_000),
                    random: SeededRandom(seed: 1))
                let arguments =
                    [log.root, "--sink", Self.sink]
                    + (rotate > 0 ? ["--rotate-bytes", "\(rotate)"] : [])
                let run = ToolRun(CDCTail.self, arguments, environment: environment)
                #expect(run.output.isEmpty)
                if run.exit == .clean {
                    idle += 1
                    if idle == 3 { break }
                    continue
                }
                #expect(run.exit == .io, "seed \(seed): \(run.diagnostics)")
                guard run.exit == .io else { return }
                kills += 1
                let policy = policies[Int.random(in: 0..<policies.count, using: &random)]
                disk = disk.crashClone(policy, seed: random.next())
            }
            let shown = try contents(disk)
            #expect(shown == all, "seed \(seed), rotation \(rotate)")
            #expect(try apply(shown) == rows, "seed \(seed)")
            if rotate > 0 {
                let full = try disk.list("/out").filter { $0.hasPrefix("changes.jsonl.0") }
                #expect(full.count > 5)
                for name in full {
                    let text = String(
                        decoding: try disk.contents(of: "/out/" + name), as: UTF8.self)
                    #expect(text.utf8.count >= rotate && text.hasSuffix("\n"))
                    #expect(text.split(separator: "\n").last?.contains("\"op\":\"commit\"") == true)
                }
            }
        }
        print("cdc sink: seed \(seed), \(kills) kills")
        #expect(kills >= 50, "only \(kills) kills")
    }

    @Test func itGoesOnWithWhatCameSince() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.fileSystem.createDirectory("/out")
        try log.commit([table.create])
        for id in 1...5 {
            try log.commit([try table.put(id, "x")])
            let run = ToolRun(
                CDCTail.self, [log.root, "--sink", Self.sink], environment: log.environment)
            #expect(run.exit == .clean || run.exit == .benign, "\(run.diagnostics)")
        }
        try log.close()
        let all = ToolRun(CDCTail.self, [log.root], environment: log.environment).output
        #expect(try contents(log.fileSystem) == all)
    }

    @Test func csvHasItsHeaderInEachFile() throws {
        let (log, _) = try history(3, commits: 40)
        let run = ToolRun(
            CDCTail.self,
            [log.root, "--format", "csv", "--sink", "/out/changes.csv", "--rotate-bytes", "2000"],
            environment: log.environment)
        #expect(run.exit == .clean, "\(run.diagnostics)")
        let names = try log.fileSystem.list("/out").filter { !$0.hasSuffix(".cursor") }
        #expect(names.count > 2)
        for name in names {
            let text = String(
                decoding: try log.fileSystem.contents(of: "/out/" + name), as: UTF8.self)
            #expect(text.isEmpty || text.hasPrefix("schema_version,op,database,table"))
        }
    }

    @Test func whatIsNotItsOwnIsRefused() throws {
        let (log, _) = try history(4, commits: 10)
        func run(_ arguments: String...) -> ToolRun {
            ToolRun(CDCTail.self, [log.root] + arguments, environment: log.environment)
        }
        // A file without a cursor.
        try log.fileSystem.replace("/out/mine", with: [1, 2, 3])
        let foreign = run("--sink", "/out/mine")
        #expect(foreign.exit == .usage && foreign.diagnostics.contains("no cursor beside it"))
        #expect(try log.fileSystem.contents(of: "/out/mine") == [1, 2, 3])
        // A file that became shorter.
        #expect(run("--sink", Self.sink).exit == .clean)
        let file = try log.fileSystem.open(Self.sink, .readWrite)
        try file.truncate(to: 10)
        #expect(run("--sink", Self.sink).exit == .corruption)
        // Another form, another log, no cursor at all.
        #expect(run("--cursor", "/out/c").exit == .clean)
        #expect(run("--cursor", "/out/c", "--dialect", "debezium").exit == .usage)
        try log.fileSystem.replace("/out/d", with: Array("hello".utf8))
        #expect(run("--cursor", "/out/d").exit == .corruption)
        // Never in the data directory.
        #expect(run("--sink", log.root + "/x").exit == .usage)
        #expect(run("--cursor", log.root + "/x").exit == .usage)
        #expect(try !log.fileSystem.exists(log.root + "/x"))
    }

    /// A sync that failed may have given up what it should have written, and a second one says nothing of it.
    @Test func afterAFailedSyncNothingIsCounted() throws {
        let (log, _) = try history(6, commits: 30)
        let faults = FaultInjectingFileSystem(log.fileSystem)
        // The first sync is the new cursor's, the second the data's.
        faults.setRule(
            FaultRule(.operation(.sync), pathContains: "changes.jsonl", index: 1, errno: 5))
        let environment = StorageEnvironment(
            fileSystem: faults, clock: ManualClock(), random: SeededRandom(seed: 1))
        let run = ToolRun(CDCTail.self, [log.root, "--sink", Self.sink], environment: environment)
        #expect(run.exit == .io && faults.injectedCount == 1)
        let cursor = String(
            decoding: try log.fileSystem.contents(of: Self.sink + ".cursor"), as: UTF8.self)
        #expect(cursor.contains(" bytes=0 ") && !cursor.contains("seq=2"), "\(cursor)")
        let again = ToolRun(
            CDCTail.self, [log.root, "--sink", Self.sink], environment: log.environment)
        #expect(again.exit == .clean)
        let all = ToolRun(CDCTail.self, [log.root], environment: log.environment).output
        #expect(try contents(log.fileSystem) == all)
    }

    @Test func aFullDiskEndsTheRunAndLosesNothing() throws {
        let (log, _) = try history(5, commits: 60)
        let all = ToolRun(CDCTail.self, [log.root], environment: log.environment).output
        let faults = FaultInjectingFileSystem(log.fileSystem)
        faults.setRule(
            FaultRule(.operation(.write), pathContains: "jsonl", index: 3, count: .max, errno: 28))
        let clock = RestlessClock(step: 400_000_000)
        let environment = StorageEnvironment(
            fileSystem: faults, clock: clock, random: SeededRandom(seed: 1))
        let run = ToolRun(CDCTail.self, [log.root, "--sink", Self.sink], environment: environment)
        #expect(run.exit == .io && !run.diagnostics.isEmpty)
        faults.setRule(nil)
        let again = ToolRun(
            CDCTail.self, [log.root, "--sink", Self.sink], environment: environment)
        #expect(again.exit == .clean)
        #expect(try contents(log.fileSystem) == all)
    }
}
