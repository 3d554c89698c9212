import FalconSchema
import FalconStorage

/// Catalog changes from what a prepared transaction wrote, which has not spilled: the reverse of ``Transaction/record(_:)``.
extension CatalogStore {
    static func changes(
        in batch: WriteBatch, of database: DatabaseID
    ) throws(SQLError) -> [CatalogChange] {
        var changes: [CatalogChange] = []
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = batch.memoryOperation(at: ordinal), operation.class == .catalog,
                let change = try change(operation, of: database)
            else { continue }
            changes.append(change)
        }
        return changes
    }

    private static func change(
        _ operation: WriteBatch.Operation, of database: DatabaseID
    ) throws(SQLError) -> CatalogChange? {
        let key = operation.key
        guard key.count == 12 else { return nil }
        func number(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard number(0) == database.rawValue else { return nil }
        let oid = OID(number(8))
        let isPut = operation.kind == .put
        let value = operation.value
        switch StorageID(number(4)) {
        case CatalogKeys.schemas:
            return isPut ? .putSchema(try decodeSchema(oid, value)) : .dropSchema(oid)
        case CatalogKeys.tables:
            return isPut ? .putTable(try TableDescriptor(decoding: value)) : .dropTable(oid)
        case CatalogKeys.views:
            return isPut ? .putView(try decodeView(oid, value)) : .dropView(oid)
        case CatalogKeys.sequences:
            return isPut ? .putSequence(try decodeSequence(oid, value)) : .dropSequence(oid)
        default: return nil
        }
    }
}
