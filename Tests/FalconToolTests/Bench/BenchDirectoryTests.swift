import FalconStorage
import Testing

@testable import FalconToolKit

@Suite struct BenchDirectoryTests {
    private let files = MemoryFileSystem()
    private var environment: StorageEnvironment { StorageEnvironment(fileSystem: files) }

    private func kv(_ arguments: String...) -> ToolRun {
        ToolRun(
            KVBenchCommand.self, ["--db=bench", "--num=100", "--seed=7"] + arguments,
            environment: environment)
    }
    private func ycsb(_ arguments: String...) -> ToolRun {
        ToolRun(
            YCSBCommand.self,
            ["--db=bench", "--records=100", "--operations=100", "--workloads=c"] + arguments,
            environment: environment)
    }

    /// A database of somebody else's.
    private func makeDatabase() throws -> StorageEngine {
        let engine = try StorageEngine.open(at: "bench", environment: environment)
        let batch = WriteBatch()
        try batch.put("key", "value")
        _ = try engine.commitAndWait(batch, CommitOptions())
        return engine
    }

    private func contents() throws -> [String] {
        try ["", "/wal", "/sst"].flatMap { folder in
            try files.list("bench" + folder).map { "\(folder)/\($0)" }
        }.sorted()
    }

    @Test func whatIsInUseIsNotEmptied() throws {
        let engine = try makeDatabase()
        defer { try? engine.close() }
        let before = try contents()
        for run in [kv(), kv("--use_existing_db=1"), kv("--benchmarks=readrandom"), ycsb()] {
            #expect(run.exit == .inUse, "\(run.output)")
            #expect(run.output.contains("in use"))
        }
        #expect(try contents() == before)
    }

    @Test func aDatabaseOfSomebodyElseIsNotEmptied() throws {
        try makeDatabase().close()
        let before = try contents()
        for run in [kv(), kv("--benchmarks=readrandom"), kv("--benchmarks=overwrite"), ycsb()] {
            #expect(run.exit == .usage, "\(run.output)")
            #expect(run.output.contains("falcon-bench did not make"))
            #expect(run.output.contains("--use_existing_db=1"))
        }
        #expect(try contents() == before)
        // It is measured on request, and stays whose it was.
        let wanted = kv("--benchmarks=readrandom", "--use_existing_db=1")
        #expect(wanted.exit == .clean, "\(wanted.output)")
        #expect(kv().exit == .usage)
    }

    @Test func aDirectoryOfItsOwnIsEmptiedAgainAndAgain() throws {
        for _ in 0..<2 {
            #expect(kv("--benchmarks=fillseq,fillseq,readrandom").exit == .clean)
            #expect(ycsb().exit == .clean)
        }
        // Without the flag too: it is falcon-bench's.
        #expect(kv("--benchmarks=overwrite").exit == .clean)
    }

    @Test func whatAKilledRunLeftIsEmptied() throws {
        #expect(kv("--benchmarks=fillseq").exit == .clean)
        // Between the last file and the mark, and after the mark.
        for kept in [["LOCK", "falcon-bench"], ["LOCK"]] {
            for path in try contents() where !kept.contains(String(path.dropFirst())) {
                if try !files.isDirectory("bench" + path) { try files.remove("bench" + path) }
            }
            let run = kv("--benchmarks=fillseq")
            #expect(run.exit == .clean, "\(run.output)")
        }
    }

    @Test func foreignFilesAreNotTouched() throws {
        #expect(kv("--benchmarks=fillseq").exit == .clean)
        try files.open("bench/notes.txt", .create).close()
        let before = try contents()
        let run = kv("--benchmarks=fillseq")
        #expect(run.exit == .usage)
        #expect(run.output.contains("notes.txt"))
        #expect(try contents() == before)
    }

    @Test func recordsThatAreNotThereAreAnError() throws {
        #expect(ycsb("--use_existing_db=1").exit == .io)
        #expect(try !files.exists("bench/CURRENT"))
        #expect(ycsb().exit == .clean)
        let more = ycsb("--records=101", "--use_existing_db=1")
        #expect(more.exit == .io)
        #expect(more.output.contains("no record 100"))
        #expect(ycsb("--use_existing_db=1").exit == .clean)
    }
}
