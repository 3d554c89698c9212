import FalconSchema
import FalconStorage

/// PostgreSQL's system relations, with PostgreSQL 15's columns. What FalconDB has no object for is
/// empty, but its queries type-check.
enum SystemCatalog {
    static func name(_ text: String) -> Datum { .text(text) }
    static func oid(_ value: OID) -> Datum { .int(Int64(value.rawValue)) }
    static func letter(_ text: Unicode.Scalar) -> Datum { .int(Int64(text.value)) }
    static let yes = Datum.bool(true)
    static let no = Datum.bool(false)

    static func int2vector(_ values: [Int16]) -> Datum {
        .array(
            ArrayValue(
                elementType: .int2,
                dimensions: values.isEmpty
                    ? [] : [(length: Int32(values.count), lowerBound: Int32(0))],
                elements: values.map { .int(Int64($0)) }))
    }
    static func oidvector(_ values: [OID]) -> Datum {
        .array(
            ArrayValue(
                elementType: .oid,
                dimensions: values.isEmpty
                    ? [] : [(length: Int32(values.count), lowerBound: Int32(0))],
                elements: values.map { oid($0) }))
    }

    static let tables: [VirtualTable] =
        ownTables + informationTables + functionTables + operatorClassTables + activityTables
        + lockTables + transactionTables + backupTables + slotTables + emptyTables

    private static var ownTables: [VirtualTable] {
        [
            VirtualTable(
                2615, "pg_namespace", "oid oid,nspname name,nspowner oid,nspacl _aclitem"
            ) { source in
                source.catalog.schemas.values.sorted { $0.oid < $1.oid }.map {
                    [oid($0.oid), name($0.name), oid($0.ownerOID), .null]
                }
            },
            VirtualTable(
                1259, "pg_class",
                "oid oid,relname name,relnamespace oid,reltype oid,reloftype oid,relowner oid,"
                    + "relam oid,relfilenode oid,reltablespace oid,relpages int4,reltuples float4,"
                    + "relallvisible int4,reltoastrelid oid,relhasindex bool,relisshared bool,"
                    + "relpersistence char,relkind char,relnatts int2,relchecks int2,"
                    + "relhasrules bool,relhastriggers bool,relhassubclass bool,relrowsecurity bool,"
                    + "relforcerowsecurity bool,relispopulated bool,relreplident char,"
                    + "relispartition bool,relrewrite oid,relfrozenxid xid,relminmxid xid,"
                    + "relacl _aclitem,reloptions _text,relpartbound pg_node_tree", rows: classes),
            VirtualTable(
                1249, "pg_attribute",
                "attrelid oid,attname name,atttypid oid,attstattarget int4,attlen int2,attnum int2,"
                    + "attndims int4,attcacheoff int4,atttypmod int4,attbyval bool,attalign char,"
                    + "attstorage char,attcompression char,attnotnull bool,atthasdef bool,"
                    + "atthasmissing bool,attidentity char,attgenerated char,attisdropped bool,"
                    + "attislocal bool,attinhcount int4,attcollation oid,attacl _aclitem,"
                    + "attoptions _text,attfdwoptions _text,attmissingval anyarray",
                rows: attributes),
            VirtualTable(
                1247, "pg_type",
                "oid oid,typname name,typnamespace oid,typowner oid,typlen int2,typbyval bool,"
                    + "typtype char,typcategory char,typispreferred bool,typisdefined bool,"
                    + "typdelim char,typrelid oid,typsubscript regproc,typelem oid,typarray oid,"
                    + "typinput regproc,typoutput regproc,typreceive regproc,typsend regproc,"
                    + "typmodin regproc,typmodout regproc,typanalyze regproc,typalign char,"
                    + "typstorage char,typnotnull bool,typbasetype oid,typtypmod int4,"
                    + "typndims int4,typcollation oid,typdefaultbin pg_node_tree,typdefault text,"
                    + "typacl _aclitem", rows: types),
            VirtualTable(
                2610, "pg_index",
                "indexrelid oid,indrelid oid,indnatts int2,indnkeyatts int2,indisunique bool,"
                    + "indnullsnotdistinct bool,indisprimary bool,indisexclusion bool,"
                    + "indimmediate bool,indisclustered bool,indisvalid bool,indcheckxmin bool,"
                    + "indisready bool,indislive bool,indisreplident bool,indkey int2vector,"
                    + "indcollation oidvector,indclass oidvector,indoption int2vector,"
                    + "indexprs pg_node_tree,indpred pg_node_tree", rows: indexes),
            VirtualTable(
                2606, "pg_constraint",
                "oid oid,conname name,connamespace oid,contype char,condeferrable bool,"
                    + "condeferred bool,convalidated bool,conrelid oid,contypid oid,conindid oid,"
                    + "conparentid oid,confrelid oid,confupdtype char,confdeltype char,"
                    + "confmatchtype char,conislocal bool,coninhcount int4,connoinherit bool,"
                    + "conkey _int2,confkey _int2,conpfeqop _oid,conppeqop _oid,conffeqop _oid,"
                    + "confdelsetcols _int2,conexclop _oid,conbin pg_node_tree", rows: constraints),
            VirtualTable(
                2604, "pg_attrdef", "oid oid,adrelid oid,adnum int2,adbin pg_node_tree"
            ) { source in
                source.catalog.tables.values.flatMap { table in
                    table.columns.compactMap { column in
                        column.defaultExpression.map {
                            [
                                oid(table.oid), oid(table.oid), .int(Int64(column.attribute)),
                                .text($0),
                            ]
                        }
                    }
                }
            },
            VirtualTable(
                1262, "pg_database",
                "oid oid,datname name,datdba oid,encoding int4,datlocprovider char,"
                    + "datistemplate bool,datallowconn bool,datconnlimit int4,datfrozenxid xid,"
                    + "datminmxid xid,dattablespace oid,datcollate text,datctype text,"
                    + "daticulocale text,datcollversion text,datacl _aclitem"
            ) { source in
                source.database.cluster.map { entry in
                    [
                        oid(entry.oid), name(entry.name), oid(10), .int(6), letter("c"),
                        .bool(entry.isTemplate), .bool(entry.allowsConnections),
                        .int(Int64(entry.connectionLimit)), .int(726), .int(1), oid(1663),
                        .text("C"), .text("C"), .null,
                        .null, .null,
                    ]
                }
            },
            VirtualTable(2601, "pg_am", "oid oid,amname name,amhandler regproc,amtype char") { _ in
                [
                    [oid(2), name("heap"), .int(3), letter("t")],
                    [oid(403), name("btree"), .int(330), letter("i")],
                    [oid(405), name("hash"), .int(331), letter("i")],
                ]
            },
            VirtualTable(
                12001, "pg_roles",
                "rolname name,rolsuper bool,rolinherit bool,rolcreaterole bool,rolcreatedb bool,"
                    + "rolcanlogin bool,rolreplication bool,rolconnlimit int4,rolpassword text,"
                    + "rolvaliduntil timestamptz,rolbypassrls bool,rolconfig _text,oid oid"
            ) { source in
                roles(source).map {
                    [
                        name($0.name), .bool($0.isSuperuser), .bool(!$0.has(.noInheritance)),
                        .bool($0.has(.createsRoles)), .bool($0.has(.createsDatabases)),
                        .bool($0.has(.login)), .bool($0.has(.replication)), .int(-1),
                        .text("********"), .null, .bool($0.has(.bypassesRowSecurity)), .null,
                        oid($0.oid),
                    ]
                }
            },
            VirtualTable(
                1260, "pg_authid",
                "oid oid,rolname name,rolsuper bool,rolinherit bool,rolcreaterole bool,"
                    + "rolcreatedb bool,rolcanlogin bool,rolreplication bool,rolbypassrls bool,"
                    + "rolconnlimit int4,rolpassword text,rolvaliduntil timestamptz"
            ) { source in
                roles(source).map {
                    [
                        oid($0.oid), name($0.name), .bool($0.isSuperuser),
                        .bool(!$0.has(.noInheritance)), .bool($0.has(.createsRoles)),
                        .bool($0.has(.createsDatabases)), .bool($0.has(.login)),
                        .bool($0.has(.replication)), .bool($0.has(.bypassesRowSecurity)),
                        .int(-1), .null, .null,
                    ]
                }
            },
            VirtualTable(
                1261, "pg_auth_members",
                "roleid oid,member oid,grantor oid,admin_option bool"),
            VirtualTable(
                12002, "pg_settings",
                "name text,setting text,unit text,category text,short_desc text,extra_desc text,"
                    + "context text,vartype text,source text,min_val text,max_val text,"
                    + "enumvals _text,boot_val text,reset_val text,sourcefile text,sourceline int4,"
                    + "pending_restart bool", rows: settings),
            VirtualTable(
                12003, "pg_tables",
                "schemaname name,tablename name,tableowner name,tablespace name,hasindexes bool,"
                    + "hasrules bool,hastriggers bool,rowsecurity bool"
            ) { source in
                sortedTables(source).map { table in
                    [
                        name(table.schema), name(table.name), name("postgres"), .null,
                        .bool(!table.indexes.isEmpty), no, no, no,
                    ]
                }
            },
            VirtualTable(
                12004, "pg_indexes",
                "schemaname name,tablename name,indexname name,tablespace name,indexdef text"
            ) { source in
                sortedTables(source).flatMap { table in
                    table.indexes.map { index in
                        [
                            name(table.schema), name(table.name), name(index.name), .null,
                            .text(IndexText.definition(index, table)),
                        ]
                    }
                }
            },
            VirtualTable(
                12005, "pg_views",
                "schemaname name,viewname name,viewowner name,definition text"
            ) { source in
                source.catalog.views.values.map { view in
                    [
                        name(source.catalog.schemas[view.schemaOID]?.name ?? ""), name(view.name),
                        name("postgres"), .text(view.query),
                    ]
                }
            },
            VirtualTable(
                2600, "pg_aggregate", "aggfnoid regproc,aggkind char,aggnumdirectargs int2"),
            VirtualTable(
                2609, "pg_description", "objoid oid,classoid oid,objsubid int4,description text",
                rows: descriptions),
            VirtualTable(
                2396, "pg_shdescription", "objoid oid,classoid oid,description text",
                rows: sharedDescriptions),
            VirtualTable(
                2608, "pg_depend",
                "classid oid,objid oid,objsubid int4,refclassid oid,refobjid oid,refobjsubid int4,"
                    + "deptype char", rows: dependencies),
            VirtualTable(
                2611, "pg_inherits",
                "inhrelid oid,inhparent oid,inhseqno int4,inhdetachpending bool"),
            VirtualTable(
                3350, "pg_partitioned_table",
                "partrelid oid,partstrat char,partnatts int2,partdefid oid,partattrs int2vector,"
                    + "partclass oidvector,partcollation oidvector,partexprs pg_node_tree"),
            VirtualTable(
                2620, "pg_trigger",
                "oid oid,tgrelid oid,tgparentid oid,tgname name,tgfoid oid,tgtype int2,"
                    + "tgenabled char,tgisinternal bool,tgconstrrelid oid,tgconstrindid oid,"
                    + "tgconstraint oid,tgdeferrable bool,tginitdeferred bool,tgnargs int2,"
                    + "tgattr int2vector,tgargs bytea,tgqual pg_node_tree,tgoldtable name,"
                    + "tgnewtable name"),
            VirtualTable(
                2618, "pg_rewrite",
                "oid oid,rulename name,ev_class oid,ev_type char,ev_enabled char,is_instead bool,"
                    + "ev_qual pg_node_tree,ev_action pg_node_tree"),
            VirtualTable(
                3256, "pg_policy",
                "oid oid,polname name,polrelid oid,polcmd char,polpermissive bool,polroles _oid,"
                    + "polqual pg_node_tree,polwithcheck pg_node_tree"),
            VirtualTable(
                3381, "pg_statistic_ext",
                "oid oid,stxrelid oid,stxname name,stxnamespace oid,stxowner oid,"
                    + "stxstattarget int4,stxkeys int2vector,stxkind _char,stxexprs pg_node_tree"),
            VirtualTable(
                6104, "pg_publication",
                "oid oid,pubname name,pubowner oid,puballtables bool,pubinsert bool,pubupdate bool,"
                    + "pubdelete bool,pubtruncate bool,pubviaroot bool"),
            VirtualTable(
                6106, "pg_publication_rel",
                "oid oid,prpubid oid,prrelid oid,prqual pg_node_tree,prattrs int2vector"),
            VirtualTable(
                6237, "pg_publication_namespace", "oid oid,pnpubid oid,pnnspid oid"),
            VirtualTable(
                3456, "pg_collation",
                "oid oid,collname name,collnamespace oid,collowner oid,collprovider char,"
                    + "collisdeterministic bool,collencoding int4,collcollate text,collctype text,"
                    + "colliculocale text,collversion text"
            ) { _ in
                [
                    [
                        oid(100), name("default"), oid(11), oid(10), letter("d"), yes, .int(-1),
                        .null, .null, .null, .null,
                    ],
                    [
                        oid(950), name("C"), oid(11), oid(10), letter("c"), yes, .int(-1),
                        .text("C"), .text("C"), .null, .null,
                    ],
                ]
            },
            VirtualTable(
                1213, "pg_tablespace",
                "oid oid,spcname name,spcowner oid,spcacl _aclitem,spcoptions _text"
            ) { _ in
                [
                    [oid(1663), name("pg_default"), oid(10), .null, .null],
                    [oid(1664), name("pg_global"), oid(10), .null, .null],
                ]
            },
            VirtualTable(
                3501, "pg_enum", "oid oid,enumtypid oid,enumsortorder float4,enumlabel name"),
            VirtualTable(
                3541, "pg_range",
                "rngtypid oid,rngsubtype oid,rngmultitypid oid,rngcollation oid,rngsubopc oid,"
                    + "rngcanonical regproc,rngsubdiff regproc"),
            VirtualTable(
                3079, "pg_extension",
                "oid oid,extname name,extowner oid,extnamespace oid,extrelocatable bool,"
                    + "extversion text,extconfig _oid,extcondition _text"),
            VirtualTable(
                2224, "pg_sequence",
                "seqrelid oid,seqtypid oid,seqstart int8,seqincrement int8,seqmax int8,"
                    + "seqmin int8,seqcache int8,seqcycle bool", rows: sequences),
        ]
    }

    private struct ShownRole {
        var name: String
        var oid: OID
        var isSuperuser = false
        var attributes: RoleEntry.Attributes = [.login, .createsDatabases]

        func has(_ attribute: RoleEntry.Attributes) -> Bool {
            isSuperuser ? attribute != .noInheritance : attributes.contains(attribute)
        }
    }

    /// The role that owns the system's objects, those that were made, and the one that is connected.
    private static func roles(_ source: VirtualSource) -> [ShownRole] {
        let session = (source.session as? SessionBridge)?.session
        let superuser = session?.database.options.superuser ?? "postgres"
        var result = [ShownRole(name: superuser, oid: RoleOID.superuser, isSuperuser: true)]
        for role in session.map({ $0.transaction.roles(in: $0.database) }) ?? [] {
            result.append(
                ShownRole(name: role.name, oid: role.oid, attributes: role.attributes))
        }
        if let user = source.session?.sessionUserName,
            !result.contains(where: { $0.name == user })
        {
            result.append(ShownRole(name: user, oid: RoleOID.other))
        }
        return result
    }

    static func sortedTables(_ source: VirtualSource) -> [TableDescriptor] {
        source.catalog.tables.values.sorted { $0.oid < $1.oid }
    }

    @Sendable private static func classes(_ source: VirtualSource) -> [[Datum]] {
        let temporary = Set(
            source.catalog.schemas.values.filter {
                $0.name.hasPrefix(SessionCatalog.temporaryPrefix)
            }.map(\.oid))
        func row(
            _ id: OID, _ label: String, _ schema: OID, am: OID, kind: Unicode.Scalar, columns: Int,
            checks: Int = 0, hasIndex: Bool = false, hasTriggers: Bool = false, file: UInt32 = 0,
            identity: Unicode.Scalar = "n", options: [String] = []
        ) -> [Datum] {
            let found = source.database.rowEstimates.statistics(of: StorageID(file))
            return [
                oid(id), name(label), oid(schema), .int(0), .int(0), oid(10), oid(am),
                .int(Int64(file)), .int(0), .int(Int64(found?.pages ?? 0)),
                .float(found.map { Double(Float($0.rows)) } ?? -1), .int(0), .int(0),
                .bool(hasIndex), no,
                letter(temporary.contains(schema) ? "t" : "p"), letter(kind), .int(Int64(columns)),
                .int(Int64(checks)), no, .bool(hasTriggers), no, no, no, yes, letter(identity), no,
                .int(0), .int(0), .int(0), .null,
                options.isEmpty
                    ? .null
                    : .array(ArrayValue(elementType: .text, options.map { .text($0) })), .null,
            ]
        }
        var rows: [[Datum]] = []
        for table in sortedTables(source) {
            rows.append(
                row(
                    table.oid, table.name, table.schemaOID, am: 2, kind: "r",
                    columns: table.columns.count, checks: table.checks.count,
                    hasIndex: !table.indexes.isEmpty,
                    // Foreign keys are triggers to PostgreSQL, on both of their tables.
                    hasTriggers: !table.foreignKeys.isEmpty
                        || !(source.catalog.references[table.oid] ?? []).isEmpty,
                    file: table.storageID.rawValue, identity: table.replicaIdentity.letter))
            for index in table.indexes {
                rows.append(
                    row(
                        index.oid, index.name, table.schemaOID, am: 403, kind: "i",
                        columns: index.allAttributes.count, file: index.storageID.rawValue))
            }
        }
        for view in source.catalog.views.values {
            rows.append(
                row(
                    view.oid, view.name, view.schemaOID, am: 0, kind: "v",
                    columns: view.columns.count,
                    options: view.checkOption == .none
                        ? [] : ["check_option=\(view.checkOption)"]))
        }
        for sequence in source.catalog.sequences.values {
            rows.append(
                row(
                    sequence.oid, sequence.name, sequence.schemaOID, am: 0, kind: "S",
                    columns: sequenceColumns.count))
        }
        for table in SystemCatalog.tables {
            rows.append(
                row(
                    table.descriptor.oid, table.descriptor.name, table.descriptor.schemaOID, am: 2,
                    kind: "r", columns: table.descriptor.columns.count))
        }
        return rows
    }

    @Sendable private static func attributes(_ source: VirtualSource) -> [[Datum]] {
        func row(_ relation: OID, _ column: ColumnDescriptor, hasDefault: Bool) -> [Datum] {
            let type = TypeRegistry.descriptor(column.type.oid)
            return [
                oid(relation), name(column.name),
                oid(column.isDropped ? .invalid : column.type.oid),
                .int(-1), .int(Int64(type?.length ?? -1)), .int(Int64(column.attribute)),
                .int(type?.isArray ?? false ? 1 : 0), .int(-1), .int(Int64(column.type.modifier)),
                .bool(type?.isByValue ?? false), .int(Int64(type?.alignment ?? 0x69)),
                .int(Int64(type?.storage ?? 0x70)), .int(0), .bool(column.isNotNull),
                .bool(hasDefault), .bool(!column.missingValue.isNull), .int(0), .int(0),
                .bool(column.isDropped), yes, .int(0), oid(type?.collation ?? .invalid), .null,
                .null, .null, .null,
            ]
        }
        var rows: [[Datum]] = []
        for table in sortedTables(source) {
            for column in table.columns {
                rows.append(row(table.oid, column, hasDefault: column.defaultExpression != nil))
            }
            for index in table.indexes {
                for (place, attribute) in index.allAttributes.enumerated() {
                    var column = table.column(attribute)
                    column.attribute = Int16(place + 1)
                    column.isNotNull = false
                    rows.append(row(index.oid, column, hasDefault: false))
                }
            }
        }
        for view in source.catalog.views.values {
            for column in columns(of: view, source) {
                rows.append(row(view.oid, column, hasDefault: false))
            }
        }
        for sequence in source.catalog.sequences.values {
            for column in sequenceColumns {
                rows.append(row(sequence.oid, column, hasDefault: false))
            }
        }
        for table in SystemCatalog.tables {
            for column in table.descriptor.columns {
                rows.append(row(table.descriptor.oid, column, hasDefault: false))
            }
        }
        return rows
    }

    @Sendable private static func types(_ source: VirtualSource) -> [[Datum]] {
        TypeRegistry.all.map { type in
            [
                oid(type.oid), name(type.name), oid(CatalogSnapshot.pgCatalog), oid(10),
                .int(Int64(type.length)), .bool(type.isByValue), .int(Int64(type.kind.rawValue)),
                .int(Int64(type.category)), .bool(type.isPreferred), yes,
                .int(Int64(type.delimiter)), .int(0), oid(type.subscripting), oid(type.element),
                oid(type.array), oid(type.input), oid(type.output), oid(type.receive),
                oid(type.send), oid(type.modifierInput), oid(type.modifierOutput), .int(0),
                .int(Int64(type.alignment)), .int(Int64(type.storage)), no, oid(type.baseType),
                .int(-1), .int(0), oid(type.collation), .null, .null, .null,
            ]
        }
    }

    @Sendable private static func indexes(_ source: VirtualSource) -> [[Datum]] {
        sortedTables(source).flatMap { table in
            table.indexes.map { index in
                return [
                    oid(index.oid), oid(table.oid), .int(Int64(index.allAttributes.count)),
                    .int(Int64(index.columns.count)),
                    .bool(index.enforcesUnique), no, .bool(index.isPrimaryKey), no,
                    .bool(index.deferral == nil), no, .bool(index.isValid), no,
                    .bool(index.isValid), yes,
                    .bool(table.replicaIdentity == .index(index.oid)),
                    int2vector(index.allAttributes),
                    oidvector(index.columns.map { _ in OID(0) }),
                    oidvector(index.columns.map { _ in OID(0) }),
                    int2vector(
                        index.columns.map { ($0.isDescending ? 1 : 0) | ($0.nullsFirst ? 2 : 0) }),
                    .null, IndexText.predicate(index, table).map { .text($0) } ?? .null,
                ]
            }
        }
    }

    @Sendable private static func constraints(_ source: VirtualSource) -> [[Datum]] {
        func row(
            _ id: OID, _ label: String, _ table: TableDescriptor, _ kind: Unicode.Scalar,
            index: OID, columns: [Int16], expression: String?,
            deferral: ConstraintDeferral? = nil
        ) -> [Datum] {
            [
                oid(id), name(label), oid(table.schemaOID), letter(kind), .bool(deferral != nil),
                .bool(deferral == .initiallyDeferred), yes,
                oid(table.oid), .int(0), oid(index), .int(0), .int(0), letter(" "), letter(" "),
                letter(" "), yes, .int(0), .bool(kind != "c"),
                .array(ArrayValue(elementType: .int2, columns.map { .int(Int64($0)) })), .null,
                .null, .null, .null, .null, .null, expression.map { .text($0) } ?? .null,
            ]
        }
        var rows: [[Datum]] = []
        for table in sortedTables(source) {
            for index in table.indexes where index.isConstraint {
                rows.append(
                    row(
                        index.oid, index.name, table, index.isPrimaryKey ? "p" : "u",
                        index: index.oid, columns: index.columns.map(\.attribute),
                        expression: nil, deferral: index.deferral))
            }
            for check in table.checks {
                rows.append(
                    row(
                        check.oid, check.name, table, "c", index: .invalid, columns: [],
                        expression: check.expression))
            }
            for key in table.foreignKeys {
                rows.append(constraint(key, table, source.catalog))
            }
        }
        return rows
    }

    @Sendable private static func settings(_ source: VirtualSource) -> [[Datum]] {
        SettingDefinition.all.sorted { $0.name.lowercased() < $1.name.lowercased() }.map {
            definition in
            let value = source.session?.setting(definition.name) ?? definition.initial
            var unit: Datum = .null
            let kind: String
            switch definition.kind {
            case .bool: kind = "bool"
            case .integer(_, _, let name):
                kind = "integer"
                if !name.isEmpty { unit = .text(name) }
            case .real: kind = "real"
            case .choice: kind = "enum"
            case .text, .special: kind = "string"
            }
            let context: String =
                switch definition.context {
                case .user: "user"
                case .internal: "internal"
                case .postmaster: "postmaster"
                }
            return [
                .text(definition.name), .text(value), unit, .text(definition.category),
                .text(definition.description), .null, .text(context), .text(kind),
                .text(value == definition.initial ? "default" : "session"), .null, .null, .null,
                .text(definition.initial), .text(definition.initial), .null, .null, no,
            ]
        }
    }
}

/// Index definitions as SQL text: what pg_get_indexdef prints.
enum IndexText {
    static func definition(
        _ index: IndexDescriptor, _ table: TableDescriptor, isPretty: Bool = false,
        isQualified: Bool = true
    ) -> String {
        let columns = index.columns.map { key in
            var text = Identifier.quoted(table.columns[Int(key.attribute) - 1].name)
            if key.isDescending {
                text += key.nullsFirst ? " DESC" : " DESC NULLS LAST"
            } else if key.nullsFirst {
                text += " NULLS FIRST"
            }
            return text
        }
        let schema = isQualified ? Identifier.quoted(table.schema) + "." : ""
        return
            "CREATE \(index.enforcesUnique ? "UNIQUE " : "")INDEX \(Identifier.quoted(index.name)) ON "
            + "\(schema)\(Identifier.quoted(table.name)) USING btree "
            + "(\(columns.joined(separator: ", ")))" + included(index, table)
            + (predicate(index, table, isPretty: isPretty).map { " WHERE \($0)" } ?? "")
    }

    /// INCLUDE of an index or a constraint, with a space before it; empty for none.
    static func included(_ index: IndexDescriptor, _ table: TableDescriptor) -> String {
        if index.included.isEmpty { return "" }
        let names = index.included.map { Identifier.quoted(table.column($0).name) }
        return " INCLUDE (\(names.joined(separator: ", ")))"
    }
}

/// SQL's spelling of type names, as information_schema has it.
enum TypeText {
    static func sqlName(_ oid: OID) -> String {
        switch oid {
        case .int2: "smallint"
        case .int4: "integer"
        case .int8: "bigint"
        case .float4: "real"
        case .float8: "double precision"
        case .bool: "boolean"
        case .varchar: "character varying"
        case .bpchar: "character"
        case .timestamp: "timestamp without time zone"
        case .timestamptz: "timestamp with time zone"
        case .time: "time without time zone"
        case .char: "\"char\""
        default:
            TypeRegistry.elementType(of: oid) != nil
                ? "ARRAY" : TypeRegistry.descriptor(oid)?.name ?? "unknown"
        }
    }
}
