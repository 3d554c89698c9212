import FalconStorage

/// What wal-inspect does with each record: surveys it, and lists and counts it where it is selected.
struct WALInspection {
    /// What the run shows besides segments and verdict.
    struct Contents {
        var records = false
        var operations = false
        var statistics = false
        var limit = Int.max
        var printer = WALDataPrinter(keys: .none, values: .none)
    }

    let report: ReportWriter
    let contents: Contents
    private(set) var survey: WALSurvey
    let names = WALNames()
    let statistics: WALStatistics?
    private var filter: WALFilter
    /// Names are looked up only where something shows or asks for them.
    private let usesNames: Bool
    private let selects: Bool
    private(set) var listed = 0
    private var seenDamages = 0

    init(_ report: ReportWriter, _ contents: Contents, _ filter: WALFilter, flushedLSN: LSN) {
        self.report = report
        self.contents = contents
        self.filter = filter
        survey = WALSurvey(flushedLSN: flushedLSN)
        statistics = contents.statistics ? WALStatistics() : nil
        selects = contents.records || contents.statistics
        usesNames =
            contents.operations || contents.statistics || !filter.operations.tables.isEmpty
    }

    /// Brings names that the log itself may lack.
    func prepareNames(
        _ place: DataDirectory, _ reader: WALReader
    ) throws(StorageError) {
        guard usesNames, let first = reader.firstLSN else { return }
        try names.prepare(place, firstLSN: first, environment: report.context.environment)
    }

    mutating func take(_ record: WALRecord, _ reader: WALReader) {
        if reader.damageCount != seenDamages {
            seenDamages = reader.damageCount
            survey.markDamage()
        }
        let summary = survey.add(record)
        guard selects else { return }
        if usesNames, summary.hasCatalog { names.take(record) }
        statistics?.pass(record, summary, reader)
        guard filter.admits(record, summary) else { return }
        if filter.operations.isActive {
            guard holdsSelected(record, summary) else { return }
        }
        if let statistics { count(record, summary, statistics) }
        if contents.records, listed < contents.limit { list(record, summary, reader) }
    }

    private mutating func count(
        _ record: WALRecord, _ summary: WALSurvey.Summary, _ statistics: WALStatistics
    ) {
        statistics.begin(record, summary)
        let isFiltered = filter.operations.isActive
        if var operations = summary.contents {
            while let operation = operations.next() {
                if isFiltered, !filter.operations.admits(operation, names) { continue }
                statistics.add(operation)
            }
        }
        statistics.end(record)
    }

    private mutating func list(
        _ record: WALRecord, _ summary: WALSurvey.Summary, _ reader: WALReader
    ) {
        listed += 1
        report.record(
            WALRecordText.fields(record, summary, segment: reader.segmentHeader?.segment),
            text: WALRecordText.line(record, summary))
        guard contents.operations, var operations = summary.contents else { return }
        var ordinal = 0
        while let operation = operations.next() {
            defer { ordinal += 1 }
            if filter.operations.isActive, !filter.operations.admits(operation, names) {
                continue
            }
            report.record(
                WALRecordText.fields(operation, ordinal, record.lsn, names, contents.printer),
                text: WALRecordText.line(operation, names, contents.printer))
        }
    }

    private mutating func holdsSelected(
        _ record: WALRecord, _ summary: WALSurvey.Summary
    ) -> Bool {
        if record.tag == .ingest {
            return IngestRecord(record.body).map { filter.operations.admits($0, names) } ?? false
        }
        guard var operations = summary.contents else { return false }
        while let operation = operations.next() {
            if filter.operations.admits(operation, names) { return true }
        }
        return false
    }
}
