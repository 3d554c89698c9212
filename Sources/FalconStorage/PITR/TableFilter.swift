/// Rewrites tables without what is newer than a timestamp. Thread-safe.
struct TableFilter: Sendable {
    let source: TableStore
    let target: TableStore
    let newest: Timestamp
    /// See ``EngineOptions/catalogStorageLimit``.
    let catalogLimit: UInt32
    let random: any StorageRandom
    let copier: TableCopier

    /// The table under its own number and level, less what is newer; none where nothing is left.
    func rewrite(
        _ addition: VersionEdit.Addition
    ) throws(StorageError) -> [VersionEdit.Addition] {
        let newest = newest
        let reader: TableReader
        do throws(StorageError) {
            reader = try source.open(addition.file)
        } catch {
            throw try copier.explain(error, addition.file)
        }
        let output = TableOutput(
            store: target,
            options: .init(
                table: TableOptions(), targetBytes: .max, flushEpoch: addition.file.flushEpoch,
                keyCatalogLimit: catalogLimit),
            random: random,
            tombstones: reader.rangeTombstones.filter { $0.timestamp <= newest },
            allocateNumber: { addition.file.number })
        do throws(StorageError) {
            let entries = reader.makeIterator(fillCache: false)
            try entries.seekToFirst()
            while entries.isValid {
                if entries.timestamp <= newest {
                    try output.add(
                        key: entries.userKey, timestamp: entries.timestamp, kind: entries.kind,
                        value: entries.value)
                }
                try entries.next()
            }
            let made = try output.finish().map {
                VersionEdit.Addition(level: addition.level, file: $0)
            }
            try reader.close()
            return made
        } catch {
            output.abandon()
            try? reader.close()
            throw error
        }
    }
}
