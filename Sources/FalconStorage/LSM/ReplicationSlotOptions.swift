/// How much of the log replication slots may hold, and for how long.
///
/// A consumer that has gone for good must not fill the disk: beyond either limit its slot is *lost*, which is said
/// explicitly, and the log goes.
public struct ReplicationSlotOptions: Sendable, Hashable {
    /// A slot that needs more than so many bytes of ended log segments is lost. 1 GiB.
    public var maximumBytes: UInt64 = 1 << 30
    /// A slot that nobody has read or moved for so long is lost, counted from the engine's open at the earliest, in
    /// microseconds; 0: never. Seven days.
    public var maximumAgeMicros: UInt64 = 7 * 86_400_000_000
    /// More slots are refused.
    public var maximumSlots = 64

    /// The defaults that each option states.
    public init() {}
}
