import FalconSchema

extension AST {
    /// A table as written: `s.t AS x (a, b)`, `ONLY t`.
    public struct TableName: Sendable {
        public var catalog: String?
        public var schema: String?
        public var name: String
        public var alias: Alias?
        public var isOnly: Bool
        public var isTemporary: Bool
        public var isUnlogged: Bool
        public var location: Int
        /// `s.t` or `t`, as messages show it.
        public var text: String { schema.map { $0 + "." + name } ?? name }
    }

    public struct Alias: Sendable {
        public var name: String
        public var columns: [String]
    }

    /// One item of FROM.
    public indirect enum FromItem: Sendable {
        case table(TableName)
        case subquery(Select, alias: Alias?, isLateral: Bool, location: Int)
        case function(FunctionSource)
        case join(Join)
    }

    public struct FunctionSource: Sendable {
        /// More than one for ROWS FROM (f(), g()); each usually a `.function`.
        public var functions: [Expression]
        public var columnDefinitions: [ColumnDefinition]
        public var withOrdinality: Bool
        public var isLateral: Bool
        public var alias: Alias?
        public var location: Int
    }

    public enum JoinKind: Sendable { case inner, left, right, full }

    public struct Join: Sendable {
        public var kind: JoinKind
        public var isNatural: Bool
        public var left: FromItem
        public var right: FromItem
        /// CROSS JOIN has neither condition nor USING.
        public var condition: Expression?
        public var using: [String]
        /// `USING (…) AS name`.
        public var usingAlias: String?
        public var alias: Alias?
        public var location: Int
    }

    /// One item of a select list, or of RETURNING.
    public struct SelectItem: Sendable {
        public var expression: Expression
        public var alias: String?
        public var location: Int
    }

    public enum SetOperation: Sendable { case union, intersect, except }

    public enum LockStrength: Int, Sendable {
        case keyShare = 1
        case share, noKeyUpdate, update

        /// As SQL says it.
        var clause: String {
            switch self {
            case .update: "FOR UPDATE"
            case .noKeyUpdate: "FOR NO KEY UPDATE"
            case .share: "FOR SHARE"
            case .keyShare: "FOR KEY SHARE"
            }
        }
    }
    public enum LockWaitPolicy: Sendable { case wait, skipLocked, noWait }

    public struct LockingClause: Sendable {
        /// Aliases or names after OF; empty means every table of the query.
        public var tables: [TableName]
        public var strength: LockStrength
        public var wait: LockWaitPolicy
    }

    public struct CommonTable: Sendable {
        public var name: String
        public var columns: [String]
        public var query: Statement
        /// MATERIALIZED true, NOT MATERIALIZED false, neither nil.
        public var isMaterialized: Bool?
        public var location: Int
    }

    public struct With: Sendable {
        public var isRecursive: Bool
        public var tables: [CommonTable]
        public var location: Int
    }

    public enum Grouping: Sendable {
        case expression(Expression)
        /// ROLLUP, CUBE, GROUPING SETS.
        case sets(kind: String, location: Int)
        case empty
    }

    /// The body of a query: a SELECT core, VALUES, or a set operation of two queries.
    public indirect enum SelectBody: Sendable {
        case core(SelectCore)
        case values([[Expression]])
        case setOperation(SetOperation, all: Bool, Select, Select)
    }

    public struct SelectCore: Sendable {
        public var isDistinct: Bool
        /// DISTINCT ON's expressions; empty for plain DISTINCT.
        public var distinctOn: [Expression]
        public var items: [SelectItem]
        public var from: [FromItem]
        public var filter: Expression?
        public var groupBy: [Grouping]
        public var groupByDistinct: Bool
        public var having: Expression?
        public var windows: [Window]
        /// SELECT … INTO.
        public var into: TableName?
    }

    /// A query with the clauses that apply to its whole result.
    public final class Select: Sendable {
        public let with: With?
        public let body: SelectBody
        public let order: [SortItem]
        public let limit: Expression?
        public let offset: Expression?
        public let limitWithTies: Bool
        public let locking: [LockingClause]
        public init(
            with: With?, body: SelectBody, order: [SortItem] = [], limit: Expression? = nil,
            offset: Expression? = nil, limitWithTies: Bool = false,
            locking: [LockingClause] = []
        ) {
            self.with = with
            self.body = body
            self.order = order
            self.limit = limit
            self.offset = offset
            self.limitWithTies = limitWithTies
            self.locking = locking
        }
    }
}
