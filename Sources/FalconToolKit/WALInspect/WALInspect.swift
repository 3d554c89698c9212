import ArgumentParser
import FalconStorage

/// `wal-inspect DIR`: what the log of a dead or live node holds, and what recovery will make of it.
public struct WALInspect: ToolCommand {
    public static let configuration = toolConfiguration(
        "wal-inspect",
        abstract: "Show a database's write-ahead log and what recovery will make of it.",
        discussion: """
            Without --records: segments, counts per kind of record, times, and the verdict. With \
            --records: each record as well. Reads past damage and reports all of it. Keys and \
            values are shown only with --data.
            """)
    public static let csvColumns = [
        "lsn", "end", "segment", "tag", "transaction", "timestamp", "commit_time", "database",
        "operations", "bytes", "detail",
    ]

    @Argument(help: "Data directory, or its wal directory.") public var directory: String
    @Flag(help: "List the records.") public var records = false
    @Flag(help: "With --records: keys and values of the operations, in hex.")
    public var data = false
    @Option(help: "Only records at or after this LSN.", transform: ToolArgument.lsn)
    public var fromLSN: LSN?
    @Option(help: "Only records before this LSN.", transform: ToolArgument.lsn)
    public var toLSN: LSN?
    @Option(help: "Only commits at or after this time.", transform: ToolArgument.time)
    public var since: UInt64?
    @Option(help: "Only commits before this time.", transform: ToolArgument.time)
    public var until: UInt64?
    @Option(help: "Only this transaction.") public var transaction: UInt64?
    @Option(help: "List so many records at most.") public var limit: Int?
    @OptionGroup public var output: OutputOptions

    public init() {}

    public func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let fileSystem = report.context.fileSystem
        let place = try DataDirectory(directory, fileSystem)
        // Before the log: a live writer's manifest never runs ahead of it.
        var condition =
            place.isLogAlone
            ? DirectoryCondition(names: place.names)
            : try DirectoryCondition.read(place.names, fileSystem)
        guard try fileSystem.exists(place.wal) else {
            return concludeWithoutLog(condition, place, report)
        }
        let reader = try WALReader(
            directory: place.wal, fileSystem: fileSystem, mode: .tolerant)
        var survey = WALSurvey()
        let progress = ToolProgress("wal-inspect", report)
        var listed = 0
        var seen: UInt64 = 0
        // Ended early, because nobody reads on or somebody asked: what follows is not known to be
        // missing.
        var isPartial = false
        while let record = try reader.next() {
            seen += UInt64(record.body.count)
            if seen >= 1 << 20 {
                seen = 0
                progress.update(record.lsn.rawValue, of: 0, unit: "log bytes")
                isPartial = report.context.shouldStop
                if isPartial { break }
            }
            let summary = survey.add(record)
            guard records, wants(record, summary), listed < limit ?? .max else { continue }
            listed += 1
            report.record(
                WALRecordText.fields(record, summary, segment: reader.segmentHeader?.segment),
                text: WALRecordText.line(record, summary))
            if data { showOperations(record, report) }
        }
        progress.end()
        for damage in reader.damages { report.add(Finding(damage)) }
        if reader.summaries.isEmpty { return concludeWithoutLog(condition, place, report) }
        if survey.tallies[.commit] != nil { condition.noteCommits() }
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        var missing = isPartial ? nil : try condition.expectation?.missingEnd(of: reader)
        if missing == nil, !isPartial, condition.expectation != nil, !reader.verdict.isCorruption {
            // After the log: segments go once a manifest says so.
            missing = try LogExpectation.readIfSound(place.names, fileSystem)?
                .missingBeginning(of: reader)
        }
        if let missing { report.add(Finding(missingLog: missing)) }
        if !isPartial {
            for problem in survey.findings() { report.add(problem) }
        }
        if case .tornTail(_, let segment, let offset, let discarded) = reader.verdict {
            report.add(
                Finding(
                    .walTornTail, "Recovery discards \(discarded) bytes of an unfinished write.",
                    file: place.wal + "/" + FileNames.walSegmentName(segment), offset: offset,
                    length: discarded,
                    blastRadius: "nothing that was acknowledged as synced"))
        }
        conclude(reader, survey, condition, missing, report)
    }

    private func concludeWithoutLog(
        _ condition: DirectoryCondition, _ place: DataDirectory, _ report: ReportWriter
    ) {
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        if let expectation = condition.expectation {
            report.add(Finding(missingLog: expectation.noLog(place.names)))
        } else if condition.problems.isEmpty {
            report.add(Finding(.walEmpty, "There are no WAL segments in '\(place.wal)'."))
        }
    }

    private func wants(_ record: WALRecord, _ summary: WALSurvey.Summary) -> Bool {
        if let fromLSN, record.lsn < fromLSN { return false }
        if let toLSN, record.lsn >= toLSN { return false }
        if let transaction, summary.transaction?.rawValue != transaction { return false }
        if since != nil || until != nil {
            guard let wall = summary.wallMicros else { return false }
            if let since, wall < since { return false }
            if let until, wall >= until { return false }
        }
        return true
    }

    private func showOperations(_ record: WALRecord, _ report: ReportWriter) {
        var iterator: WALOperationIterator
        switch record.tag {
        case .commit:
            guard let view = CommitRecordView(record.body) else { return }
            iterator = view.operations()
        case .batchPart:
            guard let view = BatchPartView(record.body) else { return }
            iterator = view.operations()
        default: return
        }
        var ordinal = 0
        while let operation = iterator.next() {
            report.record(
                WALRecordText.fields(operation, ordinal, record),
                text: WALRecordText.line(operation))
            ordinal += 1
        }
    }

    private func conclude(
        _ reader: WALReader, _ survey: WALSurvey, _ condition: DirectoryCondition,
        _ missing: WALDamage?, _ report: ReportWriter
    ) {
        if records { report.line() }
        report.line("segment           first LSN    last LSN          bytes       used  state")
        var rows: [JSONValue] = []
        for summary in reader.summaries {
            report.line(WALRecordText.line(summary))
            rows.append(.object(WALRecordText.fields(summary)))
        }
        report.set("segments", .array(rows))
        report.line()
        var tags: [(String, JSONValue)] = []
        for (tag, tally) in survey.tallies.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            report.line("\(tag): \(tally.count) records, \(tally.bytes) bytes")
            tags.append(
                (
                    tag.description,
                    .object([("count", .count(tally.count)), ("bytes", .unsigned(tally.bytes))])
                ))
        }
        report.set("records_by_kind", .object(tags))
        report.set("operations", .count(survey.operationCount))
        var verdict: String
        switch reader.verdict {
        case .clean: verdict = "clean"
        case .tornTail: verdict = "torn-tail"
        case .corruption: verdict = "corruption"
        }
        if missing != nil { verdict = "corruption" }
        let goodEnd = reader.verdict.end
        report.set("verdict", .string(verdict))
        report.set("first_lsn", .text(reader.firstLSN))
        report.set("recovers_to_lsn", .text(goodEnd))
        report.set("synced_lsn", .text(reader.syncedLSN))
        report.set("committed_lsn", .text(reader.committedLSN))
        report.set("discarded_bytes", discardedBytes(reader.verdict))
        report.set("first_commit_time", .text(survey.firstWall.map { ToolTime.format($0) }))
        report.set("last_commit_time", .text(survey.lastWall.map { ToolTime.format($0) }))
        report.set("last_transaction", survey.lastTransaction.map { .unsigned($0) } ?? .null)
        report.set("last_timestamp", .text(survey.lastTimestamp))
        report.line()
        if let first = survey.firstWall, let last = survey.lastWall {
            report.line("commits from \(ToolTime.format(first)) to \(ToolTime.format(last))")
        }
        report.line(
            "proven synced up to \(reader.syncedLSN), published up to \(reader.committedLSN)")
        if let expectation = condition.expectation {
            report.line(
                "\(VFSPath.name(of: expectation.manifestPath)): tables end at "
                    + "\(expectation.flushedLSN)")
            report.set("manifest", .string(expectation.manifestPath))
            report.set("flushed_lsn", .text(expectation.flushedLSN))
        }
        if missing != nil {
            report.line(
                "verdict: corruption; recovery refuses; the log is good up to \(goodEnd)")
            return
        }
        if let problem = condition.problems.first {
            report.line("recovery refuses the directory: \(problem.message)")
        }
        switch reader.verdict {
        case .clean(let end):
            report.line("verdict: clean; recovery goes to \(end)\(survey.endText)")
        case .tornTail(let end, _, _, let discarded):
            report.line(
                "verdict: torn tail; recovery goes to \(end)\(survey.endText) and discards "
                    + "\(discarded) bytes")
        case .corruption(let damage):
            report.line(
                "verdict: corruption; recovery refuses; the log is good up to \(damage.goodUntil)")
        }
    }

    private func discardedBytes(_ verdict: WALVerdict) -> JSONValue {
        if case .tornTail(_, _, _, let discarded) = verdict { return .unsigned(discarded) }
        return .unsigned(0)
    }
}
