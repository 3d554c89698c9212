import FalconStorage

/// A column's sort direction inside a key.
public struct KeyColumn: Hashable, Sendable {
    /// 1-based attribute number in the table.
    public var attribute: Int16
    public var isDescending: Bool
    public var nullsFirst: Bool
    public init(attribute: Int16, isDescending: Bool = false, nullsFirst: Bool = false) {
        self.attribute = attribute
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst
    }
}

/// One column. `attribute` is never reused within a table; a dropped column keeps its slot.
public struct ColumnDescriptor: Sendable {
    public var name: String
    public var attribute: Int16
    public var type: SQLType
    public var isNotNull: Bool
    public var isDropped: Bool
    /// The default as SQL expression text, or nil.
    public var defaultExpression: String?
    /// What rows written before the column existed read as (ADD COLUMN with a constant default).
    public var missingValue: Datum
    public init(
        name: String, attribute: Int16, type: SQLType, isNotNull: Bool = false,
        isDropped: Bool = false, defaultExpression: String? = nil, missingValue: Datum = .null
    ) {
        self.name = name
        self.attribute = attribute
        self.type = type
        self.isNotNull = isNotNull
        self.isDropped = isDropped
        self.defaultExpression = defaultExpression
        self.missingValue = missingValue
    }
}

/// When a DEFERRABLE constraint is checked unless SET CONSTRAINTS says otherwise.
public enum ConstraintDeferral: Sendable {
    /// At the end of the statement.
    case initiallyImmediate
    /// At the commit.
    case initiallyDeferred
}

/// WHERE of a partial index.
public struct IndexPredicate: Sendable, Equatable {
    /// As SQL text over the table's columns, unqualified. It reads the same under any settings.
    public var expression: String
    /// The columns it names, ascending.
    public var attributes: [Int16]
    public init(expression: String, attributes: [Int16]) {
        self.expression = expression
        self.attributes = attributes
    }
}

/// A secondary index, or the primary key (whose storage id is the table's own body).
public struct IndexDescriptor: Sendable {
    public var oid: OID
    public var name: String
    public var storageID: StorageID
    /// No two rows have an entry of the same columns at any time: the entry is keyed by them alone.
    public var isUnique: Bool
    /// The table's body, keyed by the primary key.
    public var isPrimary: Bool
    /// Made by a UNIQUE or PRIMARY KEY constraint of the same name, not by CREATE INDEX.
    public var isConstraint: Bool
    public var columns: [KeyColumn]
    /// Of a DEFERRABLE constraint: rows are held against each other later, `isUnique` is false, and a
    /// primary key is no body.
    public var deferral: ConstraintDeferral?
    /// Made by PRIMARY KEY.
    public var isPrimaryKey: Bool

    /// Of a partial index: rows have an entry only while this is true of them.
    public var predicate: IndexPredicate?
    /// False: CREATE INDEX CONCURRENTLY has failed. Nobody reads it, and rows have no entries.
    public var isValid = true
    /// The columns of INCLUDE. Entries do not have them: they decide neither on uniqueness nor on order, and a
    /// reader takes them from the row.
    public var included: [Int16] = []

    /// It keeps rows unique, be it later.
    public var enforcesUnique: Bool { isUnique || deferral != nil }
    /// It keeps every row of the table unique: other tables may reference its columns.
    public var isKey: Bool { enforcesUnique && predicate == nil && isValid }
    /// The columns whose values decide on a row's entry.
    public var attributes: Set<Int16> {
        Set(columns.map(\.attribute)).union(predicate?.attributes ?? [])
    }
    /// The key columns, then those of INCLUDE.
    public var allAttributes: [Int16] { columns.map(\.attribute) + included }
    /// Whether the index goes when the column goes.
    public func mentions(_ attribute: Int16) -> Bool {
        attributes.contains(attribute) || included.contains(attribute)
    }

    public init(
        oid: OID, name: String, storageID: StorageID, isUnique: Bool, isPrimary: Bool,
        isConstraint: Bool, columns: [KeyColumn], deferral: ConstraintDeferral? = nil,
        isPrimaryKey: Bool? = nil, predicate: IndexPredicate? = nil
    ) {
        self.predicate = predicate
        self.oid = oid
        self.name = name
        self.storageID = storageID
        self.isUnique = isUnique
        self.isPrimary = isPrimary
        self.isConstraint = isConstraint
        self.columns = columns
        self.deferral = deferral
        self.isPrimaryKey = isPrimaryKey ?? isPrimary
    }
}

/// A CHECK constraint, as SQL expression text.
public struct CheckDescriptor: Sendable {
    public var oid: OID
    public var name: String
    public var expression: String
    public init(oid: OID, name: String, expression: String) {
        self.oid = oid
        self.name = name
        self.expression = expression
    }
}

/// Everything needed to read and write a table's rows: what the catalog stores under the table's
/// key, whole, in each DDL commit.
public struct TableDescriptor: Sendable {
    /// What the names of the schemas of sessions' temporary tables begin with.
    public static let temporarySchemaPrefix = "pg_temp_"

    public var oid: OID
    public var database: DatabaseID
    public var schemaOID: OID
    public var schema: String
    public var name: String
    /// Rises with every DDL on the table; rows carry the version they were written under.
    public var version: UInt32
    /// Where the rows live: keyed by the primary key, else by a hidden 64-bit row id.
    public var storageID: StorageID
    /// Key columns of the body; empty when rows are keyed by the hidden row id.
    public var primaryKey: [KeyColumn]
    /// By attribute number - 1, dropped ones included.
    public var columns: [ColumnDescriptor]
    public var indexes: [IndexDescriptor]
    public var checks: [CheckDescriptor]
    /// Those that this table has; those that reference it are in the referencing tables' descriptors.
    public var foreignKeys: [ForeignKeyDescriptor]
    public var ownerOID: OID
    /// What changes of rows carry of the rows as they were.
    public var replicaIdentity: ReplicaIdentity
    public init(
        oid: OID, database: DatabaseID, schemaOID: OID, schema: String, name: String,
        version: UInt32, storageID: StorageID, primaryKey: [KeyColumn] = [],
        columns: [ColumnDescriptor], indexes: [IndexDescriptor] = [],
        checks: [CheckDescriptor] = [], foreignKeys: [ForeignKeyDescriptor] = [],
        ownerOID: OID = 10, replicaIdentity: ReplicaIdentity = .primaryKey
    ) {
        self.replicaIdentity = replicaIdentity
        self.oid = oid
        self.database = database
        self.schemaOID = schemaOID
        self.schema = schema
        self.name = name
        self.version = version
        self.storageID = storageID
        self.primaryKey = primaryKey
        self.columns = columns
        self.indexes = indexes
        self.checks = checks
        self.foreignKeys = foreignKeys
        self.ownerOID = ownerOID
    }
    public var hasHiddenRowID: Bool { primaryKey.isEmpty }
}

extension TableDescriptor {
    /// What an index's entries are keyed by, as far as every entry has it: its columns, and the primary key behind those
    /// of an index that is not unique. (A unique one's entries have it only where a column is NULL.)
    public func entryColumns(of index: IndexDescriptor) -> [KeyColumn] {
        index.isPrimary || index.isUnique ? index.columns : index.columns + primaryKey
    }
}
