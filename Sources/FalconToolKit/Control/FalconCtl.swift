import ArgumentParser
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `falconctl`: the operator's program, a client of a running server.
public struct FalconCtl: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "falconctl", abstract: "Looks after a running FalconDB server.",
        discussion: """
            Connects as psql does: by --host, --port, --username, --dbname, PGHOST and its kin, \
            ~/.pgpass and service files. Data go to standard output, notices and errors to standard \
            error.

            Exit codes: 0 done, 1 usage, 2 refused by the server, 3 done, and status has a warning, \
            4 server not reachable or connection lost, 6 authentication failed, 8 interrupted (the \
            running statement was cancelled). 'falconctl explain CODE' explains a finding, 'falconctl \
            explain' lists all.
            """,
        version: versionText,
        subcommands: [
            ControlStatus.self, ControlBackup.self, ControlRestorePoint.self, ControlSlot.self,
            ControlKey.self,
        ],
        helpNames: .long)

    static let versionText = "falconctl (FalconDB) \(FalconVersion.current)"

    public init() {}

    /// The whole of the program.
    /// - Parameter connector: how it comes to servers.
    public static func start(_ connector: any ControlConnector) -> Never {
        let context = ToolContext.process()
        let code = run(Array(CommandLine.arguments.dropFirst()), connector, context).rawValue
        #if canImport(Glibc)
            Glibc.exit(code)
        #else
            Musl.exit(code)
        #endif
    }

    /// Runs the program on `arguments` (its own name left out).
    public static func run(
        _ arguments: [String], _ connector: any ControlConnector, _ context: ToolContext
    ) -> ToolExit {
        context.connector = connector
        return ToolRunner.run(family: self, named: "falconctl", arguments, context)
    }
}
