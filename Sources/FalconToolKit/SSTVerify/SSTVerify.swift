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
            hashes unless --keys says otherwise. --salvage copies what is sound of a data directory \
            into a new one and says which keys are lost; the directory itself is only read.
            """)
    public static let csvColumns = [
        "file", "number", "level", "uid", "bytes", "entries", "tombstones", "range_tombstones",
        "blocks", "min_timestamp", "max_timestamp", "findings", "kind", "live_bytes",
        "garbage_bytes",
    ]

    /// How user keys appear in findings.
    public enum KeyDisplay: String, Sendable, CaseIterable, ExpressibleByArgument {
        case none, hash, hex
    }

    @Argument(help: "Data directories, their sst directories, table or blob files.")
    public var paths: [String]
    @Option(help: "How keys are shown: none, hash or hex.") public var keys = KeyDisplay.hash
    @Option(help: "Findings kept per file; more are counted.") public var maxFindings = 100
    @Flag(help: "Copy what is sound of one data directory to --out, and say what is lost.")
    public var salvage = false
    @Option(help: "The new directory of --salvage; it must not exist, or be empty.")
    public var out: String?
    @OptionGroup public var key: KeyOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    public func validate() throws {
        if paths.isEmpty { throw ValidationError("Give a data directory or a table file.") }
        if salvage != (out != nil) || (salvage && paths.count != 1) {
            throw ValidationError("--salvage takes one data directory and --out NEWDIR.")
        }
        if maxFindings < 1 { throw ValidationError("--max-findings must be at least 1.") }
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        if let out, let directory = paths.first {
            return try SSTSalvageRun(self, report).save(directory, to: out)
        }
        var run = SSTVerifyRun(self, report)
        for path in paths where !report.context.shouldStop {
            do throws(StorageError) {
                try run.check(path)
            } catch {
                report.add(error)
            }
        }
        run.conclude()
    }
}
