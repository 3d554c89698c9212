import FalconSchema

extension TreeReader {
    mutating func insert(_ inner: JSONNode) throws(SQLError) -> AST.Insert {
        guard let relation = inner["relation"] else { throw unsupported("INSERT") }
        let columns = try insertColumns(inner["cols"])
        let overriding: AST.Overriding
        switch string(inner, "override") {
        case "OVERRIDING_USER_VALUE": overriding = .user
        case "OVERRIDING_SYSTEM_VALUE": overriding = .system
        default: overriding = .none
        }
        var source: AST.Select?
        if let query = inner["selectStmt"]?.tagged { source = try select(query) }
        return AST.Insert(
            with: try with(inner["withClause"]), table: tableName(relation), columns: columns,
            source: source, onConflict: try onConflict(inner["onConflictClause"]),
            returning: try selectItems(inner["returningList"]), overriding: overriding)
    }

    private mutating func insertColumns(
        _ list: JSONNode?
    ) throws(SQLError) -> [AST.InsertColumn] {
        guard let list else { return [] }
        var columns: [AST.InsertColumn] = []
        for element in list.elements {
            guard let node = element.tagged else { continue }
            columns.append(
                AST.InsertColumn(
                    name: string(node, "name") ?? "",
                    indirection: try indirection(node["indirection"]), location: location(node)))
        }
        return columns
    }

    mutating func merge(_ inner: JSONNode) throws(SQLError) -> AST.Merge {
        guard let relation = inner["relation"], let source = inner["sourceRelation"],
            let condition = inner["joinCondition"]
        else { throw unsupported("MERGE") }
        var clauses: [AST.MergeClause] = []
        if let list = inner["mergeWhenClauses"] {
            for element in list.elements {
                if let node = element.tagged { clauses.append(try mergeClause(node)) }
            }
        }
        return AST.Merge(
            with: try with(inner["withClause"]), table: tableName(relation),
            source: try fromItem(source), condition: try expression(condition), clauses: clauses)
    }

    private mutating func mergeClause(_ inner: JSONNode) throws(SQLError) -> AST.MergeClause {
        let action: AST.MergeClause.Action
        switch string(inner, "commandType") {
        case "CMD_UPDATE": action = .update(try assignments(inner["targetList"]))
        case "CMD_DELETE": action = .delete
        case "CMD_INSERT":
            action = .insert(
                columns: try insertColumns(inner["targetList"]),
                values: try inner["values"].map { (node) throws(SQLError) in
                    try expressions(node)
                })
        default: action = .nothing
        }
        return AST.MergeClause(
            isMatched: flag(inner, "matched"),
            condition: try optionalExpression(inner["condition"]),
            action: action)
    }

    private mutating func onConflict(_ inner: JSONNode?) throws(SQLError) -> AST.OnConflict? {
        guard let inner else { return nil }
        var target = AST.ConflictTarget.none
        if let infer = inner["infer"] {
            if let constraint = string(infer, "conname") {
                target = .constraint(constraint, location: location(infer))
            } else {
                target = .columns(
                    try indexElements(infer["indexElems"]),
                    filter: try optionalExpression(infer["whereClause"]),
                    location: location(infer))
            }
        }
        return AST.OnConflict(
            target: target, assignments: try assignments(inner["targetList"]),
            isUpdate: inner["action"]?.equals("ONCONFLICT_UPDATE") ?? false,
            filter: try optionalExpression(inner["whereClause"]), location: location(inner))
    }

    private mutating func assignments(_ node: JSONNode?) throws(SQLError) -> [AST.Assignment] {
        guard let node else { return [] }
        var result: [AST.Assignment] = []
        for element in node.elements {
            guard let inner = element.tagged, let value = inner["val"] else { continue }
            result.append(
                AST.Assignment(
                    column: string(inner, "name") ?? "",
                    indirection: try indirection(inner["indirection"]),
                    value: try expression(value), location: location(inner)))
        }
        return result
    }

    mutating func update(_ inner: JSONNode) throws(SQLError) -> AST.Update {
        guard let relation = inner["relation"] else { throw unsupported("UPDATE") }
        return AST.Update(
            with: try with(inner["withClause"]), table: tableName(relation),
            assignments: try assignments(inner["targetList"]),
            from: try fromItems(inner["fromClause"]),
            filter: try optionalExpression(inner["whereClause"]),
            returning: try selectItems(inner["returningList"]))
    }

    mutating func delete(_ inner: JSONNode) throws(SQLError) -> AST.Delete {
        guard let relation = inner["relation"] else { throw unsupported("DELETE") }
        return AST.Delete(
            with: try with(inner["withClause"]), table: tableName(relation),
            using: try fromItems(inner["usingClause"]),
            filter: try optionalExpression(inner["whereClause"]),
            returning: try selectItems(inner["returningList"]))
    }
}
