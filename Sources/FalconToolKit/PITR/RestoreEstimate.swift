import FalconStorage

/// How long a restore takes, roughly. Not a promise: the speeds are a third of those of two idle cores with rows of
/// 100 bytes and files in the page cache (docs/performance/tools.md); other rows and devices differ.
struct RestoreEstimate {
    /// Copying tables with their hashes checked, and reading their rows back.
    static let tableBytesPerSecond: UInt64 = 120_000_000
    /// Copying the log, replaying it into tables, and reading their rows back.
    static let logBytesPerSecond: UInt64 = 40_000_000

    let seconds: UInt64

    init(_ plan: RestorePlan) {
        let tables = plan.copiesTables ? plan.source.tableBytes : 0
        let log = plan.byteCount &- min(tables, plan.byteCount)
        let whole =
            tables / Self.tableBytesPerSecond &+ log / Self.logBytesPerSecond
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
