import FalconStorage

/// Shows one transaction whole: its parts, put together, and its COMMIT.
extension WALInspect {
    func extract(
        _ number: UInt64, _ place: DataDirectory, _ report: ReportWriter
    ) throws(StorageError) {
        let fileSystem = report.context.fileSystem
        guard try fileSystem.exists(place.wal) else {
            return report.add(Finding(.walEmpty, "There are no WAL segments in '\(place.wal)'."))
        }
        let reader = try WALReader(
            directory: place.wal, fileSystem: fileSystem, mode: .tolerant)
        var search = WALExtraction(TransactionID(number), contents.printer)
        var survey = WALSurvey()
        var isFirst = true
        var range: (first: UInt64, last: UInt64)?
        while !search.isComplete, !report.context.shouldStop, let record = try reader.next() {
            if isFirst, let first = reader.firstLSN {
                try search.names.prepare(
                    place, firstLSN: first, environment: report.context.environment)
            }
            isFirst = false
            let summary = survey.add(record)
            if let id = summary.transaction?.rawValue {
                range = (min(id, range?.first ?? id), max(id, range?.last ?? id))
            }
            if summary.hasCatalog { search.names.take(record) }
            search.take(record, summary)
        }
        for damage in reader.damages { report.add(try Finding(damage, fileSystem)) }
        guard search.isFound else {
            if report.context.shouldStop { return }
            let held = range.map { "transactions \($0.first) to \($0.last)" } ?? "no transactions"
            throw StorageError(
                .targetUnreachable, kind: .user,
                "Transaction \(number) is not in the log, which holds \(held).",
                location: .init(path: place.wal))
        }
        search.show(report)
        if !search.isComplete {
            report.add(
                Finding(
                    .walIncomplete, "The log holds no COMMIT of transaction \(number).",
                    file: place.wal))
        }
    }
}
