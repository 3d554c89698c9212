import FalconChanges
import FalconStorage

/// A schema as far as it can be read: of what cannot, the tables stay nameless. Each function says what that was.
extension SchemaHistory {
    /// Brings the schema of a log that does not reach back to its beginning: what `load` knows, and over it the
    /// first CHECKPOINT of the log, which knows tables that are no longer there at its end.
    func begin(
        _ root: String, _ fileSystem: any FileSystem,
        _ load: (SchemaHistory) throws(StorageError) -> Void
    ) throws(StorageError) -> StorageError? {
        var problem: StorageError?
        do throws(StorageError) {
            try load(self)
        } catch  where error.code != .cancelled {
            // Damaged tables, say. The log's own catalog rows may do.
            problem = error
        }
        if let checkpoint = try ChangeReader.firstCheckpoint(root: root, fileSystem) {
            problem = try takeReadable(checkpoint) ?? problem
        }
        return problem
    }

    /// Takes in what can be decoded of a CHECKPOINT.
    func takeReadable(_ checkpoint: CheckpointRecord) throws(StorageError) -> StorageError? {
        var problem: StorageError?
        for entry in checkpoint.catalog {
            problem =
                try readable { () throws(StorageError) in
                    try apply(key: entry.key, value: entry.value)
                } ?? problem
        }
        return problem
    }

    /// Takes in an operation where it is the catalog's.
    func takeReadable(_ operation: WALOperation) throws(StorageError) -> StorageError? {
        guard operation.operationClass == .catalog else { return nil }
        return try readable { () throws(StorageError) in try take(operation) }
    }

    private func readable(
        _ take: () throws(StorageError) -> Void
    ) throws(StorageError) -> StorageError? {
        do throws(StorageError) {
            try take()
            return nil
        } catch  where error.code == .corruption || error.code == .unsupportedFormat {
            return error
        }
    }
}
