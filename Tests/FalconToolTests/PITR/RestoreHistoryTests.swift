import FalconTestKit
import FalconToolKit
import Testing

@testable import FalconStorage

/// Random histories, restored as of every commit and as of a moment between every two, and compared with what they
/// held then. `scripts/soak restores` asks for more and longer ones, from another seed.
struct RestoreHistoryTests {
    static let histories = SurvivalSettings.number("FALCON_RESTORE_HISTORIES", 2)
    /// Of each history.
    static let commits = SurvivalSettings.number("FALCON_RESTORE_COMMITS", 300)
    static let lanes = 2

    @Test(arguments: 0..<lanes)
    func everyCommitAndEveryMomentBetweenIsRestored(_ lane: Int) throws {
        for index in stride(from: lane, to: Self.histories, by: Self.lanes) {
            let seed = SurvivalSettings.seed &+ UInt64(index)
            print(
                "everyCommitAndEveryMomentBetweenIsRestored: seed \(seed), \(Self.commits) commits; "
                    + SurvivalSettings.replay(seed))
            try RestoredHistory(seed: seed, commits: Self.commits).check()
        }
    }
}

/// One history and what is restored from it.
private final class RestoredHistory {
    /// What the restores come from.
    private enum Source: UInt64 { case directory, repository, encryptedRepository }

    private let seed: UInt64
    private let source: Source
    private let history: EngineHistory

    /// The seed chooses everything.
    init(seed: UInt64, commits: Int) throws {
        let source = Source(rawValue: seed % 3) ?? .directory
        self.seed = seed
        self.source = source
        switch source {
        case .directory:
            history = try EngineHistory(seed: seed)
            try history.run(commits)
        case .repository, .encryptedRepository:
            history = try EngineHistory.archived(
                seed: seed, key: source == .encryptedRepository ? 7 : nil)
            // Every commit but the first is behind a backup, the last quarter behind four.
            var left = commits
            for part in 0..<4 {
                let count = part == 3 ? left : min(left, part == 0 ? 1 : max(commits / 4, 1))
                try history.run(count)
                left -= count
                if part < 3 { try history.engine.backup(label: "part \(part)") }
            }
        }
        try history.close()
    }

    func check() throws {
        let root = source == .directory ? "/db" : EngineHistory.repo
        let before = try history.fingerprint(root)
        let count = history.commits.count
        for index in 0..<count {
            try restore(index, commitTarget(index))
            if let target = momentTarget(index) { try restore(index, target) }
            if index % 100 == 99 {
                SurvivalSettings.progress(
                    "restores: seed \(seed) from \(source): \(index + 1) of \(count) commits")
            }
        }
        try restore(count - 1, ["--to-latest"])
        #expect(try history.fingerprint(root) == before, "seed \(seed)")
        #expect(try !history.fileSystem.exists("/new.partial"), "seed \(seed)")
    }

    private func moment(_ index: Int) -> UInt64 {
        history.commits[index].receipt.timestamp.microsSince1970
    }

    /// The commit itself, or what is before the next one.
    private func commitTarget(_ index: Int) -> [String] {
        let lsn = history.commits[index].receipt.lsn.description
        switch (UInt64(index) &+ seed) % 4 {
        case 0: return ["--to-time", ToolTime.format(moment(index))]
        case 1: return ["--to-lsn", lsn]
        case 2 where index + 1 < history.commits.count:
            let next = history.commits[index + 1].receipt.lsn.description
            return ["--to-lsn", next, "--exclusive"]
        default: return ["--to-lsn", lsn, "--inclusive"]
        }
    }

    /// A time behind the commit and before the next one; nil: it is the last.
    private func momentTarget(_ index: Int) -> [String]? {
        guard index + 1 < history.commits.count else { return nil }
        let (own, next) = (moment(index), moment(index + 1))
        switch (UInt64(index) &+ seed) % 3 {
        case 0: return ["--to-time", ToolTime.format(own + (next - own) / 2)]
        case 1: return ["--to-time", ToolTime.format(next), "--exclusive"]
        default: return ["--to-time", ToolTime.format(next - 1), "--inclusive"]
        }
    }

    private func restore(_ index: Int, _ target: [String]) throws {
        let place =
            switch source {
            case .directory: ["/db"]
            case .repository: ["apply", "--repo", EngineHistory.repo]
            case .encryptedRepository:
                ["apply", "--repo", EngineHistory.repo, "--key-file", "/key"]
            }
        let run = ToolRun(
            PITRRestore.self, place + ["--out", "/new"] + target, environment: history.environment)
        let what = "seed \(seed) from \(source), commit \(index), \(target.joined(separator: " "))"
        try #require(run.exit == .clean, "\(what): \(run.output)\(run.diagnostics)")
        let rows = try history.takeRestored(history.options.encryption)
        try #require(rows == history.commits[index].rows, "\(what)")
    }
}
