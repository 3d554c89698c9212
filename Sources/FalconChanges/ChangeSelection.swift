import FalconSchema
import FalconStorage

/// What of a stream is shown.
package struct ChangeSelection {
    package var tables: [TableGlob] = []
    /// Patterns of columns' names; empty for all. Key columns are always shown.
    package var columns: [TableGlob] = []
    /// Empty for all.
    package var operations: Set<String> = []
    /// Empty for all.
    package var transactions: Set<UInt64> = []
    package var keys = KeyBounds()
    /// The changes of this database alone: a transaction may make or drop another, with all its rows. Nil: all.
    package var database: DatabaseID?
    package var showsTransactions = true
    package var showsSchema = true

    /// All of it.
    package init() {}

    func shows(_ table: TableDescriptor) -> Bool {
        // A temporary table is its session's alone.
        if table.schema.hasPrefix(TableDescriptor.temporarySchemaPrefix) { return false }
        return tables.isEmpty || tables.contains { $0.matches(table) }
    }

    /// Whether a change of that key is of the database asked for.
    func shows(key: UnsafeRawBufferPointer) -> Bool {
        guard let database, let place = KeyCodec.parsePrefix(key) else { return true }
        return place.database == database
    }

    func shows(column: String) -> Bool {
        columns.isEmpty || columns.contains { $0.matches(column) }
    }

    func shows(_ operation: String) -> Bool {
        operations.isEmpty || operations.contains(operation)
    }

    /// Storage without a known descriptor has no names to choose it by.
    var showsUnknown: Bool { tables.isEmpty && columns.isEmpty && keys.isEmpty }
}

/// The range of keys that `--key-from` and `--key-to` name: values of leading key columns, with commas between.
package struct KeyBounds {
    package var from: String?
    package var to: String?

    package init(from: String? = nil, to: String? = nil) {
        self.from = from
        self.to = to
    }

    var isEmpty: Bool { from == nil && to == nil }

    /// The keys of `table` from the first that begins with `from` to the last that begins with `to`.
    func range(of table: TableDescriptor) throws(StorageError) -> KeyRange {
        var range = KeyRange()
        if let from { range.lower = try encode(from, table) }
        if let to { range.upper = KeyOrder.prefixSuccessor(try encode(to, table)) }
        return range
    }

    private func encode(
        _ text: String, _ table: TableDescriptor
    ) throws(StorageError) -> [UInt8] {
        var writer = ByteWriter()
        KeyCodec.appendPrefix(
            database: table.database, storage: table.storageID, to: &writer)
        if table.hasHiddenRowID {
            guard let id = UInt64(text) else { throw Self.wrong(text, table, "it is no row id") }
            KeyCodec.appendRowID(id, to: &writer)
            return writer.bytes
        }
        let parts = text.split(
            separator: ",", maxSplits: table.primaryKey.count - 1,
            omittingEmptySubsequences: false)
        for (part, column) in zip(parts, table.primaryKey) {
            let index = Int(column.attribute) - 1
            guard table.columns.indices.contains(index) else {
                throw Self.wrong(text, table, "its descriptor is damaged")
            }
            let type = table.columns[index].type
            do throws(SQLError) {
                let value = try TypeIO.parseText(
                    String(part), type: type, settings: DisplaySettings())
                try KeyCodec.append(
                    value, type: type.oid, descending: column.isDescending,
                    nullsFirst: column.nullsFirst, to: &writer)
            } catch {
                throw Self.wrong(text, table, error.message)
            }
        }
        return writer.bytes
    }

    private static func wrong(
        _ text: String, _ table: TableDescriptor, _ why: String
    ) -> StorageError {
        StorageError(
            .invalidArgument, kind: .user,
            "'\(text)' is no key of \(table.schema).\(table.name).", cause: why,
            hint: "Name the tables it belongs to with --table; write commas between its columns.")
    }
}
