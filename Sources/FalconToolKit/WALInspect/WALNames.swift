import FalconChanges
import FalconSchema
import FalconStorage

/// Names for the storage that keys lie in, from the catalog rows of the log, its CHECKPOINTs, or the
/// directory's own catalog. What a name is not known for keeps its numbers.
final class WALNames {
    let schema = SchemaHistory()
    /// Changes with the schema.
    private(set) var generation = 0
    /// Catalog rows that cannot be decoded: their tables keep their numbers.
    private(set) var undecodable = 0

    /// Brings what a log lacks that does not reach back to its beginning.
    func prepare(
        _ place: DataDirectory, firstLSN: LSN, environment: StorageEnvironment
    ) throws(StorageError) {
        guard firstLSN > ChangeReader.beginningLSN else { return }
        let root = place.names.root
        let isData = !place.isLogAlone
        if place.names.walDirectory == place.wal,
            let checkpoint = try ChangeReader.firstCheckpoint(root: root, environment.fileSystem)
        {
            take(checkpoint)
        } else if isData {
            do throws(StorageError) {
                try schema.load(root: root, environment: environment)
                generation += 1
            } catch {
                // A damaged directory: the numbers have to do.
            }
        }
    }

    private func take(_ checkpoint: CheckpointRecord) {
        for entry in checkpoint.catalog {
            do throws(StorageError) {
                try schema.apply(key: entry.key, value: entry.value)
            } catch { undecodable += 1 }
        }
        generation += 1
    }

    /// Takes in the catalog rows of a record, before its rows are shown.
    func take(_ record: WALRecord) {
        switch record.tag {
        case .checkpoint:
            if let found = CheckpointRecord(record.body) { take(found) }
        case .commit: take(CommitRecordView(record.body)?.operations())
        case .batchPart: take(BatchPartView(record.body)?.operations())
        default: break
        }
    }

    private func take(_ operations: WALOperationIterator?) {
        guard var operations else { return }
        while let operation = operations.next() {
            guard operation.operationClass == .catalog, operation.kind == .put else { continue }
            do throws(StorageError) {
                try schema.apply(key: operation.key, value: operation.value)
            } catch { undecodable += 1 }
        }
        generation += 1
    }

    /// The table that `key` belongs to: as a row, an index entry, or the table's own catalog row.
    func table(of key: UnsafeRawBufferPointer) -> TableView? {
        schema.table(of: key) ?? schema.index(of: key)?.table ?? schema.table(ofCatalogKey: key)
    }

    /// The storage that `key` lies in: `public.t`, `t_note_idx on public.t`, `catalog tables`,
    /// `storage 5/1001`; nil for a key that no schema made.
    func storage(of key: UnsafeRawBufferPointer) -> String? {
        if let table = schema.table(of: key) { return table.name }
        if let (index, table) = schema.index(of: key) { return "\(index.name) on \(table.name)" }
        guard let (database, storage) = KeyCodec.parsePrefix(key), storage.rawValue > 0,
            database.rawValue < 1 << 24, storage.rawValue < 1 << 24
        else { return nil }
        switch storage {
        case CatalogKeys.databases: return "catalog databases"
        case CatalogKeys.counters: return "catalog counters"
        case CatalogKeys.schemas: return "catalog schemas"
        case CatalogKeys.tables: return "catalog tables"
        case CatalogKeys.views: return "catalog views"
        case CatalogKeys.sequences: return "catalog sequences"
        case CatalogKeys.sequenceStates: return "sequence states"
        case CatalogKeys.roles: return "catalog roles"
        case CatalogKeys.comments: return "catalog comments"
        case CatalogKeys.statistics: return "table statistics"
        default: return "storage \(database.rawValue)/\(storage.rawValue)"
        }
    }
}
