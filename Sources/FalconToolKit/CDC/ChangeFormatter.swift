import FalconSchema
import FalconStorage

/// Turns transactions into the lines that cdc-tail shows.
final class ChangeFormatter {
    /// What is shown.
    struct Selection {
        var tables: [TableGlob] = []
        /// insert, update, delete, truncate; empty for all.
        var operations: Set<String> = []
        var showsTransactions = true
    }

    /// One line: its fields and its form for people.
    struct Line {
        var fields: [(String, JSONValue)]
        var text: String
    }

    let schema: SchemaHistory
    private let decoder: RowDecoder
    let selection: Selection
    /// Called once per storage whose table is unknown.
    private let onUnknown: (String, LSN) -> Void
    private var unknown: Set<UInt64> = []
    /// Of the transaction that is being shown.
    private var definition = TableDefinitions()

    init(
        schema: SchemaHistory, decoder: RowDecoder, selection: Selection,
        onUnknown: @escaping (String, LSN) -> Void
    ) {
        self.schema = schema
        self.decoder = decoder
        self.selection = selection
        self.onUnknown = onUnknown
    }

    private func take(_ operation: WALOperation) throws(StorageError) {
        switch operation.kind {
        case .put: try schema.apply(key: operation.key, value: operation.value)
        case .delete: schema.forget(catalogKey: operation.key)
        default: break
        }
    }

    /// Takes in the transaction's DDL; its rows are not shown.
    func skip(_ transaction: ChangeTransaction) throws(StorageError) {
        try transaction.forEachOperation { operation throws(StorageError) in
            if operation.operationClass == .catalog { try take(operation) }
            return true
        }
    }

    /// Calls `emit` with the transaction's lines: begin, rows in the order they were written,
    /// commit. A transaction without a selected row shows nothing.
    func show(
        _ transaction: ChangeTransaction, _ emit: (Line) -> Void
    ) throws(StorageError) {
        var rows = 0
        definition = try TableDefinitions(transaction, schema)
        try transaction.forEachOperation { operation throws(StorageError) in
            switch operation.operationClass {
            case .catalog, .row:
                let shown =
                    operation.operationClass == .row
                    ? try line(operation, transaction) : dropLine(operation, transaction)
                if operation.operationClass == .catalog { try take(operation) }
                if let line = shown {
                    if rows == 0, selection.showsTransactions {
                        emit(boundary("begin", transaction, rows: nil))
                    }
                    rows += 1
                    emit(line)
                }
            case .index, .system:
                break
            }
            return true
        }
        if rows > 0, selection.showsTransactions {
            emit(boundary("commit", transaction, rows: rows))
        }
    }

    // MARK: Lines

    private func head(_ transaction: ChangeTransaction) -> [(String, JSONValue)] {
        [
            ("lsn", .text(transaction.lsn)),
            ("txid", .unsigned(transaction.header.transaction.rawValue)),
            ("ts", .string(ToolTime.format(transaction.header.wallMicros))),
            ("commit_ts", .string(String(transaction.header.timestamp.rawValue))),
        ]
    }

    private func boundary(_ op: String, _ transaction: ChangeTransaction, rows: Int?) -> Line {
        var fields: [(String, JSONValue)] = [("op", .string(op))] + head(transaction)
        var text =
            "\(op.uppercased()) \(transaction.header.transaction.rawValue) at \(transaction.lsn), "
            + ToolTime.format(transaction.header.wallMicros)
        if let rows {
            fields.append(("end_lsn", .text(transaction.endLSN)))
            fields.append(("rows", .count(rows)))
            text =
                "\(op.uppercased()) \(transaction.header.transaction.rawValue), \(rows) row(s), "
                + "resume from \(transaction.endLSN)"
        }
        return Line(fields: fields, text: text)
    }

    private func line(
        _ operation: WALOperation, _ transaction: ChangeTransaction
    ) throws(StorageError) -> Line? {
        guard let table = schema.table(of: operation.key) else {
            return rawLine(operation, transaction)
        }
        let op: String
        // What a statement did not ask for (a rewrite, a dropped table's range) is not a change.
        switch (operation.kind, operation.sql) {
        case (_, .none): return nil
        case (.rangeDelete, _): op = "truncate"
        case (.delete, _): op = "delete"
        case (_, .update): op = "update"
        default: op = "insert"
        }
        guard selection.operations.isEmpty || selection.operations.contains(op),
            selection.tables.isEmpty
                || selection.tables.contains(where: { $0.matches(table.descriptor) })
        else { return nil }
        var fields: [(String, JSONValue)] = [
            ("op", .string(op)),
            ("database", .string(schema.databaseName(table.descriptor.database))),
            ("table", .string(table.name)),
        ]
        fields += head(transaction)
        var text = "\(op.uppercased()) \(table.name)"
        if op != "truncate" {
            let key = try decoder.key(operation.key, of: table)
            fields.append(("key", .object(key)))
            if operation.kind == .delete, operation.sql == .update {
                // The old key of a row whose key was updated; the row follows under its new one.
                fields.append(("cause", .string("update")))
            }
            if let before = operation.before {
                fields.append(("before", .object(try decoder.row(before, of: table))))
            }
            if operation.kind == .put {
                let after = try decoder.row(operation.value, of: table)
                fields.append(("after", .object(after)))
                text += " " + JSONValue.object(after).encoded
            } else {
                text += " key " + JSONValue.object(key).encoded
            }
        }
        return Line(fields: fields, text: text)
    }

    /// A table that was there before the transaction and is dropped by it. Its rows go with it: they
    /// are not shown one by one.
    private func dropLine(_ operation: WALOperation, _ transaction: ChangeTransaction) -> Line? {
        guard operation.kind == .delete, let table = schema.table(ofCatalogKey: operation.key),
            selection.operations.isEmpty || selection.operations.contains("drop"),
            selection.tables.isEmpty
                || selection.tables.contains(where: { $0.matches(table.descriptor) })
        else { return nil }
        let fields: [(String, JSONValue)] = [
            ("op", .string("drop")),
            ("database", .string(schema.databaseName(table.descriptor.database))),
            ("table", .string(table.name)),
        ]
        return Line(fields: fields + head(transaction), text: "DROP \(table.name)")
    }

    /// A row of a table that no catalog row known so far describes: bytes in hex.
    private func rawLine(_ operation: WALOperation, _ transaction: ChangeTransaction) -> Line? {
        guard selection.tables.isEmpty, !definition.owns(operation) else { return nil }
        let op: String
        switch operation.kind {
        case .put: op = "put"
        case .delete: op = "remove"
        case .rangeDelete: op = "remove-range"
        default: return nil
        }
        guard selection.operations.isEmpty || selection.operations.contains(op) else { return nil }
        var name = "storage:?"
        if let (database, storage) = KeyCodec.parsePrefix(operation.key) {
            name = "storage:\(database.rawValue)/\(storage.rawValue)"
            if unknown.insert(operation.key.loadUnaligned(as: UInt64.self)).inserted {
                onUnknown(name, transaction.lsn)
            }
        }
        var fields: [(String, JSONValue)] = [("op", .string(op)), ("table", .string(name))]
        fields += head(transaction)
        fields.append(("key_hex", .string(Self.hex(operation.key))))
        if operation.kind == .put {
            fields.append(("value_hex", .string(Self.hex(operation.value))))
        } else if operation.kind == .rangeDelete {
            fields.append(("upper_hex", .string(Self.hex(operation.value))))
        }
        return Line(
            fields: fields, text: "\(op.uppercased()) \(name) key \(Self.hex(operation.key))")
    }

    private static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
