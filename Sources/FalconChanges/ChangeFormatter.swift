import FalconSchema
import FalconStorage

/// Turns transactions into the lines that cdc-tail and replication slots show.
package final class ChangeFormatter {
    package let schema: SchemaHistory
    private(set) var selection: ChangeSelection
    package let dialect: ChangeDialect
    let forms: TableForms
    /// Called once per storage whose table is unknown.
    private let onUnknown: (String, LSN) -> Void
    private var unknown: Set<UInt64> = []
    /// Asked now and then amid a large transaction; true ends it.
    private let shouldStop: () -> Bool

    // Of the transaction that is being shown.
    /// Made before the first catalog row of it is taken in, when one is met or has to be.
    private var definition: TableDefinitions?
    private var isBegun = false
    private var rows = 0
    private var touched: [TableForm] = []

    package init(
        schema: SchemaHistory, selection: ChangeSelection, dialect: ChangeDialect,
        shouldStop: @escaping () -> Bool, onUnknown: @escaping (String, LSN) -> Void
    ) {
        self.schema = schema
        self.selection = selection
        self.dialect = dialect
        self.shouldStop = shouldStop
        self.onUnknown = onUnknown
        forms = TableForms(schema, selection)
    }

    /// From now on rows of that database alone are shown; nil: of all.
    package func limit(to database: DatabaseID?) { selection.database = database }

    /// Takes in the transaction's DDL; its rows are not shown.
    package func skip(_ transaction: ChangeTransaction) throws(StorageError) {
        try transaction.forEachOperation { operation throws(StorageError) in
            if operation.operationClass == .catalog { try schema.take(operation) }
            return true
        }
    }

    /// Writes the transaction's lines: begin, rows in the order they were written, commit. A transaction
    /// without a selected row shows nothing. False: it was broken off.
    package func show(_ transaction: ChangeTransaction, _ head: ChangeHead) throws(StorageError)
        -> Bool
    {
        let number = transaction.header.transaction.rawValue
        if !selection.transactions.isEmpty, !selection.transactions.contains(number) {
            try skip(transaction)
            return true
        }
        reset()
        definition = nil
        var seen = 0
        var isWhole = true
        try transaction.forEachOperation { operation throws(StorageError) in
            switch operation.operationClass {
            case .catalog:
                try define(transaction)
                try showCatalog(operation, head)
            case .row:
                if selection.shows(key: operation.key) {
                    try showRow(operation, transaction, head)
                }
            case .index, .system: break
            }
            seen += 1
            if seen & 0xFFF == 0, shouldStop() { isWhole = false }
            return isWhole
        }
        if isWhole { try end(head) }
        return isWhole
    }

    private func define(_ transaction: ChangeTransaction) throws(StorageError) {
        if definition == nil { definition = try TableDefinitions(transaction, schema) }
    }

    // MARK: Boundaries

    private func reset() {
        for table in touched {
            table.shownRows = 0
            table.pendingMoves = 0
            table.isTouched = false
        }
        touched.removeAll(keepingCapacity: true)
        isBegun = false
        rows = 0
    }

    private func begin(_ head: ChangeHead) throws(StorageError) {
        guard !isBegun else { return }
        isBegun = true
        dialect.enter(head)
        if selection.showsTransactions, !head.isSnapshot { try dialect.begin(head) }
    }

    private func end(_ head: ChangeHead) throws(StorageError) {
        if isBegun, selection.showsTransactions {
            try dialect.commit(
                head, rows: rows, tables: touched.filter { $0.shownRows > 0 })
        }
        reset()
    }

    private func touch(_ table: TableForm) {
        guard !table.isTouched else { return }
        table.isTouched = true
        touched.append(table)
    }

    private func emit(_ change: RowChange, _ head: ChangeHead) throws(StorageError) {
        try begin(head)
        rows += 1
        var change = change
        change.ordinal = rows
        if let table = change.table {
            touch(table)
            table.shownRows += 1
            change.tableOrdinal = table.shownRows
        }
        try dialect.row(change, head)
    }

    // MARK: Rows

    private func showRow(
        _ operation: WALOperation, _ transaction: ChangeTransaction, _ head: ChangeHead
    ) throws(StorageError) {
        guard let view = schema.table(of: operation.key) else {
            try define(transaction)
            return try showUnknown(operation, head)
        }
        // What a statement did not ask for (a rewrite, a dropped table's range) is not a change.
        guard operation.sql != .none else { return }
        let table = try forms.form(view)
        guard table.isSelected else { return }
        var change = RowChange(kind: .insert, table: table, key: operation.key)
        change.before = operation.before
        switch (operation.kind, operation.sql) {
        case (.rangeDelete, _): change.kind = .truncate
        case (.delete, let sql):
            change.kind = .delete
            change.movesKey = sql == .update
            if change.movesKey {
                touch(table)
                table.pendingMoves += 1
            }
        case (_, .update):
            change.kind = .update
            change.value = operation.value
            if table.pendingMoves > 0 {
                table.pendingMoves -= 1
                change.movesKey = true
            }
        default: change.value = operation.value
        }
        guard selection.shows(change.kind.rawValue),
            change.kind == .truncate || contains(table.keyRange, operation.key)
        else { return }
        try emit(change, head)
    }

    private func contains(_ range: KeyRange, _ key: UnsafeRawBufferPointer) -> Bool {
        if let lower = range.lower,
            lower.withUnsafeBytes({ KeyOrder.compare(key, $0) }) < 0
        {
            return false
        }
        guard let upper = range.upper else { return true }
        return upper.withUnsafeBytes { KeyOrder.compare(key, $0) } < 0
    }

    /// A row of a table that no catalog row known so far describes: bytes in hex.
    private func showUnknown(
        _ operation: WALOperation, _ head: ChangeHead
    ) throws(StorageError) {
        guard selection.showsUnknown, !(definition?.owns(operation) ?? false) else { return }
        var change = RowChange(kind: .put, key: operation.key)
        switch operation.kind {
        case .put: change.value = operation.value
        case .delete: change.kind = .remove
        case .rangeDelete:
            change.kind = .removeRange
            change.value = operation.value
        default: return
        }
        guard selection.shows(change.kind.rawValue) else { return }
        change.storage = "storage:?"
        if let (database, storage) = KeyCodec.parsePrefix(operation.key) {
            change.storage = "storage:\(database.rawValue)/\(storage.rawValue)"
            if unknown.insert(operation.key.loadUnaligned(as: UInt64.self)).inserted {
                onUnknown(change.storage, head.lsn)
            }
        }
        try emit(change, head)
    }

    // MARK: Schema

    private func showCatalog(
        _ operation: WALOperation, _ head: ChangeHead
    ) throws(StorageError) {
        let isTable = KeyCodec.parsePrefix(operation.key)?.storage == CatalogKeys.tables
        let old = isTable ? schema.table(ofCatalogKey: operation.key) : nil
        if operation.kind == .delete, let old {
            // A table that was there before the transaction. Its rows go with it: they are not shown one
            // by one.
            let table = try forms.form(old)
            if table.isSelected, dialect.showsDroppedRows, selection.shows("drop") {
                try emit(RowChange(kind: .drop, table: table, key: operation.key), head)
            }
            try showSchema(.drop, table, head)
        }
        try schema.take(operation)
        guard isTable, operation.kind == .put,
            let new = schema.table(ofCatalogKey: operation.key)
        else { return }
        if let old, old.isSameShape(new) { return }
        try showSchema(old == nil ? .create : .alter, try forms.form(new), head)
    }

    private func showSchema(
        _ kind: SchemaChange.Kind, _ table: TableForm, _ head: ChangeHead
    ) throws(StorageError) {
        guard selection.showsSchema, table.isSelected, selection.shows("schema") else { return }
        try begin(head)
        try dialect.schema(SchemaChange(kind: kind, table: table), head)
    }

    // MARK: Other events

    /// A line for each file that came in from outside. Its rows are in the file and not in the log, so
    /// they are counted and not shown.
    package func show(_ ingest: IngestRecord, _ head: ChangeHead) throws(StorageError) {
        guard selection.shows("ingest"), selection.transactions.isEmpty else { return }
        dialect.enter(head)
        for file in ingest.files {
            let view = file.smallest.withUnsafeBytes { schema.table(of: $0) }
            var table: TableForm?
            if let view { table = try forms.form(view) }
            guard table?.isSelected ?? selection.showsUnknown else { continue }
            try dialect.ingest(file, table, head)
        }
    }

    package typealias EmitRow =
        (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StorageError) ->
        Void

    /// Shows the rows of a snapshot: `walk` calls back with each row of a table. False: it was broken off.
    package func showSnapshot(
        _ head: ChangeHead, _ tables: [TableView],
        _ walk: (TableForm, EmitRow) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        reset()
        for view in tables {
            let table = try forms.form(view)
            guard table.isSelected else { continue }
            try showSchema(.read, table, head)
            guard selection.shows("read") else { continue }
            let isWhole = try walk(table) { key, value throws(StorageError) in
                try emit(RowChange(kind: .read, table: table, key: key, value: value), head)
            }
            if !isWhole { return false }
        }
        try begin(head)
        try end(head)
        return true
    }
}
