import FalconStorage

/// A FOREIGN KEY constraint, as the referencing table's descriptor holds it.
public struct ForeignKeyDescriptor: Sendable {
    /// What happens to referencing rows when the row they name goes or gets another key.
    public enum Action: UInt8, Sendable {
        case noAction, restrict, cascade, setNull, setDefault

        /// PostgreSQL's letter: pg_constraint's confupdtype and confdeltype, and the parser's.
        public var letter: Unicode.Scalar {
            switch self {
            case .noAction: "a"
            case .restrict: "r"
            case .cascade: "c"
            case .setNull: "n"
            case .setDefault: "d"
            }
        }

        public init?(letter: String) {
            switch letter {
            case "a": self = .noAction
            case "r": self = .restrict
            case "c": self = .cascade
            case "n": self = .setNull
            case "d": self = .setDefault
            default: return nil
            }
        }
    }

    public var oid: OID
    public var name: String
    /// The referencing columns' attribute numbers, in the order they were written.
    public var columns: [Int16]
    public var referencedTable: OID
    /// Parallel to `columns`.
    public var referencedColumns: [Int16]
    /// The unique index that makes a referenced key unambiguous.
    public var referencedIndex: OID
    public var onUpdate: Action
    public var onDelete: Action
    /// Of ON DELETE SET NULL (…) and SET DEFAULT (…); empty: all.
    public var deleteColumns: [Int16]
    /// MATCH FULL: all columns are null or none is.
    public var isMatchFull: Bool
    public var isDeferrable: Bool
    public var isInitiallyDeferred: Bool
    /// False from NOT VALID to VALIDATE CONSTRAINT: rows from before may break it.
    public var isValidated: Bool

    public init(
        oid: OID, name: String, columns: [Int16], referencedTable: OID,
        referencedColumns: [Int16], referencedIndex: OID, onUpdate: Action = .noAction,
        onDelete: Action = .noAction, deleteColumns: [Int16] = [], isMatchFull: Bool = false,
        isDeferrable: Bool = false, isInitiallyDeferred: Bool = false, isValidated: Bool = true
    ) {
        self.oid = oid
        self.name = name
        self.columns = columns
        self.referencedTable = referencedTable
        self.referencedColumns = referencedColumns
        self.referencedIndex = referencedIndex
        self.onUpdate = onUpdate
        self.onDelete = onDelete
        self.deleteColumns = deleteColumns
        self.isMatchFull = isMatchFull
        self.isDeferrable = isDeferrable
        self.isInitiallyDeferred = isInitiallyDeferred
        self.isValidated = isValidated
    }
}

/// Its part of a stored table descriptor:
///
///     oid u32 | name | referenced table u32 | referenced index u32
///     on update u8 | on delete u8 (0 no action, 1 restrict, 2 cascade, 3 set null, 4 set default)
///     flags u8 (1 match full, 2 deferrable, 4 initially deferred, 8 validated)
///     attributes: columns | referenced columns | columns of ON DELETE SET
///
/// An attribute list is a varint count and i16 each.
extension ForeignKeyDescriptor {
    func append(to writer: inout ByteWriter) {
        writer.appendFixed(oid.rawValue)
        writer.appendLengthPrefixed(name)
        writer.appendFixed(referencedTable.rawValue)
        writer.appendFixed(referencedIndex.rawValue)
        writer.append(onUpdate.rawValue)
        writer.append(onDelete.rawValue)
        writer.append(
            (isMatchFull ? 1 : 0) | (isDeferrable ? 2 : 0) | (isInitiallyDeferred ? 4 : 0)
                | (isValidated ? 8 : 0))
        for list in [columns, referencedColumns, deleteColumns] { writer.appendAttributes(list) }
    }

    init?(_ reader: inout ByteReader) {
        guard let oid = reader.readFixed(UInt32.self), let name = reader.readString(),
            let table = reader.readFixed(UInt32.self), let index = reader.readFixed(UInt32.self),
            let onUpdate = reader.readByte().flatMap({ Action(rawValue: $0) }),
            let onDelete = reader.readByte().flatMap({ Action(rawValue: $0) }),
            let flags = reader.readByte(), let columns = reader.readAttributes(),
            let referenced = reader.readAttributes(), let deleted = reader.readAttributes(),
            !columns.isEmpty, columns.count == referenced.count
        else { return nil }
        self.init(
            oid: OID(oid), name: name, columns: columns, referencedTable: OID(table),
            referencedColumns: referenced, referencedIndex: OID(index), onUpdate: onUpdate,
            onDelete: onDelete, deleteColumns: deleted, isMatchFull: flags & 1 != 0,
            isDeferrable: flags & 2 != 0, isInitiallyDeferred: flags & 4 != 0,
            isValidated: flags & 8 != 0)
    }
}
