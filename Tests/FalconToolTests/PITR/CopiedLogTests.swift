import FalconToolKit
import Testing

@testable import FalconStorage

/// The log of a restored directory begins with a copy of its source's, in the midst of a segment, that names no
/// predecessor: a repository that has both goes on from the one to the other.
struct CopiedLogTests {
    private static let sources: [(UInt64, UInt8?)] = [(51, nil), (52, nil), (53, 7), (54, 7)]

    /// Two backups, and a branch that was restored from the second; the first alone is kept.
    private func branched(
        _ seed: UInt64, _ key: UInt8? = nil, maintains: Bool = true
    ) throws -> (history: EngineHistory, fork: Int, branch: [EngineHistory.Commit]) {
        let history = try EngineHistory.archived(seed: seed, key: key)
        try history.run(10, maintains: maintains)
        try history.engine.backup(label: "first")
        for _ in 0..<4 {
            try history.run(6, maintains: maintains)
            try history.engine.archiveNow()
        }
        try history.run(3, maintains: maintains)
        try history.engine.backup(label: "second")
        try history.run(20, maintains: maintains)
        try history.close()
        let fork = 47
        let branch = try history.goOn(
            from: history.commits[fork], in: "/branch", "branch", key: keyed(key))
        try history.fileSystem.removeTree("/branch")
        try history.keepBackup("first")
        return (history, fork, branch)
    }

    private func keyed(_ key: UInt8?) -> [String] { key == nil ? [] : ["--key-file", "/key"] }

    // MARK: - The whole way

    @Test(arguments: sources)
    func anOlderBaseLeadsToTheNewBranch(_ seed: UInt64, _ key: UInt8?) throws {
        print("anOlderBaseLeadsToTheNewBranch: seed \(seed)")
        let (history, fork, branch) = try branched(seed, key)
        let last = try #require(branch.last)
        let plan = ToolRun(
            PITRRestore.self, ["plan", "--repo", "/repo", "--to-latest"] + keyed(key),
            environment: history.environment)
        #expect(plan.exit == .clean, "\(plan.output)")
        for index in 10...fork {
            try history.expectRestored(history.commits[index], keyed(key), replayed: index - 9)
        }
        for (index, commit) in branch.enumerated() {
            try history.expectRestored(commit, keyed(key), replayed: fork - 9 + index + 1)
        }
        let latest = ToolRun(
            PITRRestore.self,
            ["apply", "--repo", "/repo", "--out", "/new", "--to-latest"] + keyed(key),
            environment: history.environment)
        #expect(latest.exit == .clean, "\(latest.output)")
        #expect(try history.takeRestored(history.options.encryption) == last.rows)
        // The future that was given up is still there, by its name alone.
        let parent = try #require(try history.inventory.backups.first).branch
        let given = try #require(history.commits.last)
        let line = try RepositoryTimeline(history.inventory.segments, branch: parent)
        if line.tip?.lastLSN ?? .zero >= given.receipt.lsn {
            try history.expectRestored(given, keyed(key) + ["--branch", parent.description])
        }
    }

    @Test(arguments: sources)
    func anInspectionGoesOnToTheNewBranch(_ seed: UInt64, _ key: UInt8?) throws {
        print("anInspectionGoesOnToTheNewBranch: seed \(seed)")
        let (history, fork, branch) = try branched(seed, key)
        let made = history.inspect(history.commits[12], from: "/repo", keyed(key))
        #expect(made.exit == .clean, "\(made.output)")
        for commit in [history.commits[20], history.commits[fork], branch[3]] {
            let run = history.advance(to: commit, keyed(key))
            #expect(run.exit == .clean, "\(run.output)")
            #expect(try history.rows(at: "/new", history.options.encryption) == commit.rows)
        }
        let run = ToolRun(
            PITRRestore.self, ["advance", "/new", "--to-latest", "--promote"] + keyed(key),
            environment: history.environment)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.takeRestored(history.options.encryption) == branch.last?.rows)
    }

    @Test func nothingIsMissingAndNothingDamaged() throws {
        let (history, _, branch) = try branched(55)
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        let info = history.tool("info", "--repo", "/repo")
        #expect(info.exit == .clean && !info.output.contains("gap:"), "\(info.output)")
        // A search looks at all of the log once.
        let commit = branch[2]
        let place = try #require(
            try history.tool(
                "plan", "--repo", "/repo", "--to-lsn", commit.receipt.lsn.description, "--format",
                "json"
            ).report["plan"] as? [String: Any])
        let last = try #require(place["last_commit"] as? [String: Any])
        let found = history.apply("--to-transaction", "\(try #require(last["txid"]))")
        #expect(found.exit == .clean, "\(found.output)")
        #expect(try history.takeRestored() == commit.rows)
    }

    /// The branch is archived elsewhere: there its log begins with the copy.
    @Test func aNewRepositoryBeginsWithTheCopy() throws {
        let history = try EngineHistory.archived(seed: 56)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.run(20)
        try history.close()
        let branch = try history.goOn(
            from: history.commits[25], in: "/branch", "branch", target: "/other")
        #expect(history.inspect(history.commits[18], from: "/repo").exit == .clean)
        let run = history.advance("--to-latest", "--promote", "--source", "/other")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.takeRestored() == branch.last?.rows)
    }

    // MARK: - Generations

    @Test(arguments: [(57, nil), (58, 7)] as [(UInt64, UInt8?)])
    func aRestoreOfARestoreIsLedTo(_ seed: UInt64, _ key: UInt8?) throws {
        print("aRestoreOfARestoreIsLedTo: seed \(seed)")
        let history = try EngineHistory.archived(seed: seed, key: key)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.run(15)
        try history.engine.backup(label: "second")
        try history.run(15)
        try history.close()
        let fork = history.commits[34]
        let child = try history.goOn(
            from: fork, in: "/child", "child", count: 20, key: keyed(key), backup: "child's")
        // Behind the child's own backup: the copy begins in a segment of the child's.
        let grandchild = try history.goOn(
            from: child[16], in: "/grandchild", "grandchild", key: keyed(key))
        try history.keepBackup("first")
        for commit in [history.commits[20], fork] + child[...16] + grandchild {
            try history.expectRestored(commit, keyed(key))
        }
        let line = try RepositoryTimeline(history.inventory.segments, branch: nil)
        let left = try #require(line.otherTips.first { $0.lastLSN >= child[19].receipt.lsn })
        try history.expectRestored(child[19], keyed(key) + ["--branch", left.branch.description])
    }

    // MARK: - Gaps

    /// Whatever is missing between the base and the copy, the segment with the copy's beginning in it too.
    @Test func aGapBeforeTheCopyIsNamed() throws {
        let (history, fork, branch) = try branched(59, maintains: false)
        let first = try #require(try history.inventory.backups.first)
        let copy = try #require(
            try history.inventory.segments.first {
                $0.branch == first.branch && $0.footer.predecessor == nil
                    && $0.firstLSN > first.startLSN
            })
        let between = try history.inventory.segments.filter {
            $0.branch == first.branch && $0.uid != copy.uid && $0.firstLSN > first.endLSN
                && $0.firstLSN <= copy.firstLSN
        }
        try #require(between.count > 3)
        #expect(history.inspect(history.commits[10], from: "/repo").exit == .clean)
        let before = try history.inspected()
        for victim in between {
            let bytes = try history.fileSystem.contents(of: victim.path)
            try history.fileSystem.remove(victim.path)
            let missing = "egments \(victim.segment) to \(victim.segment) "
            for target in [["--to-latest"], ["--to-lsn", branch[4].receipt.lsn.description]] {
                for command in [["plan", "--repo", "/repo"], ["advance", "/new"]] {
                    let run = ToolRun(
                        PITRRestore.self, command + target, environment: history.environment)
                    #expect(run.exit == .unreachable, "\(command + target): \(run.output)")
                    #expect(run.output.contains("PITR006"), "\(run.output)")
                    #expect(run.output.contains(missing), "\(victim.segment): \(run.output)")
                }
            }
            let verify = history.tool("verify", "--repo", "/repo")
            #expect(verify.exit == .unreachable && verify.output.contains("PITR006"))
            let info = history.tool("info", "--repo", "/repo")
            #expect(info.output.contains("gap:           S" + missing), "\(info.output)")
            #expect(try history.inspected() == before)
            try history.fileSystem.replace(victim.path, with: bytes)
        }
        try history.fileSystem.removeTree("/new")
        try history.expectRestored(branch[4], replayed: fork - 9 + 5)
    }

    /// A killed server's next life begins far behind its last record, and so does the copy of what is restored from that
    /// life's tables to the kill's state.
    @Test func aCopyFromBehindAKillIsFollowed() throws {
        let history = try EngineHistory.archived(seed: 61)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "first")
        try history.run(10, maintains: false)
        let fork = try #require(history.commits.last)
        let killed = try history.fingerprint()
        try history.fileSystem.createDirectory("/killed")
        for folder in ["/sst", "/wal"] {
            try history.fileSystem.createDirectory("/killed" + folder)
        }
        for (path, bytes) in killed {
            try history.fileSystem.replace("/killed" + path.dropFirst(3), with: bytes)
        }
        // What it replays it flushes: those tables end where its own LSNs begin.
        let second = try StorageEngine.open(
            at: "/killed", options: history.options, environment: history.environment)
        try second.flush()
        let start = second.publishedEnd
        try second.close()
        let next = try history.write(from: fork.rows, in: "/killed", "next", 6, "/repo", nil)
        #expect(next.first?.receipt.lsn.rawValue ?? 0 > fork.receipt.lsn.rawValue + 1 << 20)
        let restored = ToolRun(
            PITRRestore.self,
            ["/killed", "--to-lsn", start.description, "--out", "/branch"],
            environment: history.environment)
        try #require(restored.exit == .clean, "\(restored.output)\(restored.diagnostics)")
        #expect(restored.output.contains("replay:        0 commits"), "\(restored.output)")
        let branch = try history.write(from: fork.rows, in: "/branch", "branch", 6, "/repo", nil)
        for commit in branch { try history.expectRestored(commit) }
        let latest = history.tool("plan", "--repo", "/repo", "--to-latest")
        #expect(latest.exit == .clean, "\(latest.output)")
        let verify = history.tool("verify", "--repo", "/repo")
        #expect(verify.exit == .clean, "\(verify.output)")
    }

    /// The same by the segments alone; another branch's copy that begins there is not of that line.
    @Test func aCopyFromBehindAKillGoesOnFromItsOwnBranch() throws {
        var repository = ForgedRepository()
        repository.log(0..<4)
        repository.log(20..<22, branch: 2, after: (1, 3))
        repository.log(20..<21)
        repository.log(20..<21, branch: 3)
        let forest = SegmentForest(repository.inventory.segments)
        let copy = try #require(forest[ForgedRepository.uid(1, 20)])
        let previous = try #require(forest.predecessor(of: copy))
        #expect(previous.uid == ForgedRepository.uid(1, 3))
        #expect(previous.cutLSN == ForgedRepository.lsn(4))
        let stranger = try #require(forest[ForgedRepository.uid(3, 20)])
        #expect(forest.predecessor(of: stranger) == nil)
    }

    // MARK: - Retention

    @Test func retentionKeepsWhatTheBranchNeeds() throws {
        let (history, fork, branch) = try branched(60)
        let line = try RepositoryTimeline(history.inventory.segments, branch: nil)
        let first = try #require(try history.inventory.backups.first)
        let needed = Set(line.stretch(of: first).map(\.uid))
        #expect(line.stretch(of: first).last?.uid == line.tip?.uid)
        for policy in [["--keep-backups", "1"], ["--recovery-window", "1min"]] {
            let run = ToolRun(
                PITRRestore.self, ["retention", "--repo", "/repo", "--apply"] + policy,
                environment: history.environment)
            #expect(run.exit == .clean, "\(run.output)")
            #expect(needed.isSubset(of: Set(try history.inventory.segments.map(\.uid))))
        }
        try history.expectRestored(history.commits[fork])
        for commit in branch { try history.expectRestored(commit) }
    }

    /// Once the branch has a backup of its own, what leads to it goes.
    @Test func retentionTakesWhatLeadsToANewerBackup() throws {
        let history = try EngineHistory.archived(seed: 61)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "first")
        try history.run(10, maintains: false)
        try history.engine.archiveNow()
        try history.run(10, maintains: false)
        try history.close()
        let last = try #require(history.commits.last)
        let branch = try history.goOn(from: last, in: "/branch", "branch", backup: "own")
        let first = try #require(try history.inventory.backups.first { $0.label == "first" })
        let run = history.tool("retention", "--repo", "/repo", "--keep", "1", "--apply")
        #expect(run.exit == .clean, "\(run.output)")
        let left = try history.inventory
        #expect(left.backups.map(\.label) == ["own"])
        #expect(!left.segments.contains { $0.branch == first.branch })
        try history.expectRestored(try #require(branch.last))
    }

    // MARK: - What the log does not lead to

    /// Restored to a moment that only the tables knew: its log begins where the source's did, and what that holds is
    /// not in it.
    @Test func aStateOlderThanTheLogHasNoPast() throws {
        let history = try EngineHistory.archived(seed: 62) {
            $0.versionRetentionMicros = 1 << 40
        }
        try history.run(50, valueBytes: 2000, maintains: false)
        try history.engine.backup(label: "first")
        try history.run(250, valueBytes: 2000, maintains: false)
        try history.engine.flush()
        try history.run(5, maintains: false)
        try history.engine.archiveNow()
        try history.close()
        let first = FileNames(root: history.root).walSegment(WALSegmentNumber(1))
        try #require(try !history.fileSystem.exists(first))
        let commit = history.commits[4]
        let run = history.restore(
            "--to-time", ToolTime.format(commit.receipt.timestamp), out: "/branch")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(run.output.contains("versions up to the target only"), "\(run.output)")
        let branch = try history.write(from: commit.rows, in: "/branch", "b", 12, "/repo", nil)
        let latest = history.apply("--to-latest")
        #expect(latest.exit == .unreachable, "\(latest.output)")
        #expect(latest.output.contains("PITR007"), "\(latest.output)")
        #expect(try !history.fileSystem.exists("/new"))
        // With a backup of its own it is reached.
        let engine = try StorageEngine.open(
            at: "/branch", options: history.options, environment: history.environment)
        try engine.backup(label: "own")
        try engine.close()
        #expect(history.apply("--to-latest").exit == .clean)
        #expect(try history.takeRestored() == branch.last?.rows)
    }
}
