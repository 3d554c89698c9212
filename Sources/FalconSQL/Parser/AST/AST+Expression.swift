import FalconSchema

extension AST {
    /// A scalar expression.
    public indirect enum Expression: Sendable {
        case column(ColumnReference)
        case constant(Constant, location: Int)
        case parameter(number: Int, location: Int)
        /// `left op right`; `left` nil for a prefix operator.
        case binary(Name, left: Expression?, right: Expression, location: Int)
        /// `left op ANY|ALL (array)`.
        case arrayComparison(
            Name, left: Expression, array: Expression, isAll: Bool, location: Int)
        /// `left [NOT] IN (list)`.
        case inList(left: Expression, list: [Expression], isNegated: Bool, location: Int)
        case between(
            Expression, lower: Expression, upper: Expression, isNegated: Bool,
            isSymmetric: Bool, location: Int)
        /// LIKE, ILIKE and SIMILAR TO; `name` is the operator they stand for (`~~`, `!~~*`…).
        case like(Name, left: Expression, pattern: Expression, location: Int)
        case isDistinct(left: Expression, right: Expression, isNegated: Bool, location: Int)
        case nullIf(Expression, Expression, location: Int)
        case and([Expression], location: Int)
        case or([Expression], location: Int)
        case not(Expression, location: Int)
        case nullTest(Expression, isNotNull: Bool, location: Int)
        case booleanTest(Expression, BooleanTest, location: Int)
        case function(FunctionCall)
        case cast(Expression, TypeName, location: Int)
        case collate(Expression, Name, location: Int)
        case caseWhen(
            operand: Expression?, branches: [CaseBranch], otherwise: Expression?, location: Int)
        case coalesce([Expression], location: Int)
        case minMax(isGreatest: Bool, [Expression], location: Int)
        case row([Expression], isExplicit: Bool, location: Int)
        case array([Expression], location: Int)
        case subquery(SubqueryExpression)
        case indirection(Expression, [Indirection])
        case valueFunction(ValueFunction, modifier: Int32, location: Int)
        /// DEFAULT in INSERT … VALUES or UPDATE … SET.
        case setToDefault(location: Int)
        /// `(a, b) = (subselect | row)` in UPDATE … SET: column `number` (from 1) of `count`.
        case multiAssign(source: Expression, number: Int, count: Int)
        case currentOf(cursor: String)
        case grouping([Expression], location: Int)
    }

    /// `a`, `t.a`, `s.t.a`, `*`, `t.*`.
    public struct ColumnReference: Sendable {
        public var parts: [String]
        public var isStar: Bool
        public var location: Int
    }

    public enum Constant: Sendable {
        case null
        case bool(Bool)
        case integer(Int32)
        /// Any other number, as written: a fraction, an exponent, or too big for int4.
        case number(String)
        case string(String)
        /// `b'…'` or `x'…'`, its leading letter included.
        case bits(String)
    }

    public enum BooleanTest: Sendable {
        case isTrue, isNotTrue, isFalse, isNotFalse, isUnknown, isNotUnknown
    }

    public struct CaseBranch: Sendable {
        public var condition: Expression
        public var result: Expression
    }

    public enum Indirection: Sendable {
        case field(String)
        case star
        case element(Expression)
        case slice(lower: Expression?, upper: Expression?)
    }

    public struct FunctionCall: Sendable {
        public var name: Name
        public var arguments: [Expression]
        /// Parallel to `arguments` when any is named (`f(a => 1)`), else empty.
        public var argumentNames: [String?]
        public var isStar: Bool
        public var isDistinct: Bool
        public var isVariadic: Bool
        public var order: [SortItem]
        public var filter: Expression?
        public var isWithinGroup: Bool
        public var window: Window?
        /// Written in SQL's own syntax: `EXTRACT(year FROM x)`, `x AT TIME ZONE y`.
        public var isSQLSyntax: Bool
        public var location: Int
    }

    public enum SubqueryKind: Sendable {
        case exists
        /// `left op ANY (query)`; IN when `operatorName` is nil.
        case any
        case all
        case scalar
        case array
    }

    public struct SubqueryExpression: Sendable {
        public var kind: SubqueryKind
        public var left: Expression?
        public var operatorName: Name?
        public var query: Select
        public var location: Int
    }

    public enum ValueFunction: Sendable {
        case currentDate, currentTime, currentTimestamp, localTime, localTimestamp
        case currentRole, currentUser, user, sessionUser, currentCatalog, currentSchema
    }

    public struct SortItem: Sendable {
        public var expression: Expression
        /// True for DESC; nil when `usingOperator` decides.
        public var isDescending: Bool
        /// Nil for the direction's default.
        public var nullsFirst: Bool?
        public var usingOperator: Name?
    }

    public struct Window: Sendable {
        public var name: String?
        public var reference: String?
        public var partition: [Expression]
        public var order: [SortItem]
        public var frameOptions: Int
        public var location: Int
    }
}

extension AST.Expression {
    /// Byte offset of the expression, -1 when unknown.
    public var location: Int {
        switch self {
        case .column(let reference): return reference.location
        case .constant(_, let location), .parameter(_, let location),
            .binary(_, _, _, let location), .arrayComparison(_, _, _, _, let location),
            .inList(_, _, _, let location), .between(_, _, _, _, _, let location),
            .like(_, _, _, let location), .isDistinct(_, _, _, let location),
            .nullIf(_, _, let location), .and(_, let location), .or(_, let location),
            .not(_, let location), .nullTest(_, _, let location),
            .booleanTest(_, _, let location), .cast(_, _, let location),
            .collate(_, _, let location), .caseWhen(_, _, _, let location),
            .coalesce(_, let location), .minMax(_, _, let location),
            .row(_, _, let location), .array(_, let location),
            .valueFunction(_, _, let location), .setToDefault(let location),
            .grouping(_, let location):
            return location
        case .function(let call): return call.location
        case .subquery(let subquery): return subquery.location
        case .indirection(let base, _): return base.location
        case .multiAssign(let source, _, _): return source.location
        case .currentOf: return -1
        }
    }
}
