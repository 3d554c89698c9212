/// Where an engine archives its log, and how.
public struct ArchiveOptions: Sendable, Hashable {
    /// The repository; made where there is none, in a directory that is there.
    public var directory: String
    /// Ended segments that wait to be archived may take so much; beyond, the archive is given up, the segments are
    /// released, and the next backup begins it anew.
    public var maximumPendingBytes: UInt64 = 16 << 30
    /// A commit is archived after so long at the latest, as far as the repository keeps up: segments are ended
    /// before they are full. 0: only full ones are.
    public var timeoutMicros: UInt64 = 60_000_000
    /// Base backups copy so many bytes a second at most, unless they are told otherwise; 0: no limit.
    public var backupBytesPerSecond: UInt64 = 0

    /// Archives to `directory`, with the defaults of the rest.
    public init(directory: String) { self.directory = directory }
}

/// How far a base backup is.
public struct BackupProgress: Sendable, Hashable {
    /// Its name in the repository, once it is whole.
    public var id: String
    /// What it was called by whoever makes it.
    public var label: String
    /// When it was begun by the wall clock, in microseconds since 1970.
    public var beganMicros: UInt64
    /// Of tables and blob files; those that an earlier backup has count as copied.
    public var copiedBytes: UInt64 = 0
    /// Of all tables and blob files; zero until they are known. Once all is copied the log is archived.
    public var totalBytes: UInt64 = 0
    /// It copies so many bytes a second at most; 0: no limit.
    public var maxBytesPerSecond: UInt64 = 0
}

/// How the archive of an engine's log stands.
public struct ArchiveStatus: Sendable, Hashable {
    /// Whether segments are archived as they end.
    public enum State: Sendable, Hashable {
        /// No try has failed since the last that worked.
        case active
        /// The last try failed; it goes on trying.
        case failing(String)
        /// Segments were released before they were archived: no point behind `since` can be restored until the next
        /// base backup.
        case lost(since: LSN, reason: String)
    }
    /// The repository.
    public var directory: String
    /// How it stands at the moment.
    public var state: State
    /// Ended segments that wait.
    public var pendingSegments = 0
    /// What they take in the log; beyond ``ArchiveOptions/maximumPendingBytes`` the archive is given up.
    public var pendingBytes: UInt64 = 0
    /// Since the engine was opened.
    public var archivedSegments: UInt64 = 0
    /// What they take in the repository.
    public var archivedBytes: UInt64 = 0
    /// Failed tries since the engine was opened.
    public var failures: UInt64 = 0
    /// All up to here is archived; zero: nothing yet.
    public var lastLSN = LSN.zero
    /// The file name of the newest archived segment; empty: none since the engine was opened.
    public var lastName = ""
    /// When the newest segment was archived, in microseconds since 1970.
    public var lastMicros: UInt64 = 0
    /// The base backup that is being made; nil: none is.
    public var backup: BackupProgress?

    /// For people, on one line.
    public var summary: String {
        switch state {
        case .active: "active, archived to \(lastLSN), \(pendingBytes) bytes pending"
        case .failing(let reason):
            "failing, archived to \(lastLSN), \(pendingBytes) bytes pending: \(reason)"
        case .lost(let since, let reason): "lost since \(since): \(reason)"
        }
    }
}
