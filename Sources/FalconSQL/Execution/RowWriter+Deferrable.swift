import FalconSchema
import FalconStorage

/// Rows and DEFERRABLE unique constraints.
extension RowWriter {
    /// After the write of `entry`, whose last bytes are the row's. Like PostgreSQL, it does not wait: where
    /// another row may be in the way, the check is left for the end of the statement or for the commit.
    func checkDeferrable(
        _ index: Index, _ values: [Datum], _ entry: UnsafeRawBufferPointer, suffixBytes: Int
    ) throws(SQLError) {
        let descriptor = index.descriptor
        if descriptor.columns.contains(where: { values[Int($0.attribute) - 1].isNull }) { return }
        let key = DeferrableEntry(Array(entry), columnBytes: entry.count - suffixBytes)
        guard defersChecks else {
            guard try key.otherRow(transaction) == nil else {
                throw uniqueViolation(descriptor, values)
            }
            return
        }
        if try isAlone(key, index) { return }
        transaction.foreignKeys.append(
            ForeignKeyEvent(
                reference: ForeignKeyReference(table: table.oid, constraint: descriptor.oid),
                kind: .unique(key), ordinal: transaction.batch.nextOrdinal &- 1),
            isDeferred: transaction.foreignKeys.isDeferred(descriptor))
    }

    /// Nobody has such a row or is about to: who holds the lock of the columns without having looked
    /// again later can be sure of that until its end.
    private func isAlone(_ key: DeferrableEntry, _ index: Index) throws(SQLError) -> Bool {
        if index.isLocked {
            let isFree = try key.columns.withRaw { columns throws(SQLError) in
                try transaction.tryLock(columns, .forUpdate)
            }
            if !isFree { return false }
        }
        return try key.otherRow(transaction) == nil
    }

    /// ON CONFLICT has to know at once.
    func refuseDeferrable(_ arbiters: [OID]) throws(SQLError) {
        for index in secondary where index.descriptor.deferral != nil {
            let descriptor = index.descriptor
            guard arbiters.isEmpty || arbiters.contains(descriptor.oid) else { continue }
            var error = SQLError(
                .objectNotInPrerequisiteState,
                "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as "
                    + "arbiters")
            error.schema = table.schema
            error.table = table.name
            error.constraint = descriptor.name
            throw error
        }
    }
}
