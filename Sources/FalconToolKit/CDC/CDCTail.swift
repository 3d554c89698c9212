import ArgumentParser
import FalconStorage

/// Shows the committed row changes of a data directory, transaction by transaction.
///
/// The log is read from its kept beginning even when `--from-lsn` names a later point: the tables'
/// descriptors are in it.
public struct CDCTail: ToolCommand {
    public static let configuration = toolConfiguration(
        "cdc-tail", abstract: "Show committed row changes, grouped by transaction.",
        discussion: """
            Prints one JSON object a line: a begin, the rows in the order they were written, a \
            commit whose end_lsn is where to resume. On a directory that a server has open, it shows \
            what the log says is committed; on a dead one, everything that a restart would keep.
            """)
    public static let defaultFormat = OutputFormat.jsonl
    public static let isEventStream = true
    public static let csvColumns = [
        "op", "database", "table", "lsn", "end_lsn", "txid", "ts", "commit_ts", "key", "before",
        "after", "rows",
    ]

    @Argument(help: "The data directory.")
    var directory: String

    @Option(
        help: "Begin with the first transaction at or after this LSN.",
        transform: ToolArgument.lsn)
    var fromLsn: LSN?

    @Option(
        help: "End with the last transaction that ends at or before this LSN.",
        transform: ToolArgument.lsn)
    var untilLsn: LSN?

    @Option(help: "Only these tables (repeatable): name or schema.name, with * and ?.")
    var table: [String] = []

    @Option(
        help: "Only these operations (repeatable): insert, update, delete, truncate, drop, ingest.")
    var op: [String] = []

    @Flag(help: "Go on as the server writes, until interrupted.")
    var follow = false

    @Option(help: "Milliseconds between two looks at a quiet log with --follow.")
    var pollMs: UInt32 = 20

    @Flag(help: "Rows only, no begin and commit lines.")
    var rowsOnly = false

    @Flag(help: "Integers beyond 2^53 and numerics as strings.")
    var numbersAsStrings = false

    @Flag(help: "Go on behind damage; without it the stream ends there.")
    var pastDamage = false

    @OptionGroup public var key: KeyOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    static let operations = [
        "insert", "update", "delete", "truncate", "drop", "put", "remove", "remove-range", "ingest",
    ]

    public func validate() throws {
        if let wrong = op.first(where: { !Self.operations.contains($0) }) {
            throw ValidationError(
                "'\(wrong)' is not an operation; use insert, update, delete, truncate, drop or ingest."
            )
        }
        if follow, pastDamage {
            throw ValidationError("--follow cannot be combined with --past-damage.")
        }
        guard (1...60_000).contains(pollMs) else {
            throw ValidationError("--poll-ms must be 1 to 60000.")
        }
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let context = report.context
        try DataDirectory.check(directory, context.fileSystem)
        try context.openKeys(key, root: directory)
        let isLive = context.fileSystem.isLocked(FileNames(root: directory).lock)
        // Before the log: a live writer's manifest never runs ahead of it.
        let condition = try DirectoryCondition.read(
            FileNames(root: directory), context.fileSystem)
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        if let expectation = condition.expectation,
            try ChangeReader.firstLSN(root: directory, context.fileSystem) == nil
        {
            let names = FileNames(root: directory)
            return report.add(Finding(missingLog: expectation.noLog(names)))
        }
        let reader = try ChangeReader(
            root: directory, fileSystem: context.fileSystem,
            mode: follow ? .follow : isLive ? .live : .dead, passesDamage: pastDamage)
        let schema = SchemaHistory()
        let formatter = ChangeFormatter(
            schema: schema, decoder: RowDecoder(wideNumbersAsStrings: numbersAsStrings),
            selection: .init(
                tables: table.map(TableGlob.init), operations: Set(op),
                showsTransactions: !rowsOnly)
        ) { name, lsn in
            report.add(
                Finding(
                    .cdcUnknownTable, "No descriptor of \(name) is known; its rows are shown raw.",
                    blastRadius: "\(name) from \(lsn)"))
        }
        var run = Run(report: report, schema: schema, formatter: formatter)
        try run.start(reader, directory, from: fromLsn)
        while !context.shouldStop {
            guard let event = try reader.next() else {
                guard follow else { break }
                context.standardOutput.flush()
                context.pause(milliseconds: pollMs)
                continue
            }
            if try !run.take(event, from: fromLsn ?? .zero, until: untilLsn ?? .max) { break }
        }
        if context.isInterrupted, !follow {
            report.add(Finding(.interrupted, "Interrupted; the stream is cut at a transaction."))
        }
        guard !follow, !context.shouldStop else { return }
        try run.end(reader, condition, fromLsn, directory)
    }

    /// The state of one run.
    private struct Run {
        let report: ReportWriter
        let schema: SchemaHistory
        let formatter: ChangeFormatter
        /// An event read ahead to learn where the log begins.
        var lastEnd = LSN.zero

        /// Looks where the kept log begins, and brings the schema it does not hold.
        mutating func start(
            _ reader: ChangeReader, _ root: String, from: LSN?
        ) throws(StorageError) {
            guard let first = try ChangeReader.firstLSN(root: root, report.context.fileSystem)
            else { return }
            if let from, from > .zero, from < first {
                throw StorageError(
                    .targetUnreachable, kind: .user,
                    "The log begins at \(first); changes from \(from) are no longer kept.",
                    hint: "Use --from-lsn \(first), or leave it out.")
            }
            if first > ChangeReader.beginningLSN {
                if from == nil {
                    report.add(
                        Finding(
                            .cdcPartialLog, "The kept log begins at \(first).",
                            blastRadius: "changes before \(first) are not shown"))
                }
                // The schema of the log's own time lies over the newest; where the directory's tables
                // are damaged it is the only one.
                let checkpoint = try ChangeReader.firstCheckpoint(
                    root: root, report.context.fileSystem)
                do throws(StorageError) {
                    try schema.load(root: root, environment: report.context.environment)
                } catch {
                    // The log's own catalog rows may do; a table they lack is reported by itself.
                    if checkpoint == nil {
                        report.add(
                            Finding(
                                .cdcNoCatalog, "The directory's catalog cannot be read: \(error)"))
                    }
                }
                if let checkpoint { try schema.apply(checkpoint) }
            }
        }

        /// False at `until`.
        mutating func take(
            _ event: ChangeEvent, from: LSN, until: LSN
        ) throws(StorageError) -> Bool {
            switch event {
            case .checkpoint(let checkpoint):
                try schema.apply(checkpoint)
            case .ingest(let record, let lsn, let end):
                if end > until { return false }
                lastEnd = end
                guard lsn >= from else { break }
                for line in formatter.lines(record, lsn: lsn, endLSN: end) {
                    report.record(line.fields, text: line.text)
                }
            case .transaction(let transaction):
                if transaction.endLSN > until { return false }
                lastEnd = transaction.endLSN
                if transaction.lsn < from {
                    try formatter.skip(transaction)
                } else {
                    try formatter.show(transaction) { line in
                        report.record(line.fields, text: line.text)
                    }
                }
            }
            return true
        }

        /// What MANIFEST says was in the log and is not.
        private func reportMissing(
            _ reader: ChangeReader, _ condition: DirectoryCondition, _ root: String
        ) throws(StorageError) {
            // An end that was asked for is not the log's.
            guard reader.hasEnded, let expectation = condition.expectation else { return }
            var missing = try reader.missingEnd(expectation)
            if missing == nil, !reader.verdict.isCorruption {
                missing = try LogExpectation.readIfSound(
                    FileNames(root: root), report.context.fileSystem
                ).flatMap { reader.missingBeginning($0) }
            }
            if let missing { report.add(Finding(missingLog: missing)) }
        }

        func end(
            _ reader: ChangeReader, _ condition: DirectoryCondition, _ from: LSN?, _ root: String
        ) throws(StorageError) {
            var condition = condition
            if lastEnd > .zero, condition.problems.isEmpty {
                condition.noteCommits()
                for problem in condition.problems { report.add(Finding(refusal: problem)) }
            }
            try reportMissing(reader, condition, root)
            for damage in reader.damages { report.add(Finding(.cdcDamage, damage)) }
            switch reader.verdict {
            case .clean: break
            case .tornTail(let end, let segment, let offset, let discarded):
                report.add(
                    Finding(
                        .cdcTornTail,
                        "The log ends with \(discarded) bytes of an unfinished write.",
                        file: FileNames(root: root).walSegment(segment), offset: offset,
                        blastRadius:
                            "nothing that was acknowledged as durable; the log ends at \(end)"))
            case .corruption(let damage):
                if reader.damages.isEmpty { report.add(Finding(.cdcDamage, damage)) }
            }
            let reached = max(reader.position, lastEnd)
            if let from, from > reached, !reader.verdict.isCorruption {
                throw StorageError(
                    .targetUnreachable, kind: .user,
                    "The log ends at \(reached), before \(from).")
            }
        }
    }
}
