import ArgumentParser
import FalconStorage

/// A command of falconctl: it connects, runs its statements, and reports records.
protocol ControlCommand: ToolCommand {
    var connection: ControlOptions { get }
    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure)
}

extension ControlCommand {
    /// Findings go to standard error, so that `lsn=$(falconctl restore-point x)` takes nothing else than the LSN.
    static var isEventStream: Bool { true }

    func execute(_ report: ReportWriter) throws(StorageError) {
        guard let connector = report.context.connector else {
            throw .invalidArgument("This program has no way to a server.")
        }
        let context = report.context
        let isQuiet = report.isQuiet
        let watch = ControlWatch(
            notice: { text in if !isQuiet { context.diagnose(text) } },
            isInterrupted: { context.isInterrupted })
        do throws(ControlFailure) {
            let server = try connector.connect(connection.settings, watch)
            defer { server.close() }
            // Moments come in one form, whatever the role's own settings are.
            _ = try server.query(
                "SELECT set_config('TimeZone', 'UTC', false), "
                    + "set_config('DateStyle', 'ISO, YMD', false)", [])
            try run(server, report)
        } catch {
            report.add(error.finding)
        }
    }

    /// A configuration of falconctl's, whose -h is the host.
    static func controlConfiguration(
        _ name: String, abstract: String, discussion: String = ""
    ) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: abstract, discussion: discussion,
            version: FalconCtl.versionText, helpNames: .long)
    }
}
