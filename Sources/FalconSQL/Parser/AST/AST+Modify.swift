import FalconSchema

extension AST {
    public struct Assignment: Sendable {
        public var column: String
        public var indirection: [Indirection]
        public var value: Expression
        public var location: Int
    }

    public struct InsertColumn: Sendable {
        public var name: String
        public var indirection: [Indirection]
        public var location: Int
    }

    public enum ConflictTarget: Sendable {
        case none
        case columns([IndexElement], filter: Expression?, location: Int)
        case constraint(String, location: Int)
    }

    public struct OnConflict: Sendable {
        public var target: ConflictTarget
        /// DO UPDATE SET; empty for DO NOTHING.
        public var assignments: [Assignment]
        public var isUpdate: Bool
        public var filter: Expression?
        public var location: Int
    }

    public enum Overriding: Sendable { case none, user, system }

    public final class Insert: Sendable {
        public let with: With?
        public let table: TableName
        public let columns: [InsertColumn]
        /// Nil for DEFAULT VALUES.
        public let source: Select?
        public let onConflict: OnConflict?
        public let returning: [SelectItem]
        public let overriding: Overriding
        public init(
            with: With?, table: TableName, columns: [InsertColumn], source: Select?,
            onConflict: OnConflict?, returning: [SelectItem], overriding: Overriding
        ) {
            self.with = with
            self.table = table
            self.columns = columns
            self.source = source
            self.onConflict = onConflict
            self.returning = returning
            self.overriding = overriding
        }
    }

    public final class Update: Sendable {
        public let with: With?
        public let table: TableName
        public let assignments: [Assignment]
        public let from: [FromItem]
        public let filter: Expression?
        public let returning: [SelectItem]
        public init(
            with: With?, table: TableName, assignments: [Assignment], from: [FromItem],
            filter: Expression?, returning: [SelectItem]
        ) {
            self.with = with
            self.table = table
            self.assignments = assignments
            self.from = from
            self.filter = filter
            self.returning = returning
        }
    }

    /// WHEN [NOT] MATCHED [AND …] THEN ….
    public struct MergeClause: Sendable {
        public enum Action: Sendable {
            case update([Assignment])
            case delete
            /// Values nil: DEFAULT VALUES.
            case insert(columns: [InsertColumn], values: [Expression]?)
            case nothing
        }
        public var isMatched: Bool
        public var condition: Expression?
        public var action: Action
    }

    public final class Merge: Sendable {
        public let with: With?
        public let table: TableName
        public let source: FromItem
        public let condition: Expression
        public let clauses: [MergeClause]
        public init(
            with: With?, table: TableName, source: FromItem, condition: Expression,
            clauses: [MergeClause]
        ) {
            self.with = with
            self.table = table
            self.source = source
            self.condition = condition
            self.clauses = clauses
        }
    }

    public final class Delete: Sendable {
        public let with: With?
        public let table: TableName
        public let using: [FromItem]
        public let filter: Expression?
        public let returning: [SelectItem]
        public init(
            with: With?, table: TableName, using: [FromItem], filter: Expression?,
            returning: [SelectItem]
        ) {
            self.with = with
            self.table = table
            self.using = using
            self.filter = filter
            self.returning = returning
        }
    }
}
