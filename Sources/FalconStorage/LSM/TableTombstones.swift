/// The range tombstones of live tables, as far as they are known without reading anything: from the jobs
/// that wrote them, and from tables that are open. Picking waits for no disk. Thread-safe.
final class TableTombstones: @unchecked Sendable {
    /// Tables told of that never appeared in a version: their edits failed.
    private static let mostUnseen = 1024

    private let monitor = Monitor()
    private var known: [FileNumber: [RangeTombstone]] = [:]
    private var unseen: [FileNumber: [RangeTombstone]] = [:]

    /// Takes note of tables before they become part of a version.
    func learn(_ written: [FileNumber: [RangeTombstone]]) {
        if written.isEmpty { return }
        monitor.lock()
        defer { monitor.unlock() }
        if unseen.count > Self.mostUnseen { unseen = [:] }
        unseen.merge(written) { _, fresh in fresh }
    }

    /// Those at or below `safepoint`, by table.
    func visible(_ version: Version, at safepoint: Timestamp) -> [FileNumber: [RangeTombstone]] {
        guard version.hasRangeTombstones else { return [:] }
        monitor.lock()
        defer { monitor.unlock() }
        var live: [FileNumber: [RangeTombstone]] = [:]
        var visible: [FileNumber: [RangeTombstone]] = [:]
        for level in version.levels {
            for file in level.files where file.metadata.rangeTombstoneCount > 0 {
                let number = file.number
                guard
                    let all = known[number] ?? unseen.removeValue(forKey: number)
                        ?? file.openReader?.rangeTombstones
                else { continue }
                live[number] = all
                let below = all.filter { $0.timestamp <= safepoint }
                if !below.isEmpty { visible[number] = below }
            }
        }
        known = live
        return visible
    }
}
