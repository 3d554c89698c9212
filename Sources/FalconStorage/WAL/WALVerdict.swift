/// How a log ends, or why it cannot be trusted.
public enum WALVerdict: Sendable, Hashable {
    /// Every byte written was read, up to `end`.
    case clean(end: LSN)
    /// The last write was cut short: nothing vouched for what is missing. Benign.
    case tornTail(end: LSN, segment: WALSegmentNumber, offset: UInt64, discardedBytes: UInt64)
    /// Bytes that were once durable are damaged or missing: recovery must not go on.
    case corruption(WALDamage)

    /// The end of the last record that can be replayed.
    public var end: LSN {
        switch self {
        case .clean(let end), .tornTail(let end, _, _, _): end
        case .corruption(let damage): damage.goodUntil
        }
    }
    /// Recovery refuses the log.
    public var isCorruption: Bool {
        if case .corruption = self { true } else { false }
    }
}

/// Damage to durable log bytes.
public struct WALDamage: Sendable, Hashable {
    /// What is wrong. Raw values are stable: tools print them.
    public enum Kind: String, Sendable, Hashable {
        /// A chunk fails its checksum.
        case badChunk = "bad-chunk"
        /// Zeros where a chunk must be.
        case zeroed
        /// An older life of a recycled segment where a chunk must be.
        case recycled
        /// A chunk of another log.
        case foreign
        /// A segment file is missing from the chain.
        case missingSegment = "missing-segment"
        /// A segment's header does not fit its checksum, name or predecessor.
        case badHeader = "bad-header"
        /// Checksums fit and the records inside make no sense.
        case badRecord = "bad-record"
        /// LSNs do not follow on one another.
        case gap
        /// The bytes need a newer program.
        case unsupported
    }
    /// What is wrong, in kind.
    public var kind: Kind
    /// The segment, or the one that is missing.
    public var path: String
    /// Where in the file.
    public var offset: UInt64
    /// What is wrong, and what vouched for the missing bytes.
    public var reason: String
    /// The end of the last good record before the damage.
    public var goodUntil: LSN
    /// Where a tolerant reader found the log again; nil when nothing readable follows.
    public var resumesAt: LSN?

    /// Damage behind which nothing is known to be readable.
    public init(kind: Kind, path: String, offset: UInt64, reason: String, goodUntil: LSN) {
        self.kind = kind
        self.path = path
        self.offset = offset
        self.reason = reason
        self.goodUntil = goodUntil
    }
    /// The same as an error, `corruption`, that says what to do.
    public var error: StorageError {
        .corruption(
            "The write-ahead log is damaged (\(kind.rawValue)): \(reason)", path: path,
            offset: offset, hint: "Run wal-inspect on the directory; see pitr-restore.")
    }
}
