import FalconSchema
import FalconStorage

/// Writes the rows of one table and keeps its indexes: keys, uniqueness, locks.
final class RowWriter {
    final class Index {
        let descriptor: IndexDescriptor
        let prefix: [UInt8]
        let isLocked: Bool
        private let table: TableDescriptor
        @exclusivity(unchecked) private var test: IndexPredicateTest?

        init(_ descriptor: IndexDescriptor, _ table: TableDescriptor, isLocked: Bool) {
            self.descriptor = descriptor
            prefix = CatalogKeys.prefix(table.database, descriptor.storageID)
            self.isLocked = isLocked
            self.table = table
        }

        /// Whether a row with these values has an entry.
        @inline(__always)
        func covers(_ values: [Datum]) throws(SQLError) -> Bool {
            guard let predicate = descriptor.predicate else { return true }
            return try meets(predicate, values)
        }

        private func meets(
            _ predicate: IndexPredicate, _ values: [Datum]
        ) throws(SQLError) -> Bool {
            if let test { return try test.covers(values) }
            let made = try IndexPredicateTest(predicate, of: table)
            test = made
            return try made.covers(values)
        }
    }

    /// A row that stands in the way of an insert.
    struct Conflict {
        var index: IndexDescriptor
        var rowKey: [UInt8]
    }

    let table: TableDescriptor
    let transaction: Transaction
    let engine: StorageEngine
    let codec: RowCodec
    let prefix: [UInt8]
    let primary: IndexDescriptor?
    let secondary: [Index]
    /// False when the storage was made by this transaction: nobody else can reach it.
    let needsLocks: Bool
    /// True when no storage of this transaction was involved: it may serve later transactions.
    let isForSharedStorage: Bool
    @exclusivity(unchecked) private var counter: RowIDCounter?
    @exclusivity(unchecked) private var rowKey = ByteWriter(capacity: 64)
    @exclusivity(unchecked) private var value = ByteWriter(capacity: 256)
    @exclusivity(unchecked) private var indexKey = ByteWriter(capacity: 64)
    @exclusivity(unchecked) private var oldIndexKey = ByteWriter(capacity: 64)
    private let notNull: [Int]
    /// Nil of a table whose changes go to the log without the rows as they were.
    private let images: BeforeImages?
    /// False for DDL, which checks at once.
    let defersChecks: Bool
    /// The table's own foreign keys, and those that reference it.
    let outgoing: [ForeignKeyDescriptor]
    let incoming: [(reference: ForeignKeyReference, key: ForeignKeyDescriptor)]

    /// - Parameter firesForeignKeys: False for DDL, which moves rows that there are already.
    init(table: TableDescriptor, transaction: Transaction, firesForeignKeys: Bool = false) {
        self.table = table
        self.transaction = transaction
        engine = transaction.engine
        let codec = RowCodec(table)
        self.codec = codec
        images = BeforeImages(table, codec)
        prefix = CatalogKeys.prefix(table.database, table.storageID)
        primary = table.indexes.first { $0.isPrimary }
        secondary = table.indexes.filter { !$0.isPrimary && $0.isValid }.map {
            Index(
                $0, table, isLocked: !transaction.createdStorage.contains($0.storageID))
        }
        isForSharedStorage = transaction.createdStorage.isEmpty
        needsLocks = !transaction.createdStorage.contains(table.storageID)
        notNull = table.columns.indices.filter {
            table.columns[$0].isNotNull && !table.columns[$0].isDropped
        }
        defersChecks = firesForeignKeys
        outgoing = firesForeignKeys ? table.foreignKeys : []
        let catalog = firesForeignKeys ? transaction.catalog : nil
        incoming = (catalog?.references[table.oid] ?? []).compactMap { reference in
            catalog?.foreignKey(reference).map { (reference, $0.key) }
        }
    }

    // MARK: Keys

    private func appendColumns(
        _ columns: [KeyColumn], _ values: [Datum], to writer: inout ByteWriter
    ) throws(SQLError) -> Bool {
        var hasNull = false
        for column in columns {
            let index = Int(column.attribute) - 1
            let value = values[index]
            if value.isNull { hasNull = true }
            try KeyCodec.append(
                value, type: table.columns[index].type.oid, descending: column.isDescending,
                nullsFirst: column.nullsFirst, to: &writer)
        }
        return hasNull
    }

    /// Builds the table key of a new row into `rowKey`.
    private func makeRowKey(_ values: [Datum]) throws(SQLError) {
        rowKey.bytes.removeAll(keepingCapacity: true)
        rowKey.append(contentsOf: prefix)
        if table.hasHiddenRowID {
            let counter: RowIDCounter
            if let known = self.counter {
                counter = known
            } else {
                let engine = engine
                let database = transaction.database
                let storageID = table.storageID
                let mayWait = transaction.mayWait
                counter = try storage { () throws(StorageError) in
                    try database.rowIDCounter(storageID, engine: engine, mayWait: mayWait)
                }
                self.counter = counter
            }
            withUnsafeBytes(of: counter.next().bigEndian) { rowKey.append(contentsOf: $0) }
        } else {
            _ = try appendColumns(table.primaryKey, values, to: &rowKey)
        }
    }

    /// Builds an index entry's key; true when it must be unique (no NULL in a unique index).
    private func makeIndexKey(
        _ index: Index, _ values: [Datum], rowSuffix: UnsafeRawBufferPointer,
        to writer: inout ByteWriter
    ) throws(SQLError) -> Bool {
        writer.bytes.removeAll(keepingCapacity: true)
        writer.append(contentsOf: index.prefix)
        let hasNull = try appendColumns(index.descriptor.columns, values, to: &writer)
        let isUnique = index.descriptor.isUnique && !hasNull
        if !isUnique { writer.append(contentsOf: rowSuffix) }
        if writer.count > 32_000 {
            throw SQLError(
                SQLState("54000"),
                "index row size \(writer.count) exceeds maximum 32000 for index "
                    + "\"\(index.descriptor.name)\"")
        }
        return isUnique
    }

    // MARK: Constraints

    func checkNotNull(_ values: [Datum]) throws(SQLError) {
        for index in notNull where values[index].isNull {
            let column = table.columns[index]
            var error = SQLError(
                .notNullViolation,
                "null value in column \"\(column.name)\" of relation \"\(table.name)\" "
                    + "violates not-null constraint",
                detail: "Failing row contains (\(describe(values))).")
            error.schema = table.schema
            error.table = table.name
            error.column = column.name
            throw error
        }
    }

    func checkViolation(_ name: String, _ values: [Datum]) -> SQLError {
        var error = SQLError(
            .checkViolation,
            "new row for relation \"\(table.name)\" violates check constraint \"\(name)\"",
            detail: "Failing row contains (\(describe(values))).")
        error.schema = table.schema
        error.table = table.name
        error.constraint = name
        return error
    }

    func viewCheckViolation(_ view: String, _ values: [Datum]) -> SQLError {
        SQLError(
            SQLState("44000"), "new row violates check option for view \"\(view)\"",
            detail: "Failing row contains (\(describe(values))).")
    }

    private func describe(_ values: [Datum]) -> String {
        var parts: [String] = []
        for (index, column) in table.columns.enumerated() where !column.isDropped {
            let value = index < values.count ? values[index] : .null
            if value.isNull {
                parts.append("null")
            } else {
                let text = TypeIO.text(value, type: column.type.oid, settings: DisplaySettings())
                parts.append(text.count > 64 ? String(text.prefix(64)) + "..." : text)
            }
        }
        return parts.joined(separator: ", ")
    }

    func uniqueViolation(_ index: IndexDescriptor, _ values: [Datum]) -> SQLError {
        let names = index.columns.map { table.columns[Int($0.attribute) - 1].name }
        let shown = index.columns.map { key in
            let column = table.columns[Int(key.attribute) - 1]
            return TypeIO.text(
                values[Int(key.attribute) - 1], type: column.type.oid, settings: DisplaySettings())
        }
        var error = SQLError(
            .uniqueViolation,
            "duplicate key value violates unique constraint \"\(index.name)\"",
            detail: "Key (\(names.joined(separator: ", ")))=(\(shown.joined(separator: ", "))) "
                + "already exists.")
        error.schema = table.schema
        error.table = table.name
        error.constraint = index.name
        return error
    }

    // MARK: Reading at the newest version

    private enum Presence {
        case absent
        case present
        /// Deleted by this transaction.
        case deleted
    }

    private func presence(
        of key: UnsafeRawBufferPointer, isShared: Bool
    ) throws(SQLError) -> Presence {
        if !transaction.batch.isEmpty {
            switch try transaction.written(key) {
            case .absent: break
            case .deleted: return .deleted
            case .value: return .present
            }
        }
        // Storage that this transaction made has nothing committed.
        if !isShared { return .absent }
        let engine = engine
        let commit = try storage { () throws(StorageError) in
            try engine.visibleCommit(
                of: key, at: engine.publishedTimestamp, mayWait: transaction.mayWait)
        }
        return commit == nil ? .absent : .present
    }

    private func exists(_ key: UnsafeRawBufferPointer, isShared: Bool) throws(SQLError) -> Bool {
        try presence(of: key, isShared: isShared) == .present
    }

    // MARK: Insert

    /// Inserts a row whose constraints other than uniqueness hold. Returns the conflict instead of
    /// throwing 23505 when `arbiters` (nil: none; empty: any index) covers it. With `looksFirst` a row
    /// that stands in the way by its primary key need not be locked: DO UPDATE locks it as it needs.
    func insert(
        _ values: [Datum], arbiters: [OID]? = nil, looksFirst: Bool = false,
        sql: SQLOperation = .insert
    ) throws(SQLError) -> Conflict? {
        try makeRowKey(values)
        let conflict = try rowKey.bytes.withRaw { key throws(SQLError) -> Conflict? in
            if looksFirst, let primary, let arbiters, arbiters.contains(primary.oid),
                try self.exists(key, isShared: self.needsLocks)
            {
                return Conflict(index: primary, rowKey: Array(key))
            }
            return try self.insert(values, key: key, arbiters: arbiters, sql: sql)
        }
        if conflict == nil, sql == .insert, !outgoing.isEmpty { noteInserted(values) }
        return conflict
    }

    private func insert(
        _ values: [Datum], key: UnsafeRawBufferPointer, arbiters: [OID]?, sql: SQLOperation
    ) throws(SQLError) -> Conflict? {
        let suffix = UnsafeRawBufferPointer(rebasing: key[8...])
        var isReplacement = false
        if let primary {
            if needsLocks {
                try transaction.lock(
                    key, .forUpdate, while: self.inserting(into: primary, arbiters))
            }
            let presence = try presence(of: key, isShared: needsLocks)
            isReplacement = presence == .deleted && needsLocks
            if presence == .present {
                guard let arbiters, arbiters.isEmpty || arbiters.contains(primary.oid) else {
                    try transaction.checkConflictingKey(key)
                    throw uniqueViolation(primary, values)
                }
                return Conflict(index: primary, rowKey: Array(key))
            }
        }
        if arbiters != nil {
            // Look at every unique index before writing anything.
            for index in secondary where index.descriptor.isUnique {
                guard try index.covers(values),
                    try makeIndexKey(index, values, rowSuffix: suffix, to: &indexKey)
                else {
                    continue
                }
                if let conflict = try uniqueConflict(index, values, arbiters: arbiters) {
                    return conflict
                }
            }
        }
        for index in secondary where try index.covers(values) {
            try putIndexEntry(index, values, suffix)
        }
        value.bytes.removeAll(keepingCapacity: true)
        try codec.encode(values, to: &value)
        try putRow(key, sql: sql, before: nil)
        if isReplacement { transaction.noteReplaced(key) }
        try transaction.chargeWrites()
        if sql == .insert { transaction.progress.inserted() }
        return nil
    }

    /// As PostgreSQL has it, with ON CONFLICT it is the table's.
    private func inserting(into index: IndexDescriptor, _ arbiters: [OID]?) -> String {
        "inserting index tuple in relation \"\(arbiters == nil ? index.name : table.name)\""
    }

    private func uniqueConflict(
        _ index: Index, _ values: [Datum], arbiters: [OID]?
    ) throws(SQLError) -> Conflict? {
        try indexKey.bytes.withRaw { entry throws(SQLError) -> Conflict? in
            if index.isLocked {
                try self.transaction.lock(
                    entry, .forUpdate, while: self.inserting(into: index.descriptor, arbiters))
            }
            guard try self.exists(entry, isShared: index.isLocked) else { return nil }
            guard let arbiters, arbiters.isEmpty || arbiters.contains(index.descriptor.oid),
                let suffix = try self.transaction.newestValue(entry)
            else {
                try self.transaction.checkConflictingKey(entry)
                throw self.uniqueViolation(index.descriptor, values)
            }
            return Conflict(index: index.descriptor, rowKey: self.prefix + suffix)
        }
    }

    private func putIndexEntry(
        _ index: Index, _ values: [Datum], _ suffix: UnsafeRawBufferPointer
    ) throws(SQLError) {
        let isUnique = try makeIndexKey(index, values, rowSuffix: suffix, to: &indexKey)
        if isUnique { _ = try uniqueConflict(index, values, arbiters: nil) }
        let batch = transaction.batch
        let version = table.version
        try indexKey.bytes.withRaw { entry throws(SQLError) in
            if index.descriptor.isUnique {
                try storage { () throws(StorageError) in
                    try batch.put(
                        key: entry, value: suffix, class: .index, descriptorVersion: version)
                }
            } else {
                var length = UInt16(truncatingIfNeeded: suffix.count).littleEndian
                try withUnsafeBytesTyped(&length) { raw throws(SQLError) in
                    try storage { () throws(StorageError) in
                        try batch.put(
                            key: entry, value: raw, class: .index, descriptorVersion: version)
                    }
                }
                if index.descriptor.deferral != nil {
                    try self.checkDeferrable(index, values, entry, suffixBytes: suffix.count)
                }
            }
        }
    }

    private func putRow(
        _ key: UnsafeRawBufferPointer, sql: SQLOperation, before: UnsafeRawBufferPointer?
    ) throws(SQLError) {
        let batch = transaction.batch
        let version = table.version
        try value.bytes.withRaw { value throws(SQLError) in
            try storage { () throws(StorageError) in
                try batch.put(
                    key: key, value: value, class: .row, sql: sql, descriptorVersion: version,
                    before: before)
            }
        }
    }

    // MARK: Update and delete

    /// Replaces the locked row at `key`.
    func update(
        key: UnsafeRawBufferPointer, old: [Datum], new: [Datum]
    ) throws(SQLError) {
        guard !outgoing.isEmpty || !incoming.isEmpty else {
            return try replace(key: key, old: old, new: new)
        }
        var wasOwn = false
        if !outgoing.isEmpty, !transaction.batch.isEmpty {
            if case .value = try transaction.written(key) { wasOwn = true }
        }
        try replace(key: key, old: old, new: new)
        try noteUpdated(old, new, wasOwn: wasOwn)
    }

    private func replace(
        key: UnsafeRawBufferPointer, old: [Datum], new: [Datum]
    ) throws(SQLError) {
        if !table.hasHiddenRowID, table.differs(table.primaryKey, old, new) {
            try remove(key: key, old: old, sql: .update)
            if try insert(new, sql: .update) != nil {
                throw SQLError(.internalError, "unexpected conflict")
            }
            if needsLocks { transaction.noteMoved(from: key, to: rowKey.bytes) }
            transaction.progress.updated()
            return
        }
        let suffix = UnsafeRawBufferPointer(rebasing: key[8...])
        for index in secondary {
            let differs = table.differs(index.descriptor.columns, old, new)
            if index.descriptor.predicate == nil {
                if !differs { continue }
                try deleteIndexEntry(index, old, suffix)
                try putIndexEntry(index, new, suffix)
                continue
            }
            let (had, has) = (try index.covers(old), try index.covers(new))
            if had, differs || !has { try deleteIndexEntry(index, old, suffix) }
            if has, differs || !had { try putIndexEntry(index, new, suffix) }
        }
        value.bytes.removeAll(keepingCapacity: true)
        try codec.encode(new, to: &value)
        if let images {
            try images.withImage(of: old, replacedBy: new) { before throws(SQLError) in
                try self.putRow(key, sql: .update, before: before)
            }
        } else {
            try putRow(key, sql: .update, before: nil)
        }
        try transaction.chargeWrites()
        transaction.progress.updated()
    }

    private func deleteIndexEntry(
        _ index: Index, _ values: [Datum], _ suffix: UnsafeRawBufferPointer
    ) throws(SQLError) {
        let isUnique = try makeIndexKey(index, values, rowSuffix: suffix, to: &oldIndexKey)
        let batch = transaction.batch
        let version = table.version
        try oldIndexKey.bytes.withRaw { entry throws(SQLError) in
            // Whoever inserts this key must wait for us.
            if isUnique, index.isLocked { try self.transaction.lock(entry, .forUpdate) }
            try storage { () throws(StorageError) in
                try batch.delete(key: entry, class: .index, descriptorVersion: version)
            }
        }
    }

    /// Deletes the locked row at `key`.
    func delete(key: UnsafeRawBufferPointer, old: [Datum]) throws(SQLError) {
        try remove(key: key, old: old, sql: .delete)
        if !incoming.isEmpty { try noteDeleted(old) }
    }

    private func remove(
        key: UnsafeRawBufferPointer, old: [Datum], sql: SQLOperation
    ) throws(SQLError) {
        let suffix = UnsafeRawBufferPointer(rebasing: key[8...])
        for index in secondary where try index.covers(old) {
            try deleteIndexEntry(index, old, suffix)
        }
        if let images {
            try images.withImage(of: old) { before throws(SQLError) in
                try self.deleteRow(key, sql: sql, before: before)
            }
        } else {
            try deleteRow(key, sql: sql, before: nil)
        }
        try transaction.chargeWrites()
        if sql == .delete { transaction.progress.deleted() }
    }

    private func deleteRow(
        _ key: UnsafeRawBufferPointer, sql: SQLOperation, before: UnsafeRawBufferPointer?
    ) throws(SQLError) {
        let batch = transaction.batch
        let version = table.version
        try storage { () throws(StorageError) in
            try batch.delete(
                key: key, class: .row, sql: sql, descriptorVersion: version, before: before)
        }
    }

    // MARK: Building

    /// Adds one index's entry for an existing row: CREATE INDEX.
    func addIndexEntry(
        _ index: Index, _ values: [Datum], rowSuffix: UnsafeRawBufferPointer
    ) throws(SQLError) {
        guard try index.covers(values) else { return }
        try putIndexEntry(index, values, rowSuffix)
        try transaction.chargeWrites()
    }
}

@inline(__always)
func withUnsafeBytesTyped<T, R, E: Error>(
    _ value: inout T, _ body: (UnsafeRawBufferPointer) throws(E) -> R
) throws(E) -> R {
    try withUnsafePointer(to: &value) { pointer throws(E) in
        try body(UnsafeRawBufferPointer(start: pointer, count: MemoryLayout<T>.size))
    }
}
