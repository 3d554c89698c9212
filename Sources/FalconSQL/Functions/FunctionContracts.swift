import FalconSchema

/// How often a function's answer may be reused (pg_proc.provolatile).
public enum Volatility: UInt8, Sendable { case immutable, stable, volatile }

/// The code of a scalar function, by arity, so that common calls allocate no array. A strict
/// function is never called with a NULL: the caller answers NULL itself.
public enum ScalarBody: Sendable {
    case nullary(@Sendable (FunctionContext) throws(SQLError) -> Datum)
    case unary(@Sendable (Datum, FunctionContext) throws(SQLError) -> Datum)
    case binary(@Sendable (Datum, Datum, FunctionContext) throws(SQLError) -> Datum)
    case ternary(@Sendable (Datum, Datum, Datum, FunctionContext) throws(SQLError) -> Datum)
    case many(@Sendable ([Datum], FunctionContext) throws(SQLError) -> Datum)
    /// Like `many`, told its arguments' actual types: polymorphic and "any" functions.
    case typed(@Sendable ([Datum], [OID], FunctionContext) throws(SQLError) -> Datum)
}

/// Rows of one call of a set-returning function.
open class RowSource {
    public init() {}
    /// Fills `columns` (as many as the function's result has) with the next row; false at the end.
    open func next(into columns: inout [Datum]) throws(SQLError) -> Bool { false }
}

/// One group's running state of an aggregate.
open class AggregateState {
    public init() {}
    /// All values it is given stay in memory: the operator charges them.
    open var keepsValues: Bool { false }
    /// Takes one row's arguments (none for count(*)). A strict aggregate never sees a NULL.
    open func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {}
    /// One-argument form, which sum, min, count(x) and friends override to avoid an array.
    open func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        try add([argument], context)
    }
    open func result(_ context: FunctionContext) throws(SQLError) -> Datum { .null }
}

/// What a function is, and its code.
public enum FunctionBody: Sendable {
    case scalar(ScalarBody)
    /// Makes the rows of one call; arguments as given (a strict one with a NULL gives no row and is
    /// not called). The second list holds the arguments' actual types.
    case set(@Sendable ([Datum], [OID], FunctionContext) throws(SQLError) -> RowSource)
    /// Makes a group's state, told the arguments' actual types.
    case aggregate(@Sendable ([OID]) -> AggregateState)
}

/// A built-in function: pg_proc's facts and the code behind them.
public final class FunctionDescriptor: Sendable {
    public let oid: OID
    public let name: String
    /// As declared; polymorphic types (anyelement…) not yet replaced.
    public let argumentTypes: [OID]
    public let argumentNames: [String]
    /// The last argument takes any number of this element type (`variadic`); `.invalid` for none.
    public let variadicElement: OID
    /// Trailing arguments that have defaults.
    public let defaults: [Datum]
    public let resultType: OID
    /// Names and types of a set function's columns; one unnamed column otherwise.
    public let resultColumns: [(name: String, type: OID)]
    public let isStrict: Bool
    public let volatility: Volatility
    public let body: FunctionBody
    /// pg_proc.proretset: false also for a function of several columns and one row, whose code makes rows.
    public let isDeclaredSet: Bool

    public init(
        oid: OID, name: String, argumentTypes: [OID], argumentNames: [String] = [],
        variadicElement: OID = .invalid, defaults: [Datum] = [], resultType: OID,
        resultColumns: [(name: String, type: OID)] = [], isStrict: Bool = true,
        volatility: Volatility = .immutable, body: FunctionBody, isDeclaredSet: Bool? = nil
    ) {
        self.oid = oid
        self.name = name
        self.argumentTypes = argumentTypes
        self.argumentNames = argumentNames
        self.variadicElement = variadicElement
        self.defaults = defaults
        self.resultType = resultType
        self.resultColumns = resultColumns
        self.isStrict = isStrict
        self.volatility = volatility
        self.body = body
        if let isDeclaredSet {
            self.isDeclaredSet = isDeclaredSet
        } else if case .set = body {
            self.isDeclaredSet = true
        } else {
            self.isDeclaredSet = false
        }
    }

    public var isAggregate: Bool {
        if case .aggregate = body { return true }
        return false
    }
    public var returnsSet: Bool {
        if case .set = body { return true }
        return false
    }
}

/// A function chosen for a call.
public struct ResolvedFunction: Sendable {
    public var function: FunctionDescriptor
    /// What each actual argument must be converted to (implicitly), polymorphism and variadic
    /// expansion resolved; parallel to the call's arguments.
    public var argumentTypes: [OID]
    public var resultType: OID
    public var resultColumns: [(name: String, type: OID)]
    /// Number of trailing actual arguments to gather into one array of this element type
    /// (a variadic call written out); nil: none.
    public var variadicGather: (count: Int, element: OID)?
    /// Which declared argument each actual one is, where the call names any; nil: they come in order.
    public var positions: [Int]?
    public init(
        function: FunctionDescriptor, argumentTypes: [OID], resultType: OID,
        resultColumns: [(name: String, type: OID)] = [],
        variadicGather: (count: Int, element: OID)? = nil
    ) {
        self.function = function
        self.argumentTypes = argumentTypes
        self.resultType = resultType
        self.resultColumns = resultColumns
        self.variadicGather = variadicGather
    }
}

/// An operator chosen for its operands.
public struct ResolvedOperator: Sendable {
    public var oid: OID
    /// pg_operator.oprname.
    public var name: String
    /// What each side must be converted to; `.invalid` left for a prefix operator.
    public var left: OID
    public var right: OID
    public var resultType: OID
    /// The function behind it.
    public var function: FunctionDescriptor
    public init(
        oid: OID, name: String, left: OID, right: OID, resultType: OID,
        function: FunctionDescriptor
    ) {
        self.oid = oid
        self.name = name
        self.left = left
        self.right = right
        self.resultType = resultType
        self.function = function
    }
}

/// When a cast may be used (pg_cast.castcontext), weakest first.
public enum CastContext: UInt8, Comparable, Sendable {
    case implicit, assignment, explicit
    public static func < (a: CastContext, b: CastContext) -> Bool { a.rawValue < b.rawValue }
}

/// How one type becomes another.
public enum CastPath: Sendable {
    /// The same physical value (varchar → text, int4 → oid).
    case relabel
    case function(FunctionDescriptor)
    /// Through the text form, both ways of pg_cast's `i`/automatic I/O conversion.
    case inOut
    /// Element by element.
    case array(ArrayCast)

    public final class ArrayCast: Sendable {
        public let element: CastPath
        public let from: OID
        public let to: OID
        public init(element: CastPath, from: OID, to: OID) {
            self.element = element
            self.from = from
            self.to = to
        }
    }
}
