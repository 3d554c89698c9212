import FalconSchema
import FalconStorage

/// The lines of wal2json's format version 2, with its options include-xids, include-timestamp and
/// include-lsn on.
package final class WAL2JSONDialect: ChangeDialect {
    /// Writes what wal2json has no action for, as the content of a message.
    private let inner: FalconDialect
    @exclusivity(unchecked) private var prefix = JSONLineWriter()
    private let settings = DisplaySettings()

    package override init(
        _ values: ValueWriter, emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) {
        inner = FalconDialect(ValueWriter(.falcon, numbersAsStrings: false)) { _ in }
        super.init(values, emit: emit)
    }

    override var showsDroppedRows: Bool { false }

    override func enter(_ head: ChangeHead) {
        inner.enter(head)
        prefix.clear()
        prefix.raw(",\"xid\":")
        prefix.number(head.transaction?.rawValue ?? 0)
        prefix.raw(",\"timestamp\":\"")
        let micros = Int64(bitPattern: head.wallMicros &- Timestamp.epochMicrosSince1970)
        TypeIO.appendText(.int(micros), type: .timestamptz, settings: settings, to: &prefix.out)
        prefix.raw("\",\"lsn\":\"")
        prefix.plain(head.lsnText)
        prefix.raw("\"")
    }

    private func action(_ code: StaticString) {
        line.raw("{\"action\":\"")
        line.raw(code)
        line.raw("\"")
        line.raw(prefix.out.bytes)
    }

    override func begin(_ head: ChangeHead) throws(StorageError) {
        action("B")
        line.raw("}")
        try end()
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        action("C")
        line.raw(",\"nextlsn\":\"")
        line.plain(head.endLSN.description)
        line.raw("\"}")
        try end()
    }

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        guard let table = change.table else {
            try inner.appendObject(change)
            return try message("falcon.raw")
        }
        switch change.kind {
        // A row that came under a new key is inserted there: its old key was deleted.
        case .update: change.movesKey ? action("I") : action("U")
        case .delete: action("D")
        case .truncate: action("T")
        default: action("I")
        }
        line.raw(",\"schema\":")
        line.raw(table.quotedSchema)
        line.raw(",\"table\":")
        line.raw(table.quotedTable)
        switch change.kind {
        case .truncate, .drop: break
        case .delete: try appendIdentity(change, table)
        default:
            line.raw(",\"columns\":")
            try appendTypedRow(change.value, of: table)
            if change.kind == .update, !change.movesKey { try appendIdentity(change, table) }
        }
        line.raw("}")
        try end()
    }

    private func appendIdentity(
        _ change: RowChange, _ table: TableForm
    ) throws(StorageError) {
        if let before = change.before {
            line.raw(",\"identity\":")
            return try appendTypedImage(before, of: table)
        }
        if table.descriptor.hasNoReplicaIdentity { return }
        line.raw(",\"identity\":")
        // Without an image the index's columns are as they were.
        if table.isNamedByIndex, change.kind == .update {
            return try appendTypedImage(change.value, of: table)
        }
        try appendTypedKey(change.key, of: table)
    }

    // MARK: Messages

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        inner.appendObject(change)
        try message("falcon.schema")
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        inner.appendObject(file, table, head)
        try message("falcon.ingest")
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        inner.appendObject(beat)
        line.raw("{\"action\":\"M\",\"xid\":null,\"timestamp\":null,\"lsn\":\"")
        line.plain(beat.resolved.description)
        line.raw("\",\"transactional\":false")
        try appendContent("falcon.heartbeat")
    }

    private func message(_ prefix: StaticString) throws(StorageError) {
        action("M")
        line.raw(",\"transactional\":true")
        try appendContent(prefix)
    }

    private func appendContent(_ prefix: StaticString) throws(StorageError) {
        line.raw(",\"prefix\":\"")
        line.raw(prefix)
        line.raw("\",\"content\":")
        line.quoted(String(decoding: inner.line.out.bytes, as: UTF8.self))
        inner.line.clear()
        line.raw("}")
        try end()
    }
}
