import FalconStorage
import Testing

@testable import FalconToolKit

@Suite struct KVBenchTests {
    private func run(_ arguments: [String]) -> ToolRun {
        let memory = MemoryFileSystem()
        return ToolRun(
            KVBenchCommand.self, ["--db=bench", "--seed=7"] + arguments,
            environment: StorageEnvironment(fileSystem: memory))
    }

    /// The result line of a workload: micros/op, ops/sec, seconds, operations.
    private func figures(_ run: ToolRun, _ name: String) -> [Double]? {
        guard let line = run.lines.first(where: { $0.hasPrefix(name) && $0.contains(" : ") }) else {
            return nil
        }
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "micros/op") else { return nil }
        return [words[at - 1], words[at + 1], words[at + 3], words[at + 5]].compactMap {
            Double($0)
        }
    }

    @Test func everyWorkloadReportsALine() throws {
        let names = KVWorkload.names.filter { $0 != "stats" }
        let result = run(["--benchmarks=" + names.joined(separator: ",") + ",stats", "--num=2000"])
        #expect(result.exit == .clean, "\(result.output)\(result.diagnostics)")
        for name in names {
            let found = try #require(figures(result, name), "\(name)")
            #expect(found.count == 4)
            #expect(found[3] >= 1)
        }
        #expect(figures(result, "fillseq")?[3] == 2000)
        #expect(figures(result, "fillsync")?[3] == 2)
        #expect(result.output.contains("** Statistics **"))
    }

    @Test func readsFindWhatFillsWrote() throws {
        let all = run(["--benchmarks=fillseq,readrandom,readmissing,seekrandom", "--num=1000"])
        #expect(
            all.lines.contains { $0.hasPrefix("readrandom") && $0.contains("(1000 of 1000 found)") }
        )
        #expect(
            all.lines.contains { $0.hasPrefix("readmissing") && $0.contains("(0 of 1000 found)") })
        #expect(
            all.lines.contains { $0.hasPrefix("seekrandom") && $0.contains("(1000 of 1000 found)") }
        )
        let some = run(["--benchmarks=fillrandom,readrandom", "--num=5000"])
        let line = try #require(some.lines.first { $0.hasPrefix("readrandom") })
        let found = try #require(line.split(separator: "(").last?.split(separator: " ").first)
        // 1 - 1/e of the numbers were drawn.
        #expect((3000...3320).contains(Int(found) ?? 0), "\(line)")
    }

    @Test func threadsAndBatches() {
        let result = run([
            "--benchmarks=fillseq,readwhilewriting", "--num=1000", "--threads=3", "--batch_size=10",
        ])
        #expect(figures(result, "fillseq")?[3] == 3000)
        #expect(figures(result, "readwhilewriting")?[3] == 3000)
    }

    @Test func wrongFlagsAreUsageErrors() {
        #expect(run(["--benchmarks=nonsense"]).exit == .usage)
        #expect(run(["--num=0"]).exit == .usage)
        #expect(run(["--sync=perhaps"]).exit == .usage)
        #expect(run(["--compression_type=snappy"]).exit == .usage)
    }

    /// The first numbers of C++'s std::mt19937_64 with its default seed.
    @Test func twisterIsTheStandardOne() {
        var random = MersenneTwister64(seed: 5489)
        #expect(random.next() == 14_514_284_786_278_117_030)
        for _ in 0..<9998 { _ = random.next() }
        #expect(random.next() == 9_981_545_732_273_789_042)
    }
}
