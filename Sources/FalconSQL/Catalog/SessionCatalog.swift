import FalconSchema
import FalconStorage

/// What a transaction's one snapshot may be too old for.
struct SnapshotReach {
    /// The snapshot's time, when some index was made after it: see ``Transaction/timestampBeforeIndexes``.
    var timestamp: Timestamp?
    /// Storage made by the transaction itself, from rows newer than its snapshot.
    var ownStorage: Set<StorageID> = []
}

/// The catalog as one statement sees it: the newest committed one plus the transaction's own DDL,
/// with the session's search path.
final class SessionCatalog: CatalogReader {
    let snapshot: CatalogSnapshot
    let searchPath: [String]
    let database: DatabaseState
    /// Where this session's temporary relations are (or would be); `pg_temp` is another name of it.
    let temporarySchema: String

    /// How old the rows are that are read.
    private let reach: SnapshotReach
    /// Where they are.
    private let engine: StorageEngine?
    /// What the transaction has written itself.
    private let own: WriteBatch?
    /// The tables' sizes that have been asked for.
    private(set) var estimates: [RowEstimates.Estimate] = []

    static let temporaryPrefix = TableDescriptor.temporarySchemaPrefix

    init(
        snapshot: CatalogSnapshot, searchPath: [String], database: DatabaseState,
        temporarySchema: String = "", reach: SnapshotReach = SnapshotReach(),
        engine: StorageEngine? = nil, own: WriteBatch? = nil
    ) {
        self.engine = engine
        self.own = own
        self.reach = reach
        self.temporarySchema = temporarySchema
        self.snapshot = snapshot
        self.searchPath = searchPath
        self.database = database
    }

    func schemaExists(_ name: String) throws(SQLError) -> Bool {
        snapshot.schemaNames[name] != nil
    }

    func table(schema: String?, name: String) throws(SQLError) -> TableDescriptor? {
        if let found = try relation(schema: schema, name: name) {
            return found.kind == .table ? snapshot.tables[found.oid] : nil
        }
        return VirtualTables.descriptor(schema: schema, name: name, searchPath: searchPath)
    }

    func table(oid: OID) throws(SQLError) -> TableDescriptor? {
        snapshot.tables[oid] ?? VirtualTables.descriptor(oid: oid)
    }

    func isUsable(_ index: IndexDescriptor, of table: TableDescriptor) -> Bool {
        if reach.ownStorage.contains(index.storageID) {
            return reach.ownStorage.contains(table.storageID)
        }
        guard let timestamp = reach.timestamp else { return true }
        return database.isComplete(index.storageID, at: timestamp)
    }

    func estimatedRowCount(of table: TableDescriptor) -> Double? {
        guard let engine, !VirtualTables.isVirtual(table) else { return nil }
        let own = ownCount(of: KeyRange(prefix: CatalogKeys.prefix(database.id, table.storageID)))
        if let known = estimates.first(where: { $0.storage == table.storageID }) {
            return known.rows + own
        }
        let estimate = database.rowEstimates.estimate(table.storageID, of: database.id, in: engine)
        estimates.append(estimate)
        return estimate.rows + own
    }

    private func ownCount(of range: KeyRange) -> Double {
        guard let own, !own.isEmpty else { return 0 }
        return Double(own.estimatedKeyCount(of: range))
    }

    func knownCount(of range: KeyRange, in table: TableDescriptor) -> Double? {
        guard let engine, !VirtualTables.isVirtual(table) else { return nil }
        return engine.knownKeyCount(of: range).map { Double($0) + ownCount(of: range) }
    }

    func rowsPerValue(of index: IndexDescriptor, columns: Int, rows: Double) -> Double? {
        guard let found = database.rowEstimates.statistics(of: index.storageID) else { return nil }
        // How many rows a partial index has none of nobody knows.
        return found.rowsPerValue(
            columns, of: index.predicate == nil ? rows : min(rows, found.rows))
    }

    func referencedColumns(of table: TableDescriptor) -> Set<Int16> {
        guard let references = snapshot.references[table.oid] else { return [] }
        return references.reduce(into: []) { columns, reference in
            columns.formUnion(snapshot.foreignKey(reference)?.key.referencedColumns ?? [])
        }
    }

    func relation(
        schema: String?, name: String
    ) throws(SQLError) -> (kind: RelationKind, oid: OID)? {
        if let schema {
            let full = schema == "pg_temp" ? temporarySchema : schema
            guard let oid = snapshot.schemaNames[full],
                let found = snapshot.relation(schema: oid, name: name)
            else { return nil }
            if full.hasPrefix(Self.temporaryPrefix), full != temporarySchema {
                throw SQLError(
                    .featureNotSupported, "cannot access temporary tables of other sessions")
            }
            return found
        }
        return relation(named: name)
    }

    /// What a name alone means.
    func relation(named name: String) -> (kind: RelationKind, oid: OID)? {
        for path in searchPath {
            guard let oid = snapshot.schemaNames[path] else { continue }
            if let found = snapshot.relation(schema: oid, name: name) { return found }
        }
        return nil
    }

    func viewDefinition(schema: String?, name: String) throws(SQLError) -> ViewDefinition? {
        guard let found = try relation(schema: schema, name: name), found.kind == .view,
            let view = snapshot.views[found.oid]
        else { return nil }
        let statements = try SQLParser.parse(view.query)
        guard case .select(let query)? = statements.first?.statement else { return nil }
        return ViewDefinition(
            oid: view.oid, schema: snapshot.schemas[view.schemaOID]?.name ?? "", name: view.name,
            columns: view.columns, query: query, checkOption: view.checkOption)
    }

    func sequence(schema: String?, name: String) throws(SQLError) -> TableDescriptor? {
        guard let found = try relation(schema: schema, name: name), found.kind == .sequence,
            let sequence = snapshot.sequences[found.oid]
        else { return nil }
        return VirtualTables.descriptor(
            of: sequence, schema: snapshot.schemas[sequence.schemaOID]?.name ?? "")
    }

    /// The schema that CREATE puts an unqualified name in: the first existing one of the path.
    func creationSchema(_ name: String?) throws(SQLError) -> SchemaEntry {
        if let name {
            guard let oid = snapshot.schemaNames[name], let schema = snapshot.schemas[oid] else {
                throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
            }
            if oid == CatalogSnapshot.pgCatalog || oid == CatalogSnapshot.informationSchema {
                throw SQLError(
                    .insufficientPrivilege, "permission denied to create \"\(name)\" objects",
                    detail: "System catalog modifications are currently disallowed.")
            }
            return schema
        }
        for path in searchPath
        where path != "pg_catalog" && !path.hasPrefix(Self.temporaryPrefix) {
            if let oid = snapshot.schemaNames[path], let schema = snapshot.schemas[oid] {
                return schema
            }
        }
        throw SQLError(.invalidSchemaName, "no schema has been selected to create in")
    }
}
