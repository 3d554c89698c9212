import FalconSchema
import FalconStorage

/// DEFERRABLE unique constraints: the check that was left for later.
extension ForeignKeyRunner {
    /// Throws 23505 when another row has the columns of `entry`; waits for whoever decides whether one has.
    func recheck(_ reference: ForeignKeyReference, _ entry: DeferrableEntry) throws(SQLError) {
        let transaction = session.transaction
        guard let table = transaction.catalog.tables[reference.table],
            let index = table.indexes.first(where: { $0.oid == reference.constraint }),
            index.deferral != nil, try isThere(entry.bytes)
        else { return }
        let isShared = !transaction.createdStorage.contains(index.storageID)
        if isShared {
            try entry.columns.withRaw { columns throws(SQLError) in
                try transaction.lock(columns, .forUpdate)
            }
        }
        while let other = try entry.otherRow(transaction) {
            let otherEntry = entry.columns + other
            if isShared, try !isThere(otherEntry) {
                // Who deletes it, or gives it another key, has its lock.
                let row = CatalogKeys.prefix(table.database, table.storageID) + other
                try row.withRaw { row throws(SQLError) in
                    try transaction.lock(row, .forKeyShare)
                }
                if try entry.otherRow(transaction) != other { continue }
                try otherEntry.withRaw { key throws(SQLError) in
                    try transaction.checkConflictingKey(key)
                }
            }
            throw try violation(table, index, entry)
        }
    }

    /// By the transaction's own writes.
    private func isThere(_ entry: [UInt8]) throws(SQLError) -> Bool {
        try entry.withRaw { entry throws(SQLError) -> Bool in
            if case .value = try session.transaction.written(entry) { true } else { false }
        }
    }

    private func violation(
        _ table: TableDescriptor, _ index: IndexDescriptor, _ entry: DeferrableEntry
    ) throws(SQLError) -> SQLError {
        let transaction = session.transaction
        let writer = RowWriter(table: table, transaction: transaction)
        let row = writer.prefix + entry.rowSuffix
        var values = try row.withRaw { row throws(SQLError) -> [Datum] in
            guard case .value(let stored) = try transaction.written(row) else { return [] }
            return try writer.codec.decodeAll(stored)
        }
        while values.count < table.columns.count { values.append(.null) }
        return writer.uniqueViolation(index, values)
    }
}
