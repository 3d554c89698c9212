import FalconStorage

/// Writes what a tool has to say, in the format asked for: records as they come, findings, and the
/// fields of a summary. Data go to standard output, progress to standard error.
///
/// - `text`: ``line(_:)``, a record's text and findings, in the order they come.
/// - `json`: one object `{"schema_version":1,"tool":…,"records":[…],"findings":[…],FIELDS,"exit_code":n}`;
///   `records` is there when a record was written.
/// - `jsonl`: a line each, told apart by `"type"`: `header`, `record`, `finding`, `summary`.
/// - `csv`: the records, and findings on standard error; without records, the findings.
///
/// An event stream (``isEventStream``) is a tool whose lines go to another program: its jsonl has
/// nothing but records, as the tool made them, and findings go to standard error.
public final class ReportWriter {
    public static let schemaVersion: Int64 = 1

    public let format: OutputFormat
    public let tool: String
    public let context: ToolContext
    public let isEventStream: Bool
    public let isQuiet: Bool
    /// The worst finding so far.
    public private(set) var exit = ToolExit.clean
    public private(set) var findings: [Finding] = []

    private var fields: [(String, JSONValue)] = []
    private var recordCount = 0
    private var isBegun = false
    private var csvColumns: [String]
    /// How the run says how far it is.
    var progressStyle = ToolProgress.Style()
    /// The same report once more, as JSON in a file.
    private var copy: ReportWriter?
    private var copyFile: StagedFile?
    /// In place of standard output.
    private var sink: ToolStream?
    private var output: ToolStream { sink ?? context.standardOutput }

    public init(
        format: OutputFormat, tool: String, context: ToolContext, isEventStream: Bool = false,
        isQuiet: Bool = false, csvColumns: [String] = []
    ) {
        self.format = format
        self.tool = tool
        self.context = context
        self.isEventStream = isEventStream
        self.isQuiet = isQuiet
        self.csvColumns = csvColumns
    }

    /// Writes the report to `file` too, as JSON, from now on; ``finish()`` gives it its name. Nothing may have
    /// been reported. That nobody reads standard output any more ends the run no more.
    func keep(in file: StagedFile) {
        let copy = ReportWriter(format: .json, tool: tool, context: context)
        copy.sink = file.stream
        self.copy = copy
        copyFile = file
        context.goesOnUnread = true
    }

    /// A line for people; other formats leave it out.
    public func line(_ text: String = "") {
        if format == .text { output.write(text + "\n") }
    }

    /// One record of the tool's main output. `text` is its form for people.
    public func record(
        _ record: @autoclosure () -> [(String, JSONValue)], text: @autoclosure () -> String
    ) {
        copy?.record(record(), text: "")
        begin()
        recordCount += 1
        switch format {
        case .text: output.write(text() + "\n")
        case .json:
            output.write(recordCount == 1 ? "\"records\":[\n" : ",\n")
            write(.object(record()))
        case .jsonl:
            write(.object(isEventStream ? record() : [("type", .string("record"))] + record()))
            output.write("\n")
        case .csv:
            let fields = record()
            writeRow(
                csvColumns.map { name in fields.first { $0.0 == name }?.1 ?? .null })
        }
    }

    /// One record that the tool has put into the form asked for itself: a JSON object, a row of csv with the
    /// schema version before it, or a line of text.
    public func record(encoded: [UInt8]) {
        begin()
        recordCount += 1
        if format == .json { output.write(recordCount == 1 ? "\"records\":[\n" : ",\n") }
        output.write(encoded)
        if format != .json { output.write(Self.newline) }
    }

    private static let newline = [UInt8(ascii: "\n")]

    /// A field of the summary; a name given twice keeps the last value.
    public func set(_ name: String, _ value: JSONValue) {
        copy?.set(name, value)
        fields.removeAll { $0.0 == name }
        fields.append((name, value))
    }

    public func add(_ finding: Finding) {
        copy?.add(finding)
        findings.append(finding)
        exit = exit.worse(finding.severity.exit)
        switch format {
        case .text where !isEventStream: output.write(finding.text)
        case .jsonl where !isEventStream:
            begin()
            write(.object([("type", .string("finding"))] + finding.json))
            output.write("\n")
        case .json: break  // in the object's end
        case .csv where csvColumns.isEmpty:
            begin()
            writeRow(finding.json.map(\.1))
        // Quiet: what is benign shows in the exit code alone.
        case _ where isQuiet && (finding.severity == .info || finding.severity == .warning): break
        default: context.diagnose(finding.text)
        }
    }

    public func add(_ error: StorageError) { add(Finding(error)) }

    /// Ends the output and gives the exit code.
    func finish() -> ToolExit {
        writeEnd()
        if let failure = output.failure {
            context.diagnose("\(tool): standard output cannot be written (errno \(failure))")
            exit = exit.worse(.io)
        }
        publishCopy()
        return exit
    }

    private func publishCopy() {
        guard let copy, let copyFile else { return }
        copy.exit = exit
        copy.writeEnd()
        do throws(StorageError) {
            try copyFile.publish()
        } catch {
            context.diagnose(Finding(error).text)
            exit = exit.worse(error.code.toolExit)
        }
    }

    private func writeEnd() {
        begin()
        fields.append(("exit_code", .int(Int64(exit.rawValue))))
        switch format {
        case .text, .csv: break
        case .json:
            if recordCount > 0 { output.write("\n],\n") }
            output.write("\"findings\":[")
            for (index, finding) in findings.enumerated() {
                output.write(index == 0 ? "\n" : ",\n")
                write(.object(finding.json))
            }
            output.write("]")
            for (name, value) in fields {
                output.write(",\n")
                write(.string(name))
                output.write(":")
                write(value)
            }
            output.write("}\n")
        case .jsonl:
            if !isEventStream {
                write(.object([("type", .string("summary"))] + fields))
                output.write("\n")
            }
        }
        output.flush()
    }

    private func begin() {
        guard !isBegun else { return }
        isBegun = true
        let head: [(String, JSONValue)] = [
            ("schema_version", .int(Self.schemaVersion)), ("tool", .string(tool)),
            ("version", .string(FalconVersion.current)),
        ]
        switch format {
        case .text: break
        case .json:
            let text = JSONValue.object(head).encoded
            output.write(String(text.dropLast()) + ",\n")
        case .jsonl:
            if !isEventStream {
                write(.object([("type", .string("header"))] + head))
                output.write("\n")
            }
        case .csv:
            let columns =
                csvColumns.isEmpty
                ? Finding(.interrupted, "").json.map(\.0) : csvColumns
            output.write((["schema_version"] + columns).joined(separator: ",") + "\n")
        }
    }

    private func write(_ value: JSONValue) {
        var bytes: [UInt8] = []
        value.append(to: &bytes)
        output.write(bytes)
    }

    private func writeRow(_ cells: [JSONValue]) {
        let row = [JSONValue.int(Self.schemaVersion)] + cells
        output.write(row.map(\.csvCell).joined(separator: ",") + "\n")
    }
}
