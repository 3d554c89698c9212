/// A position in the log: the count of record bytes, before compression, encryption and framing,
/// since the log began. The same on every replica; shown as `X/XXXXXXXX`; never reused.
public struct LSN: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The position after that many record bytes.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// Before everything; no record is there: a log begins at ``ChangeReader/beginningLSN``.
    public static let zero = LSN(0)
    /// Behind everything.
    public static let max = LSN(UInt64.max)

    @inlinable public static func < (a: LSN, b: LSN) -> Bool { a.rawValue < b.rawValue }

    /// The LSN `byteCount` record bytes later, saturating.
    @inlinable public func advanced(by byteCount: UInt64) -> LSN {
        let (sum, overflow) = rawValue.addingReportingOverflow(byteCount)
        return LSN(overflow ? UInt64.max : sum)
    }

    public var description: String {
        // Streams write one for each transaction: no strings on the way to it.
        let high = UInt32(truncatingIfNeeded: rawValue >> 32)
        let highDigits = Swift.max(1, (35 - high.leadingZeroBitCount) / 4)
        return String(unsafeUninitializedCapacity: highDigits + 9) { text in
            let separator = Self.hex(high, digits: highDigits, text, at: 0)
            text[separator] = UInt8(ascii: "/")
            return Self.hex(
                UInt32(truncatingIfNeeded: rawValue), digits: 8, text, at: separator + 1)
        }
    }

    /// Writes so many hexadecimal digits at `start`; returns where they end.
    private static func hex(
        _ value: UInt32, digits: Int, _ text: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        for place in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(4 * (digits - 1 - place))) & 15
            text[start + place] = digit < 10 ? digit + 48 : digit + 55
        }
        return start + digits
    }

    /// Parses `X/XXXXXXXX` (PostgreSQL's form) or a plain decimal count; nil when it is neither.
    public init?(text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let high = UInt32(parts[0], radix: 16),
            let low = UInt32(parts[1], radix: 16)
        {
            self.init(UInt64(high) << 32 | UInt64(low))
        } else if parts.count == 1, let plain = UInt64(text) {
            self.init(plain)
        } else {
            return nil
        }
    }
}

/// A hybrid clock reading: 52 bits of microseconds since 2000-01-01 UTC and a 12-bit counter.
/// It is the commit timestamp and the version number in keys; never reused.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The timestamp of those 64 bits.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// Before every commit.
    public static let zero = Timestamp(0)
    /// After every commit: a read at it sees the newest.
    public static let max = Timestamp(UInt64.max)
    /// Microseconds between 1970-01-01 and 2000-01-01.
    public static let epochMicrosSince1970: UInt64 = 946_684_800_000_000

    /// The first timestamp of a microsecond since 2000-01-01 UTC.
    @inlinable public init(microsSince2000 micros: UInt64) { rawValue = micros &<< 12 }
    /// The whole microseconds of the reading, since 2000-01-01 UTC.
    @inlinable public var microsSince2000: UInt64 { rawValue >> 12 }
    /// The same since 1970-01-01 UTC.
    @inlinable public var microsSince1970: UInt64 { microsSince2000 &+ Self.epochMicrosSince1970 }
    /// The last timestamp of a microsecond since 1970 UTC; zero for what lies before 2000.
    public static func newest(atMicrosSince1970 micros: UInt64) -> Timestamp {
        micros < epochMicrosSince1970
            ? .zero : Timestamp((micros &- epochMicrosSince1970) &<< 12 | 0xFFF)
    }
    /// Tells timestamps of one microsecond apart: 0 to 4095.
    @inlinable public var counter: UInt16 { UInt16(rawValue & 0xFFF) }
    /// The next timestamp; saturates at `max`.
    @inlinable public var successor: Timestamp {
        Timestamp(rawValue == .max ? rawValue : rawValue &+ 1)
    }
    /// Not after this one, and equal for all timestamps of some four and a half minutes: what remains
    /// of the time of a version whose history nobody can ask for. Never zero, unless this is.
    public var coarse: Timestamp {
        let cut = rawValue & ~0xFF_FFFF_FFFF
        return cut == 0 ? self : Timestamp(cut)
    }
    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "\(microsSince2000).\(counter)" }
}

/// A database's number; 0 is the shared keyspace of the whole cluster.
public struct DatabaseID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The database of that number.
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The number of one index or table body. Never reused and not the OID.
public struct StorageID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The index or table body of that number.
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A transaction's 64-bit number, persisted with a floor so that it is never reused.
public struct TransactionID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The transaction of that number.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Programs are given the multiples of this; commits that bring no number get those between. So a
    /// given number without a commit was never committed by anybody.
    static let spacing: UInt64 = 16
    /// From ``StorageEngine/allocateTransactionID()``, which may have told it to a client.
    public var isGiven: Bool { rawValue % Self.spacing == 0 }
}

/// The number in a data file's name. Numbers may change when a file is moved; ``UID`` does not.
public struct FileNumber: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The file of that number.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A random 128-bit identity: of a file, a branch, a cluster. Binds checksums and encryption.
public struct UID: Hashable, Sendable, CustomStringConvertible {
    /// Bits 64 to 127: the first sixteen hex digits of its text.
    public var high: UInt64
    /// Bits 0 to 63.
    public var low: UInt64
    /// The identity of those bits; ``StorageRandom/nextUID()`` makes a new one.
    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    /// Nobody's: stands for none.
    public static let zero = UID(high: 0, low: 0)
    public var description: String { Self.hex(high) + Self.hex(low) }
    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Parses 32 hex digits, as ``description`` writes them.
    public init?(text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 32,
            let high = UInt64(String(decoding: digits[..<16], as: UTF8.self), radix: 16),
            let low = UInt64(String(decoding: digits[16...], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}
