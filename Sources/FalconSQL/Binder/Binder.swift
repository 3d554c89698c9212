import FalconSchema
import FalconStorage
import Glibc

/// Gives every name, type, operator and conversion of one statement its meaning, as PostgreSQL's
/// parse analysis does. One per statement.
final class Binder {
    let catalog: any CatalogReader
    /// How literals are read.
    let context: FunctionContext
    private(set) var slotCount = 0
    /// The query level each slot belongs to, for grouping checks and correlation.
    private var slotOwners: [QueryState?] = []
    /// Names for messages about slots.
    var slotNames: [Int: String] = [:]
    /// Types of $1…; `.unknown` while undecided.
    var parameterTypes: [OID]
    /// Whether parameters beyond the declared ones may appear.
    let allowsNewParameters: Bool
    var relations: [PlanRelation] = []
    /// The columns of records that come out of subqueries, by the records' slots.
    var recordFields: [Int: [(name: String, expression: SlotReference)]] = [:]
    /// The columns of records of which only the text has come along, by its slot.
    var recordColumns: [Int: [(name: String, type: OID)]] = [:]
    /// In the order they are to be run.
    var commonTables: [CommonTableEntry] = []
    var clause = Clause.select
    /// A literal's meaning depended on settings, the clock or names.
    var readsSurroundings = false
    /// Constant expressions whose evaluation fails, kept alive, and how.
    private var failedFoldings: [(expression: BoundExpression, error: SQLError)] = []
    /// Levels of expression binding in progress.
    private var depth = 0
    /// Lowest stack address binding may reach; 0 until it is first needed.
    private var stackLimit: UInt = 0
    /// Stack binding may use; nil: half of what threads have by default.
    private let stackAllowance: UInt?
    private let found: FoundRelations?
    /// Told of what the statement's own text names.
    let names: NamedReferences?
    /// The views being read, from the outside in.
    private var viewsInProgress: [OID] = []
    /// For constant folding.
    private(set) lazy var scratch = RowContext(slotCount: 0, parameters: [], functions: context)

    init(
        catalog: any CatalogReader, context: FunctionContext, parameterTypes: [OID],
        allowsNewParameters: Bool = true, stackAllowance: UInt? = nil,
        found: FoundRelations? = nil, names: NamedReferences? = nil
    ) {
        self.names = names
        self.found = found
        self.stackAllowance = stackAllowance
        self.catalog = catalog
        self.context = context
        self.parameterTypes = parameterTypes.map { $0 == .invalid ? .unknown : $0 }
        self.allowsNewParameters = allowsNewParameters
    }

    /// Runs one level of recursion, or refuses (54001) when little of the thread's stack is left:
    /// how deep a tree may be depends on the thread and the build, never on luck.
    func descending<T>(_ body: () throws(SQLError) -> T) throws(SQLError) -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > 40 { try checkStack() }
        if depth > Self.greatestDepth { throw Self.tooDeep }
        return try body()
    }

    private func checkStack() throws(SQLError) {
        if stackLimit == 0 { stackLimit = lowestSafeAddress() }
        var marker: UInt8 = 0
        let here = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
        if here < stackLimit {
            throw Self.tooDeep
        }
    }

    private static let greatestDepth = 8000
    private static let tooDeep = SQLError(
        .statementTooComplex, "stack depth limit exceeded",
        hint: "The statement nests expressions or queries too deeply.")

    /// Where recursion from here must stop: at half of what a thread's stack is by default (glibc
    /// takes the soft limit; 2 MiB when there is none), the rest being for the planner and for what
    /// evaluates the expression.
    private func lowestSafeAddress() -> UInt {
        var limit = rlimit()
        var size: UInt = 2 << 20
        if getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0,
            limit.rlim_cur <= 64 << 20
        {
            size = UInt(limit.rlim_cur)
        }
        var marker: UInt8 = 0
        let here = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
        let allowance = stackAllowance ?? size / 2
        return here > allowance ? here - allowance : 1
    }

    /// How deep we are in text that is not the statement's own: views, defaults, checks. Locations
    /// there mean nothing to the statement.
    private var storedTextDepth = 0
    var isInStoredText: Bool { storedTextDepth > 0 }
    /// Dates and times among the statement's untyped literals, by location, as text that reads the
    /// same under any settings.
    private(set) var fixedLiterals: [Int: String] = [:]

    /// Runs `body` on a tree read from the catalog.
    func readingStoredText<T>(_ body: () throws(SQLError) -> T) throws(SQLError) -> T {
        storedTextDepth += 1
        defer { storedTextDepth -= 1 }
        return try body()
    }

    /// Runs `body` on a view's query, unless that is being read already: it reads itself then.
    func readingView<T>(
        _ view: ViewDefinition, _ body: () throws(SQLError) -> T
    ) throws(SQLError) -> T {
        if viewsInProgress.contains(view.oid) {
            throw SQLError(
                SQLState("42P17"),
                "infinite recursion detected in rules for relation \"\(view.name)\"")
        }
        viewsInProgress.append(view.oid)
        defer { viewsInProgress.removeLast() }
        return try readingStoredText(body)
    }

    /// Notes what a literal of the statement meant.
    func noteLiteral(_ value: Datum, _ type: OID, at location: Int) {
        guard storedTextDepth == 0, location >= 0 else { return }
        switch type {
        case .date, .time, .timestamp, .timestamptz, .interval:
            fixedLiterals[location] = TypeIO.text(value, type: type, settings: DisplaySettings())
        default: return
        }
    }

    func newSlot(owner: QueryState?) -> Int {
        slotOwners.append(owner)
        slotCount += 1
        return slotCount - 1
    }

    func owner(of slot: Int) -> QueryState? { slotOwners[slot] }

    func setOwner(of slot: Int, to owner: QueryState) { slotOwners[slot] = owner }

    /// Runs `body` with another clause in force.
    func within<T>(_ clause: Clause, _ body: () throws(SQLError) -> T) throws(SQLError) -> T {
        let saved = self.clause
        self.clause = clause
        defer { self.clause = saved }
        return try body()
    }

    /// Adds a relation the plan reads or writes; the strongest lock asked for wins.
    func use(_ table: TableDescriptor, lock: RelationLock) {
        use(PlanRelation(table: table, lock: lock))
    }

    /// The same for a view that is read or written through; what it reads has locks of its own.
    func use(_ view: ViewDefinition, lock: RelationLock) {
        use(viewLike: view.oid, schema: view.schema, name: view.name, lock: lock)
    }

    /// The same for what has no version to know it by: also a sequence.
    func use(viewLike oid: OID, schema: String, name: String, lock: RelationLock) {
        let stand = TableDescriptor(
            oid: oid, database: DatabaseID(0), schemaOID: .invalid, schema: schema,
            name: name, version: 0, storageID: StorageID(UInt32.max), columns: [])
        use(PlanRelation(table: stand, lock: lock, isView: true))
    }

    private func use(_ relation: PlanRelation) {
        found?.relations.append(relation)
        if relations.contains(where: { $0.table.oid == relation.table.oid }) {
            strengthen(relation.lock, of: relation.table.oid)
        } else {
            relations.append(relation)
        }
    }

    /// Asks for a stronger lock of a relation that is used.
    func strengthen(_ lock: RelationLock, of oid: OID) {
        for index in relations.indices where relations[index].table.oid == oid {
            relations[index].lock = max(relations[index].lock, lock)
        }
    }

    /// By expression, how the evaluation of a constant one fails.
    var foldingFailures: [ObjectIdentifier: SQLError] {
        var result: [ObjectIdentifier: SQLError] = [:]
        for (expression, error) in failedFoldings { result[ObjectIdentifier(expression)] = error }
        return result
    }

    var hasFoldingFailures: Bool { !failedFoldings.isEmpty }

    /// The constant an expression of constants comes to; the expression itself when it must wait,
    /// or when evaluating fails: whether that is an error the finished plan shows
    /// (``FoldingCheck``).
    func folded(_ expression: BoundExpression) -> BoundExpression {
        for child in expression.children where !(child is ConstantExpression) { return expression }
        if let call = expression as? FunctionExpression {
            if call.function.volatility != .immutable { return expression }
            // Binding runs on an event loop: what may take long waits for a worker.
            if !call.function.isCheap, !call.function.isQuick(with: call.arguments) {
                return expression
            }
            if call.function.isLong(with: call.arguments) { return expression }
        }
        if expression is TextConversionExpression { return expression }
        do throws(SQLError) {
            let value = try expression.evaluate(scratch)
            return ConstantExpression(value, type: expression.type, location: expression.location)
        } catch {
            failedFoldings.append((expression, error))
            return expression
        }
    }

    /// The parameters' types at the end; 42P18 when one was never decided.
    func finalParameterTypes() throws(SQLError) -> [SQLType] {
        var types: [SQLType] = []
        for (index, type) in parameterTypes.enumerated() {
            if type == .unknown {
                throw SQLError(
                    .indeterminateDatatype,
                    "could not determine data type of parameter $\(index + 1)")
            }
            types.append(SQLType(type))
        }
        return types
    }
}
