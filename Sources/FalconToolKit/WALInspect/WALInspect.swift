import ArgumentParser
import FalconChanges
import FalconStorage

/// `wal-inspect DIR`: what the log of a dead or live node holds, and what recovery will make of it.
public struct WALInspect: ToolCommand {
    public static let configuration = toolConfiguration(
        "wal-inspect",
        abstract: "Show a database's write-ahead log and what recovery will make of it.",
        discussion: """
            Without further options: segments, counts per kind of record, times, and the verdict. \
            Reads past damage and reports all of it. Filters choose what --records lists and \
            --stats counts; the whole log is read and judged in any case. Keys and values are \
            shown only with --data, --keys or --values.
            """)
    public static let csvColumns = [
        "lsn", "end", "segment", "tag", "transaction", "timestamp", "commit_time", "database",
        "operations", "bytes", "detail", "ordinal", "kind", "class", "sql", "storage",
        "key_bytes", "value_bytes", "before_bytes", "key", "value", "before",
    ]

    @Argument(help: "Data directory, or its wal directory.") public var directory: String

    @Flag(help: "List the records.") public var records = false
    @Flag(help: "List the records with their operations.") public var operations = false
    @Flag(help: "Count types, tables, sizes, flush groups, syncs and the most written keys.")
    public var stats = false
    @Option(help: "So many of the most written keys, with --stats.") public var top = 10
    @Option(help: "Show one transaction, its parts put together, and nothing else.")
    public var extract: UInt64?
    @Flag(help: "List the records, and go on as the server writes, until interrupted.")
    public var follow = false
    @Option(help: "Milliseconds between two looks at a quiet log with --follow.")
    public var pollMs: UInt32 = 20

    @Flag(help: "Show operations with keys and values, by column where the table is known.")
    public var data = false
    @Option(help: "Show operations with keys as none, hash, hex, text or row.")
    var keys: WALDataForm?
    @Option(help: "Show operations with values as none, hash, hex, text or row.")
    var values: WALDataForm?

    @Option(help: "Only records at or after this LSN.", transform: ToolArgument.lsn)
    public var fromLSN: LSN?
    @Option(help: "Only records before this LSN.", transform: ToolArgument.lsn)
    public var toLSN: LSN?
    @Option(help: "Only commits at or after this time.", transform: ToolArgument.time)
    public var since: UInt64?
    @Option(help: "Only commits before this time.", transform: ToolArgument.time)
    public var until: UInt64?
    @Option(help: "Only this transaction.") public var transaction: UInt64?
    @Option(help: "Only records of this type (repeatable): commit, checkpoint, ...")
    public var type: [String] = []
    @Option(
        help: "Only operations on these tables (repeatable): name or schema.name, with * and ?.")
    public var table: [String] = []
    @Option(
        help:
            "Only these operations (repeatable): insert, update, delete, truncate, put, remove, remove-range, ingest."
    )
    public var op: [String] = []
    @Option(help: "Only operations of this class (repeatable): row, index, catalog, system.")
    public var `class`: [String] = []
    @Option(
        help: "Only operations on keys that begin so, in hex.", transform: ToolArgument.hex)
    public var keyPrefix: [UInt8]?
    @Option(help: "List so many records at most.") public var limit: Int?
    @Option(help: "Write to this new file, outside of the data directory, not to standard output.")
    public var out: String?
    @OptionGroup public var key: KeyOptions
    @OptionGroup public var run: RunOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    public var isEndless: Bool { follow }
    public var runOptions: RunOptions? { run }

    public func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
        guard (0...1000).contains(top) else { throw ValidationError("--top must be 0 to 1000.") }
        guard (1...60_000).contains(pollMs) else {
            throw ValidationError("--poll-ms must be 1 to 60000.")
        }
        if let wrong = type.first(where: { WALFilter.tag($0) == nil }) {
            throw ValidationError("'\(wrong)' is not a type of record; use commit, batch-part, ...")
        }
        if let wrong = op.first(where: { !WALOperationFilter.names.contains($0) }) {
            let known = WALOperationFilter.names.joined(separator: ", ")
            throw ValidationError("'\(wrong)' is not an operation; use \(known).")
        }
        if let wrong = `class`.first(where: { !WALOperationFilter.classes.contains($0) }) {
            let known = WALOperationFilter.classes.joined(separator: ", ")
            throw ValidationError("'\(wrong)' is not a class; use \(known).")
        }
        if extract != nil, follow || stats || records {
            throw ValidationError("--extract cannot be combined with other views of the log.")
        }
        if follow, stats { throw ValidationError("--follow cannot be combined with --stats.") }
        if stats, output.format == .csv {
            throw ValidationError("--stats has no csv form; use json.")
        }
        if follow, run.report != nil {
            throw ValidationError("--follow has no end that a report could have.")
        }
        if let out, out == run.report {
            throw ValidationError("--out and --report take a file each.")
        }
        if follow, output.format == .json {
            throw ValidationError("--follow has no end that json could have; use jsonl.")
        }
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let place = try DataDirectory(directory, report.context.fileSystem)
        try run.openReport(
            report,
            apartFrom: [place.wal] + (place.isLogAlone ? [] : [place.names.root]))
        if let out {
            if !place.isLogAlone { try ToolPath.checkApart(out, from: place.names.root) }
            try ToolPath.checkApart(out, from: place.wal)
            try report.context.divertOutput(to: out)
        }
        try report.context.openKeys(key, root: place.names.root)
        if let extract { return try self.extract(extract, place, report) }
        if follow { return try follow(place, report) }
        try inspect(place, report)
    }

    var contents: WALInspection.Contents {
        let showsData = data || keys != nil || values != nil
        let showsOperations = operations || showsData
        return WALInspection.Contents(
            records: records || showsOperations || follow, operations: showsOperations,
            statistics: stats, limit: limit ?? .max,
            printer: WALDataPrinter(
                keys: keys ?? (data ? .row : .none), values: values ?? (data ? .row : .none)))
    }

    var filter: WALFilter {
        WALFilter(
            fromLSN: fromLSN, toLSN: toLSN, since: since, until: until, transaction: transaction,
            types: Set(type.compactMap { WALFilter.tag($0)?.rawValue }),
            operations: WALOperationFilter(
                tables: table.map(TableGlob.init), operations: Set(op), classes: Set(`class`),
                keyPrefix: keyPrefix ?? []))
    }
}
