import FalconSchema
import FalconStorage

/// What the log's CHECKPOINT records hold of the catalog: databases, schemas and tables, all that a
/// reader of rows needs.
public enum CatalogCheckpoint {
    /// For ``EngineOptions/catalogReader``.
    public static let reader: CatalogRowReader = { rows throws(StorageError) in
        var entries = try rows(
            KeyRange(prefix: CatalogKeys.prefix(CatalogKeys.shared, CatalogKeys.databases)))
        for database in entries {
            let id = database.value.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                return reader.readFixed(UInt32.self)
            }
            guard let id else {
                throw StorageError(.corruption, kind: .bug, "A database's catalog row is damaged.")
            }
            for storage in [CatalogKeys.schemas, CatalogKeys.tables] {
                entries += try rows(KeyRange(prefix: CatalogKeys.prefix(DatabaseID(id), storage)))
            }
        }
        return entries
    }
}
