import FalconSchema
import FalconStorage

@testable import FalconSQL

/// Tables made by hand, for tests of binder and planner without an engine.
final class TestCatalog: CatalogReader {
    private var tables: [TableDescriptor] = []
    private var rows: [String: Double] = [:]
    let searchPath = ["pg_catalog", "public"]

    /// `columns` as "name type" pairs; `key` by name; `indexes` as name: columns.
    @discardableResult
    func add(
        _ name: String, _ columns: [(String, SQLType)], key: [String] = [],
        indexes: [(name: String, columns: [String], isUnique: Bool)] = [], rows: Double = 1000,
        checks: [CheckDescriptor] = [], defaults: [String: String] = [:]
    ) -> TableDescriptor {
        let oid = OID(UInt32(20_000 + tables.count * 100))
        func part(_ column: String) -> KeyColumn {
            let index = columns.firstIndex { $0.0 == column } ?? 0
            return KeyColumn(attribute: Int16(index + 1))
        }
        let storage = StorageID(rawValue: UInt32(2000 + tables.count * 10))
        var descriptors: [IndexDescriptor] = []
        if !key.isEmpty {
            descriptors.append(
                IndexDescriptor(
                    oid: OID(oid.rawValue + 1), name: name + "_pkey", storageID: storage,
                    isUnique: true, isPrimary: true, isConstraint: true, columns: key.map(part)))
        }
        for (number, index) in indexes.enumerated() {
            descriptors.append(
                IndexDescriptor(
                    oid: OID(oid.rawValue + UInt32(number) + 2), name: index.name,
                    storageID: StorageID(rawValue: storage.rawValue + UInt32(number) + 1),
                    isUnique: index.isUnique, isPrimary: false, isConstraint: false,
                    columns: index.columns.map(part)))
        }
        let table = TableDescriptor(
            oid: oid, database: DatabaseID(rawValue: 1), schemaOID: OID(2200), schema: "public",
            name: name, version: 1, storageID: storage, primaryKey: key.map(part),
            columns: columns.enumerated().map { index, column in
                ColumnDescriptor(
                    name: column.0, attribute: Int16(index + 1), type: column.1,
                    isNotNull: key.contains(column.0), defaultExpression: defaults[column.0])
            }, indexes: descriptors, checks: checks)
        tables.append(table)
        self.rows[name] = rows
        return table
    }

    func table(schema: String?, name: String) throws(SQLError) -> TableDescriptor? {
        tables.first { $0.name == name && (schema == nil || $0.schema == schema) }
    }
    func table(oid: OID) throws(SQLError) -> TableDescriptor? { tables.first { $0.oid == oid } }
    func schemaExists(_ name: String) throws(SQLError) -> Bool { searchPath.contains(name) }
    func estimatedRowCount(of table: TableDescriptor) -> Double? { rows[table.name] }

    static var pgbench: TestCatalog {
        let catalog = TestCatalog()
        catalog.add(
            "pgbench_accounts",
            [
                ("aid", .int4), ("bid", .int4), ("abalance", .int4),
                ("filler", SQLType(.bpchar, modifier: 88)),
            ], key: ["aid"], rows: 100_000)
        catalog.add(
            "pgbench_branches", [("bid", .int4), ("bbalance", .int4)], key: ["bid"], rows: 1)
        catalog.add(
            "pgbench_tellers", [("tid", .int4), ("bid", .int4), ("tbalance", .int4)], key: ["tid"],
            rows: 10)
        catalog.add(
            "pgbench_history",
            [
                ("tid", .int4), ("bid", .int4), ("aid", .int4), ("delta", .int4),
                ("mtime", .timestamp), ("filler", SQLType(.bpchar, modifier: 26)),
            ], rows: 1000)
        return catalog
    }

    static var context: FunctionContext {
        FunctionContext(
            settings: DisplaySettings(), transactionTimestamp: 0, statementTimestamp: 0,
            session: nil)
    }

    func plan(_ sql: String, _ types: [OID] = []) throws(SQLError) -> PhysicalPlan {
        guard let parsed = try SQLParser.parse(sql).first else {
            throw SQLError(.syntaxError, "no statement")
        }
        return try StatementPlanner(catalog: self, context: Self.context).plan(
            parsed.statement, parameterTypes: types)
    }

    func explain(_ sql: String) throws(SQLError) -> [String] {
        var options = try ExplainOptions([])
        options.showsCosts = false
        var builder = ExplainBuilder(plan: try plan(sql), options: options, report: ExplainReport())
        return ExplainText(options: options, report: ExplainReport()).lines(builder.tree())
    }

    func failure(_ sql: String) -> SQLError? {
        do throws(SQLError) {
            _ = try plan(sql)
            return nil
        } catch { return error }
    }
}
