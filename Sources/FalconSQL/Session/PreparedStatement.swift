import FalconSchema
import FalconStorage

/// A parsed statement with its current plan; the plan is made again when the catalog has moved on.
final class PreparedStatement {
    let name: String
    let sql: String
    /// Nil for blank text.
    let parsed: AST.ParsedStatement?
    var declaredTypes: [OID]
    /// Made by PREPARE, not by a Parse message.
    let isFromSQL: Bool

    var plan: PhysicalPlan?
    var planCatalogVersion: UInt64 = 0
    var planPathGeneration: UInt64 = 0
    /// It was made for a snapshot of this time, older than some index: see
    /// ``Transaction/timestampBeforeIndexes``.
    var planTimestamp: Timestamp?
    /// How many rows it takes its tables to have.
    var estimates: [RowEstimates.Estimate] = []
    /// Until the log ends here they are not looked at again.
    var estimatesEnd = LSN.zero
    /// Nor before the next ANALYZE: see ``RowEstimates/generation``.
    var estimatesGeneration: UInt64 = 0
    /// What Describe told: a new plan must agree with it.
    var describedColumns: [ResultColumn]?
    /// An executor that nobody uses at the moment.
    var idleExecutor: PlanExecutor?
    /// DECLARE's query.
    var isCursor = false

    init(
        name: String, sql: String, parsed: AST.ParsedStatement?, declaredTypes: [OID],
        isFromSQL: Bool = false
    ) {
        self.name = name
        self.sql = sql
        self.parsed = parsed
        self.declaredTypes = declaredTypes
        self.isFromSQL = isFromSQL
    }

    var statement: AST.Statement? { parsed?.statement }
    /// It may nest so deeply that planning and running it need a large stack.
    var isDeep: Bool { parsed?.isDeep ?? false }
    var depth: Int { parsed?.depth ?? 0 }
    /// The statement's own part of `sql`.
    var text: String {
        guard let parsed, parsed.textLength < sql.utf8.count else { return sql }
        return String(
            decoding: sql.utf8.dropFirst(parsed.textOffset).prefix(parsed.textLength),
            as: UTF8.self)
    }

    /// True for the five statements that have a plan.
    var isPlanned: Bool {
        switch statement {
        case .select, .insert, .update, .delete, .merge: true
        default: false
        }
    }
}

/// A bound statement, perhaps part-way through its rows.
final class Portal {
    let name: String
    let prepared: PreparedStatement
    let parameters: [Datum]
    let formats: [Int16]
    /// Its place among the session's portals and savepoints.
    let number: Int
    var run: StatementRun?
    var isDone = false
    /// What it said when it was.
    var tag = ""
    /// A FETCH from it failed: there is nothing more to be had.
    var hasFailed = false
    /// DECLARE ... WITH HOLD.
    var isHold = false
    /// Its rows have been read for the commit.
    var isHeld = false
    /// A commit has begun to read its rows and is not at their end.
    var isBeingHeld = false
    /// Made by DECLARE.
    var isCursor = false
    var isBinary = false
    /// It may go back.
    var isScrollable = false
    var position = CursorPosition()
    /// The rows it keeps; nil: they are sent as they come.
    var rows: CursorRows?
    /// µs since 2000.
    var creationTime: Int64 = 0
    /// Its transaction has committed.
    var isKept = false
    /// Its parameters are so large that working on them is for a worker.
    var isLarge = false

    init(
        name: String, prepared: PreparedStatement, parameters: [Datum], formats: [Int16],
        number: Int
    ) {
        self.number = number
        self.name = name
        self.prepared = prepared
        self.parameters = parameters
        self.formats = formats
    }
}
