import ArgumentParser
import FalconStorage

/// Where a measurement's figures go besides the screen.
struct BenchExportOptions: ParsableArguments {
    @Option(
        name: .customLong("export"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "'json FILE': writes every figure there. Without FILE, or with '-', to standard output; the text then goes to standard error.",
            valueName: "json [FILE]"))
    var export: [String] = []
    @Option(help: "The commit measured, named in the export.")
    var commit: String?

    init() {}

    func validate() throws {
        guard export.isEmpty || (export[0] == "json" && export.count <= 2) else {
            throw ValidationError("--export takes 'json' and the name of a file.")
        }
    }

    /// Someone wants the document.
    var isWanted: Bool { !export.isEmpty }
    /// The file; nil for standard output.
    var file: String? {
        guard export.count == 2, export[1] != "-" else { return nil }
        return export[1]
    }
}

/// What a measurement says: lines for people, and one JSON document (docs/operations/falcon-bench.md).
final class BenchOutput {
    /// Rises when a field changes its meaning or goes away; new fields leave it.
    static let schemaVersion: Int64 = 1

    private let report: ReportWriter
    private let options: BenchExportOptions
    private let lines: ToolStream
    private var fields: [(String, JSONValue)]

    init(
        _ report: ReportWriter, _ options: BenchExportOptions, command: String, path: String?,
        flags: [(String, JSONValue)]
    ) throws(StorageError) {
        guard report.format == .text || report.format == .json else {
            throw .invalidArgument("falcon-bench writes --format text or json.")
        }
        let takesOutput = report.format == .json || (options.isWanted && options.file == nil)
        self.report = report
        self.options = options
        lines = takesOutput ? report.context.standardError : report.context.standardOutput
        fields = [
            ("command", .string(command)), ("commit", .text(options.commit)),
            (
                "started_at",
                .string(ToolTime.format(report.context.environment.clock.wallMicros()))
            ),
            ("machine", BenchMachine.json(path: path)), ("flags", .object(flags)),
        ]
    }

    var context: ToolContext { report.context }
    /// The document goes somewhere.
    var isExporting: Bool { options.isWanted || report.format == .json }

    func write(_ text: String) {
        lines.write(text)
        lines.flush()
    }

    func set(_ name: String, _ value: JSONValue) { fields.append((name, value)) }

    /// Writes the document.
    func finish() throws(StorageError) {
        if report.format == .json { for (name, value) in fields { report.set(name, value) } }
        guard options.isWanted else { return }
        let head: [(String, JSONValue)] = [
            ("schema_version", .int(Self.schemaVersion)), ("tool", .string("falcon-bench")),
            ("version", .string(FalconVersion.current)),
        ]
        let text = JSONValue.object(head + fields).encoded + "\n"
        guard let path = options.file else {
            // With --format json the report itself is the document on standard output.
            if report.format != .json { context.standardOutput.write(text) }
            return
        }
        let file = try context.fileSystem.open(path, .createIfMissing)
        try file.truncate(to: 0)
        try file.write(Array(text.utf8), at: 0)
        try file.close()
    }
}
