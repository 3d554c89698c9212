import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// `pitr-restore retention` on repositories that an engine wrote.
struct RetentionToolTests {
    private static let dayMicros = ForgedRepository.dayMicros

    /// A backup each day, then six commits.
    private func daily(_ days: Int, seed: UInt64) throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: seed)
        try history.run(6)
        for day in 0..<days {
            try history.engine.backup(label: "day \(day)")
            try history.run(6)
            try history.engine.archiveNow()
            history.clock.advance(micros: Self.dayMicros)
        }
        return history
    }

    @Test(arguments: [31, 32] as [UInt64])
    func everyMomentOfTheWindowStays(_ seed: UInt64) throws {
        print("everyMomentOfTheWindowStays: seed \(seed)")
        let history = try daily(8, seed: seed)
        let start = history.clock.wallMicros() - 3 * Self.dayMicros
        try history.close()
        let before = try history.fingerprint("/repo")
        let explained = history.tool(
            "retention", "--repo", "/repo", "--recovery-window", "3d", "--explain")
        #expect(explained.exit == .clean, "\(explained.output)")
        #expect(try history.fingerprint("/repo") == before)
        let applied = history.tool("retention", "--repo", "/repo", "--keep-days", "3", "--apply")
        #expect(applied.exit == .clean, "\(applied.output)")
        // The last day's backup was made a day ago; the one of three days ago had ended by then.
        #expect(
            try history.inventory.backups.map(\.label)
                == ["day 5", "day 6", "day 7"], "\(applied.output)")
        #expect(try history.fingerprint("/repo").count < before.count)
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        let inside = history.commits.enumerated().filter {
            $1.receipt.timestamp.microsSince1970 >= start
        }
        try #require(inside.count >= 12)
        for (index, commit) in inside {
            let run = history.apply("--to-time", ToolTime.format(commit.receipt.timestamp))
            #expect(run.exit == .clean, "seed \(seed), commit \(index): \(run.output)")
            #expect(try history.takeRestored() == commit.rows, "seed \(seed), commit \(index)")
        }
        // The window's first moment, at which nothing happened.
        let first = history.apply("--to-time", ToolTime.format(start))
        #expect(first.exit == .clean, "\(first.output)")
        let last = history.commits.last { $0.receipt.timestamp.microsSince1970 <= start }
        #expect(try history.takeRestored() == last?.rows)
        let gone = history.apply("--to-lsn", history.commits[8].receipt.lsn.description)
        #expect(gone.exit == .unreachable, "\(gone.output)")
    }

    @Test func everyBackupAndRunOfLogHasItsReason() throws {
        // Tables stay as they are, so that all backups share the first.
        let history = try EngineHistory.archived(seed: 33) {
            $0.compactOnlyWhenAsked()
        }
        try history.run(6, maintains: false)
        for label in ["a", "b", "c"] {
            try history.engine.backup(label: label)
            try history.run(6, maintains: false)
            history.clock.advance(micros: Self.dayMicros)
        }
        try history.close()
        let run = history.tool(
            "retention", "--repo", "/repo", "--keep-backups", "1", "--recovery-window", "36h",
            "--explain")
        #expect(run.exit == .clean)
        #expect(
            run.masked == """
                window:        36h, TIME to TIME
                keep           ID 'c', LSN LSN, TIME, N files, N bytes: one of the N newest; inside the recovery window of 36h
                keep           ID 'b', LSN LSN, TIME, N files, N bytes: the newest from which the recovery window of 36h can be restored from its first moment on
                remove         ID 'a', LSN LSN, TIME, N files, N bytes: older than the N newest; the recovery window of 36h is restored from ID on
                remove         N log segments of branch UID, LSN LSN to LSN, N bytes: no kept backup needs them
                keep           N log segments of branch UID, LSN LSN to LSN, N bytes: restores from ID replay them
                earliest then: LSN LSN (TIME)
                would remove:  N bytes; --apply does

                """)
        let json = history.tool(
            "retention", "--repo", "/repo", "--recovery-window", "90d", "--format", "json")
        let report = try json.report
        #expect(report["window_covered"] as? Bool == false)
        #expect(report["window_seconds"] as? Int == 90 * 86_400)
        #expect(report["keep_backups"] is NSNull)
        let records = try #require(report["records"] as? [[String: Any]])
        #expect(records.filter { $0["kind"] as? String == "backup" }.count == 3)
        #expect(records.contains { $0["kind"] as? String == "log" })
        #expect(
            records.allSatisfy {
                ["keep", "remove"].contains($0["action"] as? String)
                    && !($0["reason"] as? String ?? "").isEmpty
            })
        let csv = history.tool(
            "retention", "--repo", "/repo", "--keep", "1", "--format", "csv")
        #expect(csv.lines.first?.hasPrefix("schema_version,kind,action,reason,id") == true)
    }

    /// The newest backup before the window leads to a future that was given up.
    @Test func aRestoredDatabasesWindowBeginsInItsOwnPast() throws {
        let history = try EngineHistory.archived(seed: 36)
        try history.run(6, maintains: false)
        try history.engine.backup(label: "a")
        try history.run(6, maintains: false)
        let fork = try #require(history.commits.last)
        try history.run(6, maintains: false)
        try history.engine.backup(label: "b")
        try history.run(6, maintains: false)
        try history.close()
        #expect(history.apply("--to-lsn", fork.receipt.lsn.description).exit == .clean)
        history.clock.advance(micros: 5 * Self.dayMicros)
        let child = try StorageEngine.open(
            at: "/new", options: history.options, environment: history.environment)
        let batch = WriteBatch()
        try history.put("child", "born", into: batch)
        try child.commitAndWait(batch)
        try child.close()
        try history.fileSystem.removeTree("/new")
        history.clock.advance(micros: 2 * Self.dayMicros)
        let run = history.tool("retention", "--repo", "/repo", "--keep-days", "1", "--apply")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.inventory.backups.map(\.label) == ["a"], "\(run.output)")
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
        var expected = fork.rows
        expected["child"] = "born"
        let latest = history.apply("--to-latest")
        #expect(latest.exit == .clean, "\(latest.output)")
        #expect(try history.takeRestored() == expected)
    }

    @Test func aClockThatWasSetBackIsTold() throws {
        let history = try EngineHistory.archived(seed: 34)
        try history.run(6)
        try history.engine.backup(label: "a")
        history.clock.advance(micros: 4 * Self.dayMicros)
        try history.run(6)
        try history.engine.backup(label: "b")
        let now = history.clock.wallMicros()
        history.clock.setWall(micros: now - 3 * Self.dayMicros)
        try history.run(6)
        try history.engine.backup(label: "back")
        try history.run(6)
        try history.close()
        history.clock.setWall(micros: now + 2 * Self.dayMicros)
        let run = history.tool(
            "retention", "--repo", "/repo", "--recovery-window", "1d", "--explain")
        #expect(run.exit == .benign, "\(run.output)")
        #expect(run.output.contains("PITR011"), "\(run.output)")
        let kept = run.lines.filter { $0.hasPrefix("keep  ") && $0.contains("files") }
        #expect(kept.count == 2 && kept.first?.contains("'back'") == true, "\(run.output)")
        // What was written by the clock that was set back is the newest log all the same.
        #expect(history.apply("--to-latest").exit == .clean)
        #expect(try history.takeRestored() == history.commits.last?.rows)
    }

    @Test(arguments: [
        [], ["--keep", "0"], ["--keep-backups", "-1"], ["--keep-days", "0"],
        ["--recovery-window", "7"], ["--recovery-window", "0d"], ["--recovery-window", "d"],
        ["--recovery-window", "1M"], ["--recovery-window", "7D"],
        ["--recovery-window", "7 years"], ["--recovery-window", "99999999999999999999d"],
        ["--keep-days", "7", "--recovery-window", "7d"], ["--keep", "1", "--explain", "--apply"],
    ])
    func nonsenseIsUsage(_ arguments: [String]) throws {
        let history = try EngineHistory.archived(seed: 35)
        let run = ToolRun(
            PITRRestore.self, ["retention", "--repo", "/repo"] + arguments,
            environment: history.environment)
        #expect(run.exit == .usage, "\(run.output)\(run.diagnostics)")
    }
}
