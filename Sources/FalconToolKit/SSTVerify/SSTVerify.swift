import ArgumentParser
import FalconStorage

/// `sst-verify DIR|FILE…`: whether tables are what they were when they were written.
public struct SSTVerify: ToolCommand {
    public static let configuration = toolConfiguration(
        "sst-verify",
        abstract:
            "Check tables and blob files: checksums, order, index, filter, properties, MANIFEST.",
        discussion: """
            A data directory is checked whole: the tables and blob files that MANIFEST names, each \
            against what MANIFEST says of it, the references of tables to large values in blob \
            files, files it does not name, and overlaps. A file is checked against \
            itself. Of encrypted files without a key structure and checksums are checked; with \
            one also what is in them. Reads past damage and reports all of it. Keys are shown as \
            hashes unless --keys says otherwise, values only with --values. --dump lists the entries of \
            tables. --salvage copies what is sound of a data directory \
            into a new one and says which keys are lost; the directory itself is only read.
            """)
    public static let csvColumns = [
        "file", "number", "level", "uid", "bytes", "entries", "tombstones", "range_tombstones",
        "blocks", "min_timestamp", "max_timestamp", "findings", "kind", "live_bytes",
        "garbage_bytes",
    ]

    /// How user keys and values appear.
    public enum KeyDisplay: String, Sendable, CaseIterable, ExpressibleByArgument {
        case none, hash, hex, text
        /// By column where the table is known; in findings in hex.
        case row
    }

    @Argument(help: "Data directories, their sst directories, table or blob files.")
    public var paths: [String]
    @Flag(help: "Check structure, checksums and hashes, not the entries.") public var quick = false
    @Flag(help: "Check the entries too: order, filter, properties, references (the default).")
    public var deep = false
    @Flag(help: "Count sizes, ages, tombstones, compression and false positives, by level.")
    public var histograms = false
    @Option(help: "Files checked side by side; the number of cores unless given.")
    public var jobs: Int?
    @Option(help: "Read at most so many MB a second, all jobs together.") public var ioLimit:
        Double?
    @Option(help: "How keys are shown: none, hash, hex, text or row.") public var keys = KeyDisplay
        .hash
    @Option(help: "Findings kept per file; more are counted.") public var maxFindings = 100
    @Option(help: "End after the file with which so many findings are errors.")
    public var maxErrors: Int?
    @Flag(help: "End after the first file with an error.") public var failFast = false

    @Flag(help: "List the entries of tables: block, timestamp, kind, sizes.") public var dump =
        false
    @Option(help: "How --dump shows values: none, hash, hex, text or row.") public var values:
        KeyDisplay?
    @Option(
        help: "With --dump only keys that begin so, in hex.", transform: ToolArgument.hex)
    public var keyPrefix: [UInt8]?
    @Option(help: "With --dump only keys from this on, in hex.", transform: ToolArgument.hex)
    public var from: [UInt8]?
    @Option(help: "With --dump only keys before this, in hex.", transform: ToolArgument.hex)
    public var to: [UInt8]?
    @Option(help: "List so many entries at most.") public var limit: Int?

    @Flag(help: "Copy what is sound of one data directory to --out, and say what is lost.")
    public var salvage = false
    @Option(help: "The new directory of --salvage; it must not exist, or be empty.")
    public var out: String?
    @Option(
        help: "Keep in this file which files were sound; a run after an interrupt passes them over."
    )
    public var state: String?
    @OptionGroup public var key: KeyOptions
    @OptionGroup public var run: RunOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    public var columns: [String] {
        dump ? SSTDumpRun.columns : histograms ? SSTHistogramReport.columns : Self.csvColumns
    }

    public var runOptions: RunOptions? { run }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        try run.openReport(report, apartFrom: paths + (out.map { [$0] } ?? []))
        if let out, let directory = paths.first {
            return try SSTSalvageRun(self, report).save(directory, to: out)
        }
        if dump { return try SSTDumpRun(self, report).list() }
        var run = try SSTVerifyRun(self, report)
        for path in paths {
            if run.isEnding {
                run.uncheckedPaths += 1
                continue
            }
            do throws(StorageError) {
                try run.check(path)
            } catch {
                report.add(error)
            }
        }
        run.conclude()
    }

    /// Reads within --io-limit.
    func makePace(_ context: ToolContext) -> VerificationPace {
        VerificationPace(
            bytesPerSecond: UInt64(clamping: Int64((ioLimit ?? 0) * 1_000_000)),
            clock: context.environment.clock, sleep: context.sleep)
    }
}
