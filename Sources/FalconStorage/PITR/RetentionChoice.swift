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
        var before: [BackupOrder.Entry] = []
        for entry in order.newestFirst {
            if entry.endedMicros > start {
                keeping[entry.backup.id, default: []].append(.insideWindow)
            } else {
                before.append(entry)
            }
        }
        var base: String?
        for (index, line) in lines.enumerated() {
            guard let entry = before.first(where: { reaches($0, line, start) }) else { continue }
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
        return base
    }

    /// A restore to the moment `start`, and to each later one of the line, may begin with the backup: its tables
    /// have nothing newer, and its log leads to the line's end.
    private func reaches(
        _ entry: BackupOrder.Entry, _ line: RepositoryTimeline, _ start: UInt64
    ) -> Bool {
        guard entry.backup.newestMicros <= start, let tip = line.tip else { return false }
        return line.stretch(of: entry.backup).last?.uid == tip.uid
    }

    private func lettingGo(_ base: String?) -> [BackupRetention.Reason] {
        var reasons: [BackupRetention.Reason] = []
        if let count = policy.backups { reasons.append(.behindNewest(count)) }
        if let base { reasons.append(.beforeWindow(newer: base)) }
        return reasons
    }
}
