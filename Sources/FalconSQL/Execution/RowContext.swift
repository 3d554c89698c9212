import FalconSchema

/// The registers one execution of a plan works in.
///
/// Every column any node of a plan produces has a *slot*, numbered at bind time. A scan writes the
/// columns it reads into its slots, a join therefore copies nothing, a projection writes only what
/// it computes, and an expression reads slots by number. Slots of different nodes never overlap, so
/// a correlated subplan (or the inner side of a nested loop) simply reads its outer row's slots:
/// they stay put while it runs. Nodes that keep rows (sort, hash, materialise) save their child's
/// ``PlanNode/outputSlots`` and write them back when they emit.
///
/// One context serves one execution on one thread at a time.
public final class RowContext {
    /// `slotCount` initialised values. A slot read before any node wrote it is NULL.
    public let slots: UnsafeMutablePointer<Datum>
    public let slotCount: Int
    /// Values of $1, $2 …, already in the physical form of their types.
    public var parameters: [Datum]
    /// Runs subplans for subquery expressions; set by the executor when the plan has any.
    public unowned(unsafe) var subplans: (any SubplanRunner)?

    /// The session's surroundings, for functions and casts.
    public var functions: FunctionContext

    public init(slotCount: Int, parameters: [Datum], functions: FunctionContext) {
        self.slotCount = slotCount
        self.parameters = parameters
        self.functions = functions
        slots = .allocate(capacity: max(slotCount, 1))
        slots.initialize(repeating: .null, count: max(slotCount, 1))
    }

    deinit {
        slots.deinitialize(count: max(slotCount, 1))
        slots.deallocate()
    }

    /// Makes the context ready for another execution of the same plan.
    public func reset(parameters: [Datum]) {
        self.parameters = parameters
        for index in 0..<slotCount { slots[index] = .null }
    }
}

/// What subquery expressions ask of the executor. A subplan works in the same ``RowContext`` as the
/// plan it belongs to, so its correlated references need no passing.
public protocol SubplanRunner: AnyObject {
    /// (Re)starts subplan `index` of the plan from its first row.
    func openSubplan(_ index: Int, _ row: RowContext) throws(SQLError)
    /// Advances it; true when its output slots hold a row.
    func nextSubplanRow(_ index: Int, _ row: RowContext) throws(SQLError) -> Bool
    /// Ends it early; it may be opened again.
    func closeSubplan(_ index: Int, _ row: RowContext)
    /// Results of subplans that need to run only once per execution, kept by the executor: nil
    /// until stored. Must be forgotten when a new execution begins.
    func cachedSubplanValue(_ index: Int) -> SubplanValue?
    func cacheSubplanValue(_ index: Int, _ value: SubplanValue)
    /// Charges memory for what is kept so, until it is forgotten; throws 53200.
    func holdForSubplans(_ bytes: Int) throws(SQLError)
}

/// A subplan's remembered outcome.
public enum SubplanValue {
    case scalar(Datum)
    /// The rows of an uncorrelated ANY/ALL subquery, first columns only when it has one.
    case rows([[Datum]])
    /// A hashed set with whether it holds a NULL; owned by the expression that made it.
    case object(AnyObject)
}
