import ArgumentParser
import FalconStorage

/// One tool: its arguments (as ArgumentParser declares them) and what it does.
///
/// The kit around it, in the order a run meets it:
///
/// - ``ToolRunner`` parses the arguments (usage errors exit 1), answers `--help`, `--version` and
///   `explain CODE`, and calls ``execute(_:)``.
/// - ``ReportWriter`` takes records, findings and summary fields and writes them as text, json, jsonl
///   or csv. The worst ``Finding`` decides the exit code, ``ToolExit``. A thrown `StorageError`
///   becomes a finding by itself.
/// - ``FindingKind`` gives each finding its stable code, severity and advice; declare kinds as static
///   constants in `Findings/FindingCatalogue+X.swift`, so that `explain` knows them.
/// - ``ToolContext`` (`report.context`) holds streams, file system and clocks, so that a test runs
///   a command in memory: `ToolRunner.run(MyTool.self, ["dir"], context)`. Long loops end early when
///   `report.context.shouldStop`.
/// - ``ToolProgress``, ``ToolTime``, ``ToolArgument`` are helpers.
///
/// ```swift
/// public struct SSTVerify: ToolCommand {
///     public static let configuration = toolConfiguration("sst-verify", abstract: "…")
///     @Argument(help: "Data directory or files.") var paths: [String]
///     @OptionGroup public var output: OutputOptions
///     public init() {}
///     public func execute(_ report: ReportWriter) throws(StorageError) {
///         report.add(Finding(.sstBadBlock, "…", file: path, offset: offset))
///         report.set("tables", .count(3))
///         report.line("3 tables verified")
///     }
/// }
/// // Tools/sst-verify/main.swift
/// import FalconToolKit
/// ToolRunner.main(SSTVerify.self)
/// ```
public protocol ToolCommand: ParsableCommand {
    var output: OutputOptions { get }
    /// The format when none is asked for.
    static var defaultFormat: OutputFormat { get }
    /// The columns of records in csv; empty when csv shows the findings.
    static var csvColumns: [String] { get }
    /// The same for this run, where views differ.
    var columns: [String] { get }
    /// See ``ReportWriter``.
    static var isEventStream: Bool { get }
    /// The run goes on until somebody ends it: an interruption is no finding.
    var isEndless: Bool { get }
    /// Commands of the tool that are chosen by its first argument.
    static var subcommands: [(String, any ToolCommand.Type)] { get }
    /// The options of a tool that may run for long; nil: it has none of them.
    var runOptions: RunOptions? { get }
    func execute(_ report: ReportWriter) throws(StorageError)
}

extension ToolCommand {
    public static var defaultFormat: OutputFormat { .text }
    public static var csvColumns: [String] { [] }
    public var columns: [String] { Self.csvColumns }
    public static var isEventStream: Bool { false }
    public var isEndless: Bool { false }
    public var runOptions: RunOptions? { nil }
    public static var subcommands: [(String, any ToolCommand.Type)] { [] }

    /// The tool's name, as its configuration has it.
    public static var toolName: String { configuration.commandName ?? "falcon-tool" }

    /// A configuration with the version and the text on exit codes that every tool shares.
    public static func toolConfiguration(
        _ name: String, abstract: String, discussion: String = ""
    ) -> CommandConfiguration {
        let shared = """
            Exit codes, the worst finding wins: 0 clean, 1 usage, 2 corruption, 3 benign anomaly \
            (torn tail, orphan), 4 I/O, 5 in use, 6 key missing or wrong, 7 target unreachable, \
            8 interrupted. '\(name) explain CODE' explains a finding, '\(name) explain' lists all. \
            The data directory is never written to or locked.
            """
        return CommandConfiguration(
            commandName: name, abstract: abstract,
            discussion: discussion.isEmpty ? shared : discussion + "\n\n" + shared,
            version:
                "\(name) (FalconDB) \(FalconVersion.current), formats 0 to \(FormatVersion.newest.rawValue)"
        )
    }
}
