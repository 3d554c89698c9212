/// How strongly a lock is held: PostgreSQL's eight relation modes, and its four row modes.
///
/// Relation keys and row keys never meet, so that one enum and one conflict table serve both.
/// Advisory locks use `exclusive` and `share`.
enum LockMode: UInt8, Sendable {
    case accessShare = 0
    case rowShare
    case rowExclusive
    case shareUpdateExclusive
    case share
    case shareRowExclusive
    case exclusive
    case accessExclusive
    case forKeyShare
    case forShare
    case forNoKeyUpdate
    case forUpdate

    @inline(__always) var bit: UInt16 { 1 &<< UInt16(rawValue) }

    /// The modes that another transaction may not hold beside this one.
    @inline(__always) var conflicts: UInt16 { Self.conflictMasks[Int(rawValue)] }

    /// The modes whose holder needs nothing more for this one: their conflicts include its.
    @inline(__always) var coveredBy: UInt16 { Self.coverMasks[Int(rawValue)] }

    /// Relation modes that never conflict with each other: they take the fast path.
    @inline(__always) var isWeakRelation: Bool { rawValue <= 2 }

    static let relationModes: [LockMode] = [
        .accessShare, .rowShare, .rowExclusive, .shareUpdateExclusive, .share, .shareRowExclusive,
        .exclusive, .accessExclusive,
    ]
    static let allRelationModes: UInt16 = 0x00FF

    @inline(__always) var isRow: Bool { rawValue >= Self.forKeyShare.rawValue }

    /// PostgreSQL's name of the mode, as pg_locks and deadlock reports have it.
    var name: String {
        switch self {
        case .accessShare: "AccessShareLock"
        case .rowShare, .forKeyShare: "RowShareLock"
        case .rowExclusive: "RowExclusiveLock"
        case .shareUpdateExclusive: "ShareUpdateExclusiveLock"
        case .share, .forShare: "ShareLock"
        case .shareRowExclusive: "ShareRowExclusiveLock"
        case .exclusive, .forNoKeyUpdate, .forUpdate: "ExclusiveLock"
        case .accessExclusive: "AccessExclusiveLock"
        }
    }

    private static func mask(_ modes: LockMode...) -> UInt16 {
        modes.reduce(0) { $0 | (1 << UInt16($1.rawValue)) }
    }

    private static let conflictMasks: InlineArray<12, UInt16> = [
        mask(.accessExclusive),
        mask(.exclusive, .accessExclusive),
        mask(.share, .shareRowExclusive, .exclusive, .accessExclusive),
        mask(.shareUpdateExclusive, .share, .shareRowExclusive, .exclusive, .accessExclusive),
        mask(
            .rowExclusive, .shareUpdateExclusive, .shareRowExclusive, .exclusive,
            .accessExclusive),
        mask(
            .rowExclusive, .shareUpdateExclusive, .share, .shareRowExclusive, .exclusive,
            .accessExclusive),
        mask(
            .rowShare, .rowExclusive, .shareUpdateExclusive, .share, .shareRowExclusive,
            .exclusive, .accessExclusive),
        0x00FF,
        mask(.forUpdate),
        mask(.forNoKeyUpdate, .forUpdate),
        mask(.forShare, .forNoKeyUpdate, .forUpdate),
        mask(.forKeyShare, .forShare, .forNoKeyUpdate, .forUpdate),
    ]

    private static let coverMasks: InlineArray<12, UInt16> = {
        var covers = InlineArray<12, UInt16>(repeating: 0)
        for wanted in 0..<12 {
            let family: UInt16 = wanted < 8 ? 0x00FF : 0x0F00
            for held in 0..<12 where family & (1 << UInt16(held)) != 0 {
                let missing = conflictMasks[wanted] & ~conflictMasks[held]
                if missing == 0 { covers[wanted] |= 1 << UInt16(held) }
            }
        }
        return covers
    }()
}
