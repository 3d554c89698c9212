import FalconSchema

/// The part of an expression's surroundings that decides what it may contain.
enum Clause: String {
    case select = "SELECT"
    case from = "functions in FROM"
    case join = "JOIN conditions"
    case filter = "WHERE"
    case groupBy = "GROUP BY"
    case having = "HAVING"
    case orderBy = "ORDER BY"
    case distinctOn = "DISTINCT ON"
    case limit = "LIMIT"
    case offset = "OFFSET"
    case values = "VALUES"
    case returning = "RETURNING"
    case update = "UPDATE"
    case defaultValue = "DEFAULT expressions"
    case check = "check constraints"
    case indexPredicate = "index predicates"
    case arguments = "EXECUTE parameters"
    case aggregate = "aggregate arguments"
    case aggregateFilter = "FILTER"
    case transform = "transform expressions"
    case mergeWhen = "MERGE WHEN conditions"

    /// What subqueries are refused in, in the singular; nil where they may stand.
    var refusesSubqueries: String? {
        switch self {
        case .defaultValue: return "DEFAULT expression"
        case .check: return "check constraint"
        case .indexPredicate: return "index predicate"
        case .arguments: return "EXECUTE parameter"
        case .transform: return "transform expression"
        default: return nil
        }
    }
    var allowsWindows: Bool {
        switch self {
        case .select, .orderBy, .distinctOn: return true
        default: return false
        }
    }

    var allowsAggregates: Bool {
        switch self {
        case .select, .having, .orderBy, .distinctOn: return true
        default: return false
        }
    }
    var allowsSetReturning: Bool {
        switch self {
        case .select, .orderBy, .distinctOn, .from: return true
        default: return false
        }
    }
}

/// What one query level collects while its expressions are bound.
final class QueryState {
    var outerSlots: Set<Int> = []
    var calls: [AggregateCall] = []
    /// Where aggregates of this level put their results.
    var aggregateSlots: Set<Int> = []
    var setReturning: [SetReturningCall] = []
    var setReturningSlots: Set<Int> = []
}

/// A name that qualifies columns.
final class RangeEntry {
    let name: String
    /// Set for a table without alias: `schema.table.column` also matches.
    let schema: String?
    let columns: [RangeColumn]
    let relation: Relation?
    init(name: String, schema: String? = nil, columns: [RangeColumn], relation: Relation?) {
        self.name = name
        self.schema = schema
        self.columns = columns
        self.relation = relation
    }
}

/// Names visible to an expression.
final class Scope {
    let parent: Scope?
    let query: QueryState
    var entries: [RangeEntry] = []
    /// What an unqualified name may mean, and `*` expands to, in order.
    var columns: [RangeColumn] = []
    var commonTables: [CommonTableEntry] = []
    /// WITH names that are in scope but recursive, which is refused.
    var recursiveNames: [String] = []

    init(parent: Scope?, query: QueryState) {
        self.parent = parent
        self.query = query
    }

    func commonTable(_ name: String) -> CommonTableEntry? {
        var scope: Scope? = self
        while let current = scope {
            if let found = current.commonTables.last(where: { $0.name == name }) { return found }
            scope = current.parent
        }
        return nil
    }
}
