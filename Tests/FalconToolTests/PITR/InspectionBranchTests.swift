import FalconToolKit
import Testing

@testable import FalconStorage

/// Inspections whose source's log has been left for another branch meanwhile.
struct InspectionBranchTests {
    /// The log that goes on from the inspection was given up after a later commit; what came instead began with a
    /// newer base, in the midst of a segment.
    @Test func aPointOfALaterBranchIsReached() throws {
        let history = try EngineHistory.archived(seed: 41)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.run(5)
        _ = try history.engine.switchLogSegment()
        try history.run(5)
        try history.engine.backup(label: "second")
        try history.run(15)
        try history.close()
        let (seen, fork) = (history.commits[12], history.commits[24])
        let restored = ToolRun(
            PITRRestore.self,
            [
                "apply", "--repo", "/repo", "--to-lsn", fork.receipt.lsn.description, "--out",
                "/branch",
            ], environment: history.environment)
        #expect(restored.exit == .clean, "\(restored.output)")
        let engine = try StorageEngine.open(
            at: "/branch", options: history.options, environment: history.environment)
        var (rows, ends) = (fork.rows, [LSN]())
        for number in 0..<20 {
            let batch = WriteBatch()
            try history.put("later\(number)", "there", into: batch)
            ends.append(try engine.commitAndWait(batch).lsn)
            rows["later\(number)"] = number < 10 ? "there" : nil
        }
        try engine.close()
        let target = ends[9].description
        let direct = history.apply("--to-lsn", target)
        #expect(direct.exit == .clean, "\(direct.output)")
        #expect(try history.takeRestored() == rows)
        #expect(history.inspect(seen, from: "/repo").exit == .clean)
        let run = history.advance("--to-lsn", target)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == rows)
    }

    /// A log that was given up is not taken for all there is: only its own branch's name goes on to its end.
    @Test func aLineThatWasLeftIsNotGoneOnWithUnasked() throws {
        let history = try EngineHistory.archived(seed: 43)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "first")
        try history.run(10, maintains: false)
        try history.engine.backup(label: "second")
        try history.run(10, maintains: false)
        try history.close()
        let (fork, seen) = (history.commits[15], history.commits[24])
        let last = try #require(history.commits.last)
        #expect(history.inspect(seen, from: "/repo").exit == .clean)
        try history.goOn(from: fork, in: "/branch", "later")
        let before = try history.inspected()
        for target in [
            ["--to-latest"], ["--to-time", ToolTime.format(last.receipt.timestamp)],
        ] {
            let run = ToolRun(
                PITRRestore.self, ["advance", "/new"] + target, environment: history.environment)
            #expect(run.exit == .unreachable, "\(run.output)")
            #expect(run.output.contains("PITR001"), "\(run.output)")
            #expect(run.output.contains("was left at \(fork.receipt.lsn)"), "\(run.output)")
            #expect(run.output.contains("--branch"), "\(run.output)")
            #expect(try history.inspected() == before)
        }
        let parent = try #require(try history.inventory.backups.first { $0.label == "second" })
        let named = history.advance("--to-latest", "--branch", parent.branch.description)
        #expect(named.exit == .clean, "\(named.output)")
        #expect(named.output.contains("branch:        \(parent.branch), as asked for"))
        #expect(try history.rows(at: "/new") == last.rows)
    }

    /// What was looked at is the past of another branch up to a limit alone: nothing beyond it is taken for that.
    @Test func aTargetBehindTheLimitIsRefused() throws {
        let history = try EngineHistory.archived(seed: 44)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "first")
        try history.run(20, maintains: false)
        try history.close()
        let (seen, last) = (history.commits[12], history.commits[20])
        #expect(history.inspect(seen, from: "/repo").exit == .clean)
        let inspection = try #require(
            try RestoreInspection.read(root: "/new", history.fileSystem))
        let repository = try Repository.open("/repo", history.fileSystem)
        let chain = try RepositoryTimeline(repository.inventory().segments, branch: nil).chain
        let limit = last.receipt.lsn
        let source = try RepositorySource(
            repository, backup: nil, segments: chain, gap: nil, limit: limit)
        func refusal(_ target: RestoreTarget) throws -> String? {
            let (found, cut) = try RestoreSource.survey(
                root: source.root, target: target,
                environment: try source.environment(history.environment, nil),
                advancing: inspection)
            let plan = try RestorePlan(advancing: inspection, found, cut, target)
            do throws(StorageError) {
                try source.checkAdvance(plan)
                return nil
            } catch {
                #expect(error.code == .targetUnreachable)
                return error.message
            }
        }
        let moment = last.receipt.timestamp.microsSince1970
        #expect(try refusal(.lsn(limit)) == nil)
        #expect(try refusal(.time(moment - 1)) == nil)
        // The next commit in this log is another future's, and the branch's own one is not known.
        let left = "left at \(limit) for another branch"
        #expect(try refusal(.time(moment))?.contains(left) == true)
        #expect(try refusal(.time(moment + 500))?.contains(left) == true)
        #expect(try refusal(.latest)?.contains("was left at \(limit)") == true)
        #expect(
            try refusal(.lsn(history.commits[21].receipt.lsn))?.contains("was left at \(limit)")
                == true)
    }
}
