import FalconToolKit
import Testing

@testable import FalconStorage

/// The exit code of each way a run of pitr-restore and its commands can end.
@Suite struct PITRExitTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let exit: ToolExit
        var key: UInt8?
        var isDamaged = false
        var isInterrupted = false
        var testDescription: String { "\(arguments)" }

        init(_ exit: ToolExit, _ arguments: String) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.exit = exit
        }

        func with(_ change: (inout Case) -> Void) -> Case {
            var copy = self
            change(&copy)
            return copy
        }
    }

    static let directory = [
        Case(.clean, "/db --to-latest --dry-run"), Case(.clean, "/db --to-latest --out /new"),
        Case(.clean, "/db --to-latest --out /new --skip-verify --quiet --jobs 3"),
        Case(.clean, "/db --to-latest --out /new --inspect"),
        Case(.clean, "/db --to-latest --dry-run --format json --report /report"),
        Case(.usage, "/db"), Case(.usage, "/db --to-latest"),
        Case(.usage, "--to-latest --out /new"),
        Case(.usage, "/db --to-lsn z --dry-run"), Case(.usage, "/db --to-time yesterday --dry-run"),
        Case(.usage, "/db --to-latest --to-lsn 0/8 --dry-run"),
        Case(.usage, "/db --to-latest --exclusive --dry-run"),
        Case(.usage, "/db --to-latest --out /db/new"), Case(.usage, "/db --to-latest --out /there"),
        Case(.usage, "/db --to-latest --dry-run --jobs 0"),
        Case(.usage, "/db --to-latest --dry-run --jobs 1025"),
        Case(.usage, "/db --to-latest --dry-run --progress 0"),
        Case(.usage, "/db --to-latest --dry-run --base sst"),
        Case(.usage, "/db --to-latest --dry-run --report /db/report"),
        Case(.usage, "/there --to-latest --dry-run"),
        Case(.io, "/nowhere --to-latest --dry-run"),
        Case(.unreachable, "/db --to-lsn FF/0 --dry-run"),
        Case(.interrupted, "/db --to-latest --out /new").with { $0.isInterrupted = true },
    ]

    static let repository = [
        Case(.clean, "plan --repo /repo --to-latest"),
        Case(.clean, "apply --repo /repo --to-latest --out /new"),
        Case(.clean, "info --repo /repo"), Case(.clean, "verify --repo /repo"),
        Case(.clean, "retention --repo /repo --keep-backups 1"),
        Case(.clean, "--help"), Case(.clean, "plan --help"), Case(.clean, "explain PITR001"),
        Case(.usage, "plan --repo /repo"), Case(.usage, "apply --repo /repo --to-latest"),
        Case(.usage, "info"), Case(.usage, "retention --repo /repo"),
        Case(.usage, "retention --repo /repo --keep 0"),
        Case(.usage, "retention --repo /repo --keep 1 --explain --apply"),
        Case(.usage, "retention --repo /repo --recovery-window 1d --keep-days 1"),
        Case(.usage, "plan --repo /repo --to-latest --branch zz"),
        Case(.usage, "apply --repo /repo --to-latest --out /there"),
        Case(.usage, "verify --repo /repo --branch 0123456789abcdef0123456789abcdef"),
        Case(
            .usage,
            "retention --repo /repo --keep 1 --branch 0123456789abcdef0123456789abcdef"),
        Case(.usage, "advance /new"), Case(.usage, "advance /db --promote"),
        Case(.usage, "explain PITR999"),
        Case(.io, "plan --repo /nowhere --to-latest"), Case(.io, "info --repo /db"),
        Case(.io, "verify --repo /nowhere"),
        Case(.unreachable, "plan --repo /repo --to-lsn FF/0"),
        Case(.corruption, "verify --repo /repo").with { $0.isDamaged = true },
        Case(.keyMissing, "plan --repo /repo --to-latest").with { $0.key = 7 },
        Case(.clean, "plan --repo /repo --to-latest --key-file /key").with { $0.key = 7 },
        Case(.clean, "verify --repo /repo").with { $0.key = 7 },
    ]

    @Test(arguments: directory + repository)
    func theExitCodeIsAsAgreed(_ wanted: Case) throws {
        let history = try EngineHistory.archived(seed: 83, key: wanted.key)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "base")
        try history.run(10, maintains: false)
        try history.close()
        let files = history.fileSystem
        try files.createDirectory("/there")
        try files.replace("/there/something", with: [1])
        if wanted.isDamaged {
            let segment = try #require(
                try Repository.open("/repo", files).inventory().segments.first)
            try LogFixture.patch(files, segment.path) { $0[$0.count / 2] ^= 1 }
        }
        let isInterrupted = wanted.isInterrupted
        let run = ToolRun(
            PITRRestore.self, wanted.arguments, environment: history.environment,
            interruption: { isInterrupted })
        #expect(run.exit == wanted.exit, "\(run.output) \(run.diagnostics)")
        #expect(try files.exists("/new") == (wanted.exit == .clean && run.made))
    }
}

extension ToolRun {
    /// It says that there is a new directory.
    fileprivate var made: Bool {
        output.contains("restored:      /new") || output.contains("to look at:    /new")
    }
}
