/// What a repository keeps: what one of its rules keeps stays, whatever the other says.
public struct RetentionPolicy: Sendable, Hashable {
    /// The newest so many base backups stay; nil: their number is no reason to stay.
    public var backups: Int?
    /// Every moment of so many microseconds before ``nowMicros`` can still be restored; nil: age is no reason to stay.
    public var windowMicros: UInt64?
    /// Where the window ends, in microseconds since 1970.
    public var nowMicros: UInt64

    /// One rule at least is needed.
    public init(backups: Int? = nil, windowMicros: UInt64? = nil, nowMicros: UInt64) {
        self.backups = backups
        self.windowMicros = windowMicros
        self.nowMicros = nowMicros
    }

    /// The window's first moment, in microseconds since 1970.
    public var windowStartMicros: UInt64? {
        windowMicros.map { nowMicros > $0 ? nowMicros - $0 : 0 }
    }

    func check() throws(StorageError) {
        guard backups != nil || windowMicros != nil else {
            throw .invalidArgument(
                "What is to be kept is not said: a number of backups, or a time.")
        }
        if let backups, backups < 1 {
            throw .invalidArgument("At least one backup must be kept.")
        }
        if windowMicros == 0 {
            throw .invalidArgument("The recovery window has no length.")
        }
    }
}

/// What becomes of one base backup, and why.
public struct BackupRetention: Sendable {
    /// Why it stays or goes.
    public enum Reason: Sendable, Hashable {
        /// Stays: one of the newest so many.
        case amongNewest(Int)
        /// Stays: it had not ended yet when the window began, or has commits that are newer.
        case insideWindow
        /// Stays: it was made after the one that the window begins with, and no clock tells when.
        case ageUnknown
        /// Stays: the newest that had ended when the window began, so that the window's first moments are restored
        /// from it. The branch is told where the newest log is another's.
        case reachesIntoWindow(branch: UID?)
        /// Stays: as ``reachesIntoWindow(branch:)``, but the log behind it has a gap before the window.
        case nearestToWindow
        /// Stays: the only one left whose log leads to the newest moment.
        case leadsToNewest
        /// Stays: the only one left whose log leads to the end of this branch, which another server writes.
        case leadsToBranch(UID)
        /// Goes: there are so many newer ones.
        case behindNewest(Int)
        /// Goes: it ended before the window began, which is restored from this one on, by its id.
        case beforeWindow(base: String)
    }
    /// The backup.
    public var backup: BackupManifest
    /// It stays.
    public var isKept: Bool
    /// One at least: what keeps it, or why each rule lets it go.
    public var reasons: [Reason]
}

/// What becomes of a run of log segments of one branch, and why.
public struct LogRetention: Sendable {
    /// Why it stays or goes.
    public enum Reason: Sendable, Hashable {
        /// Stays: restores from this backup replay it, the oldest that does.
        case replayed(from: String)
        /// Stays: restores from no backup replay it, but it is not older than what those that stay need. A backup
        /// that is being made may need it.
        case notOlder
        /// Stays: as ``notOlder``, since the clocks do not allow to say that it is older.
        case ageUnknown
        /// Stays: there is no backup at all.
        case withoutBackups
        /// Goes: older than what the backups that stay need.
        case older
    }
    /// Oldest first; neighbours in the log.
    public var segments: [ArchivedSegment]
    /// It stays.
    public var isKept: Bool
    /// What keeps it, or lets it go.
    public var reason: Reason
}

/// Something in a repository that does not fit the clock.
public enum RetentionClockNotice: Sendable, Hashable {
    /// A backup ended in the future. Its age is that of the next backup of its log, and not known without one.
    case backupFromFuture(id: String, endedMicros: UInt64)
    /// A backup ended before one that was made earlier: the clock went back meanwhile. How old it is
    /// is not known.
    case clockWentBack(id: String, endedMicros: UInt64, earlier: String, earlierEndedMicros: UInt64)
    /// The newest log was archived in the future.
    case logFromFuture(archivedMicros: UInt64)
}
