import FalconToolKit
import Testing

@testable import FalconStorage

/// Inspections whose source's log has been left for another branch meanwhile.
struct InspectionBranchTests {
    /// The log that goes on from the inspection was given up after a later commit; what came instead began with a
    /// newer base. Either the way there is found, or none is.
    @Test func aPointOfALaterBranchIsReachedOrRefused() throws {
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
        #expect(run.exit == .clean || run.exit == .unreachable, "\(run.output)")
        #expect(try history.rows(at: "/new") == (run.exit == .clean ? rows : seen.rows))
    }
}
