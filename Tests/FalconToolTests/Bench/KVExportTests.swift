import FalconStorage
import Testing

@testable import FalconToolKit

@Suite struct KVExportTests {
    private func run(_ arguments: [String], _ files: MemoryFileSystem = .init()) -> BenchRun {
        BenchRun(KVBenchCommand.self, ["--db=bench", "--seed=7"] + arguments, files: files)
    }

    @Test func everyWorkloadIsInTheDocument() throws {
        let names = KVWorkload.names.filter { $0 != "stats" }
        let result = run([
            "--benchmarks=" + names.joined(separator: ","), "--num=1500", "--histogram=1",
            "--commit=abc", "--seek_nexts=10",
        ])
        #expect(result.run.exit == .clean, "\(result.run.diagnostics)")
        let document = try #require(result.document)
        #expect(document["schema_version"]?.doubleValue == 1)
        #expect(document["command"]?.stringValue == "kv")
        #expect(document["commit"]?.stringValue == "abc")
        #expect((document["machine"]?["cores"]?.doubleValue ?? 0) >= 1)
        #expect(document["flags"]?["num"]?.doubleValue == 1500)
        for name in names {
            let operations = try #require(result.figure(name, "operations"), "\(name)")
            // One operation has one latency, whatever the workload.
            #expect(result.figure(name, "latency", "count") == operations, "\(name)")
            let tail = try #require(result.figure(name, "latency", "p99_9_micros"))
            #expect(tail <= result.figure(name, "latency", "max_micros") ?? 0)
            #expect(tail >= result.figure(name, "latency", "p50_micros") ?? .infinity)
        }
        #expect(result.figure("fillrandom", "written", "user_bytes") == 174_000.0)
        #expect((result.figure("compact", "written", "flushed_bytes") ?? 0) >= 0)
        #expect(result.run.output.contains("Microseconds per seek:"))
        #expect(result.run.output.contains("P99.9: "))
    }

    @Test func amplificationIsWhatWasWrittenOverWhatWasGiven() throws {
        let result = run(["--benchmarks=fillseq,flush", "--num=2000", "--compression_type=none"])
        let written = try #require(result.document?["written"])
        let flushed = try #require(written["flushed_bytes"]?.doubleValue)
        #expect(written["user_bytes"]?.doubleValue == 232_000.0)
        #expect(flushed > 2000 * 100)
        let compacted = try #require(written["compacted_bytes"]?.doubleValue)
        #expect(
            written["write_amplification"]?.doubleValue == (flushed + compacted) / 232_000)
        let space = try #require(result.document?["space"])
        #expect(space["live_entries"]?.doubleValue == 2000)
        #expect(space["live_bytes"]?.doubleValue == 232_000.0)
        #expect((space["table_bytes"]?.doubleValue ?? 0) > 2000 * 100)
        #expect((space["wal_bytes"]?.doubleValue ?? 0) > 0)
    }

    @Test func openLoopReportsFromTheIntendedStart() throws {
        let result = run([
            "--benchmarks=fillrandom,overwrite,readrandom,readseq", "--num=300", "--threads=2",
            "--open_loop_ops_per_sec=20000",
        ])
        #expect(result.run.exit == .clean, "\(result.run.diagnostics)")
        for name in ["fillrandom", "overwrite", "readrandom"] {
            #expect(result.figure(name, "open_loop", "target_ops_per_sec") == 20000)
            #expect(result.figure(name, "open_loop", "service", "count") == 600)
            // Late from the intended start is at least late from the real one.
            let due = try #require(result.figure(name, "latency", "mean_micros"))
            let served = try #require(result.figure(name, "open_loop", "service", "mean_micros"))
            #expect(due >= served)
            // 600 operations at 20,000 a second cannot be over before the last is due.
            let seconds = try #require(result.figure(name, "seconds"))
            #expect(seconds >= 299.0 / 10000)
            #expect(result.figure(name, "throttling", "stalls") != nil)
        }
        #expect(result.workload("readseq")?["open_loop"]?.doubleValue == nil)
    }

    @Test func whatWaitsBehindASlowOperationIsLate() {
        let clock = ManualClock()
        let timer = OperationTimer(clock, interval: 1000, stallNanos: 5_000)
        timer.start(at: 0)
        for nanos in [10_000, 1_000, 1_000] {
            timer.begin()
            clock.advance(micros: UInt64(nanos) / 1000)
            timer.finish()
        }
        // Due at 0, 1 and 2 us; done at 10, 11 and 12.
        #expect(timer.latency.mean == 10_000)
        #expect(timer.service?.mean == 4_000)
        #expect(timer.stalls == 1)
        #expect(timer.longestNanos == 10_000)
    }

    /// What lies between two operations is the second one's when it is late.
    @Test func aLateOperationBeginsWhereTheOneBeforeEnded() {
        let clock = ManualClock()
        let timer = OperationTimer(clock, interval: 1000, stallNanos: 50_000)
        timer.start(at: 0)
        for micros in [10, 1] as [UInt64] {
            timer.begin()
            clock.advance(micros: micros)
            timer.finish()
            clock.advance(micros: 3)
        }
        #expect(timer.service?.mean == 7_000)
    }

    @Test func resultsCarryTheirRatioToTheLimit() throws {
        let files = MemoryFileSystem()
        let limits = BenchRun(
            CalibrateCommand.self, ["--milliseconds=1", "--memory_mib=1", "--syncs=5"], files: files
        )
        #expect(limits.run.exit == .clean, "\(limits.run.diagnostics)")
        let names = try #require(limits.document?["limits"]?.elements)
            .compactMap { $0["name"]?.stringValue }
        #expect(Set(names) == Set(BenchLimit.allCases.map(\.rawValue)))
        for limit in limits.document?["limits"]?.elements ?? [] {
            #expect((limit["value"]?.doubleValue ?? 0) > 0, "\(limit)")
        }
        // Nothing is left behind.
        #expect(try files.list(".") == ["out.json"])
        let measured = ToolRun(
            KVBenchCommand.self,
            [
                "--db=bench", "--benchmarks=fillrandom,readrandom,compact", "--num=500",
                "--calibration=out.json", "--export", "json",
            ], environment: StorageEnvironment(fileSystem: files))
        let document = try #require(JSONReader.value(of: Array(measured.output.utf8)))
        let results = try #require(document["workloads"]?.elements)
        #expect(results[0]["limit"]?["name"]?.stringValue == "pwrite_4k")
        #expect((results[1]["limit"]?["ratio"]?.doubleValue ?? 0) > 0)
        #expect(results[2]["limit"]?["name"] == nil)
        // The document has standard output for itself.
        #expect(measured.diagnostics.contains("readrandom"))
        let wrong = ToolRun(
            KVBenchCommand.self, ["--db=bench", "--calibration=bench/CURRENT"],
            environment: StorageEnvironment(fileSystem: files))
        #expect(wrong.exit == .usage)
    }

    @Test func exportIsCheckedBeforeAnythingRuns() {
        let run = ToolRun(
            KVBenchCommand.self, ["--db=bench", "--export", "xml", "out"],
            environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        #expect(run.exit == .usage)
    }
}

@Suite struct LatencyHistogramTests {
    @Test func percentilesAreWithinABucketOfTheTruth() {
        let histogram = LatencyHistogram()
        for value in 1...100_000 as ClosedRange<UInt64> { histogram.record(value) }
        #expect(histogram.count == 100_000)
        #expect(histogram.mean == 50_000.5)
        for percent in [1.0, 50, 95, 99, 99.9] {
            let truth = percent * 1000
            #expect(abs(histogram.percentile(percent) - truth) <= truth / 32 + 1, "\(percent)")
        }
        #expect(histogram.percentile(100) == 100_000)
        #expect((histogram.minimum, histogram.maximum) == (1, 100_000))
    }

    @Test func extremesAndMergesCount() {
        let a = LatencyHistogram()
        #expect(a.percentile(99) == 0)
        a.record(0)
        a.record(.max)
        let b = LatencyHistogram()
        b.record(7)
        b.merge(a)
        #expect(b.count == 3)
        #expect(b.minimum == 0)
        #expect(b.maximum == .max)
        #expect(b.percentile(50) >= 7)
        #expect(b.percentile(50) <= 8)
    }
}

@Suite struct JSONReaderTests {
    @Test func readsWhatToolsWrite() throws {
        let value = JSONValue.object([
            ("a", .array([.int(-1), .double(2.5), .null, .bool(true)])),
            ("b\n\"", .string("x\u{1}\u{e9}")),
        ])
        let read = try #require(JSONReader.value(of: Array(value.encoded.utf8)))
        #expect(read["a"]?.elements?.count == 4)
        #expect(read["a"]?.elements?[1].doubleValue == 2.5)
        #expect(read["b\n\""]?.stringValue == "x\u{1}\u{e9}")
    }

    @Test func refusesWhatIsNone() {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        for text in ["", "{", "[1,]", "{\"a\" 1}", "\"", "\"\\u12", "1 2", "tru", "-", deep] {
            #expect(JSONReader.value(of: Array(text.utf8)) == nil, "\(text.prefix(20))")
        }
    }
}
