/// An exact decimal number of SQL's NUMERIC.
public struct NumericValue: Sendable {
    public init() {}
}
