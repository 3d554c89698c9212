import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Restores from a repository: base backups and archived log.
struct RepositoryRestoreTests {
    private func time(_ commit: EngineHistory.Commit) -> String {
        ToolTime.format(commit.receipt.timestamp)
    }

    @Test(
        arguments: [
            (1, nil), (2, nil), (3, 7), (4, 7),
        ] as [(UInt64, UInt8?)])
    func everyCommitBehindTheFirstBackupCanBeRestored(_ seed: UInt64, _ key: UInt8?) throws {
        let history = try EngineHistory.archived(seed: seed, key: key)
        let encryption = history.options.encryption
        try history.run(20)
        var firsts: [Int] = []
        for round in 0..<3 {
            firsts.append(history.commits.count)
            let backup = try history.engine.backup(label: "round \(round)")
            #expect(backup.label == "round \(round)")
            try history.run(30)
        }
        try history.close()
        // Nothing of the data directory is needed.
        try history.fileSystem.removeTree("/db")
        let keyed = key == nil ? [] : ["--key-file", "/key"]
        for index in (firsts[0] - 1)..<history.commits.count {
            let commit = history.commits[index]
            let target =
                switch (index + Int(seed)) % 4 {
                case 0: ["--to-time", time(commit)]
                case 1: ["--to-lsn", commit.receipt.lsn.description]
                case 2 where index + 1 < history.commits.count:
                    ["--to-lsn", history.commits[index + 1].receipt.lsn.description, "--exclusive"]
                default: ["--to-lsn", commit.receipt.lsn.description, "--inclusive"]
                }
            let run = ToolRun(
                PITRRestore.self,
                ["apply", "--repo", "/repo", "--out", "/new"] + target + keyed,
                environment: history.environment)
            try #require(
                run.exit == .clean, "seed \(seed), commit \(index): \(run.output)\(run.diagnostics)"
            )
            #expect(
                try history.takeRestored(encryption) == commit.rows, "seed \(seed), commit \(index)"
            )
        }
        let latest = ToolRun(
            PITRRestore.self,
            ["apply", "--repo", "/repo", "--out", "/new", "--to-latest"] + keyed,
            environment: history.environment)
        #expect(latest.exit == .clean, "\(latest.output)")
        #expect(try history.takeRestored(encryption) == history.commits.last?.rows)
    }

    @Test func exclusiveTargetsLeaveTheirCommitOut() throws {
        let history = try EngineHistory.archived(seed: 21)
        try history.run(5)
        try history.engine.backup(label: "")
        try history.run(20)
        try history.close()
        for index in [7, 12, 20] {
            let commit = history.commits[index]
            for target in [
                ["--to-time", time(commit)], ["--to-lsn", commit.receipt.lsn.description],
                ["--to-transaction", try history.transaction(of: commit)],
            ] {
                let run = history.apply(target[0], target[1], "--exclusive")
                #expect(run.exit == .clean, "\(run.output)")
                #expect(run.output.contains("target:        before "), "\(run.output)")
                #expect(try history.takeRestored() == history.commits[index - 1].rows)
            }
        }
    }

    @Test func aNamedRestorePointIsFound() throws {
        let history = try EngineHistory.archived(seed: 22)
        try history.run(5)
        try history.engine.backup(label: "")
        try history.run(8, maintains: false)
        let rows = history.commits.last?.rows
        let lsn = try history.engine.createRestorePoint("before the release")
        try history.run(8)
        _ = try history.engine.createRestorePoint("twice")
        _ = try history.engine.createRestorePoint("twice")
        try history.close()
        let run = history.apply("--to-name", "before the release")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.takeRestored() == rows)
        let byLSN = history.apply("--to-lsn", lsn.description)
        #expect(byLSN.exit == .clean)
        #expect(try history.takeRestored() == rows)
        let twice = history.apply("--to-name", "twice")
        #expect(twice.exit == .usage && twice.output.contains("--to-lsn"), "\(twice.output)")
        // A name is no reason, whatever it reads like.
        for name in ["never", "singapore", "the gap"] {
            let none = history.apply("--to-name", name)
            #expect(none.exit == .unreachable, "\(none.output)")
            #expect(none.output.contains("PITR001"), "\(none.output)")
            #expect(!none.output.contains("PITR006"), "\(none.output)")
        }
        #expect(try !history.fileSystem.exists("/new"))
        // The data directory's own form knows names and transactions, too.
        let direct = history.restore("--to-name", "twice", "--dry-run")
        #expect(direct.exit == .usage, "\(direct.output)")
    }

    @Test func tablesThatAnEarlierBackupHasAreNotCopiedAgain() throws {
        let history = try EngineHistory.archived(seed: 23) {
            $0.compactOnlyWhenAsked()
        }
        try history.run(40, maintains: false)
        let first = try history.engine.backup(label: "first")
        history.clock.advance(micros: 1000)
        let second = try history.engine.backup(label: "second")
        #expect(first.files.allSatisfy { !$0.isReused } && !first.files.isEmpty)
        #expect(second.files.allSatisfy(\.isReused) && second.files.count == first.files.count)
        #expect(second.newBytes < first.newBytes)
        try history.run(10, maintains: false)
        let third = try history.engine.backup(label: "third")
        #expect(third.files.contains { $0.isReused })
        #expect(third.files.contains { !$0.isReused })
        #expect(try history.inventory.backups.map(\.label) == ["first", "second", "third"])
        try history.close()
    }

    @Test func aGapFailsClosed() throws {
        let history = try EngineHistory.archived(seed: 24)
        try history.run(5)
        try history.engine.backup(label: "")
        var ends: [Int] = []
        for _ in 0..<4 {
            try history.run(6, maintains: false)
            try history.engine.archiveNow()
            ends.append(history.commits.count - 1)
        }
        try history.close()
        let segments = try history.inventory.segments.sorted { $0.firstLSN < $1.firstLSN }
        let victim = try #require(
            segments.first { $0.lastLSN >= history.commits[ends[2]].receipt.lsn })
        let bytes = try history.fileSystem.contents(of: victim.path)
        try history.fileSystem.remove(victim.path)
        for target in [
            ["--to-latest"], ["--to-lsn", history.commits[ends[3]].receipt.lsn.description],
            ["--to-lsn", history.commits[ends[2]].receipt.lsn.description],
            ["--to-time", time(history.commits[ends[3]])],
        ] {
            let run = ToolRun(
                PITRRestore.self, ["apply", "--repo", "/repo", "--out", "/new"] + target,
                environment: history.environment)
            #expect(run.exit == .unreachable, "\(target): \(run.output)")
            #expect(run.output.contains("PITR006"), "\(target): \(run.output)")
            #expect(run.output.contains(victim.segment.description), "\(target): \(run.output)")
            #expect(try !history.fileSystem.exists("/new"))
        }
        let verify = history.tool("verify", "--repo", "/repo")
        #expect(verify.exit == .unreachable && verify.output.contains("PITR006"))
        // Before the gap all is as it was.
        let commit = history.commits[ends[1]]
        let before = history.apply("--to-lsn", commit.receipt.lsn.description)
        #expect(before.exit == .clean, "\(before.output)")
        #expect(try history.takeRestored() == commit.rows)
        try history.fileSystem.replace(victim.path, with: bytes)
        #expect(history.apply("--to-latest").exit == .clean)
        #expect(try history.takeRestored() == history.commits.last?.rows)
    }

    @Test func withoutABaseNothingIsRestored() throws {
        let history = try EngineHistory.archived(seed: 25)
        try history.run(10)
        try history.engine.archiveNow()
        let none = history.apply("--to-latest")
        #expect(none.exit == .unreachable && none.output.contains("PITR007"), "\(none.output)")
        let named = history.apply("--to-name", "never")
        #expect(named.exit == .unreachable && named.output.contains("PITR007"), "\(named.output)")
        let early = history.commits[3]
        try history.engine.backup(label: "")
        try history.run(3)
        try history.close()
        let before = history.apply("--to-lsn", early.receipt.lsn.description)
        #expect(before.exit == .unreachable, "\(before.output)")
        #expect(history.apply("--to-time", "2020-01-01").exit == .unreachable)
        #expect(history.apply("--to-time", "2030-01-01").exit == .unreachable)
        #expect(try !history.fileSystem.exists("/new"))
        #expect(history.apply("--to-latest").exit == .clean)
        #expect(try history.takeRestored() == history.commits.last?.rows)
        // A backup whose log is not there is none to begin with.
        for segment in try history.inventory.segments {
            try history.fileSystem.remove(segment.path)
        }
        let bare = history.apply("--to-latest")
        #expect(bare.exit == .unreachable && bare.output.contains("PITR007"), "\(bare.output)")
    }

    @Test func aWrongKeyEndsBeforeAnythingIsDone() throws {
        let history = try EngineHistory.archived(seed: 26, key: 7)
        try history.run(10)
        try history.engine.backup(label: "")
        try history.run(10)
        try history.close()
        #expect(history.apply("--to-latest").exit == .keyMissing)
        #expect(history.apply("--to-latest", "--key-file", "/wrong").exit == .keyMissing)
        #expect(try !history.fileSystem.exists("/new"))
        #expect(try !history.fileSystem.exists("/new.partial"))
        // Structure and checksums are judged without a key.
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        #expect(history.tool("info", "--repo", "/repo").exit == .clean)
        // Nothing of a row can be read in the repository.
        for (path, bytes) in try history.fingerprint("/repo") {
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(!text.contains("xxxxxxxx"), "\(path)")
        }
    }

    @Test func damageIsFoundAndNamed() throws {
        let history = try EngineHistory.archived(seed: 27)
        try history.run(30)
        let backup = try history.engine.backup(label: "")
        try history.run(10)
        try history.close()
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        for (path, bytes) in try history.fingerprint("/repo") {
            guard !path.hasSuffix("LOCK"), !path.hasSuffix("REPOSITORY") else { continue }
            var damaged = bytes
            damaged[damaged.count / 2] ^= 1
            try history.fileSystem.replace(path, with: damaged)
            let run = history.tool("verify", "--repo", "/repo")
            #expect(run.exit == .corruption, "\(path): \(run.output)")
            let code = path.hasSuffix(".seg") ? "PITR008" : "PITR009"
            #expect(run.output.contains(code), "\(path): \(run.output)")
            let apply = history.apply("--to-latest")
            if apply.exit == .clean {
                #expect(try history.takeRestored() == history.commits.last?.rows, "\(path)")
            }
            #expect(try !history.fileSystem.exists("/new"), "\(path): \(apply.output)")
            #expect(try !history.fileSystem.exists("/new.partial"))
            try history.fileSystem.replace(path, with: bytes)
        }
        #expect(backup.files.count > 0)
    }

    @Test func aRestoredBranchIsArchivedBesideItsParent() throws {
        let history = try EngineHistory.archived(seed: 28)
        try history.run(10)
        try history.engine.backup(label: "parent")
        try history.run(20, maintains: false)
        try history.close()
        let fork = history.commits[18]
        #expect(history.apply("--to-lsn", fork.receipt.lsn.description).exit == .clean)
        history.clock.advance(micros: 1_000_000)
        let child = try StorageEngine.open(
            at: "/new", options: history.options, environment: history.environment)
        let batch = WriteBatch()
        try history.put("child", "born", into: batch)
        try child.commitAndWait(batch)
        try child.archiveNow()
        try child.backup(label: "child")
        try child.close()
        try history.fileSystem.removeTree("/new")
        var expected = fork.rows
        expected["child"] = "born"
        #expect(history.apply("--to-latest").exit == .clean)
        #expect(try history.takeRestored() == expected)
        // What both share is reached through the parent's backup, the parent's own future by its name alone.
        let shared = history.commits[14]
        let past = history.apply("--to-lsn", shared.receipt.lsn.description)
        #expect(past.exit == .clean, "\(past.output)")
        #expect(try history.takeRestored() == shared.rows)
        let future = history.commits[25]
        let other = history.apply("--to-time", time(future))
        #expect(other.exit == .clean, "\(other.output)")
        #expect(try history.takeRestored() == fork.rows)
        let parent = try #require(try history.inventory.backups.first { $0.label == "parent" })
        let named = history.apply(
            "--to-lsn", future.receipt.lsn.description, "--branch", parent.branch.description)
        #expect(named.exit == .clean, "\(named.output)")
        #expect(try history.takeRestored() == future.rows)
    }

    @Test func retentionKeepsWhatItSays() throws {
        let history = try EngineHistory.archived(seed: 29)
        try history.run(10)
        for label in ["a", "b", "c"] {
            try history.engine.backup(label: label)
            try history.run(20)
            try history.engine.archiveNow()
        }
        try history.close()
        let before = try history.fingerprint("/repo")
        let explained = history.tool("retention", "--repo", "/repo", "--keep", "1", "--explain")
        #expect(explained.exit == .clean && explained.output.contains("would remove"))
        #expect(try history.fingerprint("/repo") == before)
        let applied = history.tool("retention", "--repo", "/repo", "--keep", "1", "--apply")
        #expect(applied.exit == .clean, "\(applied.output)")
        let left = try history.inventory
        #expect(left.backups.map(\.label) == ["c"])
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        #expect(try history.fingerprint("/repo").count < before.count)
        for index in [50, 60, history.commits.count - 1] {
            let commit = history.commits[index]
            let run = history.apply("--to-lsn", commit.receipt.lsn.description)
            #expect(run.exit == .clean, "\(run.output)")
            #expect(try history.takeRestored() == commit.rows)
        }
        let gone = history.apply("--to-lsn", history.commits[15].receipt.lsn.description)
        #expect(gone.exit == .unreachable, "\(gone.output)")
        #expect(history.tool("retention", "--repo", "/repo", "--keep", "0").exit == .usage)
    }
}
