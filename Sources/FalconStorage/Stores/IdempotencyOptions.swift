/// What an ``IdempotencyStore`` keeps, and for how long.
public struct IdempotencyOptions: Sendable {
    /// A result is replayed for so long after its request, in microseconds. One day.
    public var lifetimeMicros: UInt64 = 86_400_000_000
    /// ``IdempotencyStore/collect()`` drops the results that expire first when there are more.
    public var maximumEntries = 1_000_000
    /// A longer key is refused.
    public var maximumKeyBytes = 1024
    /// A longer result is refused.
    public var maximumResultBytes = 1 << 20

    /// The defaults that each option states.
    public init() {}
}
