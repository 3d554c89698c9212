import FalconSchema

extension AST {
    /// Modes of BEGIN, START TRANSACTION, SET TRANSACTION. Nil: not said.
    public struct TransactionModes: Sendable {
        /// "read committed", "repeatable read", "serializable", "read uncommitted".
        public var isolation: String?
        public var isReadOnly: Bool?
        public var isDeferrable: Bool?
        public init(isolation: String? = nil, isReadOnly: Bool? = nil, isDeferrable: Bool? = nil) {
            self.isolation = isolation
            self.isReadOnly = isReadOnly
            self.isDeferrable = isDeferrable
        }
    }

    public enum Transaction: Sendable {
        /// BEGIN or START TRANSACTION (their tags differ).
        case begin(TransactionModes, isStart: Bool)
        case commit(chain: Bool)
        case rollback(chain: Bool)
        case savepoint(String)
        case release(String)
        case rollbackTo(String)
        case prepare(String)
        case commitPrepared(String)
        case rollbackPrepared(String)
    }

    public enum SetValue: Sendable {
        /// SET x = values, already reduced to text; numbers as written.
        case values([String])
        /// SET x TO DEFAULT, RESET x.
        case toDefault
        /// SET x FROM CURRENT.
        case fromCurrent
    }

    public struct SetVariable: Sendable {
        public var name: String
        public var value: SetValue
        public var isLocal: Bool
        public var isReset: Bool
    }

    public struct Copy: Sendable {
        public var table: TableName?
        public var columns: [String]
        /// COPY (query) TO.
        public var query: Statement?
        public var isFrom: Bool
        public var isProgram: Bool
        /// Nil: STDIN or STDOUT.
        public var fileName: String?
        public var options: [Option]
        public var filter: Expression?
    }

    public struct Explain: Sendable {
        public var statement: Statement
        public var options: [Option]
    }

    public struct Vacuum: Sendable {
        /// False for ANALYZE.
        public var isVacuum: Bool
        public var options: [Option]
        /// Empty: the whole database.
        public var tables: [(table: TableName, columns: [String])]
    }

    public struct Prepare: Sendable {
        public var name: String
        public var types: [TypeName]
        public var statement: Statement
    }

    public struct Execute: Sendable {
        public var name: String
        public var arguments: [Expression]
    }

    public struct DeclareCursor: Sendable {
        public var name: String
        public var query: Select
        public var isBinary: Bool
        public var isScroll: Bool
        public var isNoScroll: Bool
        public var isHold: Bool
    }

    public enum FetchDirection: Sendable { case forward, backward, absolute, relative }

    public struct Fetch: Sendable {
        public var name: String
        public var direction: FetchDirection
        /// `Int64.max` for ALL.
        public var count: Int64
        public var isMove: Bool
    }

    public struct LockTable: Sendable {
        public var tables: [TableName]
        /// PostgreSQL's lock mode, 1 ACCESS SHARE to 8 ACCESS EXCLUSIVE.
        public var mode: Int
        public var noWait: Bool
    }

    public enum DiscardTarget: Sendable { case all, plans, sequences, temporary }
}
