import FalconStorage

/// CloudEvents 1.0 in structured JSON mode, the tool's own objects as data.
///
/// `id` is where the change is in the log and in its transaction: one change has the same id whenever it is
/// sent.
package final class CloudEventsDialect: FalconDialect {
    private let source: String

    /// - Parameter source: names the database cluster.
    init(
        _ values: ValueWriter, source: String,
        emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) {
        self.source = source
        super.init(values, emit: emit)
    }

    private func open(
        _ type: String, id: String, time: String, subject: [UInt8]? = nil
    ) {
        line.raw("{\"specversion\":\"1.0\",\"id\":\"")
        line.plain(id)
        line.raw("\",\"source\":\"")
        line.plain(source)
        line.raw("\",\"type\":\"com.falcondb.cdc.")
        line.plain(type)
        line.raw("\",\"time\":\"")
        line.plain(time)
        if let subject {
            line.raw("\",\"subject\":")
            line.raw(subject)
            line.raw(",\"datacontenttype\":\"application/json\",\"data\":")
        } else {
            line.raw("\",\"datacontenttype\":\"application/json\",\"data\":")
        }
    }

    private func close() throws(StorageError) {
        line.raw("}")
        try end()
    }

    private func id(_ head: ChangeHead, _ place: String) -> String {
        "\(head.epoch)-\(head.lsnText)-\(place)"
    }

    override func begin(_ head: ChangeHead) throws(StorageError) {
        open("begin", id: id(head, "begin"), time: head.timeText)
        appendBegin()
        try close()
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        let type = head.isSnapshot ? "snapshot" : "commit"
        open(type, id: id(head, type), time: head.timeText)
        appendCommit(head, rows: rows)
        try close()
    }

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        open(
            change.kind.rawValue, id: id(head, String(change.ordinal)), time: head.timeText,
            subject: change.table?.quotedName ?? TableForm.quoted(change.storage))
        try appendObject(change)
        try close()
    }

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        let table = change.table.descriptor
        open(
            "schema", id: id(head, "schema-\(table.oid)-\(change.kind.rawValue)-\(table.version)"),
            time: head.timeText, subject: change.table.quotedName)
        appendObject(change)
        try close()
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        open(
            "ingest", id: id(head, file.uid.description), time: head.timeText,
            subject: table?.quotedName)
        appendObject(file, table, head)
        try close()
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        open(
            "heartbeat", id: "heartbeat-\(beat.resolved)-\(beat.nowMicros)",
            time: MomentText.utc(beat.nowMicros))
        appendObject(beat)
        try close()
    }
}
