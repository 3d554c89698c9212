import FalconSchema
import FalconStorage

/// Debezium's envelopes, as its JSON converter writes them without schemas.
///
/// `ts_ms` is the commit's time, not the tool's: the same log gives the same bytes.
package final class DebeziumDialect: ChangeDialect {
    package struct Options {
        /// Each line as `key TAB value`, the form of Kafka's console tools.
        package var keys = false
        /// A null value under the key of a deleted row.
        package var tombstones = false

        package init(keys: Bool = false, tombstones: Bool = false) {
            self.keys = keys
            self.tombstones = tombstones
        }
    }

    private static let name: StaticString = "falcon"
    private let options: Options
    /// Writes what has no envelope of its own, as the content of a message.
    private let inner: FalconDialect
    /// What the lines of a transaction share, encoded once.
    @exclusivity(unchecked) private var source = JSONLineWriter()
    @exclusivity(unchecked) private var sequence = JSONLineWriter()

    init(
        _ values: ValueWriter, _ options: Options,
        emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) {
        self.options = options
        inner = FalconDialect(ValueWriter(.falcon, numbersAsStrings: false)) { _ in }
        super.init(values, emit: emit)
    }

    override var showsDroppedRows: Bool { false }

    override func enter(_ head: ChangeHead) {
        inner.enter(head)
        source.clear()
        source.raw("{\"version\":\"")
        source.plain(FalconVersion.current)
        source.raw("\",\"connector\":\"falcondb\",\"name\":\"")
        source.raw(Self.name)
        source.raw("\",\"ts_ms\":")
        source.number(head.wallMicros / 1000)
        source.raw(",\"snapshot\":")
        head.isSnapshot ? source.raw("\"true\"") : source.raw("\"false\"")
        sequence.clear()
        sequence.raw(",\"txId\":")
        if let id = head.transaction { sequence.number(id.rawValue) } else { sequence.raw("null") }
        sequence.raw(",\"lsn\":")
        sequence.number(head.lsn.rawValue)
        sequence.raw(",\"sequence\":\"[\\\"")
        sequence.number(head.previousEnd.rawValue)
        sequence.raw("\\\",\\\"")
        sequence.number(head.lsn.rawValue)
        sequence.raw("\\\"]\"")
    }

    private func appendSource(_ table: TableForm?, of database: [UInt8]? = nil) {
        line.raw(source.out.bytes)
        line.raw(",\"db\":")
        line.raw(table?.quotedDatabase ?? database ?? Array("\"\"".utf8))
        line.raw(",\"schema\":")
        line.raw(table?.quotedSchema ?? Array("\"\"".utf8))
        line.raw(",\"table\":")
        line.raw(table?.quotedTable ?? Array("\"\"".utf8))
        line.raw(sequence.out.bytes)
        if let table {
            line.raw(",\"schema_version\":")
            line.number(UInt64(table.descriptor.version))
        }
        line.raw("}")
    }

    private func appendTime(_ head: ChangeHead) {
        line.raw(",\"ts_ms\":")
        line.number(head.wallMicros / 1000)
    }

    // MARK: Rows

    override func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        guard let table = change.table else { return try raw(change, head) }
        if options.keys {
            change.kind == .truncate ? line.raw("null") : try appendKey(change.key, of: table)
            line.raw("\t")
        }
        line.raw("{\"before\":")
        try appendBefore(change, table)
        line.raw(",\"after\":")
        switch change.kind {
        case .delete, .truncate, .drop: line.raw("null")
        default: try appendRow(change.value, of: table)
        }
        line.raw(",\"source\":")
        appendSource(table)
        line.raw(",\"op\":\"")
        line.raw(Self.code(change))
        line.raw("\"")
        appendTime(head)
        line.raw(",\"transaction\":")
        appendPlace(change, head)
        line.raw("}")
        try end()
        if change.kind == .delete, options.tombstones {
            if options.keys {
                try appendKey(change.key, of: table)
                line.raw("\t")
            }
            line.raw("null")
            try end()
        }
    }

    private func appendPlace(_ change: RowChange, _ head: ChangeHead) {
        guard !head.isSnapshot else { return line.raw("null") }
        line.raw("{\"id\":\"")
        line.plain(head.name)
        line.raw("\",\"total_order\":")
        line.number(change.ordinal)
        line.raw(",\"data_collection_order\":")
        line.number(change.tableOrdinal)
        line.raw("}")
    }

    /// A row that came under a new key is made there: its old key was deleted.
    private static func code(_ change: RowChange) -> StaticString {
        switch change.kind {
        case .update: change.movesKey ? "c" : "u"
        case .delete: "d"
        case .truncate, .drop: "t"
        case .read: "r"
        default: "c"
        }
    }

    private func appendBefore(_ change: RowChange, _ table: TableForm) throws(StorageError) {
        if let before = change.before, change.kind != .update || !change.movesKey {
            return try appendRow(before, of: table)
        }
        guard change.kind == .delete, !table.descriptor.hasNoReplicaIdentity else {
            return line.raw("null")
        }
        // As with REPLICA IDENTITY DEFAULT: the key, and null for what is not known.
        try appendKey(change.key, of: table)
        line.out.bytes.removeLast()
        for column in table.columns where !column.isKey {
            line.raw(",")
            line.raw(column.label)
            line.raw("null")
        }
        line.raw("}")
    }

    // MARK: Boundaries

    override func begin(_ head: ChangeHead) throws(StorageError) {
        appendStatus("BEGIN", head)
        line.raw(",\"event_count\":null,\"data_collections\":null}")
        try end()
    }

    override func commit(
        _ head: ChangeHead, rows: Int, tables: [TableForm]
    ) throws(StorageError) {
        guard !head.isSnapshot else { return }
        appendStatus("END", head)
        line.raw(",\"event_count\":")
        line.number(rows)
        line.raw(",\"data_collections\":[")
        var isFirst = true
        for table in tables {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.raw("{\"data_collection\":")
            line.raw(table.quotedName)
            line.raw(",\"event_count\":")
            line.number(table.shownRows)
            line.raw("}")
        }
        line.raw("]}")
        try end()
    }

    private func appendStatus(_ status: StaticString, _ head: ChangeHead) {
        if options.keys {
            line.raw("{\"id\":\"")
            line.plain(head.name)
            line.raw("\"}\t")
        }
        line.raw("{\"status\":\"")
        line.raw(status)
        line.raw("\",\"id\":\"")
        line.plain(head.name)
        line.raw("\"")
        appendTime(head)
    }

    // MARK: The rest

    override func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {
        if options.keys {
            line.raw("{\"databaseName\":")
            line.raw(change.table.quotedDatabase)
            line.raw("}\t")
        }
        line.raw("{\"source\":")
        appendSource(change.table)
        appendTime(head)
        line.raw(",\"databaseName\":")
        line.raw(change.table.quotedDatabase)
        line.raw(",\"schemaName\":")
        line.raw(change.table.quotedSchema)
        line.raw(",\"ddl\":null,\"tableChanges\":[")
        DebeziumTable.append(change, to: &line)
        line.raw("]}")
        try end()
    }

    override func ingest(
        _ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        inner.appendObject(file, table, head)
        try message("falcon.ingest", table, head)
    }

    private func raw(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        try inner.appendObject(change)
        try message("falcon.raw", nil, head)
    }

    /// What ``inner`` has written, as the content of a message.
    private func message(
        _ prefix: StaticString, _ table: TableForm?, _ head: ChangeHead
    ) throws(StorageError) {
        if options.keys {
            line.raw("{\"prefix\":\"")
            line.raw(prefix)
            line.raw("\"}\t")
        }
        line.raw("{\"op\":\"m\"")
        appendTime(head)
        line.raw(",\"source\":")
        appendSource(table)
        line.raw(",\"message\":{\"prefix\":\"")
        line.raw(prefix)
        line.raw("\",\"content\":\"")
        Base64.append(inner.line.out.bytes, to: &line.out)
        inner.line.clear()
        line.raw("\"}}")
        try end()
    }

    package override func heartbeat(_ beat: Heartbeat) throws(StorageError) {
        if options.keys { line.raw("{\"serverName\":\"falcon\"}\t") }
        line.raw("{\"ts_ms\":")
        line.number(beat.nowMicros / 1000)
        line.raw(",\"lsn\":")
        line.number(beat.resolved.rawValue)
        line.raw(",\"lag_bytes\":")
        line.number(beat.lagBytes)
        line.raw(",\"lag_ms\":")
        line.number(beat.lagMicros / 1000)
        line.raw("}")
        try end()
    }
}
