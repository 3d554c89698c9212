import FalconSchema

/// The code of built-in functions, by pg_proc.prosrc (`int4pl`), or by `#` and OID where one source
/// name serves several signatures.
struct FunctionLibrary {
    private(set) var bodies: [String: FunctionBody] = [:]

    typealias Nullary = @Sendable (FunctionContext) throws(SQLError) -> Datum
    typealias Unary = @Sendable (Datum, FunctionContext) throws(SQLError) -> Datum
    typealias Binary = @Sendable (Datum, Datum, FunctionContext) throws(SQLError) -> Datum
    typealias Ternary = @Sendable (Datum, Datum, Datum, FunctionContext) throws(SQLError) -> Datum
    typealias Many = @Sendable ([Datum], FunctionContext) throws(SQLError) -> Datum
    typealias Typed = @Sendable ([Datum], [OID], FunctionContext) throws(SQLError) -> Datum
    typealias SetMaker = @Sendable ([Datum], [OID], FunctionContext) throws(SQLError) -> RowSource

    mutating func nullary(_ names: String..., code: @escaping Nullary) {
        for name in names { bodies[name] = .scalar(.nullary(code)) }
    }
    mutating func unary(_ names: String..., code: @escaping Unary) {
        for name in names { bodies[name] = .scalar(.unary(code)) }
    }
    mutating func binary(_ names: String..., code: @escaping Binary) {
        for name in names { bodies[name] = .scalar(.binary(code)) }
    }
    mutating func ternary(_ names: String..., code: @escaping Ternary) {
        for name in names { bodies[name] = .scalar(.ternary(code)) }
    }
    mutating func many(_ names: String..., code: @escaping Many) {
        for name in names { bodies[name] = .scalar(.many(code)) }
    }
    mutating func typed(_ names: String..., code: @escaping Typed) {
        for name in names { bodies[name] = .scalar(.typed(code)) }
    }
    mutating func rows(_ names: String..., code: @escaping SetMaker) {
        for name in names { bodies[name] = .set(code) }
    }
    mutating func aggregate(
        _ names: String..., make: @escaping @Sendable ([OID]) -> AggregateState
    ) {
        for name in names { bodies[name] = .aggregate(make) }
    }

    /// Everything there is.
    static func complete() -> FunctionLibrary {
        var library = FunctionLibrary()
        library.addComparisons()
        library.addIntegers()
        library.addFloats()
        library.addNumerics()
        library.addText()
        library.addPatterns()
        library.addDateTimes()
        library.addArrays()
        library.addConversions()
        library.addSession()
        library.addTransactions()
        library.addEncryption()
        library.addBackup()
        library.addLogPlaces()
        library.addSlots()
        library.addSets()
        library.addAggregates()
        library.addCatalog()
        library.addComments()
        library.addAdvisory()
        library.addSignals()
        library.addJSON()
        return library
    }
}

/// Arguments by the form their declared type promises. A resolved call passes nothing else; should it
/// happen all the same, a zero value is better than a trap.
extension Datum {
    @inlinable var int: Int64 {
        if case .int(let value) = self { return value }
        return 0
    }
    @inlinable var bool: Bool {
        if case .bool(let value) = self { return value }
        return false
    }
    @inlinable var float: Double {
        if case .float(let value) = self { return value }
        return 0
    }
    @inlinable var numeric: NumericValue {
        if case .numeric(let value) = self { return value }
        return .zero
    }
    @inlinable var text: String {
        if case .text(let value) = self { return value }
        return ""
    }
    @inlinable var bytes: [UInt8] {
        if case .bytes(let value) = self { return value }
        return []
    }
    @inlinable var interval: Interval {
        if case .interval(let value) = self { return value }
        return Interval(months: 0, days: 0, micros: 0)
    }
    @inlinable var array: ArrayValue {
        if case .array(let value) = self { return value }
        return ArrayValue(elementType: .invalid, dimensions: [], elements: [])
    }
}
