extension RepositorySource {
    /// The archived log that goes on from where an inspection ends, and what knows the schema there, if anything.
    /// Throws `target-unreachable` where the archive does not hold the end of the inspection.
    public static func following(
        _ inspection: RestoreInspection, _ repository: Repository,
        _ inventory: Repository.Inventory, branch: UID?
    ) throws(StorageError) -> (log: RepositorySource, base: RepositorySource?) {
        let anchor = inspection.last?.lsn ?? inspection.endLSN
        var found: (log: RepositoryLog, start: Int)?
        for log in try RepositoryLog.all(repository, inventory, branch: branch) {
            let segments = log.source.segments
            guard
                let start = segments.lastIndex(where: {
                    $0.firstLSN <= anchor && anchor <= $0.lastLSN
                })
            else { continue }
            // Two branches may have that LSN.
            let isOwn = segments[start].branch == inspection.branch
            if found == nil || isOwn { found = (log, start) }
            if isOwn { break }
        }
        guard let found else {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The archived log does not hold the end of the inspected state, \(inspection.endLSN).",
                location: .init(path: repository.names.root),
                hint: "Name its branch with --branch, or restore again with the later target.")
        }
        let segments = Array(found.log.source.segments[found.start...])
        let end = found.log.endLSN
        let isWhole = segments.last.map { $0.lastLSN <= end } ?? true
        let log = try RepositorySource(
            repository, backup: nil, segments: segments, gap: found.log.gap,
            limit: isWhole ? nil : end)
        return (log, found.log.base)
    }

    /// Throws when what `plan` replays is not all that leads to its target: behind a gap, or where this log is not
    /// the past of the branch any more, more may follow.
    public func checkAdvance(_ plan: RestorePlan) throws(StorageError) {
        try check(plan)
        if case .latest = plan.target, let gap {
            throw StorageError(
                .logGap, kind: .user, "The archived log has a gap before the target.",
                cause:
                    "segments \(gap.firstSegment) to \(gap.lastSegment) (LSN \(gap.from) to \(gap.to)) "
                    + "are missing",
                location: .init(path: repository.names.root),
                hint: "Choose a target before it, or put the missing segments back.")
        }
        guard let limit else { return }
        let isBehind =
            switch plan.target {
            case .latest: true
            case .lsn: false
            case .time: plan.next.map { $0.lsn >= limit } ?? true
            }
        guard isBehind else { return }
        throw StorageError(
            .targetUnreachable, kind: .user,
            "The archived log that goes on from the inspected state was left at \(limit) for another branch.",
            location: .init(path: repository.names.root),
            hint:
                "Name an LSN up to there, or the branch that is meant with --branch; else restore again "
                + "with this target.")
    }
}
