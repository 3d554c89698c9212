import FalconSchema

extension TreeReader {
    /// A bare SelectStmt.
    mutating func select(_ inner: JSONNode) throws(SQLError) -> AST.Select {
        try nested { (reader) throws(SQLError) in try reader.selectNode(inner) }
    }

    private mutating func selectNode(_ inner: JSONNode) throws(SQLError) -> AST.Select {
        AST.Select(
            with: try with(inner["withClause"]), body: try selectBody(inner),
            order: try sortItems(inner["sortClause"]),
            limit: try limit(inner["limitCount"]),
            offset: try optionalExpression(inner["limitOffset"]),
            limitWithTies: inner["limitOption"]?.equals("LIMIT_OPTION_WITH_TIES") ?? false,
            locking: try locking(inner["lockingClause"]))
    }

    /// LIMIT ALL is a NULL constant in the tree.
    private mutating func limit(_ node: JSONNode?) throws(SQLError) -> AST.Expression? {
        guard let expression = try optionalExpression(node) else { return nil }
        if case .constant(.null, _) = expression { return nil }
        return expression
    }

    private mutating func selectBody(_ inner: JSONNode) throws(SQLError) -> AST.SelectBody {
        if let lists = inner["valuesLists"] {
            var rows: [[AST.Expression]] = []
            for list in lists.elements { rows.append(try expressions(list)) }
            return .values(rows)
        }
        if let operation = inner["op"], !operation.equals("SETOP_NONE"), let left = inner["larg"],
            let right = inner["rarg"]
        {
            let kind: AST.SetOperation =
                operation.equals("SETOP_UNION")
                ? .union : operation.equals("SETOP_INTERSECT") ? .intersect : .except
            return .setOperation(
                kind, all: flag(inner, "all"), try select(left), try select(right))
        }
        return .core(try selectCore(inner))
    }

    private mutating func selectCore(_ inner: JSONNode) throws(SQLError) -> AST.SelectCore {
        var distinctOn: [AST.Expression] = []
        var isDistinct = false
        if let distinct = inner["distinctClause"] {
            isDistinct = true
            for element in distinct.elements where element.tagged != nil {
                distinctOn.append(try expression(element))
            }
        }
        var windows: [AST.Window] = []
        if let list = inner["windowClause"] {
            for element in list.elements {
                if let node = element.tagged { windows.append(try window(node)) }
            }
        }
        return AST.SelectCore(
            isDistinct: isDistinct, distinctOn: distinctOn,
            items: try selectItems(inner["targetList"]), from: try fromItems(inner["fromClause"]),
            filter: try optionalExpression(inner["whereClause"]),
            groupBy: try groupings(inner["groupClause"]),
            groupByDistinct: flag(inner, "groupDistinct"),
            having: try optionalExpression(inner["havingClause"]), windows: windows,
            into: inner["intoClause"]?["rel"].map { tableName($0) })
    }

    mutating func selectItems(_ node: JSONNode?) throws(SQLError) -> [AST.SelectItem] {
        guard let node else { return [] }
        var result: [AST.SelectItem] = []
        for element in node.elements {
            guard let inner = element.tagged, let value = inner["val"] else { continue }
            result.append(
                AST.SelectItem(
                    expression: try expression(value), alias: string(inner, "name"),
                    location: location(inner)))
        }
        return result
    }

    private mutating func groupings(_ node: JSONNode?) throws(SQLError) -> [AST.Grouping] {
        guard let node else { return [] }
        var result: [AST.Grouping] = []
        for element in node.elements {
            if let inner = element.tagged, inner.hasTag("GroupingSet") {
                if inner["kind"]?.equals("GROUPING_SET_EMPTY") ?? false {
                    result.append(.empty)
                } else {
                    result.append(
                        .sets(kind: string(inner, "kind") ?? "", location: location(inner)))
                }
            } else {
                result.append(.expression(try expression(element)))
            }
        }
        return result
    }

    mutating func fromItems(_ node: JSONNode?) throws(SQLError) -> [AST.FromItem] {
        guard let node else { return [] }
        var result: [AST.FromItem] = []
        for element in node.elements { result.append(try fromItem(element)) }
        return result
    }

    mutating func fromItem(_ node: JSONNode) throws(SQLError) -> AST.FromItem {
        try nested { (reader) throws(SQLError) in try reader.fromItemNode(node) }
    }

    private mutating func fromItemNode(_ node: JSONNode) throws(SQLError) -> AST.FromItem {
        guard let inner = node.tagged else { throw unsupported("FROM item") }
        if inner.hasTag("RangeVar") { return .table(tableName(inner)) }
        if inner.hasTag("JoinExpr") { return .join(try join(inner)) }
        if inner.hasTag("RangeSubselect") {
            guard let query = inner["subquery"]?.tagged else { throw unsupported("FROM item") }
            return .subquery(
                try select(query), alias: alias(inner["alias"]),
                isLateral: flag(inner, "lateral"), location: location(inner))
        }
        if inner.hasTag("RangeFunction") { return .function(try functionSource(inner)) }
        if inner.hasTag("RangeTableSample") { throw unsupported("TABLESAMPLE") }
        if inner.hasTag("RangeTableFunc") { throw unsupported("XMLTABLE") }
        throw unsupported(inner.tag)
    }

    private mutating func join(_ inner: JSONNode) throws(SQLError) -> AST.Join {
        guard let left = inner["larg"], let right = inner["rarg"] else {
            throw unsupported("join")
        }
        let kind: AST.JoinKind
        switch string(inner, "jointype") {
        case "JOIN_LEFT": kind = .left
        case "JOIN_RIGHT": kind = .right
        case "JOIN_FULL": kind = .full
        default: kind = .inner
        }
        return AST.Join(
            kind: kind, isNatural: flag(inner, "isNatural"), left: try fromItem(left),
            right: try fromItem(right), condition: try optionalExpression(inner["quals"]),
            using: strings(inner["usingClause"]),
            usingAlias: alias(inner["join_using_alias"])?.name, alias: alias(inner["alias"]),
            location: location(inner))
    }

    private mutating func functionSource(_ inner: JSONNode) throws(SQLError) -> AST.FunctionSource {
        var functions: [AST.Expression] = []
        var definitions: [AST.ColumnDefinition] = []
        if let list = inner["functions"] {
            for pair in list.elements {
                var parts = items(pair)
                if let call = parts.next() { functions.append(try expression(call)) }
            }
        }
        if let list = inner["coldeflist"] {
            for element in list.elements {
                if let node = element.tagged { definitions.append(try columnDefinition(node)) }
            }
        }
        return AST.FunctionSource(
            functions: functions, columnDefinitions: definitions,
            withOrdinality: flag(inner, "ordinality"), isLateral: flag(inner, "lateral"),
            alias: alias(inner["alias"]), location: functions.first?.location ?? -1)
    }

    private func locking(_ node: JSONNode?) throws(SQLError) -> [AST.LockingClause] {
        guard let node else { return [] }
        var result: [AST.LockingClause] = []
        for element in node.elements {
            guard let inner = element.tagged else { continue }
            let strength: AST.LockStrength
            switch string(inner, "strength") {
            case "LCS_FORKEYSHARE": strength = .keyShare
            case "LCS_FORSHARE": strength = .share
            case "LCS_FORNOKEYUPDATE": strength = .noKeyUpdate
            default: strength = .update
            }
            let wait: AST.LockWaitPolicy
            switch string(inner, "waitPolicy") {
            case "LockWaitSkip": wait = .skipLocked
            case "LockWaitError": wait = .noWait
            default: wait = .wait
            }
            result.append(
                AST.LockingClause(
                    tables: tableNames(inner["lockedRels"]), strength: strength, wait: wait))
        }
        return result
    }

    mutating func with(_ inner: JSONNode?) throws(SQLError) -> AST.With? {
        guard let inner else { return nil }
        var tables: [AST.CommonTable] = []
        if let list = inner["ctes"] {
            for element in list.elements {
                guard let node = element.tagged, let query = node["ctequery"] else { continue }
                let materialized: Bool?
                switch string(node, "ctematerialized") {
                case "CTEMaterializeAlways": materialized = true
                case "CTEMaterializeNever": materialized = false
                default: materialized = nil
                }
                if node["search_clause"] != nil || node["cycle_clause"] != nil {
                    throw unsupported("SEARCH or CYCLE")
                }
                tables.append(
                    AST.CommonTable(
                        name: string(node, "ctename") ?? "",
                        columns: strings(node["aliascolnames"]), query: try statement(query),
                        isMaterialized: materialized, location: location(node)))
            }
        }
        return AST.With(
            isRecursive: flag(inner, "recursive"), tables: tables, location: location(inner))
    }
}
