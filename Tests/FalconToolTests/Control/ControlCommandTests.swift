import Foundation
import Testing

@testable import FalconToolKit

/// What falconctl asks of a server, and how it shows the answer.
@Suite struct ControlCommandTests {
    private func json(_ text: String) throws -> [String: Any] {
        try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    /// Each command's statement and parameters: what the user writes is never part of a statement.
    static let asked: [([String], String, [String?])] = [
        (["restore-point", "it's"], "SELECT pg_create_restore_point($1::text) AS lsn", ["it's"]),
        (["backup", "--label", "a'b"], "SELECT falcon.backup($1::text) AS id", ["a'b"]),
        (["backup"], "SELECT falcon.backup($1::text) AS id", [""]),
        (["backup", "create", "--wait"], "SELECT falcon.backup($1::text) AS id", [""]),
        (
            ["backup", "--max-rate", "32M"], "SELECT falcon.backup($1::text, $2::text) AS id",
            ["", "32M"]
        ),
        (["backup", "list"], "SELECT * FROM falcon.pitr_backups ORDER BY began, id", []),
        (["slot", "list"], "SELECT * FROM falcon.cdc_slots ORDER BY name", []),
        (
            ["slot", "create", "s"],
            "SELECT lsn FROM pg_create_logical_replication_slot($1::name, $2::name)",
            ["s", "falcon"]
        ),
        (
            ["slot", "create", "s", "--plugin", "wal2json"],
            "SELECT lsn FROM pg_create_logical_replication_slot($1::name, $2::name)",
            ["s", "wal2json"]
        ),
        (["slot", "drop", "s"], "SELECT pg_drop_replication_slot($1::name)", ["s"]),
        (
            ["slot", "advance", "s", "0/2A29C"],
            "SELECT end_lsn FROM pg_replication_slot_advance($1::name, $2::pg_lsn)",
            ["s", "0/0002A29C"]
        ),
        (
            ["slot", "peek", "s", "--limit", "7"],
            "SELECT lsn, xid, data FROM pg_logical_slot_peek_changes($1::name, NULL, $2::int4)",
            ["s", "7"]
        ),
        (["key", "status"], "SHOW falcon.tde_status", []),
        (["key", "rotate"], "SELECT falcon.rotate_data_keys()", []),
        (
            ["key", "rotate", "--new-key-file", "/k"],
            "SELECT falcon.rotate_master_key($1::text, $2::text)", ["key_file", "/k"]
        ),
        (
            ["key", "rotate", "--new-passphrase-file", "/k"],
            "SELECT falcon.rotate_master_key($1::text, $2::text)", ["passphrase_file", "/k"]
        ),
        (
            ["key", "rotate", "--new-key-command", "k"],
            "SELECT falcon.rotate_master_key($1::text, $2::text)", ["key_command", "k"]
        ),
    ]

    @Test(arguments: asked)
    func aCommandAsksOneThing(_ arguments: [String], _ sql: String, _ parameters: [String?]) {
        let server = ScriptedServer([("pg_c", [ScriptedServer.row([("lsn", "0/8")])])])
        _ = server.run(arguments)
        #expect(server.questions.first == .init(sql: sql, parameters: parameters))
        #expect(server.isClosed)
    }

    @Test func theOptionsArePsqls() {
        let server = ScriptedServer()
        let run = server.run([
            "slot", "list", "-h", "::1", "-p", "5433", "-U", "me", "-d", "shop",
            "--connect-timeout", "3",
        ])
        #expect(run.exit == .clean)
        let settings = Dictionary(uniqueKeysWithValues: server.settings)
        #expect(settings["host"] == "::1")
        #expect(settings["port"] == "5433")
        #expect(settings["user"] == "me")
        #expect(settings["dbname"] == "shop")
        #expect(settings["connect_timeout"] == "3")
        // A connection string is expanded where it stands: what comes after it wins.
        #expect(server.settings.first?.0 == "dbname")
    }

    @Test func whatIsNotGivenIsLeftToTheEnvironment() {
        let server = ScriptedServer()
        _ = server.run(["slot", "list"])
        #expect(
            server.settings.map(\.0) == ["fallback_application_name", "client_encoding"])
    }

    static let misuse: [[String]] = [
        ["restore-point"], ["slot", "peek", "s", "--limit", "0"], ["slot", "advance", "s", "x"],
        ["slot", "drop"], ["backup", "list", "--label", "x"],
        ["backup", "--max-rate", "fast"], ["backup", "--max-rate", "1k"],
        ["backup", "--label", "a\nb"], ["backup", "--label", "\u{1b}[2J"],
        ["backup", "--label", String(repeating: "x", count: 257)],
        ["status", "--port", "70000"],
        ["key", "rotate", "--new-key-file", "a", "--new-key-command", "b"], ["nothing"],
        ["explain", "CTL999"],
    ]

    @Test(arguments: misuse)
    func aMisuseIsToldAndAsksNothing(_ arguments: [String]) {
        let server = ScriptedServer()
        let run = server.run(arguments)
        #expect(run.exit == .usage)
        #expect(!run.diagnostics.isEmpty)
        #expect(server.questions.isEmpty)
    }

    @Test func helpIsThereForEveryCommand() {
        for words in [
            [], ["status"], ["backup"], ["backup", "list"], ["restore-point"], ["slot"],
            ["slot", "peek"], ["key"], ["key", "rotate"],
        ] {
            let run = ScriptedServer().run(words + ["--help"])
            #expect(run.exit == .clean, "\(words)")
            #expect(run.output.contains("USAGE:"), "\(words)")
        }
        #expect(ScriptedServer().run([]).output.contains("SUBCOMMANDS:"))
        #expect(ScriptedServer().run(["explain", "CTL001"]).output.contains("exit code 2"))
        #expect(ScriptedServer().run(["--version"]).output.hasPrefix("falconctl (FalconDB)"))
    }

    @Test func aRestorePointPrintsItsLSNAlone() throws {
        let answers = [("restore_point", [ScriptedServer.row([("lsn", "0/4711")])])]
        let run = ScriptedServer(answers, notices: ["WARNING:  mind"]).run(["restore-point", "r"])
        #expect(run.output == "0/4711\n")
        #expect(run.diagnostics == "WARNING:  mind\n")
        let object = try json(
            ScriptedServer(answers).run(["restore-point", "r", "--format", "json"]).output)
        #expect(object["schema_version"] as? Int == 1)
        #expect(object["tool"] as? String == "falconctl")
        #expect(object["exit_code"] as? Int == 0)
        let records = try #require(object["records"] as? [[String: Any]])
        #expect(records.count == 1)
        #expect(records.first?["kind"] as? String == "restore-point")
        #expect(records.first?["lsn"] as? String == "0/4711")
    }

    @Test func waitBeginsWhenTheOtherBackupHasEnded() {
        let busy = ControlFailure.refused(
            ControlRefusal(sqlState: "55006", message: "the repository is in use"))
        let done = ScriptedServer.row([("id", "20261129T171947Z-d574d5c6")])
        let answers = [("falcon.backup", [.failure(busy), .failure(busy), done])]
        let server = ScriptedServer(answers)
        let run = server.run(["backup", "--wait"])
        #expect(run.output == "20261129T171947Z-d574d5c6\n")
        #expect(server.questions.count == 3)
        #expect(ScriptedServer(answers).run(["backup"]).exit == .corruption)
        let stopped = ScriptedServer(answers).run(["backup", "--wait"], interruption: { true })
        #expect(stopped.exit == .interrupted)
        #expect(stopped.output.isEmpty)
    }

    @Test func peekShowsChangesAndLeavesTheSlot() {
        let changes = ControlRows(
            columns: ["lsn", "xid", "data"],
            rows: [["0/1", "7", "{\"op\":\"begin\"}"], ["0/2", "7", "{\"op\":\"commit\"}"]])
        let server = ScriptedServer([("peek", [.success(changes)])])
        let run = server.run(["slot", "peek", "s"])
        #expect(run.lines == ["0/1\t7\t{\"op\":\"begin\"}", "0/2\t7\t{\"op\":\"commit\"}"])
        #expect(server.questions.count == 1)
    }
}
