import FalconSchema

/// Functions, operators and casts as system relations, and relations of what FalconDB never has.
extension SystemCatalog {
    static let functionTables: [VirtualTable] = [
        VirtualTable(
            1255, "pg_proc",
            "oid oid,proname name,pronamespace oid,proowner oid,prolang oid,procost float4,"
                + "prorows float4,provariadic oid,prosupport regproc,prokind char,"
                + "prosecdef bool,proleakproof bool,proisstrict bool,proretset bool,"
                + "provolatile char,proparallel char,pronargs int2,pronargdefaults int2,"
                + "prorettype oid,proargtypes oidvector,proallargtypes _oid,proargmodes _char,"
                + "proargnames _text,proargdefaults pg_node_tree,protrftypes _oid,prosrc text,"
                + "probin text,prosqlbody pg_node_tree,proconfig _text,proacl _aclitem"
        ) { _ in FunctionResolver.allFunctions.map(function) },
        VirtualTable(
            2617, "pg_operator",
            "oid oid,oprname name,oprnamespace oid,oprowner oid,oprkind char,oprcanmerge bool,"
                + "oprcanhash bool,oprleft oid,oprright oid,oprresult oid,oprcom oid,"
                + "oprnegate oid,oprcode regproc,oprrest regproc,oprjoin regproc"
        ) { _ in
            FunctionTable.shared.operators.map { fact in
                [
                    oid(fact.oid), name(fact.name), oid(CatalogSnapshot.pgCatalog), oid(10),
                    letter(fact.left == .invalid ? "l" : "b"), no, no, oid(fact.left),
                    oid(fact.right), oid(fact.result), oid(fact.commutator), oid(fact.negator),
                    oid(fact.function), .int(0), .int(0),
                ]
            }
        },
        VirtualTable(
            2605, "pg_cast",
            "oid oid,castsource oid,casttarget oid,castfunc oid,castcontext char,castmethod char"
        ) { _ in
            FunctionTable.shared.allCasts.map { source, target, fact in
                let function: OID
                let method: Unicode.Scalar
                switch fact.method {
                case .function(let id): (function, method) = (id, "f")
                case .relabel: (function, method) = (.invalid, "b")
                case .inOut: (function, method) = (.invalid, "i")
                }
                let context: Unicode.Scalar =
                    switch fact.context {
                    case .implicit: "i"
                    case .assignment: "a"
                    case .explicit: "e"
                    }
                return [
                    oid(source), oid(source), oid(target), oid(function), letter(context),
                    letter(method),
                ]
            }
        },
        VirtualTable(
            2612, "pg_language",
            "oid oid,lanname name,lanowner oid,lanispl bool,lanpltrusted bool,lanplcallfoid oid,"
                + "laninline oid,lanvalidator oid,lanacl _aclitem"
        ) { _ in
            [(12, "internal", false), (13, "c", false), (14, "sql", true)].map {
                [
                    oid(OID($0.0)), name($0.1), oid(10), no, .bool($0.2), .int(0), .int(0),
                    .int(0), .null,
                ]
            }
        },
    ]

    @Sendable private static func function(_ function: FunctionDescriptor) -> [Datum] {
        let kind: Unicode.Scalar = function.isAggregate ? "a" : "f"
        let volatility: Unicode.Scalar =
            switch function.volatility {
            case .immutable: "i"
            case .stable: "s"
            case .volatile: "v"
            }
        let all = function.allArguments
        // As PostgreSQL keeps them: where there is more to say than the types of plain arguments.
        let hasModes = all.contains { $0.mode != "i" }
        let names: Datum =
            all.allSatisfy(\.name.isEmpty)
            ? .null : .array(ArrayValue(elementType: .text, all.map { .text($0.name) }))
        let types: Datum =
            hasModes ? .array(ArrayValue(elementType: .oid, all.map { oid($0.type) })) : .null
        let modes: Datum =
            hasModes ? .array(ArrayValue(elementType: .char, all.map { letter($0.mode) })) : .null
        return [
            oid(function.oid), name(function.name), oid(CatalogSnapshot.pgCatalog), oid(10),
            .int(12), .float(1), .float(function.isDeclaredSet ? 1000 : 0),
            oid(function.variadicElement), .int(0), letter(kind), no, no,
            .bool(function.isStrict), .bool(function.isDeclaredSet), letter(volatility),
            letter("s"), .int(Int64(function.argumentTypes.count)),
            .int(Int64(function.defaults.count)), oid(function.resultType),
            oidvector(function.argumentTypes), types, modes, names, .null, .null,
            .text(function.name), .null, .null, .null, .null,
        ]
    }

    /// Kinds of object that there are none of.
    static let emptyTables: [VirtualTable] = [
        VirtualTable(
            2607, "pg_conversion",
            "oid oid,conname name,connamespace oid,conowner oid,conforencoding int4,"
                + "contoencoding int4,conproc regproc,condefault bool"),
        VirtualTable(2964, "pg_db_role_setting", "setdatabase oid,setrole oid,setconfig _text"),
        VirtualTable(
            826, "pg_default_acl",
            "oid oid,defaclrole oid,defaclnamespace oid,defaclobjtype char,defaclacl _aclitem"),
        VirtualTable(
            3466, "pg_event_trigger",
            "oid oid,evtname name,evtevent name,evtowner oid,evtfoid oid,evtenabled char,"
                + "evttags _text"),
        VirtualTable(
            2328, "pg_foreign_data_wrapper",
            "oid oid,fdwname name,fdwowner oid,fdwhandler oid,fdwvalidator oid,fdwacl _aclitem,"
                + "fdwoptions _text"),
        VirtualTable(
            1417, "pg_foreign_server",
            "oid oid,srvname name,srvowner oid,srvfdw oid,srvtype text,srvversion text,"
                + "srvacl _aclitem,srvoptions _text"),
        VirtualTable(3118, "pg_foreign_table", "ftrelid oid,ftserver oid,ftoptions _text"),
        VirtualTable(
            12010, "pg_user_mappings",
            "umid oid,srvid oid,srvname name,umuser oid,usename name,umoptions _text"),
        VirtualTable(2995, "pg_largeobject_metadata", "oid oid,lomowner oid,lomacl _aclitem"),
        VirtualTable(
            6100, "pg_subscription",
            "oid oid,subdbid oid,subskiplsn pg_lsn,subname name,subowner oid,subenabled bool,"
                + "subbinary bool,substream bool,subtwophasestate char,subdisableonerr bool,"
                + "subconninfo text,subslotname name,subsynccommit text,subpublications _text"),
        VirtualTable(
            3602, "pg_ts_config",
            "oid oid,cfgname name,cfgnamespace oid,cfgowner oid,cfgparser oid"),
        VirtualTable(
            3600, "pg_ts_dict",
            "oid oid,dictname name,dictnamespace oid,dictowner oid,dicttemplate oid,"
                + "dictinitoption text"),
        VirtualTable(
            3601, "pg_ts_parser",
            "oid oid,prsname name,prsnamespace oid,prsstart regproc,prstoken regproc,"
                + "prsend regproc,prsheadline regproc,prslextype regproc"),
        VirtualTable(
            3764, "pg_ts_template",
            "oid oid,tmplname name,tmplnamespace oid,tmplinit regproc,tmpllexize regproc"),
        VirtualTable(
            3596, "pg_seclabel",
            "objoid oid,classoid oid,objsubid int4,provider text,label text"),
    ]
}
