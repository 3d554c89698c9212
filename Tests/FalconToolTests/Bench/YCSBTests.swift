import FalconStorage
import Testing

@testable import FalconToolKit

@Suite struct YCSBTests {
    @Test func everyWorkloadDoesItsShareAndFindsItsRecords() throws {
        let result = BenchRun(
            YCSBCommand.self,
            ["--db=bench", "--records=500", "--operations=2001", "--threads=3", "--value_size=50"])
        #expect(result.run.exit == .clean, "\(result.run.diagnostics)")
        #expect(result.figure("load", "operations") == 500)
        for workload in YCSBWorkload.allCases {
            let name = workload.rawValue
            #expect(result.figure(name, "operations") == 2001, "\(name)")
            #expect(result.figure(name, "not_found") == 0, "\(name)")
            #expect(result.figure(name, "latency", "count") == 2001)
        }
        func count(_ name: String, _ operation: String) -> Double {
            result.figure(name, "operations_by_kind", operation, "count") ?? 0
        }
        #expect((800...1200).contains(count("a", "update")))
        #expect((40...200).contains(count("b", "update")))
        #expect(count("c", "read") == 2001)
        #expect((40...200).contains(count("d", "insert")))
        #expect((1800...1960).contains(count("e", "scan")))
        #expect((800...1200).contains(count("f", "read_modify_write")))
        // 1 to 100 records each, fewer at the end of the tree.
        let perScan = (result.figure("e", "scanned_records") ?? 0) / count("e", "scan")
        #expect((30...55).contains(perScan))
        // Inserts stay.
        let inserts = count("d", "insert") + count("e", "insert")
        #expect(result.document?["space"]?["live_entries"]?.doubleValue == 500 + inserts)
    }

    @Test func anExistingDatabaseIsNotLoadedAgain() {
        let files = MemoryFileSystem()
        let flags = ["--db=bench", "--records=100", "--operations=200", "--value_size=10"]
        _ = BenchRun(YCSBCommand.self, flags + ["--workloads=c"], files: files)
        let again = BenchRun(
            YCSBCommand.self, flags + ["--workloads=C", "--use_existing_db=1"], files: files)
        #expect(again.run.exit == .clean, "\(again.run.diagnostics)")
        #expect(again.workload("load") == nil)
        #expect(again.figure("c", "not_found") == 0)
    }

    @Test func zipfianPrefersTheFewAndStaysInRange() {
        var random = SplitMix64(seed: 3)
        let zipfian = ZipfianGenerator(count: 1000)
        var counts = [Int](repeating: 0, count: 1000)
        for _ in 0..<100_000 {
            counts[Int(zipfian.number(Double(random.next() >> 11) * 0x1p-53))] += 1
        }
        // 1 / zeta(1000, 0.99) of all, and half of that for the second.
        #expect((12_500...13_900).contains(counts[0]), "\(counts[0])")
        #expect((6_100...7_200).contains(counts[1]), "\(counts[1])")
        #expect(counts[500...].reduce(0, +) < 12_000)
        #expect(zipfian.number(0.999_999_999_999) <= 999)
        for count in [1, 2, 3] as [UInt64] {
            #expect(ZipfianGenerator(count: count).number(0.999_999_999) < count)
        }
    }

    @Test func growingGivesTheSameAsStartingLarge() {
        var grown = ZipfianGenerator(count: 10)
        grown.grow(to: 1000)
        let large = ZipfianGenerator(count: 1000)
        for uniform in [0.0, 0.1, 0.5, 0.9, 0.99] {
            #expect(grown.number(uniform) == large.number(uniform))
        }
    }

    @Test func recordsCountOnceAllBeforeThemAreIn() {
        let records = YCSBRecords(10)
        let (a, b, c) = (records.begin(), records.begin(), records.begin())
        records.end(c)
        records.end(b)
        #expect(records.count == 10)
        records.end(a)
        #expect(records.count == 13)
    }

    @Test func wrongFlagsAreUsageErrors() {
        for flag in ["--workloads=g", "--records=0", "--threads=0", "--compression_type=snappy"] {
            let run = ToolRun(
                YCSBCommand.self, ["--db=bench", flag],
                environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
            #expect(run.exit == .usage, "\(flag)")
        }
    }
}
