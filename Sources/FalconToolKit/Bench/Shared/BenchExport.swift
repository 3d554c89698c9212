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
    private let isOnStandardError: Bool
    private let standardError: BenchErrorStream
    /// Opened before the run: what cannot be written is known before, not after it.
    private var file: (any File)?
    private var isNewFile = false
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
        isOnStandardError = takesOutput
        standardError = BenchErrorStream(report.context.standardError)
        fields = [
            ("command", .string(command)), ("commit", .text(options.commit)),
            (
                "started_at",
                .string(ToolTime.format(report.context.environment.clock.wallMicros()))
            ),
            ("machine", BenchMachine.json(path: path)), ("flags", .object(flags)),
        ]
        guard options.isWanted, let file = options.file else { return }
        isNewFile = try !context.fileSystem.exists(file)
        self.file = try context.fileSystem.open(file, .createIfMissing)
    }

    /// A run that failed leaves no empty document behind.
    deinit {
        guard let file else { return }
        try? file.close()
        if isNewFile { try? context.fileSystem.remove(file.path) }
    }

    var context: ToolContext { report.context }
    /// The document goes somewhere.
    var isExporting: Bool { options.isWanted || report.format == .json }

    func write(_ text: String) {
        if isOnStandardError { return standardError.write(text) }
        context.standardOutput.write(text)
        context.standardOutput.flush()
    }

    /// Listens to engines of this run; `wait` is how long they hold a commit for a full disk.
    func makeWatch(path: String, waitMicros: UInt64) -> BenchWatch {
        BenchWatch(
            path: path, waitMicros: waitMicros, context.environment.clock, standardError,
            abandon: context.abandon)
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
        guard let file else {
            // With --format json the report itself is the document on standard output.
            if report.format != .json { context.standardOutput.write(text) }
            return
        }
        self.file = nil
        try file.truncate(to: 0)
        try file.write(Array(text.utf8), at: 0)
        try file.close()
    }
}
