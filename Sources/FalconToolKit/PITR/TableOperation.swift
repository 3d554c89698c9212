import ArgumentParser
import FalconSchema
import FalconStorage

/// What a transaction can do to a table, for `--operation`.
enum TableOperation: String, CaseIterable, ExpressibleByArgument {
    case insert, update, delete, truncate, drop

    /// The statement behind a row's operation; nil: none, or the half of an UPDATE that takes a row from its old key.
    init?(_ operation: WALOperation) {
        guard operation.operationClass == .row else { return nil }
        switch operation.sql {
        case .insert: self = .insert
        case .update:
            guard operation.kind == .put else { return nil }
            self = .update
        case .delete: self = .delete
        case .truncate: self = .truncate
        case .none: return nil
        }
    }

    /// Whether an operation on a table's catalog row drops the table; nil: it is no such row.
    static func definition(_ operation: WALOperation) -> Bool? {
        guard operation.operationClass == .catalog,
            KeyCodec.parsePrefix(operation.key)?.storage == CatalogKeys.tables
        else { return nil }
        return operation.kind == .delete
    }
}
