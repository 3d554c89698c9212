import FalconSchema

/// The views of information_schema, as far as they are.
extension SystemCatalog {
    static var informationTables: [VirtualTable] {
        [
            VirtualTable(
                13210, "tables", schema: "information_schema",
                "table_catalog name,table_schema name,table_name name,table_type varchar,"
                    + "self_referencing_column_name name,reference_generation varchar,"
                    + "user_defined_type_catalog name,user_defined_type_schema name,"
                    + "user_defined_type_name name,is_insertable_into varchar,is_typed varchar,"
                    + "commit_action varchar", rows: informationRelations),
            VirtualTable(
                13211, "columns", schema: "information_schema",
                "table_catalog name,table_schema name,table_name name,column_name name,"
                    + "ordinal_position int4,column_default varchar,is_nullable varchar,"
                    + "data_type varchar,character_maximum_length int4,udt_name name",
                rows: informationColumns),
            VirtualTable(
                13212, "schemata", schema: "information_schema",
                "catalog_name name,schema_name name,schema_owner name"
            ) { source in
                source.catalog.schemas.values.map {
                    [name(source.database.name), name($0.name), name("postgres")]
                }
            },
            VirtualTable(
                13213, "views", schema: "information_schema",
                "table_catalog name,table_schema name,table_name name,view_definition varchar,"
                    + "check_option varchar,is_updatable varchar,is_insertable_into varchar,"
                    + "is_trigger_updatable varchar,is_trigger_deletable varchar,"
                    + "is_trigger_insertable_into varchar", rows: informationViews),
        ]
    }

    private static func answer(_ flag: Bool) -> Datum { .text(flag ? "YES" : "NO") }

    private static func sortedViews(
        _ source: VirtualSource
    ) -> [(view: ViewEntry, schema: String)] {
        source.catalog.views.values.sorted { $0.oid < $1.oid }.map {
            ($0, source.catalog.schemas[$0.schemaOID]?.name ?? "")
        }
    }

    /// Whether rows of the view may be written through it.
    private static func isUpdatable(
        _ view: (view: ViewEntry, schema: String), _ source: VirtualSource
    ) -> Bool {
        guard let session = (source.session as? SessionBridge)?.session else { return false }
        return StatementPlanner(catalog: session.catalog, context: session.functions)
            .isUpdatable(view: view.view.name, schema: view.schema)
    }

    @Sendable private static func informationRelations(_ source: VirtualSource) -> [[Datum]] {
        func row(
            _ schema: String, _ relation: String, _ kind: String, isInsertable: Bool
        ) -> [Datum] {
            let isTemporary = schema.hasPrefix(SessionCatalog.temporaryPrefix)
            return [
                name(source.database.name), name(schema), name(relation),
                .text(isTemporary && kind == "BASE TABLE" ? "LOCAL TEMPORARY" : kind), .null,
                .null, .null, .null, .null, answer(isInsertable), answer(false), .null,
            ]
        }
        return sortedTables(source).map {
            row($0.schema, $0.name, "BASE TABLE", isInsertable: true)
        }
            + sortedViews(source).map {
                row($0.schema, $0.view.name, "VIEW", isInsertable: isUpdatable($0, source))
            }
    }

    @Sendable private static func informationColumns(_ source: VirtualSource) -> [[Datum]] {
        func row(_ schema: String, _ relation: String, _ column: ColumnDescriptor) -> [Datum] {
            let length: Datum =
                [.varchar, .bpchar].contains(column.type.oid) && column.type.modifier >= 4
                ? .int(Int64(column.type.modifier - 4)) : .null
            return [
                name(source.database.name), name(schema), name(relation), name(column.name),
                .int(Int64(column.attribute)),
                column.defaultExpression.map { .text($0) } ?? .null,
                answer(!column.isNotNull), .text(TypeText.sqlName(column.type.oid)), length,
                name(TypeRegistry.descriptor(column.type.oid)?.name ?? ""),
            ]
        }
        return sortedTables(source).flatMap { table in
            table.columns.filter { !$0.isDropped }.map { row(table.schema, table.name, $0) }
        }
            + sortedViews(source).flatMap { view in
                columns(of: view.view, source).map { row(view.schema, view.view.name, $0) }
            }
    }

    @Sendable private static func informationViews(_ source: VirtualSource) -> [[Datum]] {
        sortedViews(source).map { view in
            let updatable = answer(isUpdatable(view, source))
            let option =
                switch view.view.checkOption {
                case .none: "NONE"
                case .local: "LOCAL"
                case .cascaded: "CASCADED"
                }
            let definition = source.session?.viewDefinition(view.view.oid) ?? view.view.query
            return [
                name(source.database.name), name(view.schema), name(view.view.name),
                .text(definition), .text(option), updatable, updatable, answer(false),
                answer(false), answer(false),
            ]
        }
    }
}
