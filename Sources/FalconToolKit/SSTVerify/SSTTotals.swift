import FalconStorage

/// What a run of sst-verify found in all files together.
struct SSTTotals {
    /// Files that were reported on.
    var files = 0
    var tables = 0
    var blobs = 0
    /// Files that an earlier run found sound, and this one did not read.
    var skippedFiles = 0
    var skippedBytes: UInt64 = 0
    var damaged = 0
    /// Problems of FORMAT, CURRENT, MANIFEST and the log.
    var damagedFiles = 0
    /// Encrypted files were met without their key.
    var hidden = false
    var bytes: UInt64 = 0
    var blocks: UInt64 = 0
    var entries: UInt64 = 0
    var liveBytes: UInt64 = 0
    var garbageBytes: UInt64 = 0
    /// By level; -1: of a file by itself.
    var histograms: [Int: TableHistograms] = [:]

    func report(_ report: ReportWriter, isAnythingRead: Bool, isQuick: Bool) {
        if isAnythingRead {
            let outcome =
                damaged > 0
                ? "\(damaged) with findings"
                : damagedFiles > 0 ? "the tables are sound, the directory is not" : "all sound"
            let depth =
                isQuick
                ? "\(blocks) blocks checked, not their entries" : "\(entries) entries checked"
            report.line("\(tables) tables, \(bytes) bytes, \(depth); " + outcome)
        }
        if hidden {
            report.line("encrypted files were checked without a key: structure and checksums only")
        }
        report.set("checked_without_key", .bool(hidden))
        if blobs > 0 {
            report.line(
                "\(blobs) blob files with \(liveBytes) bytes that tables refer to and "
                    + "\(garbageBytes) bytes of garbage")
        }
        report.set("blob_files", .count(blobs))
        report.set("blob_live_bytes", .unsigned(liveBytes))
        report.set("blob_garbage_bytes", .unsigned(garbageBytes))
        report.set("tables", .count(tables))
        report.set("bytes", .unsigned(bytes))
        report.set("entries", .unsigned(entries))
        report.set("damaged_tables", .count(damaged))
    }
}
