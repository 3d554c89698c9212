import FalconStorage
import Testing

@testable import FalconToolKit

/// Flags out of range are refused before anything is printed or opened, by a message that names them.
@Suite struct BenchLimitsTests {
    private func refused<Tool: ToolCommand>(
        _ tool: Tool.Type, _ flags: [String], db: [String] = ["--db=bench"]
    ) {
        for flag in flags {
            let files = MemoryFileSystem()
            let run = ToolRun(
                tool, db + [flag], environment: StorageEnvironment(fileSystem: files))
            #expect(run.exit == .usage, "\(flag)")
            #expect(run.output.isEmpty, "\(flag): \(run.output)")
            let name = String(flag.prefix { $0 != "=" })
            #expect(run.diagnostics.contains(name), "\(flag): \(run.diagnostics)")
            #expect(run.diagnostics.contains("must be") || run.diagnostics.contains("there are"))
            #expect((try? files.exists("bench")) == false, "\(flag)")
        }
    }

    @Test func kvNamesTheFlagAndItsLimits() {
        let largest = [
            "num", "reads", "writes", "key_size", "value_size", "threads", "batch_size",
            "cache_size",
            "memory_budget", "duration", "seek_nexts", "write_buffer_size", "replay_buffer_size",
            "target_file_size_base", "block_size", "min_blob_size", "max_background_jobs",
            "bloom_bits", "compression_max_dict_bytes", "rate_limiter_bytes_per_sec",
            "benchmark_write_rate_limit", "open_loop_ops_per_sec", "stall_millis",
        ]
        refused(KVBenchCommand.self, largest.map { "--\($0)=\(Int.max)" })
        refused(
            KVBenchCommand.self,
            [
                "--seek_nexts=-1", "--memory_budget=-1", "--memory_budget=1", "--min_blob_size=-1",
                "--reads=-7", "--writes=-7", "--max_background_jobs=0", "--benchmarks=,",
                "--benchmarks=fillseq,,readseq", "--bloom_bits=65", "--block_size=1",
                "--compression_ratio=nan",
            ])
    }

    @Test func ycsbAndTPCBNameTheFlagAndItsLimits() {
        refused(
            YCSBCommand.self,
            [
                "--records=\(Int.max)", "--operations=\(Int.max)", "--cache_size=\(Int.max)",
                "--write_buffer_size=1", "--max_background_jobs=0", "--workloads=a,,b",
                "--workloads=,", "--threads=0",
            ])
        refused(
            TPCBCommand.self,
            ["--seconds=\(Int.max)", "--retries=\(Int.max)", "--transactions=-1", "--port=0"],
            db: [])
    }

    @Test func whatDbBenchMeansIsKept() {
        let files = MemoryFileSystem()
        for flags in [["--reads=-1", "--writes=-1"], ["--reads=0"], ["--bloom_bits=-1"]] {
            let run = ToolRun(
                KVBenchCommand.self,
                ["--db=bench", "--num=100", "--benchmarks=fillrandom,readrandom"] + flags,
                environment: StorageEnvironment(fileSystem: files))
            #expect(run.exit == .clean, "\(flags): \(run.output)\(run.diagnostics)")
        }
    }

    @Test func aCommitHoldsABoundedBatch() {
        let run = ToolRun(
            KVBenchCommand.self, ["--db=bench", "--batch_size=1000000", "--value_size=100000"],
            environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        #expect(run.exit == .usage)
        #expect(run.diagnostics.contains("--batch_size"))
    }

    @Test func durabilityIsNamed() {
        let synced = ToolRun(KVBenchCommand.self, ["--durability=synced"])
        #expect(synced.exit == .usage)
        #expect(synced.diagnostics.contains("--sync=1"))
        #expect(ToolRun(YCSBCommand.self, ["--help"]).output.contains("(default: written)"))
    }

    @Test func anExportThatCannotBeWrittenIsNoticedBeforeTheRun() throws {
        let files = MemoryFileSystem()
        let run = ToolRun(
            KVBenchCommand.self, ["--db=bench", "--num=100", "--export", "json", "nope/x"],
            environment: StorageEnvironment(fileSystem: files))
        #expect(run.exit == .io)
        #expect(!run.output.contains("fillseq"))
        #expect(try !files.exists("bench"))
    }

    @Test func aRunThatFailsLeavesNoEmptyExport() throws {
        let files = MemoryFileSystem()
        let run = BenchRun(YCSBCommand.self, ["--db=bench", "--use_existing_db=1"], files: files)
        #expect(run.run.exit == .io)
        #expect(try !files.exists("out.json"))
    }
}
