import FalconSchema
import FalconStorage

extension Session {
    /// VACUUM, with FULL or without: compacts the tables' rows and index entries down to what the oldest
    /// snapshot still needs, so that their space is given back when it returns. Locks nothing; canceled like
    /// any statement, and what is compacted by then stays so.
    /// - Parameter tables: nil: the whole database.
    func vacuum(_ tables: [TableDescriptor]?) throws(SQLError) {
        guard let tables else {
            let last = state.id.rawValue.addingReportingOverflow(1)
            return try compact(
                KeyRange(
                    lower: CatalogKeys.prefix(state.id, StorageID(0)),
                    upper: last.overflow
                        ? nil : CatalogKeys.prefix(DatabaseID(last.partialValue), StorageID(0))))
        }
        for table in tables {
            var storages = table.indexes.map(\.storageID)
            if !storages.contains(table.storageID) { storages.append(table.storageID) }
            // Of the system's own tables most are made when they are read.
            for storage in storages where storage.rawValue > 0 {
                try compact(KeyRange(prefix: CatalogKeys.prefix(table.database, storage)))
            }
        }
    }

    private func compact(_ range: KeyRange) throws(SQLError) {
        do throws(StorageError) {
            try database.engine.compact(range) { _ in !interrupt.isSet }
        } catch {
            if interrupt.isSet { try interrupt.check() }
            throw SQLError(storage: error)
        }
    }
}
