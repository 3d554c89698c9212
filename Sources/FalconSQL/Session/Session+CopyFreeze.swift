import FalconSchema

extension Session {
    /// COPY … FREEZE is for a table that nobody else can see yet. Rows are then no different here: every
    /// snapshot that is older than the commit finds the table without them, as it would in any case.
    /// - Returns: why `table` is not such a table; nil: it is.
    func freezeRefusal(of table: TableDescriptor) -> SQLError? {
        if portals.values.contains(where: \.isCursor) {
            return SQLError(
                SQLState("25000"),
                "cannot perform COPY FREEZE because of prior transaction activity")
        }
        if transaction.isStorageNew(of: table) { return nil }
        return SQLError(
            .objectNotInPrerequisiteState,
            "cannot perform COPY FREEZE because the table was not created or truncated in the "
                + "current subtransaction")
    }
}

extension Transaction {
    /// Whether the table's rows go to storage made since the last savepoint that is still set.
    func isStorageNew(of table: TableDescriptor) -> Bool {
        guard createdStorage.contains(table.storageID) else { return false }
        let made = changes.firstIndex { change in
            if case .putTable(let new) = change { return new.storageID == table.storageID }
            return false
        }
        return made.map { $0 >= savepoints.last?.changeCount ?? 0 } ?? false
    }
}
