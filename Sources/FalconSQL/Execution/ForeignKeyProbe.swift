import FalconSchema
import FalconStorage

/// Finds and locks the row that a foreign key's values name: one point read and one lock where the
/// referenced index is the primary key, one more read where it is not.
final class ForeignKeyProbe {
    /// How a referencing column's values become the referenced column's.
    private enum Conversion {
        case same
        /// Another integer type: what does not fit names no row.
        case integer(ClosedRange<Int64>)
        /// Of the value in slot 0.
        case expression(BoundExpression, slotCount: Int)
    }

    let child: TableDescriptor
    let key: ForeignKeyDescriptor
    let parent: TableDescriptor
    private let catalogVersion: UInt64
    private let index: IndexDescriptor
    private let codec: RowCodec
    /// Nil where a column is in the key twice.
    private let projection: RowProjection?
    private let rowPrefix: [UInt8]
    private let indexPrefix: [UInt8]
    private let conversions: [Conversion]
    private var encoded = ByteWriter(capacity: 64)

    /// - Parameter catalogVersion: Of the catalog that the tables are from.
    /// - Throws: 42804 when the columns' types do not go together.
    init(
        child: TableDescriptor, key: ForeignKeyDescriptor, parent: TableDescriptor,
        catalogVersion: UInt64, planner: StatementPlanner
    ) throws(SQLError) {
        guard let index = parent.indexes.first(where: { $0.oid == key.referencedIndex }) else {
            throw SQLError(
                .internalError, "foreign key \"\(key.name)\" has lost the index it references")
        }
        self.child = child
        self.key = key
        self.parent = parent
        self.catalogVersion = catalogVersion
        self.index = index
        codec = RowCodec(child)
        projection =
            Set(key.columns).count < key.columns.count
            ? nil
            : RowProjection(
                columnsToSlots: key.columns.enumerated().map { (Int($1) - 1, $0) }, of: child)
        rowPrefix = CatalogKeys.prefix(parent.database, parent.storageID)
        indexPrefix = CatalogKeys.prefix(parent.database, index.storageID)
        var conversions: [Conversion] = []
        for (own, other) in zip(key.columns, key.referencedColumns) {
            conversions.append(
                try Self.conversion(
                    child.column(own).type, parent.column(other).type, planner))
        }
        self.conversions = conversions
    }

    /// Whether it serves these tables of a catalog, too.
    func serves(
        _ child: TableDescriptor, _ parent: TableDescriptor, _ catalog: CatalogSnapshot
    ) -> Bool {
        func isSame(_ a: TableDescriptor, _ b: TableDescriptor) -> Bool {
            a.version == b.version && a.storageID == b.storageID
        }
        return
            (catalogVersion < CatalogSnapshot.firstUncommittedVersion
            || catalogVersion == catalog.version)
            && isSame(self.child, child) && isSame(self.parent, parent)
    }

    private static func conversion(
        _ from: SQLType, _ to: SQLType, _ planner: StatementPlanner
    ) throws(SQLError) -> Conversion {
        if from.oid == to.oid { return .same }
        if let range = range(of: to.oid), Self.range(of: from.oid) != nil {
            return .integer(range)
        }
        if isText(from.oid), isText(to.oid) { return .same }
        guard let cast = try planner.bindImplicitCast(from: from, to: SQLType(to.oid)) else {
            throw SQLError(.datatypeMismatch, "foreign key columns are of incompatible types")
        }
        return .expression(cast.expression, slotCount: cast.slotCount)
    }

    private static func isText(_ type: OID) -> Bool { type == .text || type == .varchar }

    private static func range(of type: OID) -> ClosedRange<Int64>? {
        switch type {
        case .int2: Int64(Int16.min)...Int64(Int16.max)
        case .int4: Int64(Int32.min)...Int64(Int32.max)
        case .int8: Int64.min...Int64.max
        default: nil
        }
    }

    /// Whether a column of type `from` may reference one of type `to`.
    static func isCompatible(_ from: OID, _ to: OID) -> Bool {
        from == to || range(of: from) != nil && range(of: to) != nil || isText(from) && isText(to)
            || FunctionResolver.cast(from: from, to: to, context: .implicit) != nil
    }

    /// The type that a parameter standing for a referenced value has in a search for referencing rows,
    /// so that an index on them serves.
    func searchType(_ place: Int) -> OID {
        switch conversions[place] {
        case .same, .integer: child.column(key.columns[place]).type.oid
        case .expression: parent.column(key.referencedColumns[place]).type.oid
        }
    }

    /// False: no referencing column can hold it.
    func mayBeReferenced(_ values: [Datum]) -> Bool {
        for (place, value) in values.enumerated() {
            guard case .integer = conversions[place], case .int(let number) = value,
                let range = Self.range(of: child.column(key.columns[place]).type.oid)
            else { continue }
            if !range.contains(number) { return false }
        }
        return true
    }

    // MARK: Values

    func values(ofRow row: [Datum]) -> [Datum] {
        key.columns.map { Int($0) <= row.count ? row[Int($0) - 1] : .null }
    }

    func values(ofStored bytes: UnsafeRawBufferPointer) throws(SQLError) -> [Datum] {
        guard let projection else { return values(ofRow: try codec.decodeAll(bytes)) }
        var values = [Datum](repeating: .null, count: key.columns.count)
        try codec.decode(bytes, projection, into: &values)
        return values
    }

    /// The values as the referenced columns would have them; nil when none of them could.
    func converted(_ values: [Datum], _ functions: FunctionContext) throws(SQLError) -> [Datum]? {
        var result = values
        for (place, conversion) in conversions.enumerated() {
            switch conversion {
            case .same: continue
            case .integer(let range):
                guard case .int(let number) = values[place], range.contains(number) else {
                    return nil
                }
            case .expression(let expression, let slotCount):
                let row = RowContext(slotCount: slotCount, parameters: [], functions: functions)
                row.slots[0] = values[place]
                result[place] = try expression.evaluate(row)
            }
        }
        return result
    }

    /// The referenced index's entry for values of the referenced columns' types.
    func indexKey(_ values: [Datum]) throws(SQLError) -> [UInt8] {
        encoded.bytes.removeAll(keepingCapacity: true)
        encoded.append(contentsOf: indexPrefix)
        for column in index.columns {
            guard let place = key.referencedColumns.firstIndex(of: column.attribute) else {
                throw SQLError(
                    .internalError, "foreign key \"\(key.name)\" does not fit its index")
            }
            try KeyCodec.append(
                values[place], type: parent.column(column.attribute).type.oid,
                descending: column.isDescending, nullsFirst: column.nullsFirst, to: &encoded)
        }
        return encoded.bytes
    }

    // MARK: Looking

    /// Whether the referenced row is there for the statement, and then kept there by a FOR KEY SHARE
    /// lock. READ COMMITTED looks at the newest commit, and so does everybody for `newest`; else the
    /// transaction's snapshot decides, and 40001 tells that it has been overtaken.
    func lockReferenced(
        _ entry: [UInt8], _ transaction: Transaction, newest: Bool
    ) throws(SQLError) -> Bool {
        try entry.withRaw { entry throws(SQLError) in
            let isOwn = transaction.createdStorage.contains(index.storageID)
            if !transaction.batch.isEmpty {
                switch try transaction.written(entry) {
                case .absent: break
                case .deleted: return false
                // Who wrote it has its row locked.
                case .value: return true
                }
            }
            if isOwn { return false }
            transaction.serializable?.reads.note(entry)
            if let kept = transaction.kept, transaction.isolation.keepsSnapshot, !newest {
                return try lock(entry, transaction, at: kept.timestamp)
            }
            return index.isPrimary
                ? try lockNewestRow(entry, transaction)
                : try lockNewestEntry(entry, transaction)
        }
    }

    /// Whether the referenced row is there by the newest commits and own writes; nothing is locked.
    func isThere(_ entry: [UInt8], _ transaction: Transaction) throws(SQLError) -> Bool {
        try entry.withRaw { entry throws(SQLError) in
            if !transaction.batch.isEmpty {
                switch try transaction.written(entry) {
                case .absent: break
                case .deleted: return false
                case .value: return true
                }
            }
            if transaction.createdStorage.contains(index.storageID) { return false }
            return try exists(entry, transaction, at: transaction.engine.publishedTimestamp)
        }
    }

    private func exists(
        _ row: UnsafeRawBufferPointer, _ transaction: Transaction, at timestamp: Timestamp
    ) throws(SQLError) -> Bool {
        let engine = transaction.engine
        return try storage { () throws(StorageError) in
            try engine.visibleCommit(of: row, at: timestamp, mayWait: transaction.mayWait) != nil
        }
    }

    /// The key of the row that a unique entry leads to.
    private func rowKey(
        _ entry: UnsafeRawBufferPointer, _ transaction: Transaction, at timestamp: Timestamp
    ) throws(SQLError) -> [UInt8]? {
        if index.isPrimary {
            return try exists(entry, transaction, at: timestamp) ? Array(entry) : nil
        }
        let engine = transaction.engine
        let suffix = try storage { () throws(StorageError) in
            try engine.get(entry, at: timestamp, mayWait: transaction.mayWait)
        }
        return suffix.map { rowPrefix + $0 }
    }

    private func lockNewestRow(
        _ row: UnsafeRawBufferPointer, _ transaction: Transaction
    ) throws(SQLError) -> Bool {
        let engine = transaction.engine
        if !(try transaction.tryLock(row, .forKeyShare)) {
            // A row that nobody has committed yet is not waited for.
            guard try exists(row, transaction, at: engine.publishedTimestamp) else { return false }
            try transaction.lock(row, .forKeyShare)
        }
        return try exists(row, transaction, at: engine.publishedTimestamp)
    }

    private func lockNewestEntry(
        _ entry: UnsafeRawBufferPointer, _ transaction: Transaction
    ) throws(SQLError) -> Bool {
        let engine = transaction.engine
        while true {
            try transaction.interrupt.check()
            guard
                let row = try rowKey(entry, transaction, at: engine.publishedTimestamp)
            else { return false }
            try row.withRaw { row throws(SQLError) in try transaction.lock(row, .forKeyShare) }
            // Before the lock was ours the key may have gone to another row.
            let now = try rowKey(entry, transaction, at: engine.publishedTimestamp)
            if now == row { return true }
        }
    }

    private func lock(
        _ entry: UnsafeRawBufferPointer, _ transaction: Transaction, at timestamp: Timestamp
    ) throws(SQLError) -> Bool {
        guard let row = try rowKey(entry, transaction, at: timestamp) else { return false }
        try row.withRaw { row throws(SQLError) in try transaction.lock(row, .forKeyShare) }
        let now = try rowKey(entry, transaction, at: transaction.engine.publishedTimestamp)
        if now != row { throw Self.overtaken }
        return true
    }

    static let overtaken = SQLError(
        .serializationFailure, "could not serialize access due to concurrent update")
}

extension TableDescriptor {
    /// The column of an attribute number that a constraint or an index holds.
    func column(_ attribute: Int16) -> ColumnDescriptor { columns[Int(attribute) - 1] }
}
