import FalconSchema
import FalconStorage

/// The tool's own lines: one flat object each, told apart by `op`.
package class FalconDialect: ChangeDialect {
    /// What the lines of a transaction share, encoded once.
    @exclusivity(unchecked) private var common = JSONLineWriter()
    private var shared: [UInt8] { common.out.bytes }

    override func enter(_ head: ChangeHead) {
        common.clear()
        common.raw(",\"lsn\":\"")
        common.plain(head.lsnText)
        common.raw("\"")
        if let id = head.transaction {
            common.raw(",\"txid\":")
            common.number(id.rawValue)
        }
        common.moment(of: head)
    }

    override func begin(_ head: ChangeHead) throws(StorageError) {
        appendBegin()
        try end()
    }

    final func appendBegin() {
        line.raw("{\"op\":\"begin\"")
        line.raw(shared)
        line.raw("}")
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        appendCommit(head, rows: rows)
        try end()
    }

    final func appendCommit(_ head: ChangeHead, rows: Int) {
        head.isSnapshot ? line.raw("{\"op\":\"snapshot\"") : line.raw("{\"op\":\"commit\"")
        line.raw(shared)
        line.raw(",\"end_lsn\":\"")
        line.plain(head.endLSN.description)
        line.raw("\",\"rows\":")
        line.number(rows)
        line.raw("}")
    }

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        try appendObject(change)
        try end()
    }

    final func appendObject(_ change: RowChange) throws(StorageError) {
        line.raw("{\"op\":\"")
        line.plain(change.kind.rawValue)
        line.raw("\"")
        guard let table = change.table else { return appendRaw(change) }
        appendTable(table)
        if change.kind != .drop {
            line.raw(",\"schema_version\":")
            line.number(UInt64(table.descriptor.version))
        }
        line.raw(",\"ordinal\":")
        line.number(change.ordinal)
        guard change.kind != .truncate, change.kind != .drop else { return line.raw("}") }
        line.raw(",\"key\":")
        try appendKey(change.key, of: table)
        // The old key of a row whose key was updated; the row follows under its new one.
        if change.movesKey, change.kind == .delete { line.raw(",\"cause\":\"update\"") }
        if let before = change.before {
            line.raw(",\"before\":")
            try appendImage(before, of: table)
        }
        if change.kind != .delete {
            line.raw(",\"after\":")
            try appendRow(change.value, of: table)
        }
        line.raw("}")
    }

    private func appendTable(_ table: TableForm) {
        line.raw(",\"database\":")
        line.raw(table.quotedDatabase)
        line.raw(",\"table\":")
        line.raw(table.quotedName)
        line.raw(shared)
    }

    private func appendRaw(_ change: RowChange) {
        line.raw(",\"table\":")
        line.quoted(change.storage)
        line.raw(shared)
        line.raw(",\"ordinal\":")
        line.number(change.ordinal)
        line.raw(",\"key_hex\":")
        line.hex(change.key)
        switch change.kind {
        case .put:
            line.raw(",\"value_hex\":")
            line.hex(change.value)
        case .removeRange:
            line.raw(",\"upper_hex\":")
            line.hex(change.value)
        default: break
        }
        line.raw("}")
    }

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        appendObject(change)
        try end()
    }

    final func appendObject(_ change: SchemaChange) {
        line.raw("{\"op\":\"schema\"")
        appendTable(change.table)
        line.raw(",\"change\":\"")
        line.plain(change.kind.rawValue)
        line.raw("\",\"schema_version\":")
        line.number(UInt64(change.table.descriptor.version))
        line.raw(",")
        appendColumns(of: change.table)
        line.raw("}")
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        appendObject(file, table, head)
        try end()
    }

    final func appendObject(_ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead) {
        line.raw("{\"op\":\"ingest\"")
        if let table {
            line.raw(",\"database\":")
            line.raw(table.quotedDatabase)
            line.raw(",\"table\":")
            line.raw(table.quotedName)
        }
        line.raw(",\"lsn\":\"")
        line.plain(head.lsnText)
        line.raw("\",\"end_lsn\":\"")
        line.plain(head.endLSN.description)
        line.raw("\"")
        line.moment(of: head)
        line.raw(",\"rows\":")
        line.number(file.entryCount)
        line.raw(",\"file\":\"")
        line.plain(file.uid.description)
        line.raw("\",\"file_bytes\":")
        line.number(file.byteCount)
        line.raw("}")
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        appendObject(beat)
        try end()
    }

    final func appendObject(_ beat: Heartbeat) {
        line.raw("{\"op\":\"heartbeat\",\"lsn\":\"")
        line.plain(beat.resolved.description)
        line.raw("\",\"ts\":\"")
        line.plain(MomentText.utc(beat.nowMicros))
        line.raw("\",\"last_ts\":")
        if let last = beat.lastMicros {
            line.raw("\"")
            line.plain(MomentText.utc(last))
            line.raw("\"")
        } else {
            line.raw("null")
        }
        line.raw(",\"lag_bytes\":")
        line.number(beat.lagBytes)
        line.raw(",\"lag_ms\":")
        line.number(beat.lagMicros / 1000)
        line.raw("}")
    }
}

extension JSONLineWriter {
    /// When a transaction was committed, as a text and as its timestamp.
    fileprivate mutating func moment(of head: ChangeHead) {
        raw(",\"ts\":\"")
        plain(head.timeText)
        raw("\",\"commit_ts\":\"")
        number(head.timestamp.rawValue)
        raw("\"")
    }
}
