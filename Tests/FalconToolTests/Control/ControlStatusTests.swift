import Foundation
import Testing

@testable import FalconToolKit

/// `falconctl status`, for people and for programs.
@Suite struct ControlStatusTests {
    private func server(
        archive: String = "active", slots: [[String?]] = [], backup: [(String, String?)] = []
    ) -> ScriptedServer {
        ScriptedServer([
            (
                "version()",
                [
                    ScriptedServer.row([
                        ("version", "FalconDB 0.1.0"), ("database", "shop"), ("user", "postgres"),
                        ("started", "2026-11-29 17:19:50.5+00"), ("uptime", "273906"),
                        ("lsn", "0/46E4E9"),
                    ])
                ]
            ),
            ("tde_status", [ScriptedServer.row([("falcon.tde_status", "on")])]),
            (
                "pitr_status",
                [
                    ScriptedServer.row(
                        [
                            ("directory", archive == "off" ? nil : "backup"), ("state", archive),
                            ("detail", archive == "lost" ? "since 0/8: too much waits" : nil),
                            ("last_lsn", "0/46E000"), ("last_archived", "2026-11-29 17:19:53+00"),
                            ("pending_segments", "1"), ("pending_bytes", "1257"), ("failures", "0"),
                        ] + backup)
                ]
            ),
            (
                "cdc_slots",
                [
                    .success(
                        ControlRows(
                            columns: ["name", "state", "detail", "held_bytes"], rows: slots))
                ]
            ),
        ])
    }

    @Test func peopleSeeALineForEachThing() {
        let run = server(slots: [["a", "idle", nil, "64"], ["b", "active", nil, "512"]]).run([
            "status"
        ])
        #expect(run.exit == .clean)
        #expect(run.diagnostics.isEmpty)
        #expect(
            run.output == """
                server:        FalconDB 0.1.0
                connected to:  shop as postgres
                up:            3d 04:05:06, since 2026-11-29T17:19:50.500000Z
                log:           0/46E4E9
                encryption:    on
                archive:       active to backup, up to 0/46E000 (2026-11-29T17:19:53.000000Z), 1257 bytes wait
                slots:         2, 0 lost, at most 512 bytes of log held

                """)
    }

    @Test func aBackupUnderWayIsShown() throws {
        let columns: [(String, String?)] = [
            ("backup", "20261129T171947Z-d574d5c6"), ("backup_copied_bytes", "1048576"),
            ("backup_total_bytes", "7340032"), ("backup_max_rate", "32768"),
        ]
        let run = server(backup: columns).run(["status"])
        #expect(
            run.lines.contains(
                "backup:        20261129T171947Z-d574d5c6, 1048576 of 7340032 bytes copied, "
                    + "at most 32768 a second"), "\(run.output)")
        let json = server(backup: columns).run(["status", "--format", "json"])
        #expect(json.output.contains("\"backup_copied_bytes\":1048576"), "\(json.output)")
    }

    @Test func programsGetAnObject() throws {
        let run = server(archive: "off").run(["status", "--format", "json"])
        let object = try run.report
        let records = try #require(object["records"] as? [[String: Any]])
        #expect(records.compactMap { $0["kind"] as? String } == ["server", "archive", "slots"])
        #expect(records.first?["uptime_seconds"] as? Int == 273_906)
        #expect(records.first?["started"] as? String == "2026-11-29T17:19:50.500000Z")
        #expect(records.last?["slots"] as? Int == 0)
        #expect((object["findings"] as? [Any])?.isEmpty == true)
        #expect(object["exit_code"] as? Int == 0)
    }

    @Test(arguments: OutputFormat.allCases)
    func everyFormatIsWritten(_ format: OutputFormat) {
        let run = server().run(["status", "--format", format.rawValue])
        #expect(run.exit == .clean)
        #expect(run.output.contains("0/46E4E9"))
    }

    @Test func whatIsLostIsAWarning() {
        let run = server(archive: "lost", slots: [["b", "lost", "too old", "0"]]).run(["status"])
        #expect(run.exit == .benign)
        #expect(run.diagnostics.contains("WARNING CTL005: The archive is lost: since 0/8"))
        #expect(run.diagnostics.contains("WARNING CTL006: The slot b is lost: too old"))
    }

    @Test(
        arguments: [
            (0, "00:00:00"), (3661, "01:01:01"), (86400, "1d 00:00:00"), (-5, "00:00:00"),
            (Int64.max, "106751991167300d 15:30:07"),
        ] as [(Int64, String)])
    func durations(_ seconds: Int64, _ text: String) {
        #expect(ControlText.duration(seconds) == text)
    }
}
