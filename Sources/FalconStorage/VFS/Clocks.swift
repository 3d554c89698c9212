import CFalconPlatform
import Synchronization

/// The machine's clocks. Monotonic time is the boot clock: it runs on through suspend.
public final class SystemClock: StorageClock {
    /// Without state: all are alike.
    public init() {}
    public func wallMicros() -> UInt64 { falcon_realtime_nanos() / 1000 }
    public func monotonicNanos() -> UInt64 { falcon_boottime_nanos() }
}

/// A clock that stands still until told.
public final class ManualClock: StorageClock {
    private let wall: Atomic<UInt64>
    private let monotonic: Atomic<UInt64>

    /// Starts at `wallMicros`, by default 2026-01-01 UTC.
    public init(wallMicros: UInt64 = 1_767_225_600_000_000, monotonicNanos: UInt64 = 0) {
        wall = Atomic(wallMicros)
        monotonic = Atomic(monotonicNanos)
    }
    public func wallMicros() -> UInt64 { wall.load(ordering: .acquiring) }
    public func monotonicNanos() -> UInt64 { monotonic.load(ordering: .acquiring) }

    /// Lets `micros` pass on both clocks.
    public func advance(micros: UInt64) {
        wall.wrappingAdd(micros, ordering: .acquiringAndReleasing)
        monotonic.wrappingAdd(micros &* 1000, ordering: .acquiringAndReleasing)
    }
    /// Steps the wall clock alone, as an administrator or NTP would.
    public func setWall(micros: UInt64) { wall.store(micros, ordering: .releasing) }
}

/// The operating system's randomness.
public final class SystemRandom: StorageRandom {
    /// Without state: all are alike.
    public init() {}
    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// A reproducible sequence (SplitMix64): the same seed gives the same numbers.
public final class SeededRandom: StorageRandom {
    private let state: Atomic<UInt64>
    /// Begins the sequence of `seed`.
    public init(seed: UInt64) { state = Atomic(seed) }
    public func next() -> UInt64 {
        SplitMix64.mix(
            state.wrappingAdd(SplitMix64.increment, ordering: .relaxed).newValue)
    }
}

/// SplitMix64 as a value: a seeded generator for tests and samplers.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// What the next number is made from; a copy goes on with the same sequence.
    public var state: UInt64
    /// Begins the sequence of `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next of 2^64 numbers, each of which comes once.
    public mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
