import FalconSchema
import FalconStorage

/// What a transaction defines, and which operations on storage that no descriptor names are the
/// definition's own: a body that a rewrite fills, a body or an index that goes.
struct TableDefinitions {
    /// The transaction creates, changes or drops a table.
    private var definesTables = false
    /// Every table it defines was known before: a body that is not known came with the transaction.
    private var knowsEarlierBodies = true
    /// Storage that it empties, by the eight bytes that begin the keys.
    private var removed: Set<UInt64> = []

    init() {}

    init(_ transaction: ChangeTransaction, _ schema: SchemaHistory) throws(StorageError) {
        var found = Self()
        try transaction.forEachOperation { operation throws(StorageError) in
            if operation.operationClass == .catalog,
                KeyCodec.parsePrefix(operation.key)?.1 == CatalogKeys.tables
            {
                found.definesTables = true
                if schema.table(ofCatalogKey: operation.key) == nil {
                    found.knowsEarlierBodies = false
                }
            } else if operation.kind == .rangeDelete, let prefix = Self.prefix(operation.key) {
                found.removed.insert(prefix)
            }
            return true
        }
        self = found
    }

    /// True when `operation`, on storage without a known descriptor, is no change of rows: no statement
    /// wrote it, or its body both came and went in this transaction.
    func owns(_ operation: WALOperation) -> Bool {
        guard definesTables else { return false }
        if operation.sql == .none { return true }
        guard let prefix = Self.prefix(operation.key), removed.contains(prefix) else {
            return false
        }
        return operation.kind != .rangeDelete || knowsEarlierBodies
    }

    private static func prefix(_ key: UnsafeRawBufferPointer) -> UInt64? {
        key.count >= KeyCodec.prefixLength ? key.loadUnaligned(as: UInt64.self) : nil
    }
}
