/// Decides which base backups a policy keeps.
struct RetentionChoice {
    private let policy: RetentionPolicy
    private let order: BackupOrder
    /// The newest line first.
    private let lines: [RepositoryTimeline]
    /// Newest first.
    private(set) var backups: [BackupRetention] = []

    init(_ policy: RetentionPolicy, _ order: BackupOrder, _ lines: [RepositoryTimeline]) {
        self.policy = policy
        self.order = order
        self.lines = lines
        var keeping: [String: [BackupRetention.Reason]] = [:]
        keepNewest(&keeping)
        let base = keepWindow(&keeping)
        for index in lines.indices { keepLine(index, &keeping) }
        backups = order.newestFirst.map { entry in
            let reasons = keeping[entry.backup.id] ?? []
            return BackupRetention(
                backup: entry.backup, isKept: !reasons.isEmpty,
                reasons: reasons.isEmpty ? lettingGo(base) : reasons)
        }
    }

    private func keepNewest(_ keeping: inout [String: [BackupRetention.Reason]]) {
        guard let count = policy.backups else { return }
        for entry in order.newestFirst.prefix(count) {
            keeping[entry.backup.id, default: []].append(.amongNewest(count))
        }
    }

    /// The backup from which the window's first moments are restored; nil: it has none.
    private func keepWindow(_ keeping: inout [String: [BackupRetention.Reason]]) -> String? {
        guard let start = policy.windowStartMicros else { return nil }
        let before = order.newestFirst.filter {
            !$0.isDoubted && max($0.endedMicros, $0.backup.newestMicros) <= start
        }
        var base: String?
        for (index, line) in lines.enumerated() {
            guard let entry = before.first(where: { leads($0.backup, line) }) else { continue }
            keeping[entry.backup.id, default: []].append(
                .reachesIntoWindow(branch: index == 0 ? nil : line.tip?.branch))
            if index == 0 { base = entry.backup.id }
        }
        if base == nil, let nearest = before.first {
            if keeping[nearest.backup.id] == nil {
                keeping[nearest.backup.id] = [.nearestToWindow]
            }
            base = nearest.backup.id
        }
        let old = Set(before.map(\.backup.id))
        var isBehindBase = false
        for entry in order.newestFirst {
            isBehindBase = isBehindBase || entry.backup.id == base
            if old.contains(entry.backup.id) { continue }
            if !entry.isDoubted {
                keeping[entry.backup.id, default: []].append(.insideWindow)
            } else if !isBehindBase {
                keeping[entry.backup.id, default: []].append(.ageUnknown)
            }
        }
        return base
    }

    /// After a restore the newest backups may be of the line that was left, and beside a second server of either's:
    /// no line is left without any.
    private func keepLine(_ index: Int, _ keeping: inout [String: [BackupRetention.Reason]]) {
        let line = lines[index]
        let leading = order.newestFirst.map(\.backup).filter { leads($0, line) }
        guard let newest = leading.first,
            !leading.contains(where: { !(keeping[$0.id] ?? []).isEmpty })
        else { return }
        let branch = index == 0 ? nil : line.tip?.branch
        keeping[newest.id, default: []].append(
            branch.map { .leadsToBranch($0) } ?? .leadsToNewest)
    }

    /// The backup's log leads to the line's end: each moment behind its tables can be restored from it.
    private func leads(_ backup: BackupManifest, _ line: RepositoryTimeline) -> Bool {
        guard let tip = line.tip else { return false }
        return line.stretch(of: backup).last?.uid == tip.uid
    }

    private func lettingGo(_ base: String?) -> [BackupRetention.Reason] {
        var reasons: [BackupRetention.Reason] = []
        if let count = policy.backups { reasons.append(.behindNewest(count)) }
        if let base { reasons.append(.beforeWindow(base: base)) }
        return reasons
    }
}
