/// The oldest and the newest timestamp of some entries.
struct TimestampBounds: Hashable, Sendable {
    var oldest: UInt64
    var newest: UInt64

    /// Bounds of nothing: whatever is added narrows them.
    static let none = TimestampBounds(oldest: .max, newest: 0)

    @inline(__always)
    mutating func add(_ timestamp: UInt64) {
        if timestamp < oldest { oldest = timestamp }
        if timestamp > newest { newest = timestamp }
    }

    mutating func add(_ other: TimestampBounds) {
        oldest = min(oldest, other.oldest)
        newest = max(newest, other.newest)
    }
}

/// How an index block says its children's bounds in 16 bits each: in steps of 2^shift from an origin,
/// the oldest timestamp of them all. A step covers a 65536th of what they span, rounded up to a power
/// of two: a block that seems to reach into a time may end a step before it, never the other way.
struct TimestampScale: Hashable, Sendable {
    let origin: UInt64
    let shift: UInt8

    init(origin: UInt64, shift: UInt8) {
        self.origin = origin
        self.shift = shift
    }

    /// The finest scale that reaches over `bounds`.
    init(covering bounds: TimestampBounds) {
        origin = bounds.oldest
        let span = bounds.newest &- bounds.oldest
        shift = UInt8(truncatingIfNeeded: max(0, 48 - span.leadingZeroBitCount))
    }

    func step(_ timestamp: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: (timestamp &- origin) >> UInt64(shift))
    }
    /// The first timestamp of a step.
    @inline(__always)
    func first(_ step: UInt16) -> UInt64 { capped(UInt64(step) &<< UInt64(shift)) }
    /// The last timestamp of a step.
    @inline(__always)
    func last(_ step: UInt16) -> UInt64 {
        capped(UInt64(step) &<< UInt64(shift) | (1 &<< UInt64(shift) &- 1))
    }
    @inline(__always)
    private func capped(_ distance: UInt64) -> UInt64 {
        let sum = origin.addingReportingOverflow(distance)
        return sum.overflow ? .max : sum.partialValue
    }
}
