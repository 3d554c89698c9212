import FalconSchema

/// Aggregates with PostgreSQL's result types: sum(int4) is int8, sum(int8) and avg of integers are
/// numeric.
extension FunctionLibrary {
    mutating func addAggregates() {
        aggregate("agg:count") { _ in CountState() }
        aggregate("#2107", "#2114") { _ in NumericSumState(isAverage: false) }
        aggregate("#2108", "#2109") { _ in IntegerSumState() }
        aggregate("#2110") { _ in FloatSumState(isSingle: true) }
        aggregate("#2111") { _ in FloatSumState(isSingle: false) }
        aggregate("#2113") { _ in IntervalSumState(isAverage: false) }
        aggregate("#2100", "#2101", "#2102", "#2103") { _ in NumericSumState(isAverage: true) }
        aggregate("#2104", "#2105") { _ in MomentState(.average) }
        aggregate("#2106") { _ in IntervalSumState(isAverage: true) }
        aggregate("agg:min") { types in ExtremeState(types.first ?? .unknown, wantsLess: true) }
        aggregate("agg:max") { types in ExtremeState(types.first ?? .unknown, wantsLess: false) }
        aggregate("agg:bool_and", "agg:every") { _ in BooleanState(isAnd: true) }
        aggregate("agg:bool_or") { _ in BooleanState(isAnd: false) }
        aggregate("agg:bit_and") { _ in BitState { $0 & $1 } }
        aggregate("agg:bit_or") { _ in BitState { $0 | $1 } }
        aggregate("agg:bit_xor") { _ in BitState { $0 ^ $1 } }
        aggregate("agg:string_agg") { _ in StringState() }
        aggregate("#3545") { _ in BytesState() }
        aggregate("agg:array_agg") { types in ArrayState(types.first ?? .unknown) }
        // variance and stddev: floats by moments, the rest exactly.
        for (base, kind) in [
            (2148, Moment.varianceSample), (2641, .varianceSample), (2718, .variancePopulation),
            (2154, .deviationSample), (2712, .deviationSample), (2724, .deviationPopulation),
        ] {
            // Six overloads each: int8, int4, int2, float4, float8, numeric.
            for (offset, isFloat) in [
                (0, false), (1, false), (2, false), (3, true), (4, true), (5, false),
            ] {
                if isFloat {
                    aggregate("#\(base + offset)") { _ in MomentState(kind) }
                } else {
                    aggregate("#\(base + offset)") { _ in NumericMomentState(kind) }
                }
            }
        }
    }
}

private final class CountState: AggregateState {
    private var count: Int64 = 0
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        count += 1
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) { count += 1 }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum { .int(count) }
}

/// sum(int2), sum(int4): int8.
private final class IntegerSumState: AggregateState {
    private var sum: Int64 = 0
    private var isEmpty = true
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        isEmpty = false
        let (value, overflow) = sum.addingReportingOverflow(argument.int)
        if overflow { throw SQLError(.numericValueOutOfRange, "bigint out of range") }
        sum = value
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        isEmpty ? .null : .int(sum)
    }
}

/// sum(int8), sum(numeric), avg of integers and numerics.
private final class NumericSumState: AggregateState {
    private let isAverage: Bool
    /// Integers collect here; 2^64 of them cannot overflow.
    private var integers: Int128 = 0
    private var sum = NumericValue.zero
    private var count: Int64 = 0
    init(isAverage: Bool) { self.isAverage = isAverage }

    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        count += 1
        switch argument {
        case .int(let value): integers += Int128(value)
        case .numeric(let value): sum = try NumericValue.add(sum, value)
        default: break
        }
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if count == 0 { return .null }
        let total = try NumericValue.add(sum, NumericValue(wide: integers))
        return .numeric(isAverage ? try NumericValue.divide(total, NumericValue(count)) : total)
    }
}

private final class FloatSumState: AggregateState {
    private let isSingle: Bool
    private var sum = 0.0
    private var isEmpty = true
    init(isSingle: Bool) { self.isSingle = isSingle }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        let value = argument.float
        var next = isEmpty ? value : sum + value
        isEmpty = false
        if isSingle { next = Double(Float(next)) }
        if next.isInfinite, sum.isFinite, value.isFinite { throw FunctionLibrary.floatOverflow }
        sum = next
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        isEmpty ? .null : .float(sum)
    }
}

private final class IntervalSumState: AggregateState {
    private let isAverage: Bool
    private var sum = Interval(months: 0, days: 0, micros: 0)
    private var count = 0
    init(isAverage: Bool) { self.isAverage = isAverage }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        sum = try DateTimeMath.sum(sum, arguments[0].interval)
        count += 1
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if count == 0 { return .null }
        return .interval(isAverage ? try DateTimeMath.scaled(sum, by: 1 / Double(count)) : sum)
    }
}

private final class ExtremeState: AggregateState {
    private let type: OID
    private let wantsLess: Bool
    private var best: Datum = .null
    init(_ type: OID, wantsLess: Bool) {
        self.type = type
        self.wantsLess = wantsLess
    }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        if best.isNull {
            best = argument
            return
        }
        let order = DatumOrder.compare(argument, best, type: type)
        if wantsLess ? order < 0 : order > 0 { best = argument }
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum { best }
}

private final class BooleanState: AggregateState {
    private let isAnd: Bool
    private var value: Bool?
    init(isAnd: Bool) { self.isAnd = isAnd }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        let next = arguments[0].bool
        value = value.map { isAnd ? $0 && next : $0 || next } ?? next
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        value.map { .bool($0) } ?? .null
    }
}

private final class BitState: AggregateState {
    private let combine: @Sendable (Int64, Int64) -> Int64
    private var value: Int64?
    init(_ combine: @escaping @Sendable (Int64, Int64) -> Int64) { self.combine = combine }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        value = value.map { combine($0, arguments[0].int) } ?? arguments[0].int
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        value.map { .int($0) } ?? .null
    }
}

/// string_agg(text, text): NULL values are skipped, a NULL separator is empty.
private final class StringState: AggregateState {
    override var keepsValues: Bool { true }
    private var text: String?
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        guard case .text(let value) = arguments[0] else { return }
        guard text != nil else {
            text = value
            return
        }
        var separator = ""
        if case .text(let given) = arguments[1] { separator = given }
        try TextMath.append(value, to: &text, after: separator)
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        text.map { .text($0) } ?? .null
    }
}

private final class BytesState: AggregateState {
    override var keepsValues: Bool { true }
    private var bytes: [UInt8]?
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        guard case .bytes(let value) = arguments[0] else { return }
        guard bytes != nil else {
            bytes = value
            return
        }
        if case .bytes(let separator) = arguments[1] {
            try ValueLimit.checkGrowth(bytes?.count ?? 0, by: separator.count)
            bytes?.append(contentsOf: separator)
        }
        try ValueLimit.checkGrowth(bytes?.count ?? 0, by: value.count)
        bytes?.append(contentsOf: value)
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        bytes.map { .bytes($0) } ?? .null
    }
}

/// array_agg of values, or of arrays into one of a dimension more.
private final class ArrayState: AggregateState {
    override var keepsValues: Bool { true }
    private let type: OID
    private var elements: [Datum] = []
    private var inner: [(length: Int32, lowerBound: Int32)] = []
    private var count: Int32 = 0
    init(_ type: OID) { self.type = type }

    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        guard TypeRegistry.elementType(of: type) != nil else {
            elements.append(arguments[0])
            count += 1
            return
        }
        guard case .array(let array) = arguments[0] else {
            throw SQLError(SQLState("22004"), "cannot accumulate null arrays")
        }
        if array.elements.isEmpty {
            throw SQLError(SQLState("2202E"), "cannot accumulate empty arrays")
        }
        if count == 0 {
            inner = array.dimensions
        } else if !inner.elementsEqual(array.dimensions, by: { $0.length == $1.length }) {
            throw SQLError(
                SQLState("2202E"), "cannot accumulate arrays of different dimensionality")
        }
        elements += array.elements
        count += 1
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if count == 0 { return .null }
        let element = TypeRegistry.elementType(of: type)
        let array = ArrayValue(
            elementType: element ?? type,
            dimensions: [(length: count, lowerBound: 1)] + inner, elements: elements)
        try ValueLimit.check(array)
        return .array(array)
    }
}

enum Moment: Sendable {
    case average, varianceSample, variancePopulation, deviationSample, deviationPopulation
}

/// Mean and variance of floats by Youngs and Cramer's update.
private final class MomentState: AggregateState {
    private let kind: Moment
    private var count = 0.0
    private var sum = 0.0
    private var squares = 0.0
    init(_ kind: Moment) { self.kind = kind }

    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        let value = argument.float
        count += 1
        let previous = sum
        sum += value
        if count > 1 {
            let difference = value * count - sum
            squares += difference * difference / (count * (count - 1))
            if sum.isInfinite || squares.isInfinite {
                if previous.isFinite, value.isFinite { throw FunctionLibrary.floatOverflow }
                squares = .nan
            }
        } else if !value.isFinite {
            squares = .nan
        }
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if count == 0 { return .null }
        switch kind {
        case .average: return .float(sum / count)
        case .varianceSample: return count < 2 ? .null : .float(squares / (count - 1))
        case .variancePopulation: return .float(squares / count)
        case .deviationSample:
            return count < 2 ? .null : .float((squares / (count - 1)).squareRoot())
        case .deviationPopulation: return .float((squares / count).squareRoot())
        }
    }
}

/// Variance of exact numbers from the sums of values and squares.
private final class NumericMomentState: AggregateState {
    private let kind: Moment
    private var count: Int64 = 0
    private var sum = NumericValue.zero
    private var squares = NumericValue.zero
    private var isSpecial = false
    init(_ kind: Moment) { self.kind = kind }

    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        try add(arguments[0], context)
    }
    override func add(_ argument: Datum, _ context: FunctionContext) throws(SQLError) {
        count += 1
        let value: NumericValue
        if case .int(let integer) = argument {
            value = NumericValue(integer)
        } else {
            value = argument.numeric
        }
        if !value.isFinite { isSpecial = true }
        if isSpecial { return }
        sum = try NumericValue.add(sum, value)
        squares = try NumericValue.add(squares, try NumericValue.multiply(value, value))
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if count == 0 { return .null }
        let isSample = kind == .varianceSample || kind == .deviationSample
        if isSample, count < 2 { return .null }
        if isSpecial { return .numeric(.nan) }
        let n = NumericValue(count)
        // (n Σx² - (Σx)²) / (n (n - 1)), or / n²
        let numerator = try NumericValue.subtract(
            try NumericValue.multiply(n, squares), try NumericValue.multiply(sum, sum))
        if numerator.signum <= 0 { return .numeric(.zero) }
        let divisor = try NumericValue.multiply(n, isSample ? NumericValue(count - 1) : n)
        let variance = try NumericValue.divide(numerator, divisor)
        switch kind {
        case .deviationSample, .deviationPopulation: return .numeric(try variance.squareRoot())
        default: return .numeric(variance)
        }
    }
}
