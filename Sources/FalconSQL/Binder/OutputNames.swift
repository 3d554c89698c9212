/// The names of unnamed result columns.
enum OutputNames {
    static func name(of expression: AST.Expression) -> String {
        figure(expression).name ?? "?column?"
    }

    /// A name and whether it is strong: a cast's type name gives way to its operand's strong name.
    private static func figure(_ expression: AST.Expression) -> (name: String?, isStrong: Bool) {
        switch expression {
        case .column(let reference):
            return (reference.isStar ? nil : reference.parts.last, true)
        case .indirection(let base, let path):
            for step in path.reversed() {
                if case .field(let name) = step { return (name, true) }
            }
            return figure(base)
        case .function(let call): return (call.name.last, true)
        case .nullIf: return ("nullif", true)
        case .cast(let operand, let type, _):
            let inner = figure(operand)
            return inner.isStrong ? inner : (type.name.last, false)
        case .collate(let operand, _, _): return figure(operand)
        case .grouping: return ("grouping", true)
        case .subquery(let subquery):
            switch subquery.kind {
            case .exists: return ("exists", true)
            case .array: return ("array", true)
            case .scalar:
                if case .core(let core) = subquery.query.body, let item = core.items.first {
                    if let alias = item.alias { return (alias, true) }
                    return figure(item.expression)
                }
                return (nil, false)
            case .any, .all: return (nil, false)
            }
        case .caseWhen(_, _, let otherwise, _):
            if let otherwise {
                let inner = figure(otherwise)
                if inner.isStrong { return inner }
            }
            return ("case", false)
        case .array: return ("array", true)
        case .row: return ("row", true)
        case .coalesce: return ("coalesce", true)
        case .minMax(let isGreatest, _, _): return (isGreatest ? "greatest" : "least", true)
        case .valueFunction(let function, _, _):
            switch function {
            case .currentDate: return ("current_date", true)
            case .currentTime: return ("current_time", true)
            case .currentTimestamp: return ("current_timestamp", true)
            case .localTime: return ("localtime", true)
            case .localTimestamp: return ("localtimestamp", true)
            case .currentRole: return ("current_role", true)
            case .currentUser: return ("current_user", true)
            case .user: return ("user", true)
            case .sessionUser: return ("session_user", true)
            case .currentCatalog: return ("current_catalog", true)
            case .currentSchema: return ("current_schema", true)
            }
        default: return (nil, false)
        }
    }
}
