import FalconToolKit
import Testing

@testable import FalconStorage

/// Two servers that archive to one repository are told of, and only they.
struct ConcurrentBranchTests {
    private func found(_ repository: ForgedRepository) throws -> [ConcurrentBranches] {
        try RepositoryTimeline(repository.inventory.segments, branch: nil).concurrentBranches
    }

    /// Branch 2 goes on from branch 1's day 3; its own days are `shift` later than its LSNs say.
    private func branched(_ days: Range<Int>, shift: Double) -> ForgedRepository {
        var repository = ForgedRepository()
        repository.log(0..<8)
        repository.log(days, branch: 2, after: (1, 3)) { $0 + shift }
        return repository
    }

    @Test func whatIsWrittenSideBySideIsFound() throws {
        // Days 4 to 9 of branch 2 were days 4.5 to 9.5.
        #expect(
            try found(branched(4..<10, shift: 0.5)) == [
                ConcurrentBranches(
                    first: ForgedRepository.branch(1), second: ForgedRepository.branch(2),
                    sinceMicros: ForgedRepository.moment(4.5),
                    untilMicros: ForgedRepository.moment(7))
            ])
    }

    @Test func whatComesLaterIsNot() throws {
        #expect(try found(branched(4..<10, shift: 4)).isEmpty)
        // One segment tells that a branch was begun, as a restore does, and not that a server wrote it.
        #expect(try found(branched(4..<5, shift: 0.5)).isEmpty)
        var alone = ForgedRepository()
        alone.log(0..<20)
        #expect(try found(alone).isEmpty)
    }

    @Test func twoClocksMayDifferALittle() throws {
        let second = 1 / 86_400.0
        #expect(try found(branched(4..<6, shift: 3 - 9 * second)).isEmpty)
        #expect(try found(branched(4..<6, shift: 3 - 11 * second)).count == 1)
    }

    /// A server that was started again with its clock set back goes on where it ended.
    @Test func aClockThatWasSetBackIsNoSecondServer() throws {
        var repository = ForgedRepository()
        repository.log(0..<8)
        repository.log(8..<12, branch: 2, after: (1, 7)) { $0 - 5 }
        #expect(try found(repository).isEmpty)
        // Begun in the midst of what the other goes on with, it is another's.
        #expect(try found(branched(8..<12, shift: -5)).count == 1)
    }

    @Test func whatWasNotFollowedIsListed() throws {
        let line = try RepositoryTimeline(
            branched(4..<10, shift: 4).inventory.segments, branch: nil)
        #expect(line.tip?.branch == ForgedRepository.branch(2))
        #expect(line.otherTips.map(\.uid) == [ForgedRepository.uid(1, 7)])
        let other = try RepositoryTimeline(
            branched(4..<10, shift: 4).inventory.segments, branch: ForgedRepository.branch(1))
        #expect(other.tip?.branch == ForgedRepository.branch(1))
        #expect(other.otherTips.map(\.uid) == [ForgedRepository.uid(2, 9)])
    }

    /// The log before a gap is the same line's.
    @Test func whatLiesBeforeAGapIsNoOtherLine() throws {
        var repository = ForgedRepository()
        repository.log(0..<5)
        repository.log(8..<20, after: (1, 7))
        repository.log(20..<25, branch: 2, after: (1, 19))
        let line = try RepositoryTimeline(repository.inventory.segments, branch: nil)
        #expect(line.tip?.uid == ForgedRepository.uid(2, 24))
        #expect(line.otherTips.isEmpty)
    }

    // MARK: - As it is told

    /// A database and one that was restored from it, and what both archive.
    private struct Pair {
        let history: EngineHistory
        let child: StorageEngine

        init() throws {
            history = try EngineHistory.archived(seed: 71)
            try history.run(10, maintains: false)
            try history.engine.backup(label: "first")
            try history.run(10, maintains: false)
            try history.engine.archiveNow()
            let run = history.apply("--to-lsn", history.commits[14].receipt.lsn.description)
            try #require(run.exit == .clean, "\(run.output)")
            try history.fileSystem.rename("/new", to: "/child")
            history.clock.advance(micros: 20_000_000)
            child = try StorageEngine.open(
                at: "/child", options: history.options, environment: history.environment)
        }

        func commit() throws {
            let batch = WriteBatch()
            try history.put("child", "grows", into: batch)
            try child.commitAndWait(batch)
            try child.archiveNow()
        }

        func close() throws {
            try child.close()
            try history.close()
        }
    }

    @Test func twoServersAreToldOf() throws {
        let pair = try Pair()
        for _ in 0..<3 {
            try pair.commit()
            pair.history.clock.advance(micros: 20_000_000)
            try pair.history.run(1, maintains: false)
            try pair.history.engine.archiveNow()
            pair.history.clock.advance(micros: 20_000_000)
        }
        try pair.commit()
        try pair.close()
        let line = try RepositoryTimeline(pair.history.inventory.segments, branch: nil)
        let tip = try #require(line.tip).branch.description
        let info = pair.history.tool("info", "--repo", "/repo")
        #expect(info.exit == .benign && info.output.contains("PITR013"), "\(info.output)")
        let plan = pair.history.tool("plan", "--repo", "/repo", "--to-latest")
        #expect(plan.exit == .benign && plan.output.contains("PITR013"), "\(plan.output)")
        #expect(plan.output.contains("branch:        \(tip), the newest; --branch follows"))
        let other = try #require(line.otherTips.first).branch.description
        #expect(plan.output.contains("other branch:  \(other), up to LSN"), "\(plan.output)")
        // Who names one has chosen.
        let named = pair.history.tool(
            "plan", "--repo", "/repo", "--to-latest", "--branch", other)
        #expect(named.exit == .clean, "\(named.output)")
        #expect(named.output.contains("branch:        \(other), as asked for"))
        // What goes may be the other line's last base.
        let retention = pair.history.tool("retention", "--repo", "/repo", "--keep-backups", "1")
        #expect(retention.exit == .benign, "\(retention.output)")
        #expect(retention.output.contains("PITR013"), "\(retention.output)")
        let report = try pair.history.tool(
            "plan", "--repo", "/repo", "--to-latest", "--format", "json"
        ).report
        #expect(report["branch"] as? String == tip)
        let others = try #require(report["other_branches"] as? [[String: Any]])
        #expect(others.contains { $0["branch"] as? String == other })
        #expect(pair.history.tool("explain", "PITR013").exit == .clean)
    }

    /// The usual restore: the database that was left writes no more.
    @Test func oneAfterTheOtherIsNot() throws {
        let pair = try Pair()
        try pair.history.close()
        for _ in 0..<3 {
            try pair.commit()
            pair.history.clock.advance(micros: 20_000_000)
        }
        try pair.child.close()
        let info = pair.history.tool("info", "--repo", "/repo")
        #expect(info.exit == .clean, "\(info.output)")
        let plan = pair.history.tool("plan", "--repo", "/repo", "--to-latest")
        #expect(plan.exit == .clean, "\(plan.output)")
        #expect(plan.output.contains("other branch:"), "\(plan.output)")
    }
}
