import ArgumentParser
import FalconStorage

/// How progress is written to standard error.
public enum ProgressFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people: one line that changes on a terminal, lines elsewhere.
    case text
    /// A JSON object a line.
    case json
}

/// The options of a tool that may run for long; put them into a command as
/// `@OptionGroup public var run`, and hand them out as ``ToolCommand/runOptions``.
public struct RunOptions: ParsableArguments {
    @Option(
        help: "Write the whole report as JSON to this file too, outside of what is inspected.")
    public var report: String?
    @Option(
        help: "Say on standard error every so many seconds how far the run is (terminals: always).")
    public var progress: Double?
    @Option(help: "Form of the progress: text, or json, an object a line.")
    public var progressFormat = ProgressFormat.text

    public init() {}

    public func validate() throws {
        if let progress, !(0.1...86_400).contains(progress) {
            throw ValidationError("--progress must be 0.1 to 86400 seconds.")
        }
        if report == "" { throw ValidationError("--report takes the name of a file.") }
    }

    /// Opens the file of --report, if there is one. Call it before anything is reported, and before keys are
    /// opened: the report is not encrypted.
    /// - Parameter inspected: what the tool reads; the file may not lie in it.
    func openReport(
        _ writer: ReportWriter, apartFrom inspected: [String]
    ) throws(StorageError) {
        guard let report else { return }
        let fileSystem = writer.context.fileSystem
        for path in inspected {
            try ToolPath.checkOutside(report, of: path, fileSystem)
        }
        try writer.keep(in: StagedFile(report, fileSystem))
    }
}
