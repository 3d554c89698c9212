import FalconStorage

/// Which records and operations are listed and counted.
struct WALFilter {
    var fromLSN: LSN?
    var toLSN: LSN?
    /// Microseconds since 1970.
    var since: UInt64?
    var until: UInt64?
    var transaction: UInt64?
    /// Record tags; empty for all.
    var types: Set<UInt8> = []
    var operations = WALOperationFilter()

    func admits(_ record: WALRecord, _ summary: WALSurvey.Summary) -> Bool {
        if let fromLSN, record.lsn < fromLSN { return false }
        if let toLSN, record.lsn >= toLSN { return false }
        if let transaction, summary.transaction?.rawValue != transaction { return false }
        if !types.isEmpty, !types.contains(record.tag.rawValue) { return false }
        if since != nil || until != nil {
            guard let wall = summary.wallMicros else { return false }
            if let since, wall < since { return false }
            if let until, wall >= until { return false }
        }
        return true
    }

    /// The tag of a record type as the tool prints it, in any case, with `-` for `_`.
    static func tag(_ name: String) -> WALRecordTag? {
        let wanted = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
        let known: [WALRecordTag] = [
            .commit, .batchPart, .prepare, .outcome, .ingest, .incarnation, .closedTimestamp,
            .checkpoint, .restorePoint, .logicalMessage,
        ]
        return known.first { $0.description == wanted }
    }
}
