import FalconSchema
import FalconStorage

/// The form of a line.
package enum DialectName: String, Sendable, CaseIterable {
    case falcon, debezium
    case wal2json = "wal2json-v2"
    case cloudevents
}

/// Turns changes into lines. A subclass appends to ``line`` and calls ``end()`` for each.
package class ChangeDialect {
    @exclusivity(unchecked) final var line = JSONLineWriter()
    let values: ValueWriter
    private let emit: ([UInt8]) throws(StorageError) -> Void
    @exclusivity(unchecked) private var row: [Datum] = []

    package init(_ values: ValueWriter, emit: @escaping ([UInt8]) throws(StorageError) -> Void) {
        self.values = values
        self.emit = emit
    }

    /// Whether a dropped table is a change of its rows, too.
    var showsDroppedRows: Bool { true }

    /// A transaction or a snapshot of which something is shown comes.
    func enter(_ head: ChangeHead) {}
    func begin(_ head: ChangeHead) throws(StorageError) {}
    func row(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {}
    func schema(_ change: SchemaChange, _ head: ChangeHead) throws(StorageError) {}
    /// - Parameter tables: those with rows shown, each with how many in `shownRows`.
    func commit(_ head: ChangeHead, rows: Int, tables: [TableForm]) throws(StorageError) {}
    func ingest(_ file: IngestRecord.File, _ table: TableForm?, _ head: ChangeHead)
        throws(StorageError)
    {}
    package func heartbeat(_ beat: Heartbeat) throws(StorageError) {}

    /// Ends the line.
    final func end() throws(StorageError) {
        try emit(line.out.bytes)
        line.clear()
    }

    // MARK: Parts of lines

    /// The shown columns of a row value, with `{}` around.
    final func appendRow(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        try appendRow(bytes, of: table, table.columns)
    }

    /// What a before image holds, with `{}` around.
    final func appendImage(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        try appendRow(bytes, of: table, table.identityColumns)
    }

    private func appendRow(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm, _ columns: [TableForm.Column]
    ) throws(StorageError) {
        try decode(bytes, of: table)
        line.raw("{")
        var isFirst = true
        for column in columns {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.raw(column.label)
            values.append(row[column.index], type: column.type.oid, to: &line)
        }
        line.raw("}")
    }

    /// The shown columns as `{"name","type","value"}`, with `[]` around.
    final func appendTypedRow(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        try appendTypedRow(bytes, of: table, table.columns)
    }

    /// The same of the columns that a before image holds, out of an image or a whole row.
    final func appendTypedImage(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        try appendTypedRow(bytes, of: table, table.identityColumns)
    }

    private func appendTypedRow(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm, _ columns: [TableForm.Column]
    ) throws(StorageError) {
        try decode(bytes, of: table)
        line.raw("[")
        var isFirst = true
        for column in columns {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.raw(column.typedLabel)
            values.append(row[column.index], type: column.type.oid, to: &line)
            line.raw("}")
        }
        line.raw("]")
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        let width = table.projection.outputCount
        if row.count < width {
            row += [Datum](repeating: .null, count: width - row.count)
        }
        do throws(SQLError) {
            try table.view.codec.decode(bytes, table.projection, into: &row)
        } catch {
            throw table.view.damaged("row", error)
        }
    }

    /// The key's columns, with `{}` around; `_rowid` for a table without primary key.
    final func appendKey(
        _ key: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        line.raw("{")
        try forEachKeyPart(key, of: table) { part, value in
            if let part {
                line.raw(part.label)
                values.append(value, type: part.type.oid, to: &line)
            } else {
                line.raw("\"_rowid\":")
                values.append(value, type: .int8, to: &line)
            }
        }
        line.raw("}")
    }

    final func appendTypedKey(
        _ key: UnsafeRawBufferPointer, of table: TableForm
    ) throws(StorageError) {
        line.raw("[")
        try forEachKeyPart(key, of: table) { part, value in
            if let part {
                line.raw(part.typedLabel)
                values.append(value, type: part.type.oid, to: &line)
            } else {
                line.raw("{\"name\":\"_rowid\",\"type\":\"bigint\",\"value\":")
                values.append(value, type: .int8, to: &line)
            }
            line.raw("}")
        }
        line.raw("]")
    }

    /// Calls `body` with each key column, commas between; nil for the hidden row id.
    private func forEachKeyPart(
        _ key: UnsafeRawBufferPointer, of table: TableForm,
        _ body: (TableForm.KeyPart?, Datum) -> Void
    ) throws(StorageError) {
        guard !table.keyParts.isEmpty else {
            guard let id = KeyCodec.rowID(endOf: key) else {
                throw table.view.damaged("key", nil)
            }
            return body(nil, .int(Int64(bitPattern: id)))
        }
        var reader = ByteReader(key)
        guard reader.skip(KeyCodec.prefixLength) else {
            throw table.view.damaged("key", nil)
        }
        var isFirst = true
        for part in table.keyParts {
            let value: Datum
            do throws(SQLError) {
                value = try KeyCodec.decode(
                    &reader, type: part.type.oid, descending: part.column.isDescending,
                    nullsFirst: part.column.nullsFirst)
            } catch {
                throw table.view.damaged("key", error)
            }
            if !isFirst { line.raw(",") }
            isFirst = false
            body(part, value)
        }
    }

    /// The table's shown columns and key, as `"columns":[…],"key":[…]`, and a replica identity other than
    /// DEFAULT.
    final func appendColumns(of table: TableForm) {
        line.raw("\"columns\":[")
        var isFirst = true
        for column in table.columns {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.raw("{\"name\":")
            line.quoted(column.descriptor.name)
            line.raw(",\"type\":")
            line.quoted(TypeNames.format(column.type))
            line.raw(",\"nullable\":")
            column.descriptor.isNotNull || column.isKey ? line.raw("false") : line.raw("true")
            if let text = column.descriptor.defaultExpression {
                line.raw(",\"default\":")
                line.quoted(text)
            }
            line.raw("}")
        }
        line.raw("],\"key\":[")
        isFirst = true
        for part in table.keyParts {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.raw(Array(part.label.dropLast()))
        }
        line.raw("]")
        appendIdentity(of: table.descriptor)
    }

    private func appendIdentity(of table: TableDescriptor) {
        switch table.replicaIdentity {
        case .primaryKey: return
        case .full: line.raw(",\"replica_identity\":\"full\"")
        case .nothing: line.raw(",\"replica_identity\":\"nothing\"")
        case .index:
            line.raw(",\"replica_identity\":\"index\",\"replica_identity_index\":")
            if let index = table.identityIndex { line.quoted(index.name) } else { line.raw("null") }
        }
    }
}
