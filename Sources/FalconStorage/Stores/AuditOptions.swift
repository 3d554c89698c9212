/// What a ``TransactionAuditLog`` keeps.
public struct AuditOptions: Sendable {
    /// Entries older than this go, in microseconds; 0: none by age. Thirty days.
    public var maximumAgeMicros: UInt64 = 30 * 86_400_000_000
    /// The oldest entries go when all take more bytes than this, keys and values counted.
    public var maximumBytes: UInt64 = 256 << 20
    /// Keys listed per transaction.
    public var maximumKeys = 16

    /// The defaults that each option states.
    public init() {}
}
