import FalconSchema
import FalconStorage

/// What written rows ask of foreign keys.
extension RowWriter {
    private func note(
        _ reference: ForeignKeyReference, _ kind: ForeignKeyEvent.Kind, isDeferred: Bool
    ) {
        // The write that asks is the batch's last.
        let ordinal = transaction.batch.nextOrdinal &- 1
        transaction.foreignKeys.append(
            ForeignKeyEvent(reference: reference, kind: kind, ordinal: ordinal),
            isDeferred: isDeferred)
    }

    private func noteWritten(_ key: ForeignKeyDescriptor) {
        note(
            ForeignKeyReference(table: table.oid, constraint: key.oid), .written,
            isDeferred: transaction.foreignKeys.isDeferred(key))
    }

    /// Whether a row with these values must name another one.
    private func isToCheck(_ key: ForeignKeyDescriptor, _ values: [Datum]) -> Bool {
        var nulls = 0
        for attribute in key.columns where values[Int(attribute) - 1].isNull { nulls += 1 }
        return nulls == 0 || key.isMatchFull && nulls < key.columns.count
    }

    func noteInserted(_ values: [Datum]) {
        for key in outgoing where isToCheck(key, values) { noteWritten(key) }
    }

    func noteUpdated(_ old: [Datum], _ new: [Datum], wasOwn: Bool) throws(SQLError) {
        // Incoming ones first: PostgreSQL's triggers are in the order of their names.
        for (reference, key) in incoming {
            let columns = key.referencedColumns.map { KeyColumn(attribute: $0) }
            guard table.differs(columns, old, new) else { continue }
            let from = key.referencedColumns.map { old[Int($0) - 1] }
            if from.contains(where: \.isNull) { continue }
            try requireWorker()
            note(
                reference,
                .changed(from: from, to: key.referencedColumns.map { new[Int($0) - 1] }),
                isDeferred: key.onUpdate == .noAction && transaction.foreignKeys.isDeferred(key))
        }
        for key in outgoing where isToCheck(key, new) {
            // The check that the own earlier version asked for is void with it.
            let columns = key.columns.map { KeyColumn(attribute: $0) }
            if wasOwn {
                noteWritten(key)
            } else if table.differs(columns, old, new) {
                noteWritten(key)
            }
        }
    }

    func noteDeleted(_ old: [Datum]) throws(SQLError) {
        for (reference, key) in incoming {
            let values = key.referencedColumns.map { old[Int($0) - 1] }
            if values.contains(where: \.isNull) { continue }
            try requireWorker()
            note(
                reference, .deleted(values),
                isDeferred: key.onDelete == .noAction && transaction.foreignKeys.isDeferred(key))
        }
    }

    /// Looking for referencing rows may take long.
    private func requireWorker() throws(SQLError) {
        if !transaction.mayWait { throw .diskWait }
    }
}
