import FalconSchema
import FalconStorage

/// A system relation computed from the catalog when it is read.
struct VirtualTable: Sendable {
    let descriptor: TableDescriptor
    let rows: @Sendable (VirtualSource) throws(SQLError) -> [[Datum]]

    /// `columns` is PostgreSQL 15's column list: "name type" separated by commas.
    init(
        _ oid: UInt32, _ name: String, schema: String = "pg_catalog", _ columns: String,
        rows: @escaping @Sendable (VirtualSource) throws(SQLError) -> [[Datum]] = { _ in [] }
    ) {
        var described: [ColumnDescriptor] = []
        for part in columns.split(separator: ",") {
            let words = part.split(separator: " ")
            guard words.count == 2 else { continue }
            let type = TypeRegistry.descriptor(named: String(words[1]))?.oid ?? .text
            described.append(
                ColumnDescriptor(
                    name: String(words[0]), attribute: Int16(described.count + 1),
                    type: SQLType(type)))
        }
        descriptor = TableDescriptor(
            oid: OID(oid), database: DatabaseID(0),
            schemaOID: CatalogSnapshot.builtInSchemas[schema] ?? CatalogSnapshot.pgCatalog,
            schema: schema, name: name, version: 1, storageID: StorageID(0), columns: described)
        self.rows = rows
    }
}

/// What a system relation is computed from.
struct VirtualSource {
    let catalog: CatalogSnapshot
    let database: DatabaseState
    let session: (any SessionFunctions)?
}

/// System relations by name and OID. Their storage id is 0.
enum VirtualTables {
    private static let byName: [String: VirtualTable] = {
        var map: [String: VirtualTable] = [:]
        for table in SystemCatalog.tables {
            map[table.descriptor.schema + "." + table.descriptor.name] = table
        }
        return map
    }()
    private static let byOID: [OID: VirtualTable] = {
        var map: [OID: VirtualTable] = [:]
        for table in SystemCatalog.tables { map[table.descriptor.oid] = table }
        return map
    }()

    static func isVirtual(_ table: TableDescriptor) -> Bool { table.storageID.rawValue == 0 }

    static func descriptor(
        schema: String?, name: String, searchPath: [String]
    ) -> TableDescriptor? {
        if let schema { return byName[schema + "." + name]?.descriptor }
        for path in searchPath {
            if let found = byName[path + "." + name] { return found.descriptor }
        }
        return nil
    }

    static func descriptor(oid: OID) -> TableDescriptor? { byOID[oid]?.descriptor }

    // MARK: Sequences

    /// A sequence as those who read it see it.
    static func descriptor(of sequence: SequenceEntry, schema: String) -> TableDescriptor {
        TableDescriptor(
            oid: sequence.oid, database: DatabaseID(0), schemaOID: sequence.schemaOID,
            schema: schema, name: sequence.name, version: 1, storageID: StorageID(0),
            columns: SystemCatalog.sequenceColumns)
    }

    static func isSequence(_ table: TableDescriptor) -> Bool {
        isVirtual(table) && table.oid.rawValue >= CatalogKeys.firstUserOID
    }

    private static func rows(
        of sequence: SequenceEntry, _ transaction: Transaction
    ) throws(SQLError) -> [[Datum]] {
        let state = try transaction.database.sequenceState(
            sequence, engine: transaction.engine, mayWait: transaction.mayWait)
        let (position, ahead) = state.standing
        return [[.int(position.last), .int(Int64(ahead)), .bool(position.isCalled)]]
    }

    static func rows(
        _ table: TableDescriptor, _ transaction: Transaction,
        session: (any SessionFunctions)?
    ) throws(SQLError) -> [[Datum]] {
        if let sequence = transaction.catalog.sequences[table.oid] {
            return try rows(of: sequence, transaction)
        }
        guard let found = byOID[table.oid] else { return [] }
        return try found.rows(
            VirtualSource(
                catalog: transaction.catalog, database: transaction.database, session: session))
    }
}
