import FalconStorage

/// How long a restore takes, roughly, by the bytes of the base and of the log. Not a promise: the speeds were measured
/// with rows of 100 bytes on idle processors; larger rows are faster, busy machines and slow devices slower.
struct RestoreEstimate {
    /// Copying tables with their hashes checked, and reading their rows back: 262 MB in 3.7 s
    /// (docs/operations/pitr-restore.md).
    static let tableBytesPerSecond: UInt64 = 70_000_000
    /// Copying the log, replaying it into tables, and reading their rows back: 286 MB of commits of 100 bytes in 2.4 s
    /// (docs/performance/tools.md).
    static let logBytesPerSecond: UInt64 = 120_000_000

    let seconds: UInt64

    init(_ plan: RestorePlan) {
        let tables = plan.copiesTables ? plan.source.tableBytes : 0
        let log = plan.byteCount &- min(tables, plan.byteCount)
        self.init(tableBytes: tables, logBytes: log)
    }

    init(tableBytes: UInt64, logBytes: UInt64) {
        let whole =
            tableBytes / Self.tableBytesPerSecond &+ logBytes / Self.logBytesPerSecond
        seconds = max(1, whole)
    }

    var text: String {
        "about \(seconds) s (estimate: tables at \(Self.tableBytesPerSecond / 1_000_000) MB/s, "
            + "log at \(Self.logBytesPerSecond / 1_000_000) MB/s)"
    }

    var json: JSONValue {
        .object([
            ("seconds", .unsigned(seconds)),
            ("table_bytes_per_second", .unsigned(Self.tableBytesPerSecond)),
            ("log_bytes_per_second", .unsigned(Self.logBytesPerSecond)),
        ])
    }
}
