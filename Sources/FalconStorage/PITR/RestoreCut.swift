/// What a survey of the log learns about the target on its way.
public struct RestoreCut: Sendable {
    /// The last commit that the target includes; nil: it includes none.
    public internal(set) var last: RestorePoint?
    /// The first commit that the target leaves out; nil: none is.
    public internal(set) var next: RestorePoint?
    /// The log is replayed up to here.
    public internal(set) var endLSN = LSN.zero
    /// Commits, and ingestions, replayed from the tables' flushed LSN on.
    public internal(set) var commitsAboveTables = 0
    /// Commits, and ingestions, replayed from the beginning of the log on.
    public internal(set) var commits = 0
    /// The same from where an inspection ends.
    var commitsAboveInspection = 0
    /// The last CHECKPOINT with a schema that the log holds before ``last``; nil: none.
    public internal(set) var catalogLSN: LSN?
    /// The stretch of the log that says what tables there were at ``pointsLSN``: from ``catalogLSN``, or else from the
    /// log's first commit with catalog rows, to the last such before there. Nil: the log says nothing of them.
    public private(set) var schemaRecords: Range<LSN>?
    /// Where the first record of ``last`` begins, or without it that of ``next``; nil without both.
    public private(set) var pointsLSN: LSN?
    /// The branch that was written at `endLSN`.
    var branch: Incarnation?
    /// CHECKPOINTs with a schema that no included commit has followed so far.
    private var catalogsAhead: [Range<LSN>] = []
    /// The records of ``last``, when catalog rows are among them.
    private var lastOfCatalog: Range<LSN>?

    /// Notes a CHECKPOINT that holds a schema.
    mutating func note(catalog record: WALRecord) {
        catalogsAhead.append(record.lsn..<record.end)
    }

    mutating func include(_ commit: SurveyedCommit) {
        let point = commit.point
        last = point
        endLSN = point.endLSN
        branch = commit.branch ?? branch
        commits += 1
        if let records = lastOfCatalog {
            let start = min(schemaRecords?.lowerBound ?? records.lowerBound, records.lowerBound)
            schemaRecords = start..<records.upperBound
        }
        lastOfCatalog = commit.isOfCatalog ? commit.records : nil
        pointsLSN = commit.records.lowerBound
        if let before = catalogsAhead.lastIndex(where: { $0.lowerBound < point.lsn }) {
            catalogLSN = catalogsAhead[before].lowerBound
            schemaRecords = catalogsAhead[before]
            catalogsAhead.removeFirst(before + 1)
        }
    }

    mutating func exclude(_ commit: SurveyedCommit) {
        next = commit.point
        guard last == nil else { return }
        pointsLSN = commit.records.lowerBound
        schemaRecords = catalogsAhead.last { $0.lowerBound < commit.point.lsn }
    }
}
