/// How a target is reached. Pure: decided from what a survey found, before anything is written.
public struct RestorePlan: Sendable {
    /// What the new directory begins with.
    public enum Base: String, Sendable {
        /// Nothing: the log reaches back to the beginning.
        case log
        /// The tables as they are, and the log from where they end.
        case tables
        /// The tables without what is newer than the target: their older versions are still there.
        case filteredTables = "filtered-tables"
        /// What is sound of the tables, and what can be read of the log behind them.
        case salvagedTables = "salvaged-tables"
        /// A ``RestoreInspection``, and the log from where that ends.
        case inspection
    }

    /// What is restored from, as the survey found it.
    public let source: RestoreSource
    /// Where it shall end.
    public let target: RestoreTarget
    /// What the new directory begins with.
    public let base: Base
    /// The log is copied from here; the new directory's tables end here.
    public let startLSN: LSN
    /// The log is copied up to here; the new branch forks here.
    public let endLSN: LSN
    /// The last commit that is in; nil: the log shows none.
    public let last: RestorePoint?
    /// The first commit that is left out; nil: none is.
    public let next: RestorePoint?
    /// Versions above it are left out; nil leaves out nothing that was copied or replayed.
    let newestKept: Timestamp?
    /// Commits to replay.
    public let commitCount: Int
    /// The oldest target that the source could be restored to.
    public let earliest: RestoreBound
    /// The newest one.
    public let latest: RestoreBound
    let branch: Incarnation?

    /// Bytes to write, roughly.
    public var byteCount: UInt64 {
        let log = endLSN.rawValue &- min(startLSN.rawValue, endLSN.rawValue)
        return (copiesTables ? source.tableBytes : 0) &+ log
    }

    /// The source's log does not lead to what is made: versions of before it, or what was left of damaged tables.
    var isDetached: Bool { base == .salvagedTables || (base == .filteredTables && last == nil) }

    /// The source's tables are brought along.
    public var copiesTables: Bool { base != .log && base != .inspection }

    /// Decides, or throws `target-unreachable` naming the ends of what can be reached, or
    /// `corruption` when the latest state lies behind damage.
    /// - Parameter wanted: nil chooses by itself.
    public init(
        _ source: RestoreSource, _ cut: RestoreCut, _ target: RestoreTarget, base wanted: Base?
    ) throws(StorageError) {
        self.source = source
        self.target = target
        latest = Self.latest(source)
        let tables = source.tables
        earliest = try Self.earliest(source, allowsTables: wanted != .log)
        if case .latest = target, case .corruption(let damage) = source.verdict {
            var error = damage.error
            error.hint =
                "The state just before the damage can be restored with --to-lsn "
                + "\(damage.goodUntil)."
            throw error
        }
        try Self.check(target, earliest, latest)

        last = cut.last
        next = cut.next
        let behind = Self.timeBehindLog(source, cut, target)
        branch = behind == nil ? cut.branch : source.firstBranch ?? cut.branch
        newestKept = cut.last?.timestamp ?? behind
        let end = max(cut.endLSN, source.firstLSN ?? .zero)
        let chosen = try Self.choose(
            source, cut, behind, wanted, end, earliest, latest)
        base = chosen
        switch chosen {
        case .log:
            startLSN = source.firstLSN ?? .zero
            endLSN = end
            commitCount = cut.commits
        case .tables:
            // Between the last flushed commit and here lies no commit.
            startLSN = tables?.flushedLSN ?? .zero
            endLSN = max(end, startLSN)
            commitCount = cut.commitsAboveTables
        case .filteredTables:
            startLSN = end
            endLSN = end
            commitCount = 0
        case .salvagedTables, .inspection:
            // Only the other initializers choose them.
            startLSN = tables?.flushedLSN ?? .zero
            endLSN = startLSN
            commitCount = 0
        }
    }

    /// A plan to save what is sound: the tables, and the log from where they end to its own end or its
    /// first damage. Throws when MANIFEST cannot be read: nothing else says which tables count.
    public init(
        salvaging source: RestoreSource, _ cut: RestoreCut
    ) throws(StorageError) {
        guard let tables = source.tables else {
            throw source.tablesProblem
                ?? .corruption("There is no MANIFEST that can be read.", path: source.root)
        }
        self.source = source
        target = .latest
        base = .salvagedTables
        startLSN = tables.flushedLSN
        let hasLog =
            source.reachesBeginning
            || (source.firstLSN.map { $0 <= tables.flushedLSN } ?? false)
        let isBehind = hasLog && cut.endLSN > tables.flushedLSN
        endLSN = isBehind ? cut.endLSN : tables.flushedLSN
        commitCount = isBehind ? cut.commitsAboveTables : 0
        last = isBehind ? cut.last : nil
        next = cut.next
        newestKept = last?.timestamp
        branch = cut.branch
        latest = Self.latest(source)
        earliest = latest
    }

    private static func choose(
        _ source: RestoreSource, _ cut: RestoreCut, _ behind: Timestamp?, _ wanted: Base?,
        _ end: LSN, _ earliest: RestoreBound, _ latest: RestoreBound
    ) throws(StorageError) -> Base {
        if wanted != .log, behind != nil { return .filteredTables }
        if let tables = source.tables, wanted != .log {
            // Tables that end behind what can be read of the log hold commits that were not seen.
            let isBehindLog = source.verdict.isCorruption && source.endLSN < tables.flushedLSN
            let leavesOutFlushed =
                isBehindLog || cut.next.map { $0.lsn < tables.flushedLSN } ?? false
            let logHoldsRest =
                source.reachesBeginning
                || (source.firstLSN.map { $0 <= tables.flushedLSN } ?? false)
            let isReplayable = !source.missingIngests.contains {
                $0 > tables.flushedLSN && $0 <= end
            }
            if !leavesOutFlushed, logHoldsRest, isReplayable { return .tables }
            if !leavesOutFlushed, logHoldsRest, !source.reachesBeginning {
                throw missingIngest(source)
            }
        }
        let isReplayable = source.firstMissingIngest.map { end < $0 } ?? true
        if source.reachesBeginning, isReplayable, wanted == nil || wanted == .log { return .log }
        // The target's last commit must have reached the tables: what they lack nothing else brings.
        if let tables = source.tables, let last = cut.last, last.timestamp >= tables.safepoint,
            last.endLSN <= tables.flushedLSN, wanted != .log
        {
            return .filteredTables
        }
        if !isReplayable {
            throw missingIngest(source)
        }
        throw unreachable("The target", earliest, latest)
    }

    static func missingIngest(_ source: RestoreSource) -> StorageError {
        StorageError(
            .targetUnreachable, kind: .user, "The target cannot be reached.",
            cause:
                "A replay of the log needs files that were ingested before the target, and they are no longer "
                + "there: compactions have merged them with others, or no backup has them.",
            location: .init(path: source.root),
            hint:
                "Restore to a time that the tables still hold, or from a backup that was made later."
        )
    }

    /// The newest timestamp that a target includes which lies before the log's first commit: the log tells
    /// nothing of it, and the tables still hold the versions of then.
    private static func timeBehindLog(
        _ source: RestoreSource, _ cut: RestoreCut, _ target: RestoreTarget
    ) -> Timestamp? {
        guard case .time(let micros) = target, cut.last == nil, !source.reachesBeginning,
            let tables = source.tables, let first = source.firstLSN, first <= tables.flushedLSN,
            micros >= Timestamp.epochMicrosSince1970
        else { return nil }
        let moment = Timestamp.newest(atMicrosSince1970: micros)
        return moment >= tables.safepoint && moment < tables.newestTimestamp ? moment : nil
    }

    /// The ends of what can be restored from `source`.
    public static func reach(
        _ source: RestoreSource
    ) throws(StorageError) -> (earliest: RestoreBound, latest: RestoreBound) {
        (try earliest(source, allowsTables: true), latest(source))
    }

    static func latest(_ source: RestoreSource) -> RestoreBound {
        var micros = source.lastCommit?.micros ?? source.beginMicros
        if let closed = source.closedMicros { micros = max(micros ?? 0, closed) }
        return RestoreBound(lsn: source.endLSN, micros: micros)
    }

    private static func earliest(
        _ source: RestoreSource, allowsTables: Bool
    ) throws(StorageError) -> RestoreBound {
        if source.reachesBeginning, let first = source.firstLSN {
            return RestoreBound(
                lsn: first, micros: source.beginMicros ?? source.firstCommit?.micros)
        }
        guard let tables = source.tables, allowsTables, source.firstLSN != nil else {
            if let problem = source.tablesProblem { throw problem }
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The log does not reach back to the beginning, and there are no tables to begin "
                    + "with.", location: .init(path: source.root))
        }
        let kept = keptSince(tables, source)
        if let first = source.firstAboveSafepoint, first.endLSN < tables.flushedLSN {
            return RestoreBound(lsn: first.endLSN, micros: min(kept ?? .max, first.micros))
        }
        if let last = source.lastFlushed {
            return RestoreBound(lsn: last.endLSN, micros: min(kept ?? .max, last.micros))
        }
        return RestoreBound(
            lsn: tables.flushedLSN,
            micros: kept
                ?? (tables.newestTimestamp == .zero
                    ? source.firstCommit?.micros : tables.newestTimestamp.microsSince1970))
    }

    /// The first moment, in microseconds since 1970, whose versions the tables still hold, when it lies
    /// before the newest of them.
    private static func keptSince(
        _ tables: RestoreSource.Tables, _ source: RestoreSource
    ) -> UInt64? {
        guard tables.safepoint < tables.newestTimestamp, let first = source.firstLSN,
            first <= tables.flushedLSN
        else { return nil }
        let safe = tables.safepoint
        // A microsecond that the safepoint has begun is not whole.
        let micros = safe.microsSince1970 &+ (safe.counter == 0 ? 0 : 1)
        return max(micros, source.createdWallMicros)
    }

    static func check(
        _ target: RestoreTarget, _ earliest: RestoreBound, _ latest: RestoreBound
    ) throws(StorageError) {
        switch target {
        case .latest: break
        case .lsn(let lsn):
            if lsn < earliest.lsn || lsn > latest.lsn {
                throw unreachable("LSN \(lsn)", earliest, latest)
            }
        case .time(let micros):
            if micros < earliest.micros ?? 0 || micros > latest.micros ?? 0 {
                throw unreachable("The time", earliest, latest)
            }
        }
    }

    private static func unreachable(
        _ what: String, _ earliest: RestoreBound, _ latest: RestoreBound
    ) -> StorageError {
        StorageError(
            .targetUnreachable, kind: .user,
            "\(what) is outside what can be restored: LSN \(earliest.lsn) to \(latest.lsn).")
    }
}
