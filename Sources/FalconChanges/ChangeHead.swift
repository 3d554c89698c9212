import FalconSchema
import FalconStorage

/// What all lines of one transaction, or of a snapshot, share.
package struct ChangeHead {
    let lsn: LSN
    let endLSN: LSN
    /// The end of the transaction before, zero at the log's beginning.
    let previousEnd: LSN
    /// Nil for a snapshot, whose rows many transactions wrote, and for files from outside.
    let transaction: TransactionID?
    let timestamp: Timestamp
    let wallMicros: UInt64
    let epoch: UInt64
    let isSnapshot: Bool
    let lsnText: String
    let timeText: String

    package init(_ transaction: ChangeTransaction, after previousEnd: LSN) {
        self.init(
            lsn: transaction.lsn, endLSN: transaction.endLSN, previousEnd: previousEnd,
            transaction: transaction.header.transaction,
            timestamp: transaction.header.timestamp, wallMicros: transaction.header.wallMicros,
            epoch: transaction.header.epoch)
    }

    /// Of rows as of `timestamp`, from which the changes at and after `lsn` lead on.
    package init(snapshot timestamp: Timestamp, at lsn: LSN) {
        self.init(
            lsn: lsn, endLSN: lsn, previousEnd: lsn, transaction: nil, timestamp: timestamp,
            wallMicros: timestamp.microsSince1970, epoch: 0, isSnapshot: true)
    }

    package init(_ ingest: IngestRecord, lsn: LSN, endLSN: LSN, after previousEnd: LSN) {
        self.init(
            lsn: lsn, endLSN: endLSN, previousEnd: previousEnd, transaction: nil,
            timestamp: ingest.timestamp, wallMicros: ingest.wallMicros, epoch: 0)
    }

    private init(
        lsn: LSN, endLSN: LSN, previousEnd: LSN, transaction: TransactionID?,
        timestamp: Timestamp, wallMicros: UInt64, epoch: UInt64, isSnapshot: Bool = false
    ) {
        self.lsn = lsn
        self.endLSN = endLSN
        self.previousEnd = previousEnd
        self.transaction = transaction
        self.timestamp = timestamp
        self.wallMicros = wallMicros
        self.epoch = epoch
        self.isSnapshot = isSnapshot
        lsnText = lsn.description
        timeText = MomentText.utc(wallMicros)
    }

    /// What names the transaction in dialects that want one name: its number and where it is in the log.
    var name: String { "\(transaction?.rawValue ?? 0):\(lsn.rawValue)" }
}
