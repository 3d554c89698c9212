import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// `--jobs`: the same, sooner.
struct ParallelRestoreTests {
    /// An archived history of 80 commits in four tables at least, however fast the background is.
    private func archived(_ seed: UInt64) throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: seed) { $0.compactOnlyWhenAsked() }
        for _ in 0..<4 {
            try history.run(20, valueBytes: 2000, maintains: false)
            try history.engine.flush()
        }
        return history
    }

    private func files(_ history: EngineHistory, _ path: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for (name, bytes) in try history.fingerprint(path + "/sst") {
            found[String(name.dropFirst(path.count))] = bytes
        }
        return found
    }

    private func records(_ history: EngineHistory, _ path: String) throws -> [String] {
        let reader = try WALReader(directory: path + "/wal", fileSystem: history.fileSystem)
        var found: [String] = []
        while let record = try reader.next() {
            let sum = Checksum.xxh3(record.body)
            found.append("\(record.lsn) \(record.end) \(record.tag) \(sum)")
        }
        #expect(!reader.verdict.isCorruption)
        return found
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func oneJobAndFourMakeEqualDirectories(_ seed: UInt64) throws {
        print("oneJobAndFourMakeEqualDirectories: seed \(seed)")
        let history = try archived(seed)
        try history.engine.backup(label: "base")
        try history.run(60)
        try history.close()
        let commit = history.commits[110]
        let target = ["--to-lsn", commit.receipt.lsn.description, "--inspect"]
        for jobs in ["1", "4"] {
            let run = ToolRun(
                PITRRestore.self,
                ["apply", "--repo", "/repo", "--out", "/new\(jobs)", "--jobs", jobs] + target,
                environment: StorageEnvironment(
                    fileSystem: history.fileSystem, clock: history.clock,
                    random: SeededRandom(seed: 5)))
            try #require(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        }
        let one = try files(history, "/new1")
        #expect(one.count >= 4)
        #expect(try files(history, "/new4") == one)
        let log = try records(history, "/new1")
        #expect(!log.isEmpty)
        #expect(try records(history, "/new4") == log)
        #expect(try history.rows(at: "/new1") == commit.rows)
        #expect(try history.rows(at: "/new4") == commit.rows)
        let marker = FileNames.inspectionMarkerName
        #expect(
            try history.fileSystem.contents(of: "/new1/" + marker)
                == history.fileSystem.contents(of: "/new4/" + marker))
    }

    /// Of tables that are rewritten without what is newer, too: their identities alone differ.
    @Test func filteredTablesHoldTheSame() throws {
        let history = try EngineHistory.withVersionsOlderThanItsLog(seed: 5)
        let commit = history.commits[history.commits.count - 10]
        for jobs in ["1", "4"] {
            let run = ToolRun(
                PITRRestore.self,
                [
                    "/db", "--out", "/new\(jobs)", "--jobs", jobs, "--to-time",
                    ToolTime.format(commit.receipt.timestamp),
                ], environment: history.environment)
            try #require(run.exit == .clean, "\(run.output)")
            #expect(run.output.contains("versions up to the target only"), "\(run.output)")
            #expect(try history.rows(at: "/new\(jobs)") == commit.rows)
        }
    }

    @Test func damageIsFoundWhateverTheJobs() throws {
        let history = try archived(6)
        let backup = try history.engine.backup(label: "")
        try history.run(10)
        try history.close()
        try #require(backup.files.count >= 4)
        let repository = try Repository.open("/repo", history.fileSystem)
        let path = repository.names.file(backup.files[backup.files.count / 2])
        var bytes = try history.fileSystem.contents(of: path)
        bytes[bytes.count / 2] ^= 1
        try history.fileSystem.replace(path, with: bytes)
        let runs = ["1", "4"].map { history.apply("--to-latest", "--jobs", $0) }
        for run in runs {
            #expect(run.exit == .corruption, "\(run.output)")
            #expect(run.output.contains("not those that were written"), "\(run.output)")
            #expect(try !history.fileSystem.exists("/new"))
            #expect(try !history.fileSystem.exists("/new.partial"))
        }
        for jobs in ["0", "1025"] {
            #expect(history.apply("--to-latest", "--jobs", jobs).exit == .usage, "\(jobs)")
        }
    }

    @Test func anInterruptionEndsAllJobs() throws {
        let history = try archived(7)
        try history.engine.backup(label: "")
        try history.close()
        var interrupted = 0
        for patience in stride(from: 0, to: 400, by: 3) {
            let asked = Atomic<Int>(0)
            let run = ToolRun(
                PITRRestore.self,
                ["apply", "--repo", "/repo", "--to-latest", "--out", "/new", "--jobs", "4"],
                environment: history.environment,
                interruption: { asked.wrappingAdd(1, ordering: .relaxed).newValue > patience })
            if run.exit == .clean { break }
            #expect(run.exit == .interrupted, "\(run.output)")
            interrupted += 1
            if try history.fileSystem.exists("/new") { break }
            #expect(try !history.fileSystem.exists("/new.partial"))
        }
        #expect(interrupted > 0)
    }

    @Test func theWorkOfAllJobsIsCounted() throws {
        var told: [UInt64] = []
        let pieces = try ParallelWork.run(
            9, jobs: 3,
            work: { index, shared throws(StorageError) -> Int in
                try shared.add(10)
                return index
            }, progress: { done throws(StorageError) in told.append(done) })
        #expect(pieces == Array(0..<9))
        #expect(told.last == 90)
        #expect(told == told.sorted())
    }

    @Test func anEndThatIsWishedEndsAllJobs() throws {
        let finished = Atomic<Int>(0)
        let work: @Sendable (Int, ParallelProgress) throws(StorageError) -> Int = {
            index, shared throws(StorageError) in
            // Ten seconds, unless it is ended.
            for _ in 0..<10_000 {
                try shared.add(1)
                usleep(1000)
            }
            finished.wrappingAdd(1, ordering: .relaxed)
            return index
        }
        let error = #expect(throws: StorageError.self) {
            try ParallelWork.run(
                8, jobs: 4, work: work,
                progress: { _ throws(StorageError) in
                    throw StorageError(.cancelled, kind: .retryable, "Enough.")
                })
        }
        #expect(error?.message == "Enough.")
        #expect(finished.load(ordering: .relaxed) == 0)
    }

    @Test func progressIsToldWhateverTheJobs() throws {
        let history = try archived(8)
        try history.engine.backup(label: "")
        try history.close()
        let run = history.apply(
            "--to-latest", "--jobs", "4", "--progress", "0.1", "--progress-format", "json")
        #expect(run.exit == .clean, "\(run.output)")
        let lines = run.diagnostics.split(separator: "\n").filter { $0.contains("restoring") }
        #expect(!lines.isEmpty)
    }
}
