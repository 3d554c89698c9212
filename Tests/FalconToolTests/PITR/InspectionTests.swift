import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// States that are looked at before a restore is finished.
struct InspectionTests {
    /// Commits to stop at: from `first` on, one by one or in random jumps.
    private func stops(
        _ history: EngineHistory, from first: Int, _ seed: UInt64, jumps: Bool
    ) -> [Int] {
        guard jumps else { return Array(first..<history.commits.count) }
        var random = SplitMix64(seed: seed)
        var stops = [first]
        while let last = stops.last, last < history.commits.count - 1 {
            stops.append(
                min(last + Int.random(in: 1...15, using: &random), history.commits.count - 1))
        }
        return stops
    }

    private func walk(
        _ history: EngineHistory, from source: String, _ stops: [Int], _ keys: [String] = []
    ) throws {
        let encryption = history.options.encryption
        for (step, index) in stops.enumerated() {
            let commit = history.commits[index]
            let time = ToolTime.format(commit.receipt.timestamp)
            let run =
                step == 0
                ? history.inspect(commit, from: source, keys)
                : step % 3 == 0
                    ? ToolRun(
                        PITRRestore.self, ["advance", "/new", "--to-time", time] + keys,
                        environment: history.environment)
                    : history.advance(to: commit, keys)
            try #require(
                run.exit == .clean, "commit \(index): \(run.output)\(run.diagnostics)")
            #expect(try history.rows(at: "/new", encryption) == commit.rows, "commit \(index)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
    func everyCommitIsReachedFromAnEarlierOne(_ seed: UInt64, _ jumps: Bool) throws {
        print("everyCommitIsReachedFromAnEarlierOne: seed \(seed), jumps \(jumps)")
        let history = try EngineHistory(seed: seed)
        try history.run(70)
        try history.close()
        let before = try history.fingerprint()
        try walk(history, from: "/db", stops(history, from: 0, seed, jumps: jumps))
        #expect(try history.fingerprint() == before)
        // The same as a restore that goes there at once, of what is written too.
        let last = try #require(history.commits.last)
        let direct = history.restore("--to-lsn", last.receipt.lsn.description, out: "/direct")
        #expect(direct.exit == .clean, "\(direct.output)")
        #expect(try history.rows(at: "/direct") == history.rows(at: "/new"))
    }

    @Test(
        arguments: [(11, nil, false), (12, 7, true), (13, nil, true)] as [(UInt64, UInt8?, Bool)])
    func everyCommitIsReachedFromARepository(_ seed: UInt64, _ key: UInt8?, _ jumps: Bool) throws {
        print("everyCommitIsReachedFromARepository: seed \(seed), jumps \(jumps)")
        let history = try EngineHistory.archived(seed: seed, key: key)
        try history.run(10)
        try history.engine.backup(label: "first")
        let first = history.commits.count - 1
        try history.run(25)
        // A newer base does not take the way from the inspection.
        try history.engine.backup(label: "second")
        try history.run(25)
        try history.close()
        try history.fileSystem.removeTree("/db")
        let keys = key == nil ? [] : ["--key-file", "/key"]
        try walk(history, from: "/repo", stops(history, from: first, seed, jumps: jumps), keys)
        let finished = ToolRun(
            PITRRestore.self, ["advance", "/new", "--to-latest", "--promote"] + keys,
            environment: history.environment)
        #expect(finished.exit == .clean, "\(finished.output)")
        try history.write("new", "born")
        var expected = try #require(history.commits.last).rows
        expected["new"] = "born"
        #expect(try history.rows(at: "/new", history.options.encryption) == expected)
    }

    @Test func itIsReadAndNotWritten() throws {
        let history = try EngineHistory.inspection(seed: 21, of: 40, at: 20)
        let before = try history.inspected()
        #expect {
            try history.write("a", "b")
        } throws: {
            ($0 as? StorageError)?.code == .readOnly
        }
        #expect(try history.rows(at: "/new") == history.commits[20].rows)
        var options = EngineOptions()
        options.isReadOnly = true
        let engine = try StorageEngine.open(
            at: "/new", options: options, environment: history.environment)
        #expect(engine.replayedLSN == history.commits[20].receipt.lsn)
        let batch = WriteBatch()
        try history.put("a", "b", into: batch)
        #expect { try engine.commitAndWait(batch) } throws: {
            let error = $0 as? StorageError
            return error?.code == .readOnly
                && error?.hint?.contains("advance /new --promote") == true
        }
        try engine.close()
        let log = ToolRun(WALInspect.self, ["/new"], environment: history.environment)
        #expect(log.exit == .clean, "\(log.output)")
        let tables = ToolRun(SSTVerify.self, ["/new"], environment: history.environment)
        #expect(tables.exit == .clean, "\(tables.output)")
        #expect(try history.inspected() == before)
    }

    @Test func aPromotedOneIsADatabase() throws {
        let history = try EngineHistory(seed: 23)
        try history.run(40)
        let used = history.engine.allocateTransactionID()
        try history.close()
        let made = history.inspect(history.commits[10], from: "/db", ["--base", "log"])
        #expect(made.exit == .clean, "\(made.output)")
        let run = history.advance(to: history.commits[25], ["--promote", "--format", "json"])
        #expect(run.exit == .clean, "\(run.output)")
        let result = try #require(run.report["result"] as? [String: Any])
        #expect(result["inspection"] as? Bool == false)
        #expect(result["replayed_commits"] as? Int == 15)
        #expect(result["branch"] as? String != result["parent_branch"] as? String)
        #expect(try !history.fileSystem.exists("/new/" + FileNames.inspectionMarkerName))
        #expect(try history.rows(at: "/new") == history.commits[25].rows)
        var options = EngineOptions()
        options.walRetainBytes = 1 << 30
        let engine = try StorageEngine.open(
            at: "/new", options: options, environment: history.environment)
        #expect(engine.allocateTransactionID() > used)
        let batch = WriteBatch()
        try history.put("new", "born", into: batch)
        let receipt = try engine.commitAndWait(batch)
        #expect(receipt.timestamp > (history.commits.last?.receipt.timestamp ?? .max))
        try engine.close()
        let again = history.advance("--to-latest")
        #expect(again.exit == .usage && again.output.contains("not a restore's inspection"))
        // Its own history is whole: the past that it shares, and the branch.
        let past = ToolRun(
            PITRRestore.self,
            ["/new", "--to-lsn", history.commits[5].receipt.lsn.description, "--out", "/past"],
            environment: history.environment)
        #expect(past.exit == .clean, "\(past.output)")
        #expect(try history.rows(at: "/past") == history.commits[5].rows)
    }

    @Test func itIsPromotedAsItIs() throws {
        let history = try EngineHistory.inspection(seed: 24, of: 30, at: 10)
        // The source is not needed for that.
        try history.fileSystem.rename("/db", to: "/moved")
        #expect(history.advance("--promote").exit == .clean)
        #expect(try history.rows(at: "/new") == history.commits[10].rows)
        try history.write("new", "born")
    }

    @Test func aSourceThatWasMovedIsNamed() throws {
        let history = try EngineHistory.inspection(seed: 25, of: 30, at: 10)
        try history.fileSystem.rename("/db", to: "/moved")
        #expect(history.advance("--to-latest").exit == .io)
        let run = history.advance("--to-latest", "--source", "/moved")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
        // Another database's log is none to go on with.
        let other = try EngineHistory(seed: 26)
        try other.run(60)
        try other.close()
        for (path, bytes) in try other.fingerprint() {
            let to = "/other" + path.dropFirst(3)
            for folder in ["/other", VFSPath.parent(of: to)] {
                try history.fileSystem.createDirectoryIfMissing(folder)
            }
            try history.fileSystem.replace(to, with: bytes)
        }
        let before = try history.inspected()
        let foreign = history.advance("--to-latest", "--source", "/other")
        #expect(foreign.exit == .unreachable, "\(foreign.output)")
        #expect(foreign.output.contains("not the one that led to"), "\(foreign.output)")
        #expect(try history.inspected() == before)
    }

    /// A sibling has the same past and, where the newest commit lies, one of its own.
    @Test func aSiblingsLogIsNotGoneOnWith() throws {
        let history = try EngineHistory(seed: 34)
        try history.run(30)
        try history.close()
        let fork = history.commits[20].receipt.lsn.description
        var ends: [LSN] = []
        for child in ["/one", "/two"] {
            let made = history.restore("--to-lsn", fork, out: child)
            #expect(made.exit == .clean, "\(made.output)")
            let engine = try StorageEngine.open(
                at: child, options: history.options, environment: history.environment)
            for number in 0..<3 {
                history.clock.advance(micros: 1000)
                let batch = WriteBatch()
                try history.put("child \(number)", child, into: batch)
                ends.append(try engine.commitAndWait(batch).lsn)
            }
            try engine.close()
        }
        let made = ToolRun(
            PITRRestore.self,
            ["/one", "--to-lsn", ends[1].description, "--inspect", "--out", "/new"],
            environment: history.environment)
        #expect(made.exit == .clean, "\(made.output)")
        let before = try history.inspected()
        let foreign = history.advance("--to-latest", "--source", "/two")
        #expect(foreign.exit == .unreachable, "\(foreign.output)")
        #expect(foreign.output.contains("not the one that led to"), "\(foreign.output)")
        #expect(try history.inspected() == before)
        let own = history.advance("--to-latest")
        #expect(own.exit == .clean, "\(own.output)")
        #expect(try history.rows(at: "/new") == history.rows(at: "/one"))
    }

    /// Tables without what is newer go on with the log that leads on from there.
    @Test func aStateOfFilteredTablesIsAdvanced() throws {
        let history = try EngineHistory(seed: 32) { $0.versionRetentionMicros = 1 << 40 }
        try history.run(100, valueBytes: 2000, maintains: false)
        try history.engine.flush()
        try history.run(5, maintains: false)
        try history.close()
        let run = history.inspect(history.commits[40], from: "/db", ["--base", "tables"])
        #expect(run.exit == .clean, "\(run.output)")
        #expect(run.output.contains("versions up to the target only"), "\(run.output)")
        for index in [40, 41, 60, 99, 100, 104] {
            let step = history.advance(to: history.commits[index])
            #expect(step.exit == .clean, "commit \(index): \(step.output)")
            #expect(try history.rows(at: "/new") == history.commits[index].rows, "commit \(index)")
        }
    }

    @Test func aDryRunChangesNothing() throws {
        let history = try EngineHistory.inspection(seed: 29, of: 20, at: 10)
        let before = try history.inspected()
        let run = history.advance("--to-latest", "--promote", "--dry-run")
        #expect(run.exit == .clean && run.output.contains("replay:        9 commits"))
        #expect(try history.inspected() == before)
    }
}
