import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What the tools make of files that were ingested.
struct IngestToolTests {
    /// A history with an ingestion in its middle; what it must come to after it.
    private func history(
        seed: UInt64, flushesFirst: Bool = false,
        _ change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> (history: EngineHistory, receipt: CommitReceipt, after: [String: String]) {
        let history = try EngineHistory(seed: seed, change)
        try history.run(30, maintains: false)
        if flushesFirst { try history.engine.flush() }
        let writer = try SortedFileWriter(
            path: "/in.sst", options: history.options, environment: history.environment)
        var after = history.commits.last?.rows ?? [:]
        for number in 20..<50 {
            let (key, value) = ("k\(number)", "ingested \(number)")
            try Array(key.utf8).withRaw { key throws(StorageError) in
                var failure: StorageError?
                Array(value.utf8).withUnsafeBytes { value in
                    do throws(StorageError) { try writer.put(key: key, value: value) } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            }
            after[key] = value
        }
        _ = try writer.finish()
        history.clock.advance(micros: 1000)
        let receipt = try history.engine.ingest(["/in.sst"])
        return (history, receipt, after)
    }

    private func tail(_ history: EngineHistory, _ arguments: String...) -> ToolRun {
        ToolRun(CDCTail.self, ["/db"] + arguments, environment: history.environment)
    }

    @Test(arguments: [false, true])
    func aRestoreReplaysAnIngestion(_ flushes: Bool) throws {
        // What is flushed before leaves the ingestion in the log, or not: both must do.
        let (history, receipt, after) = try history(seed: 71, flushesFirst: !flushes)
        if flushes { try history.engine.flush() }
        try history.close()
        for base in ["log", "tables"] {
            let target = "/restored-\(base)"
            let run = history.restore("--to-latest", "--base", base, out: target)
            try #require(run.exit == .clean, "\(run.output)\(run.diagnostics)")
            let found = try history.rows(at: target)
            let wrong = Set(found.keys).union(after.keys).filter { found[$0] != after[$0] }
            let difference = wrong.sorted().map {
                "\($0): \(found[$0] ?? "-") for \(after[$0] ?? "-")"
            }
            #expect(difference.isEmpty, "\(base)")
        }
        let exact = history.restore("--to-lsn", receipt.lsn.description, out: "/exact")
        #expect(exact.exit == .clean, "\(exact.output)")
        #expect(try history.rows(at: "/exact") == after)
        let earlier = try #require(history.commits.last)
        let before = history.restore("--to-lsn", earlier.receipt.lsn.description, out: "/before")
        #expect(before.exit == .clean, "\(before.output)")
        #expect(try history.rows(at: "/before") == earlier.rows)
    }

    @Test func aFileThatCompactionsTookInCannotBeReplayed() throws {
        let (history, receipt, after) = try history(seed: 72) {
            $0.versionRetentionMicros = 1 << 50
        }
        try history.engine.compact()
        let batch = WriteBatch()
        try history.put("k20", "newer", into: batch)
        history.clock.advance(micros: 1000)
        _ = try history.engine.commitAndWait(batch)
        try history.engine.compact()
        try history.close()
        let log = history.restore("--to-latest", "--base", "log", out: "/log")
        #expect(log.exit == .unreachable, "\(log.output)")
        #expect(log.output.contains("ingested"), "\(log.output)")
        // The tables still have the versions of that moment.
        let run = history.restore("--to-lsn", receipt.lsn.description, out: "/then")
        try #require(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/then") == after)
    }

    @Test func theInspectorNamesTheFiles() throws {
        let (history, _, _) = try history(seed: 73)
        try history.close()
        let run = ToolRun(
            WALInspect.self, ["/db", "--records"], environment: history.environment)
        let line = try #require(run.lines.first { $0.contains("INGEST") }, "\(run.output)")
        #expect(line.contains("30 operations") && line.contains(".sst"), "\(line)")
        let verify = ToolRun(SSTVerify.self, ["/db"], environment: history.environment)
        #expect(verify.exit == .clean, "\(verify.output)")
    }

    @Test func changeCaptureTellsOfIt() throws {
        let (history, receipt, _) = try history(seed: 74)
        try history.close()
        let run = tail(history, "--op", "ingest")
        let lines = run.lines.filter { $0.contains("\"ingest\"") }
        #expect(lines.count == 1, "\(run.output)")
        let line = try #require(lines.first)
        #expect(line.contains("\"rows\":30"))
        #expect(line.contains("\"end_lsn\":\"\(receipt.lsn)\""))
        #expect(line.contains("\"commit_ts\":\"\(receipt.timestamp.rawValue)\""))
        let later = tail(history, "--op", "ingest", "--from-lsn", receipt.lsn.description)
        #expect(!later.output.contains("\"ingest\""), "\(later.output)")
    }
}
