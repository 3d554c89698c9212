import Testing

@testable import FalconToolKit

/// How a server's and libpq's errors become findings and exit codes.
@Suite struct ControlFailureTests {
    /// libpq's text with PQERRORS_VERBOSE, whether a password was wanted, and the exit code.
    static let connections: [(String, Bool, ToolExit)] = [
        (
            "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
                + "authentication failed for user \"x\"\nLOCATION:  auth_failed, auth.c:338\n",
            false, .keyMissing
        ),
        ("… failed: SCHWERWIEGEND:  28000: Rolle »x« existiert nicht\n", false, .keyMissing),
        ("… failed: fe_sendauth: no password supplied\n", true, .keyMissing),
        ("… failed: FATAL:  3D000: database \"x\" does not exist\n", false, .corruption),
        ("… failed: FATAL:  53300: sorry, too many clients already\n", false, .corruption),
        ("… failed: FATAL:  57P03: the database system is starting up\n", false, .io),
        (
            "connection to server at \"127.0.0.1\", port 9 failed: Connection refused\n\tIs the "
                + "server running on that host and accepting TCP/IP connections?\n", false, .io
        ),
        ("could not translate host name \"x:  y\" to address: unknown\n", false, .io),
        ("", false, .io),
    ]

    @Test(arguments: connections)
    func aConnectionThatFails(_ text: String, _ needsPassword: Bool, _ exit: ToolExit) {
        let failure = ControlFailure(connection: text, needsPassword: needsPassword)
        #expect(failure.finding.severity.exit == exit)
        let run = ScriptedServer(refusing: failure).run(["status"])
        #expect(run.exit == exit)
        #expect(run.output.isEmpty)
        #expect(run.diagnostics.contains("advice: "))
    }

    @Test func whatTheServerSaysOfTheConnectionIsKept() {
        let failure = ControlFailure(
            connection: "failed: FATAL:  28000: no: entry\nDETAIL:  d\nHINT:  h\n")
        #expect(
            failure
                == .authentication(
                    ControlRefusal(
                        sqlState: "28000", message: "no: entry", detail: "d", hint: "h")))
    }

    @Test func aRefusalIsPrintedWhole() {
        let refusal = ControlRefusal(
            sqlState: "55000", message: "the data directory is not encrypted",
            detail: "it is plain",
            hint: "Start the server with storage.encryption.")
        let server = ScriptedServer([
            ("rotate_data_keys", [.failure(ControlFailure(statement: refusal))])
        ])
        let run = server.run(["key", "rotate"])
        #expect(run.exit == .corruption)
        #expect(run.exit.rawValue == 2)
        #expect(run.output.isEmpty)
        #expect(
            run.diagnostics == """
                REFUSED CTL001: 55000: the data directory is not encrypted
                    DETAIL:  it is plain
                    HINT:  Start the server with storage.encryption.
                    advice: Do as the hint says.

                """)
        #expect(server.isClosed)
    }

    @Test(arguments: ["42501", "42704", "42710", "53400", "55006", "3D000", "XX000"])
    func everyRefusalSaysWhatToDo(_ state: String) {
        let finding = ControlFailure.refused(
            ControlRefusal(sqlState: state, message: "no")
        ).finding
        #expect(!finding.advice.isEmpty)
        #expect(finding.code == "CTL001")
    }

    @Test(arguments: ["57P01", "57P02", "08006"])
    func aServerThatEndsMeanwhileIsALostConnection(_ state: String) {
        let failure = ControlFailure(
            statement: ControlRefusal(sqlState: state, message: "terminating connection"))
        #expect(failure.finding.code == "CTL004")
        #expect(failure.finding.severity.exit == .io)
    }

    @Test func anInterruptionExitsWith8() {
        let server = ScriptedServer([
            ("restore_point", [.failure(.interrupted("The statement was cancelled."))])
        ])
        let run = server.run(["restore-point", "x", "--format", "json"])
        #expect(run.exit.rawValue == 8)
        #expect(run.output.contains("\"code\":\"CTL007\""))
        #expect(run.output.contains("\"exit_code\":8"))
    }

    @Test func theCatalogueExplainsEveryCode() {
        let run = ScriptedServer().run(["explain"])
        for kind in FindingCatalogue.control { #expect(run.output.contains(kind.code)) }
    }
}
