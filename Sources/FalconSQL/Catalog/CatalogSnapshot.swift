import FalconSchema
import FalconStorage

/// A schema of one database.
struct SchemaEntry: Sendable {
    var oid: OID
    var name: String
    var ownerOID: OID
}

/// A foreign key as the referenced table sees it.
struct ForeignKeyReference: Hashable, Sendable {
    /// The referencing table.
    var table: OID
    var constraint: OID
}

/// What a name in a schema stands for: relations share one name space.
enum RelationKind: Sendable { case table, index, view, sequence }

/// A sequence's definition; its state lives under its own key.
struct SequenceEntry: Sendable {
    var oid: OID
    var schemaOID: OID
    var name: String
    var start: Int64
    var increment: Int64
    var minimum: Int64
    var maximum: Int64
    var isCycled: Bool
    /// The table whose column made it (SERIAL, OWNED BY): it goes when the table goes.
    var ownerTable: OID = .invalid
    var ownerAttribute: Int16 = 0
    /// smallint, integer or bigint.
    var type = OID.int8
    /// As it was given; values are not cached by sessions.
    var cache: Int64 = 1
    /// Names the running state. ALTER SEQUENCE gives it another one, so that its transaction may
    /// still be rolled back.
    var state: OID
    /// What the state begins with.
    var first: SequencePosition

    init(
        oid: OID, schemaOID: OID, name: String, start: Int64, increment: Int64, minimum: Int64,
        maximum: Int64, isCycled: Bool, ownerTable: OID = .invalid, ownerAttribute: Int16 = 0
    ) {
        self.oid = oid
        self.schemaOID = schemaOID
        self.name = name
        self.start = start
        self.increment = increment
        self.minimum = minimum
        self.maximum = maximum
        self.isCycled = isCycled
        self.ownerTable = ownerTable
        self.ownerAttribute = ownerAttribute
        state = oid
        first = SequencePosition(last: start, isCalled: false)
    }
}

/// Where a sequence stands.
struct SequencePosition: Equatable, Sendable {
    var last: Int64
    /// False: `last` itself is the next value.
    var isCalled: Bool
}

/// A view's definition.
struct ViewEntry: Sendable {
    var oid: OID
    var schemaOID: OID
    var name: String
    var columns: [String]
    var query: String
    var checkOption = ViewDefinition.CheckOption.none
}

/// One change of the catalog, as DDL makes it and as a commit applies it to the shared catalog.
enum CatalogChange: Sendable {
    case putTable(TableDescriptor)
    case dropTable(OID)
    case putSchema(SchemaEntry)
    case dropSchema(OID)
    case putView(ViewEntry)
    case dropView(OID)
    case putSequence(SequenceEntry)
    case dropSequence(OID)
}

/// The catalog of one database at one version. Immutable; DDL makes a new one.
final class CatalogSnapshot: @unchecked Sendable {
    /// From here on versions are of a transaction's own catalogs. Its tables' versions say nothing outside
    /// of it: when it is rolled back the next transaction uses them again.
    static let firstUncommittedVersion: UInt64 = 1 << 63

    let version: UInt64
    private(set) var schemas: [OID: SchemaEntry]
    private(set) var schemaNames: [String: OID]
    private(set) var tables: [OID: TableDescriptor]
    private(set) var views: [OID: ViewEntry]
    private(set) var sequences: [OID: SequenceEntry]
    /// Relation names by schema: tables, indexes, views.
    private(set) var names: [OID: [String: (kind: RelationKind, oid: OID)]]
    /// The table that each index belongs to.
    private(set) var indexOwners: [OID: OID]
    /// The foreign keys that reference each table, in the order they were made.
    private(set) var references: [OID: [ForeignKeyReference]]

    static let pgCatalog: OID = 11
    static let publicSchema: OID = 2200
    static let informationSchema: OID = 13_209
    /// Of our own system relations. It is not listed: to PostgreSQL's clients it would look like a
    /// schema of the user's.
    static let falconSchema: OID = 12_900
    static let builtInSchemas = [
        "pg_catalog": pgCatalog, "information_schema": informationSchema, "falcon": falconSchema,
    ]

    init(version: UInt64) {
        self.version = version
        schemas = [:]
        schemaNames = [:]
        tables = [:]
        views = [:]
        sequences = [:]
        names = [:]
        indexOwners = [:]
        references = [:]
        apply(.putSchema(.init(oid: Self.pgCatalog, name: "pg_catalog", ownerOID: 10)))
        apply(
            .putSchema(
                .init(oid: Self.informationSchema, name: "information_schema", ownerOID: 10)))
    }

    private init(copying other: CatalogSnapshot, version: UInt64) {
        self.version = version
        schemas = other.schemas
        schemaNames = other.schemaNames
        tables = other.tables
        views = other.views
        sequences = other.sequences
        names = other.names
        indexOwners = other.indexOwners
        references = other.references
    }

    /// This catalog with `changes` applied in order.
    func applying(_ changes: [CatalogChange], version: UInt64) -> CatalogSnapshot {
        let copy = CatalogSnapshot(copying: self, version: version)
        for change in changes { copy.apply(change) }
        return copy
    }

    private func apply(_ change: CatalogChange) {
        switch change {
        case .putTable(let table):
            if let old = tables[table.oid] { removeNames(of: old) }
            tables[table.oid] = table
            names[table.schemaOID, default: [:]][table.name] = (.table, table.oid)
            for index in table.indexes {
                names[table.schemaOID, default: [:]][index.name] = (.index, index.oid)
                indexOwners[index.oid] = table.oid
            }
            for key in table.foreignKeys {
                references[key.referencedTable, default: []].append(
                    ForeignKeyReference(table: table.oid, constraint: key.oid))
                references[key.referencedTable]?.sort { $0.constraint < $1.constraint }
            }
        case .dropTable(let oid):
            if let old = tables.removeValue(forKey: oid) { removeNames(of: old) }
        case .putSchema(let schema):
            if let old = schemas[schema.oid] { schemaNames[old.name] = nil }
            schemas[schema.oid] = schema
            schemaNames[schema.name] = schema.oid
        case .dropSchema(let oid):
            if let old = schemas.removeValue(forKey: oid) { schemaNames[old.name] = nil }
            names[oid] = nil
        case .putView(let view):
            if let old = views[view.oid] { names[old.schemaOID]?[old.name] = nil }
            views[view.oid] = view
            names[view.schemaOID, default: [:]][view.name] = (.view, view.oid)
        case .putSequence(let sequence):
            if let old = sequences[sequence.oid] { names[old.schemaOID]?[old.name] = nil }
            sequences[sequence.oid] = sequence
            names[sequence.schemaOID, default: [:]][sequence.name] = (.sequence, sequence.oid)
        case .dropSequence(let oid):
            if let old = sequences.removeValue(forKey: oid) {
                names[old.schemaOID]?[old.name] = nil
            }
        case .dropView(let oid):
            if let old = views.removeValue(forKey: oid) { names[old.schemaOID]?[old.name] = nil }
        }
    }

    private func removeNames(of table: TableDescriptor) {
        names[table.schemaOID]?[table.name] = nil
        for index in table.indexes {
            names[table.schemaOID]?[index.name] = nil
            indexOwners[index.oid] = nil
        }
        for key in table.foreignKeys {
            references[key.referencedTable]?.removeAll { $0.constraint == key.oid }
        }
    }

    // MARK: Lookups

    /// A foreign key with the table that has it.
    func foreignKey(
        _ reference: ForeignKeyReference
    ) -> (table: TableDescriptor, key: ForeignKeyDescriptor)? {
        guard let table = tables[reference.table],
            let key = table.foreignKeys.first(where: { $0.oid == reference.constraint })
        else { return nil }
        return (table, key)
    }

    func relation(
        schema: OID, name: String
    ) -> (kind: RelationKind, oid: OID)? { names[schema]?[name] }

    func table(schema: OID, name: String) -> TableDescriptor? {
        guard let entry = names[schema]?[name], entry.kind == .table else { return nil }
        return tables[entry.oid]
    }
}
