import FalconStorage

/// Lines for people.
package final class TextDialect: ChangeDialect {
    override func begin(_ head: ChangeHead) throws(StorageError) {
        line.plain(
            "BEGIN \(head.transaction?.rawValue ?? 0) at \(head.lsnText), \(head.timeText)")
        try end()
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        let name = head.transaction.map { "COMMIT \($0.rawValue)" } ?? "SNAPSHOT"
        line.plain("\(name), \(rows) row(s), resume from \(head.endLSN)")
        try end()
    }

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        line.plain(change.kind.rawValue.uppercased() + " ")
        guard let table = change.table else {
            line.plain("\(change.storage) key ")
            line.hex(change.key)
            return try end()
        }
        line.plain(table.name)
        switch change.kind {
        case .truncate, .drop: break
        case .delete:
            line.raw(" key ")
            try appendKey(change.key, of: table)
        default:
            line.raw(" ")
            try appendRow(change.value, of: table)
        }
        try end()
    }

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        line.plain(
            "SCHEMA \(change.kind.rawValue) \(change.table.name) version "
                + "\(change.table.descriptor.version) ")
        appendColumns(of: change.table)
        try end()
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        line.plain(
            "INGEST \(table?.name ?? "of") file \(file.uid), \(file.entryCount) entries, "
                + "at \(head.lsnText), resume from \(head.endLSN)")
        try end()
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        line.plain(
            "HEARTBEAT \(MomentText.utc(beat.nowMicros)), resume from \(beat.resolved), "
                + "\(beat.lagMicros / 1000) ms behind")
        try end()
    }
}
