import FalconSchema

extension TreeReader {
    /// A wrapped expression node.
    mutating func expression(_ node: JSONNode) throws(SQLError) -> AST.Expression {
        try nested { (reader) throws(SQLError) in try reader.expressionNode(node) }
    }

    mutating func expressions(_ node: JSONNode?) throws(SQLError) -> [AST.Expression] {
        guard let node else { return [] }
        var result: [AST.Expression] = []
        for element in items(node) { result.append(try expression(element)) }
        return result
    }

    mutating func optionalExpression(_ node: JSONNode?) throws(SQLError) -> AST.Expression? {
        guard let node else { return nil }
        return try expression(node)
    }

    private func missing(_ what: String) -> SQLError {
        SQLError(.internalError, "the parser's tree lacks \(what)")
    }

    private mutating func child(
        _ node: JSONNode, _ name: StaticString
    ) throws(SQLError) -> AST.Expression {
        guard let child = node[name] else { throw missing("\(name)") }
        return try expression(child)
    }

    private mutating func expressionNode(_ node: JSONNode) throws(SQLError) -> AST.Expression {
        guard let inner = node.tagged else { throw missing("an expression") }
        if inner.hasTag("ColumnRef") { return columnReference(inner) }
        if inner.hasTag("A_Const") {
            return .constant(constant(inner), location: location(inner))
        }
        if inner.hasTag("A_Expr") { return try operatorExpression(inner) }
        if inner.hasTag("ParamRef") {
            return .parameter(number: inner["number"]?.int ?? 0, location: location(inner))
        }
        if inner.hasTag("FuncCall") { return .function(try functionCall(inner)) }
        if inner.hasTag("TypeCast") { return try typeCast(inner) }
        if inner.hasTag("BoolExpr") { return try booleanExpression(inner) }
        if inner.hasTag("NullTest") {
            return .nullTest(
                try child(inner, "arg"),
                isNotNull: inner["nulltesttype"]?.equals("IS_NOT_NULL") ?? false,
                location: location(inner))
        }
        if inner.hasTag("SubLink") { return .subquery(try subquery(inner)) }
        return try rareExpression(inner)
    }

    private mutating func typeCast(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        guard let type = inner["typeName"] else { throw missing("a type name") }
        return .cast(
            try child(inner, "arg"), try typeName(type), location: location(inner))
    }

    private mutating func rareExpression(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        if inner.hasTag("CaseExpr") { return try caseExpression(inner) }
        if inner.hasTag("CoalesceExpr") {
            return .coalesce(try expressions(inner["args"]), location: location(inner))
        }
        if inner.hasTag("MinMaxExpr") {
            return .minMax(
                isGreatest: inner["op"]?.equals("IS_GREATEST") ?? false,
                try expressions(inner["args"]), location: location(inner))
        }
        if inner.hasTag("BooleanTest") { return try booleanTest(inner) }
        if inner.hasTag("SQLValueFunction") { return try valueFunction(inner) }
        if inner.hasTag("A_ArrayExpr") {
            return .array(try expressions(inner["elements"]), location: location(inner))
        }
        if inner.hasTag("RowExpr") {
            return .row(
                try expressions(inner["args"]),
                isExplicit: inner["row_format"]?.equals("COERCE_EXPLICIT_CALL") ?? false,
                location: location(inner))
        }
        if inner.hasTag("A_Indirection") {
            return .indirection(try child(inner, "arg"), try indirection(inner["indirection"]))
        }
        if inner.hasTag("CollateClause") {
            return .collate(
                try child(inner, "arg"), name(inner["collname"]), location: location(inner))
        }
        if inner.hasTag("SetToDefault") { return .setToDefault(location: location(inner)) }
        if inner.hasTag("MultiAssignRef") {
            return .multiAssign(
                source: try child(inner, "source"), number: inner["colno"]?.int ?? 0,
                count: inner["ncolumns"]?.int ?? 0)
        }
        if inner.hasTag("NamedArgExpr") { return try child(inner, "arg") }
        if inner.hasTag("CurrentOfExpr") {
            return .currentOf(cursor: string(inner, "cursor_name") ?? "")
        }
        if inner.hasTag("GroupingFunc") {
            return .grouping(try expressions(inner["args"]), location: location(inner))
        }
        if inner.hasTag("List") {
            return .row(try expressions(inner["items"]), isExplicit: false, location: -1)
        }
        if inner.hasTag("XmlExpr") || inner.hasTag("XmlSerialize") { throw unsupported("XML") }
        throw unsupported(inner.tag)
    }

    private func columnReference(_ inner: JSONNode) -> AST.Expression {
        var parts: [String] = []
        var isStar = false
        if let fields = inner["fields"] {
            for field in fields.elements {
                if let text = stringValue(field) { parts.append(text) } else { isStar = true }
            }
        }
        return .column(
            AST.ColumnReference(parts: parts, isStar: isStar, location: location(inner)))
    }

    func constant(_ inner: JSONNode) -> AST.Constant {
        if let value = inner["ival"] {
            let number = value["ival"]?.int ?? absentInteger(at: location(inner))
            return .integer(Int32(truncatingIfNeeded: number))
        }
        if let value = inner["sval"] { return .string(value["sval"]?.string ?? "") }
        if let value = inner["fval"] { return .number(value["fval"]?.string ?? "0") }
        if let value = inner["boolval"] { return .bool(flag(value, "boolval")) }
        if let value = inner["bsval"] { return .bits(value["bsval"]?.string ?? "") }
        return .null
    }

    private mutating func operatorExpression(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        let place = location(inner)
        let kind = inner["kind"]
        guard let kind, !kind.equals("AEXPR_OP") else {
            return .binary(
                name(inner["name"]), left: try optionalExpression(inner["lexpr"]),
                right: try child(inner, "rexpr"), location: place)
        }
        let left = try child(inner, "lexpr")
        if kind.equals("AEXPR_IN") {
            let isNegated = name(inner["name"]).last == "<>"
            return .inList(
                left: left, list: try expressions(inner["rexpr"]), isNegated: isNegated,
                location: place)
        }
        if kind.equals("AEXPR_OP_ANY") || kind.equals("AEXPR_OP_ALL") {
            return .arrayComparison(
                name(inner["name"]), left: left, array: try child(inner, "rexpr"),
                isAll: kind.equals("AEXPR_OP_ALL"), location: place)
        }
        if kind.equals("AEXPR_LIKE") || kind.equals("AEXPR_ILIKE") || kind.equals("AEXPR_SIMILAR") {
            return .like(
                name(inner["name"]), left: left, pattern: try child(inner, "rexpr"), location: place
            )
        }
        if kind.equals("AEXPR_DISTINCT") || kind.equals("AEXPR_NOT_DISTINCT") {
            return .isDistinct(
                left: left, right: try child(inner, "rexpr"),
                isNegated: kind.equals("AEXPR_NOT_DISTINCT"), location: place)
        }
        if kind.equals("AEXPR_NULLIF") {
            return .nullIf(left, try child(inner, "rexpr"), location: place)
        }
        let isPlain = kind.equals("AEXPR_BETWEEN")
        let isNot = kind.equals("AEXPR_NOT_BETWEEN")
        let isSymmetric = kind.equals("AEXPR_BETWEEN_SYM")
        let isNotSymmetric = kind.equals("AEXPR_NOT_BETWEEN_SYM")
        guard isPlain || isNot || isSymmetric || isNotSymmetric else {
            throw unsupported(kind.string ?? "operator")
        }
        let bounds = try expressions(inner["rexpr"])
        guard bounds.count == 2 else { throw missing("BETWEEN's bounds") }
        return .between(
            left, lower: bounds[0], upper: bounds[1], isNegated: isNot || isNotSymmetric,
            isSymmetric: isSymmetric || isNotSymmetric, location: place)
    }

    private mutating func booleanExpression(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        let arguments = try expressions(inner["args"])
        let place = location(inner)
        guard let operation = inner["boolop"] else { throw missing("a boolean operator") }
        if operation.equals("AND_EXPR") { return .and(arguments, location: place) }
        if operation.equals("OR_EXPR") { return .or(arguments, location: place) }
        guard let argument = arguments.first else { throw missing("NOT's argument") }
        return .not(argument, location: place)
    }

    private mutating func booleanTest(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        let argument = try child(inner, "arg")
        let test: AST.BooleanTest
        switch string(inner, "booltesttype") {
        case "IS_NOT_TRUE": test = .isNotTrue
        case "IS_FALSE": test = .isFalse
        case "IS_NOT_FALSE": test = .isNotFalse
        case "IS_UNKNOWN": test = .isUnknown
        case "IS_NOT_UNKNOWN": test = .isNotUnknown
        default: test = .isTrue
        }
        return .booleanTest(argument, test, location: location(inner))
    }

    private mutating func caseExpression(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        var branches: [AST.CaseBranch] = []
        if let list = inner["args"] {
            for element in list.elements {
                guard let when = element.tagged else { continue }
                branches.append(
                    AST.CaseBranch(
                        condition: try child(when, "expr"), result: try child(when, "result")))
            }
        }
        return .caseWhen(
            operand: try optionalExpression(inner["arg"]), branches: branches,
            otherwise: try optionalExpression(inner["defresult"]), location: location(inner))
    }

    private func valueFunction(_ inner: JSONNode) throws(SQLError) -> AST.Expression {
        let function: AST.ValueFunction
        switch string(inner, "op") {
        case "SVFOP_CURRENT_DATE": function = .currentDate
        case "SVFOP_CURRENT_TIME", "SVFOP_CURRENT_TIME_N": function = .currentTime
        case "SVFOP_CURRENT_TIMESTAMP", "SVFOP_CURRENT_TIMESTAMP_N": function = .currentTimestamp
        case "SVFOP_LOCALTIME", "SVFOP_LOCALTIME_N": function = .localTime
        case "SVFOP_LOCALTIMESTAMP", "SVFOP_LOCALTIMESTAMP_N": function = .localTimestamp
        case "SVFOP_CURRENT_ROLE": function = .currentRole
        case "SVFOP_CURRENT_USER": function = .currentUser
        case "SVFOP_USER": function = .user
        case "SVFOP_SESSION_USER": function = .sessionUser
        case "SVFOP_CURRENT_CATALOG": function = .currentCatalog
        case "SVFOP_CURRENT_SCHEMA": function = .currentSchema
        default: throw missing("a value function")
        }
        return .valueFunction(
            function, modifier: Int32(truncatingIfNeeded: inner["typmod"]?.int ?? 0),
            location: location(inner))
    }

    mutating func indirection(_ node: JSONNode?) throws(SQLError) -> [AST.Indirection] {
        guard let node else { return [] }
        var result: [AST.Indirection] = []
        for element in node.elements {
            if let field = stringValue(element) {
                result.append(.field(field))
                continue
            }
            guard let inner = element.tagged else { continue }
            if inner.hasTag("A_Star") {
                result.append(.star)
            } else if flag(inner, "is_slice") {
                result.append(
                    .slice(
                        lower: try optionalExpression(inner["lidx"]),
                        upper: try optionalExpression(inner["uidx"])))
            } else {
                result.append(.element(try child(inner, "uidx")))
            }
        }
        return result
    }

    private mutating func functionCall(_ inner: JSONNode) throws(SQLError) -> AST.FunctionCall {
        var arguments: [AST.Expression] = []
        var names: [String?] = []
        var anyNamed = false
        if let list = inner["args"] {
            for element in list.elements {
                if let named = element.tagged, named.hasTag("NamedArgExpr") {
                    names.append(string(named, "name"))
                    anyNamed = true
                } else {
                    names.append(nil)
                }
                arguments.append(try expression(element))
            }
        }
        return AST.FunctionCall(
            name: name(inner["funcname"]), arguments: arguments,
            argumentNames: anyNamed ? names : [], isStar: flag(inner, "agg_star"),
            isDistinct: flag(inner, "agg_distinct"), isVariadic: flag(inner, "func_variadic"),
            order: try sortItems(inner["agg_order"]),
            filter: try optionalExpression(inner["agg_filter"]),
            isWithinGroup: flag(inner, "agg_within_group"),
            window: try inner["over"].map { (node) throws(SQLError) in try window(node) },
            isSQLSyntax: inner["funcformat"]?.equals("COERCE_SQL_SYNTAX") ?? false,
            location: location(inner))
    }

    mutating func window(_ inner: JSONNode) throws(SQLError) -> AST.Window {
        AST.Window(
            name: string(inner, "name"), reference: string(inner, "refname"),
            partition: try expressions(inner["partitionClause"]),
            order: try sortItems(inner["orderClause"]),
            frameOptions: inner["frameOptions"]?.int ?? 0, location: location(inner))
    }

    mutating func sortItems(_ node: JSONNode?) throws(SQLError) -> [AST.SortItem] {
        guard let node else { return [] }
        var result: [AST.SortItem] = []
        for element in node.elements {
            guard let inner = element.tagged, inner.hasTag("SortBy") else { continue }
            let nulls: Bool?
            switch string(inner, "sortby_nulls") {
            case "SORTBY_NULLS_FIRST": nulls = true
            case "SORTBY_NULLS_LAST": nulls = false
            default: nulls = nil
            }
            let direction = inner["sortby_dir"]
            let using = direction?.equals("SORTBY_USING") ?? false
            result.append(
                AST.SortItem(
                    expression: try child(inner, "node"),
                    isDescending: direction?.equals("SORTBY_DESC") ?? false, nullsFirst: nulls,
                    usingOperator: using ? name(inner["useOp"]) : nil))
        }
        return result
    }

    private mutating func subquery(_ inner: JSONNode) throws(SQLError) -> AST.SubqueryExpression {
        let kind: AST.SubqueryKind
        switch string(inner, "subLinkType") {
        case "EXISTS_SUBLINK": kind = .exists
        case "ALL_SUBLINK": kind = .all
        case "ANY_SUBLINK": kind = .any
        case "ARRAY_SUBLINK": kind = .array
        case "EXPR_SUBLINK": kind = .scalar
        default: throw unsupported("this form of subquery")
        }
        guard let query = inner["subselect"], let select = query.tagged else {
            throw missing("a subquery")
        }
        let operatorName = inner["operName"].map { name($0) }
        return AST.SubqueryExpression(
            kind: kind, left: try optionalExpression(inner["testexpr"]),
            operatorName: operatorName, query: try self.select(select), location: location(inner))
    }
}
