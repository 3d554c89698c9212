import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// The text that people and scripts read, with what differs from run to run masked.
struct RepositoryGoldenTests {
    private func history() throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: 50)
        try history.run(10, maintains: false)
        try history.engine.backup(label: "nightly full")
        try history.run(10, maintains: false)
        try history.close()
        return history
    }

    @Test func planSaysHowTheTargetIsReached() throws {
        let history = try history()
        let run = history.tool(
            "plan", "--repo", "/repo", "--to-lsn", history.commits[14].receipt.lsn.description)
        #expect(run.exit == .clean)
        #expect(
            run.masked == """
                repository:    /repo
                base backup:   ID 'nightly full', LSN LSN, TIME, N files, N bytes
                log segments:  N, LSN to LSN, N bytes (N unpacked)
                target:        LSN LSN
                reachable:     LSN LSN (TIME) to LSN LSN (TIME)
                base:          N tables, up to LSN
                replay:        N commits, LSN to LSN
                last commit:   transaction N at LSN, ends LSN, TIME, N operation(s)
                    keys without a schema: N other
                first left out: transaction N at LSN, ends LSN, TIME, N operation(s)
                    keys without a schema: N other
                to write:      about N bytes
                duration:      about N s (estimate: tables at N MB/s, log at N MB/s)

                """)
        #expect(run.output.contains("replay:        5 commits"))
    }

    @Test func infoListsWhatThereIs() throws {
        let history = try history()
        let run = history.tool("info", "--repo", "/repo")
        #expect(run.exit == .clean)
        #expect(
            run.masked == """
                repository:    /repo, of database UID
                base backup:   ID 'nightly full', LSN LSN, TIME, N files, N bytes, N of them new
                branch:        UID, LSN LSN to LSN, N segments, N bytes (N unpacked), archived TIME
                latest:        LSN LSN, branch UID

                """)
    }

    @Test func jsonHasTheSameFields() throws {
        let history = try history()
        let run = history.tool(
            "plan", "--repo", "/repo", "--to-latest", "--out", "/new", "--format", "json")
        let report = try run.report
        #expect(
            Set(report.keys) == [
                "schema_version", "tool", "version", "findings", "repository", "backup",
                "log_segments", "gap", "branch", "other_branches", "free_bytes", "plan",
                "exit_code",
            ])
        #expect(report["gap"] is NSNull)
        let backup = try #require(report["backup"] as? [String: Any])
        #expect(
            Set(backup.keys) == [
                "id", "label", "start_lsn", "end_lsn", "began", "ended", "newest_commit", "branch",
                "files", "bytes", "new_bytes", "encrypted", "version",
            ])
        let verify = history.tool("verify", "--repo", "/repo")
        #expect(
            verify.masked
                == "N base backups with N files and N log segments: N bytes, all as written\n")
    }
}
