/// An exact decimal number of SQL's NUMERIC.
public struct NumericValue: Sendable {
    public init(_ value: Int64) {}
    public static let zero = NumericValue(0)
    public static let nan = NumericValue(0)
}
