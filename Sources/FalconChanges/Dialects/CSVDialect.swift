import FalconStorage

/// Rows of csv, in the order of ``columns``.
package final class CSVDialect: ChangeDialect {
    package static let columns = [
        "op", "database", "table", "lsn", "end_lsn", "txid", "ts", "commit_ts", "key", "before",
        "after", "rows", "table_version",
    ]

    private let schemaVersion: Int

    /// - Parameter schemaVersion: the first cell of every row.
    package init(
        _ values: ValueWriter, schemaVersion: Int,
        emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) {
        self.schemaVersion = schemaVersion
        super.init(values, emit: emit)
    }

    /// One cell of a row: bare text, quoted where it must be.
    package static func cell(_ plain: String) -> String {
        guard plain.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D })
        else { return plain }
        return "\""
            + plain.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    private struct Cells {
        var op: String
        var table: TableForm?
        var name: String?
        var endLSN: LSN?
        var key = ""
        var before = ""
        var after = ""
        var rows: Int?
    }

    override func begin(_ head: ChangeHead) throws(StorageError) {
        try write(Cells(op: "begin"), head)
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        try write(
            Cells(
                op: head.isSnapshot ? "snapshot" : "commit", endLSN: head.endLSN, rows: rows),
            head)
    }

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        var cells = Cells(op: change.kind.rawValue, table: change.table)
        guard let table = change.table else {
            cells.name = change.storage
            line.hex(change.key)
            cells.key = take()
            return try write(cells, head)
        }
        if change.kind != .truncate, change.kind != .drop {
            try appendKey(change.key, of: table)
            cells.key = take()
            if let before = change.before {
                try appendImage(before, of: table)
                cells.before = take()
            }
            if change.kind != .delete {
                try appendRow(change.value, of: table)
                cells.after = take()
            }
        }
        try write(cells, head)
    }

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        var cells = Cells(op: "schema", table: change.table)
        line.raw("{")
        appendColumns(of: change.table)
        line.raw("}")
        cells.after = take()
        try write(cells, head)
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        try write(
            Cells(
                op: "ingest", table: table, endLSN: head.endLSN,
                rows: Int(clamping: file.entryCount)), head)
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        line.number(schemaVersion)
        line.raw(",heartbeat,,,")
        line.plain(beat.resolved.description)
        line.raw(",,,")
        line.plain(MomentText.utc(beat.nowMicros))
        line.raw(",,,,,,")
        try end()
    }

    private func take() -> String {
        defer { line.clear() }
        return String(decoding: line.out.bytes, as: UTF8.self)
    }

    private func write(_ cells: Cells, _ head: ChangeHead) throws(StorageError) {
        let row: [String] = [
            String(schemaVersion), cells.op, cells.table?.database ?? "",
            cells.table?.name ?? cells.name ?? "", head.lsnText,
            cells.endLSN?.description ?? "", head.transaction.map { "\($0.rawValue)" } ?? "",
            head.timeText, "\(head.timestamp.rawValue)", cells.key, cells.before, cells.after,
            cells.rows.map(String.init) ?? "",
            cells.table.map { "\($0.descriptor.version)" } ?? "",
        ]
        line.plain(row.map(Self.cell).joined(separator: ","))
        try end()
    }
}
