import FalconStorage
import Testing

@testable import FalconToolKit

/// Fewer records than threads, nothing in the values, keys of a byte: right results, or an error that says why not.
@Suite struct BenchOddSizesTests {
    private struct Shape: Sendable {
        var records: Int
        var threads: Int
        var valueSize: Int
    }

    private static let shapes = [
        Shape(records: 1, threads: 1, valueSize: 0), Shape(records: 1, threads: 7, valueSize: 1),
        Shape(records: 2, threads: 3, valueSize: 0), Shape(records: 3, threads: 64, valueSize: 5),
        Shape(records: 5, threads: 2, valueSize: 300_000),
    ]

    @Test(arguments: shapes.indices)
    func ycsbFindsItsFewRecords(_ index: Int) {
        let shape = Self.shapes[index]
        let result = BenchRun(
            YCSBCommand.self,
            [
                "--db=bench", "--operations=70", "--records=\(shape.records)",
                "--threads=\(shape.threads)", "--value_size=\(shape.valueSize)",
            ])
        #expect(result.run.exit == .clean, "\(shape): \(result.run.diagnostics)")
        #expect(result.figure("load", "operations") == Double(shape.records), "\(shape)")
        for workload in YCSBWorkload.allCases {
            let name = workload.rawValue
            #expect(result.figure(name, "operations") == 70, "\(shape) \(name)")
            #expect(result.figure(name, "not_found") == 0, "\(shape) \(name)")
        }
    }

    /// Fewer operations than threads, too.
    @Test(arguments: shapes.indices)
    func kvFindsItsFewKeys(_ index: Int) {
        let shape = Self.shapes[index]
        let names = "fillseq,overwrite,readrandom,readmissing,multireadrandom,readseq,readreverse,"
        let result = BenchRun(
            KVBenchCommand.self,
            [
                "--db=bench", "--benchmarks=\(names)seekrandom,flush,compact,open,ingest,readseq",
                "--key_size=1", "--num=\(shape.records)", "--threads=\(shape.threads)",
                "--value_size=\(shape.valueSize)",
            ])
        #expect(result.run.exit == .clean, "\(shape): \(result.run.diagnostics)")
        let asked = Double(shape.records * shape.threads)
        for name in ["readrandom", "multireadrandom", "seekrandom"] {
            #expect(result.figure(name, "asked") == asked, "\(shape) \(name)")
            #expect(result.figure(name, "found") == asked, "\(shape) \(name)")
        }
        #expect(result.figure("readmissing", "found") == 0, "\(shape)")
        #expect(result.figure("readreverse", "operations") == asked, "\(shape)")
        #expect(result.figure("ingest", "operations") == Double(shape.records), "\(shape)")
    }

    @Test func whatCannotBeIsSaid() {
        func refusal<Tool: ToolCommand>(_ tool: Tool.Type, _ flags: [String]) -> String {
            let run = ToolRun(
                tool, ["--db=bench"] + flags,
                environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
            #expect(run.exit == .usage, "\(flags): \(run.output)")
            return run.diagnostics
        }
        #expect(refusal(YCSBCommand.self, ["--records=0"]).contains("--records must be 1 to"))
        #expect(refusal(YCSBCommand.self, ["--value_size=-1"]).contains("--value_size must be 0"))
        #expect(refusal(KVBenchCommand.self, ["--num=0"]).contains("--num must be 1 to"))
        let copies = refusal(YCSBCommand.self, ["--threads=1024", "--value_size=\(1 << 30)"])
        #expect(copies.contains("--threads times --value_size"))
        let keys = refusal(
            KVBenchCommand.self, ["--benchmarks=fillseq,ingest", "--key_size=1", "--num=257"])
        #expect(keys.contains("room for 256 different keys; ingest writes 257"))
        let writes = refusal(
            KVBenchCommand.self,
            ["--benchmarks=ingest", "--key_size=2", "--num=9", "--writes=65537"])
        #expect(writes.contains("room for 65536"))
    }

    /// As many keys as there can be of one byte.
    @Test func everyKeyOfOneByteIsIngested() {
        let result = BenchRun(
            KVBenchCommand.self,
            [
                "--db=bench", "--benchmarks=ingest,readseq,readrandom", "--key_size=1",
                "--num=256", "--value_size=10",
            ])
        #expect(result.run.exit == .clean, "\(result.run.diagnostics)")
        #expect(result.figure("readseq", "operations") == 256)
        #expect(result.figure("readrandom", "found") == 256)
    }
}
