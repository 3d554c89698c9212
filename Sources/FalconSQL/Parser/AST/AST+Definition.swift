import FalconSchema

extension AST {
    /// `name = value` of WITH (…), of COPY's and EXPLAIN's options, of sequences.
    public struct Option: Sendable {
        public enum Value: Sendable {
            case integer(Int64)
            case number(String)
            case string(String)
            case bool(Bool)
            case star
            case names([String])
            case type(TypeName)
        }
        public var namespace: String?
        public var name: String
        public var value: Value?
        public var location: Int

        /// As a boolean option: absent value, true, on, 1 are true; nil if it is no boolean.
        /// The value of an option that must be true or false.
        func flag() throws(SQLError) -> Bool {
            if let boolValue { return boolValue }
            throw SQLError(.syntaxError, "\(name) requires a Boolean value")
        }

        public var boolValue: Bool? {
            switch value {
            case nil: return true
            case .bool(let flag): return flag
            case .integer(0): return false
            case .integer(1): return true
            case .string(let text):
                switch text.lowercased() {
                case "true", "on": return true
                case "false", "off": return false
                default: return nil
                }
            default: return nil
            }
        }
        public var stringValue: String? {
            switch value {
            case .string(let text), .number(let text): return text
            case .integer(let number): return String(number)
            case .bool(let flag): return flag ? "true" : "false"
            case .type(let type): return type.name.text
            case .names(let names): return names.joined(separator: ",")
            case .star, nil: return nil
            }
        }
    }

    public struct ColumnDefinition: Sendable {
        public var name: String
        /// Nil only in `ALTER TABLE … OF` forms, which are refused.
        public var type: TypeName?
        public var constraints: [Constraint]
        public var collation: Name?
        /// USING of ALTER COLUMN TYPE.
        public var using: Expression?
        public var location: Int
    }

    public struct ForeignKey: Sendable {
        public var columns: [String]
        public var table: TableName
        public var referencedColumns: [String]
        /// 'a' no action, 'r' restrict, 'c' cascade, 'n' set null, 'd' set default.
        public var onUpdate: String
        public var onDelete: String
        /// ON DELETE SET NULL (…) and SET DEFAULT (…); empty: all columns.
        public var deleteColumns: [String]
        public var match: String
    }

    public enum ConstraintKind: Sendable {
        case null
        case notNull
        case defaultValue(Expression)
        case check(Expression)
        /// Columns empty in a column constraint; `index` for USING INDEX.
        case primaryKey(columns: [String], including: [String], index: String?)
        case unique(columns: [String], including: [String], index: String?, nullsNotDistinct: Bool)
        case foreignKey(ForeignKey)
        case identity(isAlways: Bool, options: [Option])
        case generated(Expression)
        case exclusion
        /// DEFERRABLE, NOT DEFERRABLE, INITIALLY DEFERRED, INITIALLY IMMEDIATE after a constraint.
        case deferrable(Bool)
        case initiallyDeferred(Bool)
    }

    public struct Constraint: Sendable {
        public var name: String?
        public var kind: ConstraintKind
        public var isDeferrable: Bool
        public var isInitiallyDeferred: Bool
        public var isNotValid: Bool
        public var location: Int
        /// Where an error about it points.
        var place: Int? { location >= 0 ? location : nil }
    }

    public enum TableElement: Sendable {
        case column(ColumnDefinition)
        case constraint(Constraint)
        case like(TableName)
    }

    public struct CreateTable: Sendable {
        public var table: TableName
        public var elements: [TableElement]
        public var options: [Option]
        public var accessMethod: String?
        public var ifNotExists: Bool
        public var inherits: [TableName]
        public var isPartitioned: Bool
        public var isPartition: Bool
        public var onCommit: String
        public var tablespace: String?
    }

    public struct CreateTableAs: Sendable {
        public var table: TableName
        public var columns: [String]
        public var query: Statement
        public var withNoData: Bool
        public var ifNotExists: Bool
        public var isMaterializedView: Bool
        public var onCommit: String
    }

    public struct IndexElement: Sendable {
        public var column: String?
        public var expression: Expression?
        public var operatorClass: Name?
        public var collation: Name?
        public var isDescending: Bool
        /// ASC was said.
        public var isAscending = false
        public var nullsFirst: Bool?
    }

    public struct CreateIndex: Sendable {
        public var name: String?
        public var table: TableName
        public var accessMethod: String
        public var elements: [IndexElement]
        public var including: [IndexElement]
        public var filter: Expression?
        public var options: [Option]
        public var isUnique: Bool
        public var isConcurrent: Bool
        public var ifNotExists: Bool
        public var nullsNotDistinct: Bool
    }

    /// What DROP, COMMENT, RENAME act on.
    public enum ObjectKind: String, Sendable {
        case table, index, view, materializedView, sequence, schema, type, domain, function
        case column, constraint, database, role, trigger, policy, collation, `extension`, other
    }

    public struct Drop: Sendable {
        public var kind: ObjectKind
        /// PostgreSQL's tag for the kind, e.g. "DROP TABLE".
        public var tag: String
        public var names: [Name]
        public var isCascade: Bool
        public var ifExists: Bool
        public var isConcurrent: Bool
    }

    public struct Truncate: Sendable {
        public var tables: [TableName]
        public var restartIdentity: Bool
        public var isCascade: Bool
    }

    /// What REPLICA IDENTITY asks for.
    public enum RequestedIdentity: Sendable, Equatable {
        case primaryKey
        case full
        case nothing
        /// USING INDEX.
        case index(String)
    }

    public enum AlterTableAction: Sendable {
        case addColumn(ColumnDefinition, ifNotExists: Bool)
        case dropColumn(String, ifExists: Bool, isCascade: Bool)
        case addConstraint(Constraint)
        case dropConstraint(String, ifExists: Bool, isCascade: Bool)
        case validateConstraint(String)
        case alterConstraint(String, isDeferrable: Bool, isInitiallyDeferred: Bool)
        case setNotNull(String)
        case dropNotNull(String)
        /// Nil: DROP DEFAULT.
        case setDefault(String, Expression?)
        case alterType(String, ColumnDefinition)
        case setOptions([Option])
        case resetOptions([Option])
        case owner(String)
        case clusterOn(String)
        case replicaIdentity(RequestedIdentity)
        /// Known to the grammar, not supported: PostgreSQL's name of it.
        case unsupported(String)
    }

    public struct AlterTable: Sendable {
        public var table: TableName
        public var actions: [AlterTableAction]
        public var ifExists: Bool
        /// Table, index, view or sequence: the word after ALTER.
        public var kind: ObjectKind
    }

    public struct Rename: Sendable {
        /// What is renamed: table, index, column, constraint, view, sequence, schema.
        public var kind: ObjectKind
        /// The relation itself, or the one whose column or constraint is renamed.
        public var relation: TableName?
        /// The word after ALTER, of a column.
        public var relationKind: ObjectKind
        /// The column, constraint or schema being renamed.
        public var oldName: String?
        public var newName: String
        public var ifExists: Bool
    }

    public struct CreateSchema: Sendable {
        public var name: String?
        public var owner: String?
        public var ifNotExists: Bool
        public var elementCount: Int
    }

    public struct CreateView: Sendable {
        public var view: TableName
        public var columns: [String]
        public var query: Statement
        public var replace: Bool
        public var options: [Option]
        /// WITH … CHECK OPTION.
        public var checkOption: ViewDefinition.CheckOption
    }

    public struct CreateSequence: Sendable {
        public var sequence: TableName
        public var options: [Option]
        public var ifNotExists: Bool
    }

    public struct AlterSequence: Sendable {
        public var sequence: TableName
        public var options: [Option]
        public var ifExists: Bool
    }

    /// ALTER … SET SCHEMA.
    public struct SetSchema: Sendable {
        public var kind: ObjectKind
        public var relation: TableName
        public var schema: String
        public var ifExists: Bool
    }

    public struct Reindex: Sendable {
        public enum Kind: String, Sendable {
            case index = "INDEX"
            case table = "TABLE"
            case schema = "SCHEMA"
            case database = "DATABASE"
            case system = "SYSTEM"
        }
        public var kind: Kind
        /// The index or the table.
        public var relation: TableName?
        /// The schema or the database.
        public var name: String?
        public var options: [Option]
    }

    public struct CreateDatabase: Sendable {
        public var name: String
        public var options: [Option]
    }

    public struct DropDatabase: Sendable {
        public var name: String
        public var ifExists: Bool
        /// WITH (FORCE).
        public var isForced: Bool
    }

    /// CREATE, ALTER and DROP of ROLE, USER and GROUP.
    public struct RoleStatement: Sendable {
        public enum Action: String, Sendable {
            case create = "CREATE ROLE"
            case alter = "ALTER ROLE"
            case drop = "DROP ROLE"
        }
        public var action: Action
        /// Empty: CURRENT_USER and its kin.
        public var names: [String]
        public var options: [Option]
        /// CREATE USER.
        public var isUser: Bool
        public var ifExists: Bool
    }

    /// ALTER SCHEMA … OWNER TO.
    public struct SchemaOwner: Sendable {
        public var schema: String
        /// Empty: CURRENT_USER and its kin.
        public var role: String
    }

    public struct Comment: Sendable {
        public var kind: ObjectKind
        /// PostgreSQL's name of the kind: TABLE, FUNCTION.
        public var what: String
        /// A column's and a constraint's begins with the relation's.
        public var name: Name
        /// Nil, as an empty one, removes what there is.
        public var text: String?
    }
}
