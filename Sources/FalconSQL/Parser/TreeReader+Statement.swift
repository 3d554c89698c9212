import FalconSchema

extension TreeReader {
    /// A wrapped statement node.
    mutating func statement(_ node: JSONNode) throws(SQLError) -> AST.Statement {
        guard let inner = node.tagged else { throw unsupported("empty statement") }
        if inner.hasTag("SelectStmt") { return .select(try select(inner)) }
        if inner.hasTag("InsertStmt") { return .insert(try insert(inner)) }
        if inner.hasTag("UpdateStmt") { return .update(try update(inner)) }
        if inner.hasTag("DeleteStmt") { return .delete(try delete(inner)) }
        if inner.hasTag("MergeStmt") { return .merge(try merge(inner)) }
        if inner.hasTag("TransactionStmt") { return try transaction(inner) }
        if inner.hasTag("VariableSetStmt") { return try setVariable(inner) }
        if let found = try definition(inner) { return found }
        if let found = try utility(inner) { return found }
        return .unsupported(Self.spelled(inner.tag))
    }

    private mutating func definition(_ inner: JSONNode) throws(SQLError) -> AST.Statement? {
        switch inner.tag {
        case "CreateStmt": return .createTable(try createTable(inner))
        case "CreateTableAsStmt": return .createTableAs(try createTableAs(inner))
        case "IndexStmt": return .createIndex(try createIndex(inner))
        case "CreateSchemaStmt": return .createSchema(createSchema(inner))
        case "ViewStmt":
            guard let view = inner["view"], let query = inner["query"] else { return nil }
            let checks = string(inner, "withCheckOption")
            return .createView(
                AST.CreateView(
                    view: tableName(view), columns: strings(inner["aliases"]),
                    query: try statement(query), replace: flag(inner, "replace"),
                    options: try options(inner["options"]),
                    checkOption: checks == "LOCAL_CHECK_OPTION"
                        ? .local : checks == "CASCADED_CHECK_OPTION" ? .cascaded : .none))
        case "CreateSeqStmt":
            guard let sequence = inner["sequence"] else { return nil }
            return .createSequence(
                AST.CreateSequence(
                    sequence: tableName(sequence), options: try options(inner["options"]),
                    ifNotExists: flag(inner, "if_not_exists")))
        case "AlterSeqStmt":
            guard let sequence = inner["sequence"] else { return nil }
            return .alterSequence(
                AST.AlterSequence(
                    sequence: tableName(sequence), options: try options(inner["options"]),
                    ifExists: flag(inner, "missing_ok")))
        case "AlterTableStmt": return .alterTable(try alterTable(inner))
        case "RenameStmt": return .rename(rename(inner))
        case "CreatedbStmt":
            return .createDatabase(
                AST.CreateDatabase(
                    name: string(inner, "dbname") ?? "", options: try options(inner["options"])))
        case "DropdbStmt":
            let isForced = try options(inner["options"]).contains { $0.name == "force" }
            return .dropDatabase(
                AST.DropDatabase(
                    name: string(inner, "dbname") ?? "", ifExists: flag(inner, "missing_ok"),
                    isForced: isForced))
        case "CreateRoleStmt", "AlterRoleStmt", "DropRoleStmt": return .role(try role(inner))
        case "AlterOwnerStmt":
            guard objectKind(string(inner, "objectType")).kind == .schema,
                let object = inner["object"]
            else { return nil }
            return .schemaOwner(
                AST.SchemaOwner(
                    schema: stringValue(object) ?? "",
                    role: string(inner["newowner"] ?? inner, "rolename") ?? ""))
        case "AlterObjectSchemaStmt":
            guard let relation = inner["relation"] else { return nil }
            return .setSchema(
                AST.SetSchema(
                    kind: objectKind(string(inner, "objectType")).kind,
                    relation: tableName(relation), schema: string(inner, "newschema") ?? "",
                    ifExists: flag(inner, "missing_ok")))
        case "ReindexStmt":
            let kind: AST.Reindex.Kind =
                switch string(inner, "kind") {
                case "REINDEX_OBJECT_TABLE": .table
                case "REINDEX_OBJECT_SCHEMA": .schema
                case "REINDEX_OBJECT_SYSTEM": .system
                case "REINDEX_OBJECT_DATABASE": .database
                default: .index
                }
            return .reindex(
                AST.Reindex(
                    kind: kind, relation: inner["relation"].map { tableName($0) },
                    name: string(inner, "name"), options: try options(inner["params"])))
        case "DropStmt": return .drop(try drop(inner))
        case "TruncateStmt":
            return .truncate(
                AST.Truncate(
                    tables: tableNames(inner["relations"]),
                    restartIdentity: flag(inner, "restart_seqs"),
                    isCascade: inner["behavior"]?.equals("DROP_CASCADE") ?? false))
        case "CommentStmt":
            let (kind, what) = objectKind(string(inner, "objtype"))
            return .comment(
                AST.Comment(
                    kind: kind, what: what,
                    name: commentName(inner["object"]), text: string(inner, "comment")))
        default: return nil
        }
    }

    private mutating func utility(_ inner: JSONNode) throws(SQLError) -> AST.Statement? {
        switch inner.tag {
        case "VariableShowStmt":
            let variable = string(inner, "name") ?? ""
            return variable == "all" ? .showAll : .show(variable)
        case "PrepareStmt":
            guard let query = inner["query"] else { return nil }
            var types: [AST.TypeName] = []
            if let list = inner["argtypes"] {
                for element in list.elements {
                    if let node = element.tagged { types.append(try typeName(node)) }
                }
            }
            return .prepare(
                AST.Prepare(
                    name: string(inner, "name") ?? "", types: types,
                    statement: try statement(query)))
        case "ExecuteStmt":
            return .execute(
                AST.Execute(
                    name: string(inner, "name") ?? "",
                    arguments: try expressions(inner["params"])))
        case "DeallocateStmt": return .deallocate(string(inner, "name"))
        case "CopyStmt": return .copy(try copy(inner))
        case "ExplainStmt":
            guard let query = inner["query"] else { return nil }
            return .explain(
                AST.Explain(
                    statement: try statement(query), options: try options(inner["options"])))
        case "VacuumStmt": return .vacuum(try vacuum(inner))
        case "CheckPointStmt": return .checkpoint
        case "DiscardStmt":
            switch string(inner, "target") {
            case "DISCARD_PLANS": return .discard(.plans)
            case "DISCARD_SEQUENCES": return .discard(.sequences)
            case "DISCARD_TEMP": return .discard(.temporary)
            default: return .discard(.all)
            }
        case "DeclareCursorStmt": return try declareCursor(inner)
        case "FetchStmt": return fetch(inner)
        case "ClosePortalStmt": return .closeCursor(string(inner, "portalname"))
        case "LockStmt":
            return .lockTable(
                AST.LockTable(
                    tables: tableNames(inner["relations"]), mode: inner["mode"]?.int ?? 8,
                    noWait: flag(inner, "nowait")))
        case "ListenStmt": return .listen(string(inner, "conditionname") ?? "")
        case "NotifyStmt":
            return .notify(
                string(inner, "conditionname") ?? "", payload: string(inner, "payload"))
        case "UnlistenStmt": return .unlisten(string(inner, "conditionname"))
        case "ConstraintsSetStmt":
            return .setConstraints(
                inner["constraints"] == nil ? nil : tableNames(inner["constraints"]),
                isDeferred: flag(inner, "deferred"))
        default: return nil
        }
    }

    // MARK: Transactions and settings

    private mutating func modes(_ node: JSONNode?) throws(SQLError) -> AST.TransactionModes {
        var result = AST.TransactionModes()
        for option in try options(node) {
            switch option.name {
            case "transaction_isolation": result.isolation = option.stringValue
            case "transaction_read_only": result.isReadOnly = option.boolValue
            case "transaction_deferrable": result.isDeferrable = option.boolValue
            default: break
            }
        }
        return result
    }

    private mutating func transaction(_ inner: JSONNode) throws(SQLError) -> AST.Statement {
        let savepoint = string(inner, "savepoint_name") ?? ""
        let chain = flag(inner, "chain")
        let identifier = string(inner, "gid") ?? ""
        switch string(inner, "kind") {
        case "TRANS_STMT_START":
            return .transaction(.begin(try modes(inner["options"]), isStart: true))
        case "TRANS_STMT_COMMIT": return .transaction(.commit(chain: chain))
        case "TRANS_STMT_ROLLBACK": return .transaction(.rollback(chain: chain))
        case "TRANS_STMT_SAVEPOINT": return .transaction(.savepoint(savepoint))
        case "TRANS_STMT_RELEASE": return .transaction(.release(savepoint))
        case "TRANS_STMT_ROLLBACK_TO": return .transaction(.rollbackTo(savepoint))
        case "TRANS_STMT_PREPARE": return .transaction(.prepare(identifier))
        case "TRANS_STMT_COMMIT_PREPARED": return .transaction(.commitPrepared(identifier))
        case "TRANS_STMT_ROLLBACK_PREPARED": return .transaction(.rollbackPrepared(identifier))
        default: return .transaction(.begin(try modes(inner["options"]), isStart: false))
        }
    }

    private mutating func setVariable(_ inner: JSONNode) throws(SQLError) -> AST.Statement {
        let variable = string(inner, "name") ?? ""
        let isLocal = flag(inner, "is_local")
        func set(_ value: AST.SetValue, isReset: Bool = false) -> AST.Statement {
            .set(
                AST.SetVariable(name: variable, value: value, isLocal: isLocal, isReset: isReset))
        }
        switch string(inner, "kind") {
        case "VAR_RESET_ALL": return .resetAll
        case "VAR_RESET": return set(.toDefault, isReset: true)
        case "VAR_SET_DEFAULT": return set(.toDefault)
        case "VAR_SET_CURRENT": return set(.fromCurrent)
        case "VAR_SET_MULTI":
            if variable == "TRANSACTION" {
                return .setTransaction(try modes(inner["args"]), isSession: false)
            }
            if variable == "SESSION CHARACTERISTICS" {
                return .setTransaction(try modes(inner["args"]), isSession: true)
            }
            if variable == "TRANSACTION SNAPSHOT" {
                return .setTransactionSnapshot(
                    try setValues(inner["args"]).first ?? "", isLocal: isLocal)
            }
            throw unsupported("SET \(variable)")
        default: return set(.values(try setValues(inner["args"])))
        }
    }

    private mutating func setValues(_ node: JSONNode?) throws(SQLError) -> [String] {
        guard let node else { return [] }
        var result: [String] = []
        for element in node.elements {
            guard let inner = element.tagged else { continue }
            if inner.hasTag("A_Const") {
                result.append(Self.text(of: constant(inner)))
            } else if inner.hasTag("TypeCast"), let argument = inner["arg"]?.tagged,
                argument.hasTag("A_Const")
            {
                // SET TIME ZONE INTERVAL '…': the interval's text.
                result.append(Self.text(of: constant(argument)))
            } else {
                throw unsupported("this SET value")
            }
        }
        return result
    }

    private static func text(of constant: AST.Constant) -> String {
        switch constant {
        case .null: return ""
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let value): return String(value)
        case .number(let text), .string(let text), .bits(let text): return text
        }
    }

    // MARK: Others

    private mutating func copy(_ inner: JSONNode) throws(SQLError) -> AST.Copy {
        AST.Copy(
            table: inner["relation"].map { tableName($0) }, columns: strings(inner["attlist"]),
            query: try inner["query"].map { (node) throws(SQLError) in try statement(node) },
            isFrom: flag(inner, "is_from"), isProgram: flag(inner, "is_program"),
            fileName: string(inner, "filename"), options: try options(inner["options"]),
            filter: try optionalExpression(inner["whereClause"]))
    }

    private mutating func vacuum(_ inner: JSONNode) throws(SQLError) -> AST.Vacuum {
        var tables: [(table: AST.TableName, columns: [String])] = []
        if let list = inner["rels"] {
            for element in list.elements {
                guard let node = element.tagged, let relation = node["relation"] else { continue }
                tables.append((tableName(relation), strings(node["va_cols"])))
            }
        }
        return AST.Vacuum(
            isVacuum: flag(inner, "is_vacuumcmd"), options: try options(inner["options"]),
            tables: tables)
    }

    private mutating func declareCursor(_ inner: JSONNode) throws(SQLError) -> AST.Statement {
        guard let query = inner["query"]?.tagged, query.hasTag("SelectStmt") else {
            throw unsupported("DECLARE CURSOR for this statement")
        }
        let options = inner["options"]?.int ?? 0
        return .declareCursor(
            AST.DeclareCursor(
                name: string(inner, "portalname") ?? "", query: try select(query),
                isBinary: options & 1 != 0, isScroll: options & 2 != 0,
                isNoScroll: options & 4 != 0, isHold: options & 0x20 != 0))
    }

    private func fetch(_ inner: JSONNode) -> AST.Statement {
        let direction: AST.FetchDirection
        switch string(inner, "direction") {
        case "FETCH_BACKWARD": direction = .backward
        case "FETCH_ABSOLUTE": direction = .absolute
        case "FETCH_RELATIVE": direction = .relative
        default: direction = .forward
        }
        // FETCH ALL is LONG_MAX in the tree, beyond what the reader takes for an Int.
        let count = inner["howMany"].map { $0.int.map(Int64.init) ?? .max } ?? 0
        return .fetch(
            AST.Fetch(
                name: string(inner, "portalname") ?? "", direction: direction, count: count,
                isMove: flag(inner, "ismove")))
    }

    /// `CreateFunctionStmt` → `CREATE FUNCTION`.
    private static func spelled(_ tag: String) -> String {
        var words = ""
        for character in tag.hasSuffix("Stmt") ? tag.dropLast(4) : tag[...] {
            if character.isUppercase, !words.isEmpty { words.append(" ") }
            words.append(character)
        }
        return words.uppercased()
    }
}
