/// One SQL value in its physical form. Its SQL type comes from the expression or column beside it:
/// many types share one physical form.
///
/// | case | SQL types |
/// |---|---|
/// | `bool` | bool |
/// | `int` | int2, int4, int8, oid, reg*, "char" (its byte), date (days since 2000-01-01), time (µs), timestamp and timestamptz (µs since 2000-01-01; `Int64.max` infinity, `Int64.min` -infinity; date likewise with Int32 bounds) |
/// | `float` | float8, and float4 (a Double holding exactly a Float) |
/// | `numeric` | numeric |
/// | `text` | text, varchar, bpchar (stored padded), name, unknown, cstring, json |
/// | `bytes` | bytea, uuid (16 bytes) |
/// | `interval` | interval |
/// | `array` | every array type |
///
/// Never compare `text` with String's `==`: it uses canonical equivalence, SQL compares bytes. Use
/// the comparison functions of this module.
public enum Datum: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case numeric(NumericValue)
    case text(String)
    case bytes([UInt8])
    case interval(Interval)
    case array(ArrayValue)

    @inlinable public var isNull: Bool {
        if case .null = self { return true }
        return false
    }
}

/// Months, days and microseconds, kept apart as PostgreSQL keeps them.
public struct Interval: Hashable, Sendable {
    public var months: Int32
    public var days: Int32
    public var micros: Int64
    public init(months: Int32, days: Int32, micros: Int64) {
        self.months = months
        self.days = days
        self.micros = micros
    }
}

/// An array value: element type, dimensions (length and lower bound each) and row-major elements.
public final class ArrayValue: Sendable {
    public let elementType: OID
    public let dimensions: [(length: Int32, lowerBound: Int32)]
    public let elements: [Datum]
    public init(
        elementType: OID, dimensions: [(length: Int32, lowerBound: Int32)], elements: [Datum]
    ) {
        self.elementType = elementType
        self.dimensions = dimensions
        self.elements = elements
    }
    /// A one-dimensional array from 1; empty arrays have no dimension.
    public convenience init(elementType: OID, _ elements: [Datum]) {
        self.init(
            elementType: elementType,
            dimensions: elements.isEmpty
                ? [] : [(length: Int32(clamping: elements.count), lowerBound: Int32(1))],
            elements: elements)
    }
}
