import FalconSchema
import FalconStorage

/// What ANALYZE and VACUUM find of a table.
extension Session {
    /// Counts a table's rows and its indexes' entries, own writes included, and keeps that at once: as in PostgreSQL
    /// a rollback does not take it back.
    func gatherStatistics(of table: TableDescriptor) throws(SQLError) {
        var found: [(storageID: StorageID, statistics: TableStatistics)] = []
        for storageID in table.storages.sorted() {
            let prefix: [UInt8] = CatalogKeys.prefix(table.database, storageID)
            let range = KeyRange(prefix: prefix)
            let columns = table.indexes.first { $0.storageID == storageID }?.columns ?? []
            let count = try KeyCount(
                of: range, PrefixCount(of: columns, in: table, skipped: prefix.count),
                in: transaction)
            let pages = (count.bytes / TableStatistics.pageBytes).rounded(.up)
            found.append(
                (
                    storageID,
                    TableStatistics(
                        rows: count.keys, pages: Int32(min(pages, Double(Int32.max))),
                        versions: Double(database.engine.estimatedKeyCount(of: range)),
                        distinct: count.prefixes.distinct)
                ))
        }
        try store(found)
        for (storageID, statistics) in found {
            state.rowEstimates.set(statistics, of: storageID)
        }
    }

    private func store(
        _ found: [(storageID: StorageID, statistics: TableStatistics)]
    ) throws(SQLError) {
        if database.isReadOnly { return }
        let batch = WriteBatch()
        for (storageID, statistics) in found {
            // Nobody else knows of it: it goes with the transaction that made it.
            if transaction.createdStorage.contains(storageID) {
                try transaction.put(statistics, of: storageID)
                continue
            }
            try storage { () throws(StorageError) in
                try statistics.put(into: batch, database: state.id, storageID)
            }
        }
        if batch.isEmpty { return }
        let options = CommitOptions(durability: database.options.durability)
        _ = try storage { () throws(StorageError) in
            try database.engine.commitAndWait(batch, options)
        }
    }
}
