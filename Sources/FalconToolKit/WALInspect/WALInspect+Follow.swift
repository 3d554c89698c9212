import FalconStorage

/// Lists records as a live server writes them. An end is never judged: more may come.
extension WALInspect {
    func follow(_ place: DataDirectory, _ report: ReportWriter) throws(StorageError) {
        let context = report.context
        guard try context.fileSystem.exists(place.wal) else {
            return report.add(Finding(.walEmpty, "There are no WAL segments in '\(place.wal)'."))
        }
        let reader = try WALReader(
            directory: place.wal, fileSystem: context.fileSystem, mode: .follow)
        var inspection = WALInspection(report, contents, filter, flushedLSN: .zero)
        var isFirst = true
        while !context.shouldStop, inspection.listed < limit ?? .max {
            guard let record = try nextRecord(reader, place) else {
                if case .corruption(let damage) = reader.verdict {
                    report.add(try Finding(damage, context.fileSystem))
                    break
                }
                context.standardOutput.flush()
                context.pause(milliseconds: pollMs)
                continue
            }
            if isFirst {
                isFirst = false
                try inspection.prepareNames(place, reader)
            }
            inspection.take(record, reader)
        }
        report.set("records_listed", .count(inspection.listed))
        report.set("followed_to_lsn", .text(reader.position))
        report.line("followed to \(reader.position)")
    }

    private func nextRecord(
        _ reader: WALReader, _ place: DataDirectory
    ) throws(StorageError) -> WALRecord? {
        do throws(StorageError) {
            return try reader.next()
        } catch  where error.code == .notFound {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "A log segment was released before it was read; the records in it cannot be shown.",
                location: .init(path: error.location?.path ?? place.wal),
                hint: "Start over; the log now begins later.")
        }
    }
}
