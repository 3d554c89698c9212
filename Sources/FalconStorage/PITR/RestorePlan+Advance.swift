extension RestorePlan {
    /// How an inspection goes on to `target` with the log of its source. Throws `target-unreachable` where the target
    /// lies before the inspection's end, or behind the log's, or the log is not the one that led there.
    public init(
        advancing inspection: RestoreInspection, _ source: RestoreSource, _ cut: RestoreCut,
        _ target: RestoreTarget
    ) throws(StorageError) {
        try Self.checkForward(inspection, cut, target)
        (earliest, latest) = try Self.reach(source, advancing: inspection)
        if case .latest = target, case .corruption(let damage) = source.verdict {
            throw damage.error
        }
        try Self.check(target, earliest, latest)
        let end = max(cut.endLSN, inspection.endLSN)
        if source.missingIngests.contains(where: { $0 > inspection.endLSN && $0 <= end }) {
            throw Self.missingIngest(source)
        }
        self.source = source
        self.target = target
        base = .inspection
        startLSN = inspection.endLSN
        endLSN = end
        last = cut.last ?? inspection.last
        next = cut.next
        newestKept = cut.last?.timestamp ?? inspection.last?.timestamp
        commitCount = cut.commitsAboveInspection
        branch = end > inspection.endLSN ? cut.branch : inspection.incarnation
    }

    /// The ends of where `inspection` can go on to with the log of `source`. Throws where that did not lead there.
    public static func reach(
        _ source: RestoreSource, advancing inspection: RestoreInspection
    ) throws(StorageError) -> (earliest: RestoreBound, latest: RestoreBound) {
        try checkHistory(inspection, source)
        let earliest = RestoreBound(
            lsn: inspection.last?.endLSN ?? inspection.endLSN, micros: inspection.last?.micros)
        return (earliest, latest(source))
    }

    private static func checkForward(
        _ inspection: RestoreInspection, _ cut: RestoreCut, _ target: RestoreTarget
    ) throws(StorageError) {
        let kept = inspection.last?.endLSN ?? inspection.endLSN
        var isBehind = cut.next.map { $0.lsn < inspection.endLSN } ?? false
        switch target {
        case .lsn(let lsn): isBehind = isBehind || lsn < kept
        case .time(let micros):
            isBehind = isBehind || inspection.last.map { micros < $0.micros } ?? false
        case .latest: break
        }
        guard isBehind else { return }
        throw StorageError(
            .targetPassed, kind: .user,
            "The target lies before the inspected state, which is that of \(kept).",
            cause: "an inspection goes forward only: what it has replayed is not taken back",
            hint: "Restore the earlier target into another directory, with --inspect.")
    }

    private static func checkHistory(
        _ inspection: RestoreInspection, _ source: RestoreSource
    ) throws(StorageError) {
        func refusal(_ message: String, _ hint: String) -> StorageError {
            StorageError(
                .targetUnreachable, kind: .user, message, location: .init(path: source.root),
                hint: hint)
        }
        guard inspection.isAdvanceable else {
            throw refusal(
                "The inspected state cannot be advanced: it is older than the log, and only the source's "
                    + "tables hold what came next.",
                "Promote it as it is, or restore again with the later target.")
        }
        guard let first = source.firstLSN, first <= inspection.endLSN else {
            let begin = source.firstLSN.map { "begins at \($0)" } ?? "is not there"
            throw refusal(
                "The source's log \(begin), and the inspected state ends at \(inspection.endLSN): what lies "
                    + "between is no longer there.",
                "Restore again with the later target, or advance from a repository that has the log."
            )
        }
        var isSame = source.shard == inspection.shard
        if let last = inspection.last, last.lsn >= first {
            isSame = isSame && source.holdsInspected
        } else {
            isSame = isSame && source.firstBranch?.branch == inspection.branch
        }
        guard isSame else {
            throw refusal(
                "The source's log is not the one that led to the inspected state.",
                "Name where that is with --source, or its branch with --branch.")
        }
    }
}
