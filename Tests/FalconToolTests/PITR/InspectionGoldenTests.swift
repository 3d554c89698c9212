import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// The text that people and scripts read of an inspection, with what differs from run to run masked.
struct InspectionGoldenTests {
    private func history() throws -> EngineHistory {
        let history = try EngineHistory(seed: 51)
        try history.run(20, maintains: false)
        try history.close()
        return history
    }

    @Test func whatIsMadeSaysHowToGoOn() throws {
        let history = try history()
        let run = history.inspect(history.commits[9], from: "/db")
        #expect(run.exit == .clean)
        let tail = run.masked.split(separator: "\n").suffix(5).joined(separator: "\n")
        #expect(
            tail == """
                to look at:    /new, read-only
                branch:        UID, up to LSN
                read back:     N keys
                go on:         pitr-restore advance /new --to-…
                keep it:       pitr-restore advance /new --promote
                """)
    }

    @Test func anAdvanceSaysWhereItIsAndWhatComes() throws {
        let history = try history()
        #expect(history.inspect(history.commits[9], from: "/db").exit == .clean)
        let run = history.advance(to: history.commits[14], ["--promote"])
        #expect(run.exit == .clean)
        #expect(run.output.contains("replay:        5 commits"))
        #expect(
            run.masked == """
                inspection:    /new, ready
                from:          directory /db
                ends at:       LSN LSN, transaction N at LSN, ends LSN, TIME, N operation(s)
                target:        LSN LSN
                reachable:     LSN LSN (TIME) to LSN LSN (TIME)
                base:          the inspected state, up to LSN
                replay:        N commits, LSN to LSN
                last commit:   transaction N at LSN, ends LSN, TIME, N operation(s)
                    keys without a schema: N other
                first left out: transaction N at LSN, ends LSN, TIME, N operation(s)
                    keys without a schema: N other
                to write:      about N bytes
                duration:      about N s (estimate: tables at N MB/s, log at N MB/s)
                restored:      /new
                branch:        UID, forked from UID at LSN
                read back:     N keys

                """)
    }

    @Test func jsonSaysTheSame() throws {
        let history = try history()
        let made = history.inspect(history.commits[9], from: "/db", ["--format", "json"])
        let result = try #require(made.report["result"] as? [String: Any])
        #expect(result["inspection"] as? Bool == true)
        #expect(result["fork_lsn"] as? String == history.commits[9].receipt.lsn.description)
        let run = history.advance(to: history.commits[14], ["--format", "json"])
        let report = try run.report
        #expect(
            Set(report.keys) == [
                "schema_version", "tool", "version", "findings", "inspection", "plan", "result",
                "exit_code",
            ])
        let inspection = try #require(report["inspection"] as? [String: Any])
        #expect(
            Set(inspection.keys) == [
                "directory", "state", "source", "source_kind", "branch", "end_lsn", "last_commit",
            ])
        #expect(inspection["state"] as? String == "ready")
        #expect(inspection["end_lsn"] as? String == history.commits[9].receipt.lsn.description)
        let plan = try #require(report["plan"] as? [String: Any])
        #expect(plan["base"] as? String == "inspection")
        #expect(plan["replay_commits"] as? Int == 5)
        let back = history.advance(to: history.commits[3], ["--format", "json"])
        let findings = try #require(back.report["findings"] as? [[String: Any]])
        #expect(findings.map { $0["code"] as? String } == ["PITR012"])
        #expect(try back.report["exit_code"] as? Int == 7)
    }

    @Test func helpSaysWhatItDoes() {
        let help = ToolRun(PITRRestore.self, ["advance", "--help"])
        #expect(help.exit == .clean)
        for word in ["--promote", "--to-latest", "--source", "--jobs", "--dry-run", "read-only"] {
            #expect(help.output.contains(word), "\(word)")
        }
        for arguments in [["--help"], ["apply", "--help"]] {
            let help = ToolRun(PITRRestore.self, arguments)
            #expect(help.output.contains("--inspect") && help.output.contains("--jobs"))
        }
        let explained = ToolRun(PITRRestore.self, ["explain", "PITR012"])
        #expect(explained.exit == .clean && explained.output.contains("goes forward only"))
    }
}
