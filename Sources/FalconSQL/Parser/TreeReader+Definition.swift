import FalconSchema

extension TreeReader {
    mutating func createTable(_ inner: JSONNode) throws(SQLError) -> AST.CreateTable {
        guard let relation = inner["relation"] else { throw unsupported("CREATE TABLE") }
        var elements: [AST.TableElement] = []
        if let list = inner["tableElts"] {
            for element in list.elements {
                guard let node = element.tagged else { continue }
                if node.hasTag("ColumnDef") {
                    elements.append(.column(try columnDefinition(node)))
                } else if node.hasTag("Constraint") {
                    elements.append(.constraint(try constraint(node)))
                } else if node.hasTag("TableLikeClause"), let other = node["relation"] {
                    if let wanted = likeOption(node) {
                        throw unsupported("LIKE INCLUDING \(wanted)")
                    }
                    elements.append(.like(tableName(other)))
                } else {
                    throw unsupported(node.tag)
                }
            }
        }
        if inner["ofTypename"] != nil { throw unsupported("CREATE TABLE OF") }
        return AST.CreateTable(
            table: tableName(relation), elements: elements, options: try options(inner["options"]),
            accessMethod: string(inner, "accessMethod"), ifNotExists: flag(inner, "if_not_exists"),
            inherits: tableNames(inner["inhRelations"]), isPartitioned: inner["partspec"] != nil,
            isPartition: inner["partbound"] != nil, onCommit: string(inner, "oncommit") ?? "",
            tablespace: string(inner, "tablespacename"))
    }

    /// What LIKE is to take over that it does not; nil: nothing.
    private func likeOption(_ node: JSONNode) -> String? {
        let options = Int32(truncatingIfNeeded: node["options"]?.int ?? 0)
        let names: [(Int32, String)] = [
            (1 << 0, "COMMENTS"), (1 << 2, "CONSTRAINTS"), (1 << 3, "DEFAULTS"),
            (1 << 4, "GENERATED"), (1 << 5, "IDENTITY"), (1 << 6, "INDEXES"),
        ]
        if options == .max { return "ALL" }
        return names.first { options & $0.0 != 0 }?.1
    }

    mutating func columnDefinition(_ inner: JSONNode) throws(SQLError) -> AST.ColumnDefinition {
        var constraints: [AST.Constraint] = []
        if let list = inner["constraints"] {
            for element in list.elements {
                if let node = element.tagged { constraints.append(try constraint(node)) }
            }
        }
        return AST.ColumnDefinition(
            name: string(inner, "colname") ?? "",
            type: try inner["typeName"].map { (node) throws(SQLError) in try typeName(node) },
            constraints: constraints, collation: inner["collClause"].map { name($0["collname"]) },
            using: try optionalExpression(inner["raw_default"]), location: location(inner))
    }

    mutating func constraint(_ inner: JSONNode) throws(SQLError) -> AST.Constraint {
        let kind: AST.ConstraintKind
        func raw() throws(SQLError) -> JSONNode {
            guard let node = inner["raw_expr"] else { throw unsupported("constraint") }
            return node
        }
        switch string(inner, "contype") {
        case "CONSTR_NULL": kind = .null
        case "CONSTR_NOTNULL": kind = .notNull
        case "CONSTR_DEFAULT": kind = .defaultValue(try expression(try raw()))
        case "CONSTR_CHECK": kind = .check(try expression(try raw()))
        case "CONSTR_PRIMARY":
            kind = .primaryKey(
                columns: strings(inner["keys"]), including: strings(inner["including"]),
                index: string(inner, "indexname"))
        case "CONSTR_UNIQUE":
            kind = .unique(
                columns: strings(inner["keys"]), including: strings(inner["including"]),
                index: string(inner, "indexname"),
                nullsNotDistinct: flag(inner, "nulls_not_distinct"))
        case "CONSTR_FOREIGN":
            guard let table = inner["pktable"] else { throw unsupported("FOREIGN KEY") }
            kind = .foreignKey(
                AST.ForeignKey(
                    columns: strings(inner["fk_attrs"]), table: tableName(table),
                    referencedColumns: strings(inner["pk_attrs"]),
                    onUpdate: string(inner, "fk_upd_action") ?? "a",
                    onDelete: string(inner, "fk_del_action") ?? "a",
                    deleteColumns: strings(inner["fk_del_set_cols"]),
                    match: string(inner, "fk_matchtype") ?? "s"))
        case "CONSTR_IDENTITY":
            kind = .identity(
                isAlways: inner["generated_when"]?.equals("a") ?? false,
                options: try options(inner["options"]))
        case "CONSTR_GENERATED": kind = .generated(try expression(try raw()))
        case "CONSTR_EXCLUSION": kind = .exclusion
        case "CONSTR_ATTR_DEFERRABLE": kind = .deferrable(true)
        case "CONSTR_ATTR_NOT_DEFERRABLE": kind = .deferrable(false)
        case "CONSTR_ATTR_DEFERRED": kind = .initiallyDeferred(true)
        case "CONSTR_ATTR_IMMEDIATE": kind = .initiallyDeferred(false)
        default: throw unsupported("constraint")
        }
        return AST.Constraint(
            name: string(inner, "conname"), kind: kind, isDeferrable: flag(inner, "deferrable"),
            isInitiallyDeferred: flag(inner, "initdeferred"),
            isNotValid: flag(inner, "skip_validation"), location: location(inner))
    }

    mutating func indexElements(_ node: JSONNode?) throws(SQLError) -> [AST.IndexElement] {
        guard let node else { return [] }
        var result: [AST.IndexElement] = []
        for element in node.elements {
            guard let inner = element.tagged, inner.hasTag("IndexElem") else { continue }
            let nulls: Bool?
            switch string(inner, "nulls_ordering") {
            case "SORTBY_NULLS_FIRST": nulls = true
            case "SORTBY_NULLS_LAST": nulls = false
            default: nulls = nil
            }
            result.append(
                AST.IndexElement(
                    column: string(inner, "name"),
                    expression: try optionalExpression(inner["expr"]),
                    operatorClass: inner["opclass"].map { name($0) },
                    collation: inner["collation"].map { name($0) },
                    isDescending: inner["ordering"]?.equals("SORTBY_DESC") ?? false,
                    isAscending: inner["ordering"]?.equals("SORTBY_ASC") ?? false,
                    nullsFirst: nulls))
        }
        return result
    }

    mutating func createIndex(_ inner: JSONNode) throws(SQLError) -> AST.CreateIndex {
        guard let relation = inner["relation"] else { throw unsupported("CREATE INDEX") }
        return AST.CreateIndex(
            name: string(inner, "idxname"), table: tableName(relation),
            accessMethod: string(inner, "accessMethod") ?? "btree",
            elements: try indexElements(inner["indexParams"]),
            including: try indexElements(inner["indexIncludingParams"]),
            filter: try optionalExpression(inner["whereClause"]),
            options: try options(inner["options"]), isUnique: flag(inner, "unique"),
            isConcurrent: flag(inner, "concurrent"), ifNotExists: flag(inner, "if_not_exists"),
            nullsNotDistinct: flag(inner, "nulls_not_distinct"))
    }

    /// `OBJECT_TABLE` and friends.
    func objectKind(_ text: String?) -> (kind: AST.ObjectKind, tag: String) {
        switch text {
        case "OBJECT_TABLE": return (.table, "TABLE")
        case "OBJECT_INDEX": return (.index, "INDEX")
        case "OBJECT_VIEW": return (.view, "VIEW")
        case "OBJECT_MATVIEW": return (.materializedView, "MATERIALIZED VIEW")
        case "OBJECT_SEQUENCE": return (.sequence, "SEQUENCE")
        case "OBJECT_SCHEMA": return (.schema, "SCHEMA")
        case "OBJECT_TYPE": return (.type, "TYPE")
        case "OBJECT_DOMAIN": return (.domain, "DOMAIN")
        case "OBJECT_FUNCTION": return (.function, "FUNCTION")
        case "OBJECT_COLUMN": return (.column, "COLUMN")
        case "OBJECT_TABCONSTRAINT": return (.constraint, "CONSTRAINT")
        case "OBJECT_DATABASE": return (.database, "DATABASE")
        case "OBJECT_ROLE": return (.role, "ROLE")
        case "OBJECT_TRIGGER": return (.trigger, "TRIGGER")
        case "OBJECT_POLICY": return (.policy, "POLICY")
        case "OBJECT_COLLATION": return (.collation, "COLLATION")
        case "OBJECT_EXTENSION": return (.extension, "EXTENSION")
        default:
            let words = (text ?? "").split(separator: "_").dropFirst()
            return (.other, words.joined(separator: " "))
        }
    }

    mutating func drop(_ inner: JSONNode) throws(SQLError) -> AST.Drop {
        let (kind, tag) = objectKind(string(inner, "removeType"))
        var names: [AST.Name] = []
        if let list = inner["objects"] {
            for element in list.elements {
                if let text = stringValue(element) {
                    names.append(AST.Name([text]))
                } else if let node = element.tagged {
                    if node.hasTag("List") {
                        names.append(name(node["items"]))
                    } else if node.hasTag("TypeName") {
                        names.append(name(node["names"]))
                    } else if node.hasTag("ObjectWithArgs") {
                        names.append(name(node["objname"]))
                    }
                }
            }
        }
        return AST.Drop(
            kind: kind, tag: "DROP " + tag, names: names,
            isCascade: inner["behavior"]?.equals("DROP_CASCADE") ?? false,
            ifExists: flag(inner, "missing_ok"), isConcurrent: flag(inner, "concurrent"))
    }

    mutating func alterTable(_ inner: JSONNode) throws(SQLError) -> AST.AlterTable {
        guard let relation = inner["relation"] else { throw unsupported("ALTER TABLE") }
        var actions: [AST.AlterTableAction] = []
        if let list = inner["cmds"] {
            for element in list.elements {
                if let node = element.tagged { actions.append(try alterTableAction(node)) }
            }
        }
        return AST.AlterTable(
            table: tableName(relation), actions: actions, ifExists: flag(inner, "missing_ok"),
            kind: objectKind(string(inner, "objtype")).kind)
    }

    private mutating func alterTableAction(
        _ inner: JSONNode
    ) throws(SQLError) -> AST.AlterTableAction {
        let target = string(inner, "name") ?? ""
        let ifExists = flag(inner, "missing_ok")
        let isCascade = inner["behavior"]?.equals("DROP_CASCADE") ?? false
        let definition = inner["def"]
        let subtype = string(inner, "subtype") ?? ""
        switch subtype {
        case "AT_AddColumn":
            guard let node = definition?.tagged else { break }
            return .addColumn(try columnDefinition(node), ifNotExists: ifExists)
        case "AT_DropColumn":
            return .dropColumn(target, ifExists: ifExists, isCascade: isCascade)
        case "AT_AddConstraint":
            guard let node = definition?.tagged else { break }
            return .addConstraint(try constraint(node))
        case "AT_DropConstraint":
            return .dropConstraint(target, ifExists: ifExists, isCascade: isCascade)
        case "AT_ValidateConstraint": return .validateConstraint(target)
        case "AT_AlterConstraint":
            guard let node = definition?.tagged else { break }
            return .alterConstraint(
                string(node, "conname") ?? "", isDeferrable: flag(node, "deferrable"),
                isInitiallyDeferred: flag(node, "initdeferred"))
        case "AT_SetNotNull": return .setNotNull(target)
        case "AT_DropNotNull": return .dropNotNull(target)
        case "AT_ColumnDefault":
            return .setDefault(target, try optionalExpression(definition))
        case "AT_AlterColumnType":
            guard let node = definition?.tagged else { break }
            return .alterType(target, try columnDefinition(node))
        case "AT_SetRelOptions": return .setOptions(try listOptions(definition))
        case "AT_ResetRelOptions": return .resetOptions(try listOptions(definition))
        case "AT_ChangeOwner": return .owner(string(inner["newowner"] ?? inner, "rolename") ?? "")
        case "AT_ClusterOn": return .clusterOn(target)
        case "AT_ReplicaIdentity":
            guard let identity = requestedIdentity(definition?.tagged) else { break }
            return .replicaIdentity(identity)
        default: break
        }
        return .unsupported(subtype)
    }

    private func requestedIdentity(_ inner: JSONNode?) -> AST.RequestedIdentity? {
        guard let inner else { return nil }
        switch string(inner, "identity_type") {
        case "d": return .primaryKey
        case "f": return .full
        case "n": return .nothing
        case "i": return string(inner, "name").map { .index($0) }
        default: return nil
        }
    }

    private mutating func listOptions(_ node: JSONNode?) throws(SQLError) -> [AST.Option] {
        guard let node else { return [] }
        if let inner = node.tagged, inner.hasTag("List") { return try options(inner["items"]) }
        return try options(node)
    }

    func rename(_ inner: JSONNode) -> AST.Rename {
        let kind = objectKind(string(inner, "renameType")).kind
        var oldName = string(inner, "subname")
        if oldName == nil, let object = inner["object"] { oldName = stringValue(object) }
        return AST.Rename(
            kind: kind, relation: inner["relation"].map { tableName($0) },
            relationKind: objectKind(string(inner, "relationType")).kind, oldName: oldName,
            newName: string(inner, "newname") ?? "", ifExists: flag(inner, "missing_ok"))
    }

    mutating func createSchema(_ inner: JSONNode) -> AST.CreateSchema {
        var count = 0
        if let list = inner["schemaElts"] {
            for _ in list.elements { count += 1 }
        }
        return AST.CreateSchema(
            name: string(inner, "schemaname"),
            owner: inner["authrole"].flatMap { string($0, "rolename") },
            ifNotExists: flag(inner, "if_not_exists"), elementCount: count)
    }

    mutating func role(_ inner: JSONNode) throws(SQLError) -> AST.RoleStatement {
        var names: [String] = []
        var action = AST.RoleStatement.Action.create
        switch inner.tag {
        case "CreateRoleStmt": names = [string(inner, "role") ?? ""]
        case "AlterRoleStmt":
            action = .alter
            names = inner["role"].map { [string($0, "rolename") ?? ""] } ?? []
        default:
            action = .drop
            if let list = inner["roles"] {
                for element in list.elements {
                    if let node = element.tagged { names.append(string(node, "rolename") ?? "") }
                }
            }
        }
        return AST.RoleStatement(
            action: action, names: names, options: try options(inner["options"]),
            isUser: inner["stmt_type"]?.equals("ROLESTMT_USER") ?? false,
            ifExists: flag(inner, "missing_ok"))
    }

    mutating func createTableAs(_ inner: JSONNode) throws(SQLError) -> AST.CreateTableAs {
        guard let query = inner["query"], let into = inner["into"], let relation = into["rel"]
        else {
            throw unsupported("CREATE TABLE AS")
        }
        return AST.CreateTableAs(
            table: tableName(relation), columns: strings(into["colNames"]),
            query: try statement(query), withNoData: flag(into, "skipData"),
            ifNotExists: flag(inner, "if_not_exists"),
            isMaterializedView: inner["objtype"]?.equals("OBJECT_MATVIEW") ?? false,
            onCommit: string(into, "onCommit") ?? "")
    }

    func commentName(_ node: JSONNode?) -> AST.Name {
        guard let node else { return AST.Name([]) }
        if let text = stringValue(node) { return AST.Name([text]) }
        guard let inner = node.tagged else { return AST.Name([]) }
        if inner.hasTag("List") { return name(inner["items"]) }
        if inner.hasTag("TypeName") { return name(inner["names"]) }
        if inner.hasTag("ObjectWithArgs") { return name(inner["objname"]) }
        return AST.Name([])
    }
}
