/// A five-character SQLSTATE.
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
}

/// An error or notice as a PostgreSQL client sees it.
public struct SQLError: Error, Sendable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        case error = "ERROR"
        case fatal = "FATAL"
        case panic = "PANIC"
        case warning = "WARNING"
        case notice = "NOTICE"
        case debug = "DEBUG"
        case info = "INFO"
        case log = "LOG"
    }

    public var severity: Severity = .error
    public var state: SQLState
    public var message: String
    public var detail: String?
    public var hint: String?
    /// 1-based position in the statement, in characters.
    public var position: Int?
    /// 0-based byte offset in the statement, until it is turned into `position`.
    public var byteOffset: Int?
    public var context: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var dataType: String?
    public var constraint: String?
    /// PostgreSQL's function that reports it, where clients look at that.
    public var routine: String?

    public init(
        _ state: SQLState, _ message: String, detail: String? = nil, hint: String? = nil,
        byteOffset: Int? = nil, severity: Severity = .error
    ) {
        self.state = state
        self.message = message
        self.detail = detail
        self.hint = hint
        self.byteOffset = byteOffset
        self.severity = severity
    }

    /// Runs `body`, whose offsets point into another text than the client's statement (or whose errors
    /// PostgreSQL gives no position): its errors have none.
    public static func unplaced<T>(_ body: () throws(SQLError) -> T) throws(SQLError) -> T {
        do throws(SQLError) {
            return try body()
        } catch {
            var error = error
            error.byteOffset = nil
            error.position = nil
            throw error
        }
    }

    public var description: String { "\(severity.rawValue): \(message) (\(state))" }
}

extension SQLState {
    public static let warning = Self("01000")
    public static let dependentObjectsStillExist = Self("2BP01")
    public static let featureNotSupported = Self("0A000")
    public static let protocolViolation = Self("08P01")
    public static let transactionResolutionUnknown = Self("08007")
    public static let cardinalityViolation = Self("21000")
    public static let stringDataRightTruncation = Self("22001")
    public static let numericValueOutOfRange = Self("22003")
    public static let invalidDatetimeFormat = Self("22007")
    public static let datetimeFieldOverflow = Self("22008")
    public static let divisionByZero = Self("22012")
    public static let characterNotInRepertoire = Self("22021")
    public static let invalidParameterValue = Self("22023")
    public static let invalidTextRepresentation = Self("22P02")
    public static let invalidBinaryRepresentation = Self("22P03")
    public static let badCopyFileFormat = Self("22P04")
    public static let notNullViolation = Self("23502")
    public static let foreignKeyViolation = Self("23503")
    public static let uniqueViolation = Self("23505")
    public static let checkViolation = Self("23514")
    public static let activeSQLTransaction = Self("25001")
    public static let readOnlySQLTransaction = Self("25006")
    public static let noActiveSQLTransaction = Self("25P01")
    public static let inFailedSQLTransaction = Self("25P02")
    public static let invalidSQLStatementName = Self("26000")
    public static let invalidCatalogName = Self("3D000")
    public static let invalidCursorName = Self("34000")
    public static let invalidSchemaName = Self("3F000")
    public static let serializationFailure = Self("40001")
    public static let deadlockDetected = Self("40P01")
    public static let syntaxError = Self("42601")
    public static let insufficientPrivilege = Self("42501")
    public static let cannotCoerce = Self("42846")
    public static let groupingError = Self("42803")
    public static let windowingError = Self("42P20")
    public static let invalidColumnReference = Self("42P10")
    public static let undefinedColumn = Self("42703")
    public static let undefinedFunction = Self("42883")
    public static let undefinedTable = Self("42P01")
    public static let undefinedParameter = Self("42P02")
    public static let undefinedObject = Self("42704")
    public static let duplicateColumn = Self("42701")
    public static let duplicateCursor = Self("42P03")
    public static let duplicatePreparedStatement = Self("42P05")
    public static let duplicateTable = Self("42P07")
    public static let duplicateAlias = Self("42712")
    public static let duplicateObject = Self("42710")
    public static let ambiguousColumn = Self("42702")
    public static let ambiguousFunction = Self("42725")
    public static let indeterminateDatatype = Self("42P18")
    public static let datatypeMismatch = Self("42804")
    public static let wrongObjectType = Self("42809")
    public static let invalidForeignKey = Self("42830")
    public static let invalidTableDefinition = Self("42P16")
    public static let invalidObjectDefinition = Self("42P17")
    public static let diskFull = Self("53100")
    public static let outOfMemory = Self("53200")
    public static let tooManyConnections = Self("53300")
    public static let programLimitExceeded = Self("54000")
    public static let statementTooComplex = Self("54001")
    public static let tooManyColumns = Self("54011")
    public static let objectInUse = Self("55006")
    public static let objectNotInPrerequisiteState = Self("55000")
    public static let lockNotAvailable = Self("55P03")
    public static let queryCanceled = Self("57014")
    public static let adminShutdown = Self("57P01")
    public static let cannotConnectNow = Self("57P03")
    public static let ioError = Self("58030")
    public static let internalError = Self("XX000")
    public static let dataCorrupted = Self("XX001")
}
