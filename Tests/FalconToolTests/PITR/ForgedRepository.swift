@testable import FalconStorage

/// A repository's inventory without a repository: a log segment a day, and backups made at noon. Day 0 is 2026-01-01.
struct ForgedRepository {
    static let dayMicros: UInt64 = 86_400_000_000
    var inventory = Repository.Inventory()

    /// In microseconds since 1970.
    static func moment(_ day: Double) -> UInt64 {
        1_767_225_600_000_000 + UInt64(day * Double(dayMicros))
    }

    static func uid(_ branch: UInt64, _ day: Int) -> UID {
        UID(high: branch, low: UInt64(day) + 1)
    }

    static func branch(_ number: UInt64) -> UID { UID(high: 0, low: number) }

    /// Day `d` has the LSNs from 1000·d + 8 on.
    static func lsn(_ day: Int) -> LSN { LSN(UInt64(day) * 1000 + 8) }

    /// - Parameters:
    ///   - after: branch and day of the segment before the first; nil: the log begins.
    ///   - clock: what the wall clock showed, by the true day.
    mutating func log(
        _ days: Range<Int>, branch: UInt64 = 1, after: (UInt64, Int)? = nil,
        clock: (Double) -> Double = { $0 }
    ) {
        var previous = after
        for day in days {
            let predecessor = previous.map { previous in
                WALContinuation.Predecessor(
                    segment: WALSegmentNumber(UInt64(previous.1) + 1),
                    uid: Self.uid(previous.0, previous.1), lastLSN: Self.lsn(previous.1 + 1))
            }
            let footer = ArchivedSegmentFooter(
                rawBytes: 1000, rawHash: 0, isSealed: true, shard: UID(high: 0, low: 99),
                branch: Self.branch(branch), incarnation: branch,
                segment: WALSegmentNumber(UInt64(day) + 1), uid: Self.uid(branch, day),
                firstLSN: Self.lsn(day), lastLSN: Self.lsn(day + 1), predecessor: predecessor,
                keyID: 0, wallMicros: Self.moment(clock(Double(day))),
                archivedMicros: Self.moment(clock(Double(day) + 1)))
            inventory.segments.append(
                ArchivedSegment(
                    footer: footer, path: "/repo/log/\(branch)-\(day).seg", storedBytes: 100))
            previous = (branch, day)
        }
    }

    /// - Parameters:
    ///   - ended: what the wall clock showed, as a day; nil: the truth.
    ///   - newest: the moment of its newest commit, as a day; nil: as it ended.
    mutating func backup(
        _ id: String, day: Int, branch: UInt64 = 1, ended: Double? = nil, newest: Double? = nil
    ) {
        var manifest = BackupManifest()
        manifest.id = id
        manifest.branch = Self.branch(branch)
        manifest.logSegment = Self.uid(branch, day)
        manifest.startLSN = LSN(Self.lsn(day).rawValue + 500)
        manifest.endLSN = LSN(Self.lsn(day).rawValue + 501)
        manifest.beganMicros = Self.moment(ended ?? (Double(day) + 0.5))
        manifest.endedMicros = manifest.beganMicros
        manifest.newestMicros = Self.moment(newest ?? ended ?? (Double(day) + 0.5))
        inventory.backups.append(manifest)
    }

    func retention(
        keep: Int? = nil, days: Double? = nil, now: Double = 20
    ) throws -> RepositoryRetention {
        try RepositoryRetention(
            inventory,
            RetentionPolicy(
                backups: keep, windowMicros: days.map { UInt64($0 * Double(Self.dayMicros)) },
                nowMicros: Self.moment(now)))
    }
}

extension RepositoryRetention {
    /// Newest first.
    var kept: [String] { keptBackups.map(\.id) }

    func reasons(_ id: String) -> [BackupRetention.Reason] {
        backups.first { $0.backup.id == id }?.reasons ?? []
    }

    /// `branch: first day-last day` of each run, and what becomes of it.
    var runs: [String] {
        log.map { run in
            let days = run.segments.map { ($0.firstLSN.rawValue - 8) / 1000 }
            let branch = run.segments.first?.branch.low ?? 0
            return "\(branch): \(days.min() ?? 0)-\(days.max() ?? 0) "
                + (run.isKept ? "keep" : "remove")
        }
    }
}
