/// The range tombstones of live tables, kept after the first look so that picking opens no table
/// twice. Thread-safe.
final class TableTombstones: @unchecked Sendable {
    private let monitor = Monitor()
    private var known: [FileNumber: [RangeTombstone]] = [:]

    /// Those at or below `safepoint`, by table. May open tables: call it without a lock that others
    /// wait for. A table that cannot be opened counts as without; whoever reads it reports why.
    func visible(_ version: Version, at safepoint: Timestamp) -> [FileNumber: [RangeTombstone]] {
        guard version.hasRangeTombstones else { return [:] }
        monitor.lock()
        defer { monitor.unlock() }
        var live: [FileNumber: [RangeTombstone]] = [:]
        var visible: [FileNumber: [RangeTombstone]] = [:]
        for level in version.levels {
            for file in level.files where file.metadata.rangeTombstoneCount > 0 {
                guard let all = known[file.number] ?? (try? file.reader().rangeTombstones) else {
                    continue
                }
                live[file.number] = all
                let below = all.filter { $0.timestamp <= safepoint }
                if !below.isEmpty { visible[file.number] = below }
            }
        }
        known = live
        return visible
    }
}
