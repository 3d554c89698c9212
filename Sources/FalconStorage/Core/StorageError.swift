/// Who can do something about an error.
public enum StorageErrorKind: String, Sendable {
    /// The caller asked for something that cannot be; changing the request helps.
    case user
    /// Safe to retry as it is.
    case retryable
    /// The environment is in the way (disk full, stalled, budget); it may pass without a change here.
    case transient
    /// Damage on disk, or an impossible state inside the engine.
    case bug
}

/// What went wrong, as a stable code that tools print and callers switch on.
public struct StorageErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    /// A code; those of the engine are below.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// The request cannot be met as it is: an option out of range, a key too long.
    public static let invalidArgument = Self("invalid-argument")
    /// A file, a directory or a transaction that was named is not there.
    public static let notFound = Self("not-found")
    /// What was to be made is there already, or a directory that was to be removed is not empty.
    public static let alreadyExists = Self("already-exists")
    /// Bytes on disk are not what was written, or contradict one another; ``StorageError/location`` says
    /// where.
    public static let corruption = Self("corruption")
    /// A system call failed for a reason that has no code of its own.
    public static let io = Self("io")
    /// No room on the file system, or in the user's quota; may be tried again once there is.
    public static let diskFull = Self("disk-full")
    /// Another process holds the directory's lock, or another call is at the same request or transaction.
    public static let inUse = Self("in-use")
    /// Written by a newer version; this one leaves it alone.
    public static let unsupportedFormat = Self("unsupported-format")
    /// A write to the log failed earlier: no more writes until the engine is opened anew. Reads go on.
    public static let poisoned = Self("poisoned")
    /// The engine, or the file, was closed.
    public static let closed = Self("closed")
    /// The engine, or the key registry, was opened only to be read.
    public static let readOnly = Self("read-only")
    /// Versions at the timestamp may be gone: read at a newer one, or hold a snapshot.
    public static let snapshotTooOld = Self("snapshot-too-old")
    /// An allocation failed, or a batch has passed 4 GiB of memory.
    public static let outOfMemory = Self("out-of-memory")
    /// Somebody asked for the operation to end, and it did.
    public static let cancelled = Self("cancelled")
    /// The device would have to be waited for; see ``ReadOptions/mayWait``. Nothing has changed.
    public static let wouldBlock = Self("would-block")
    /// For a wall clock that jumped. The engine throws it nowhere: see
    /// ``EngineStatistics/clockJumpPending``.
    public static let clockJump = Self("clock-jump")
    /// The log does not reach to the moment or the position that was asked for.
    public static let targetUnreachable = Self("target-unreachable")
    /// An inspection of a restore is beyond the moment or the position that was asked for.
    public static let targetPassed = Self("target-passed")
    /// A repository has no base backup that a restore could begin with.
    public static let noBackup = Self("no-backup")
    /// A repository lacks segments of the log that lead to what was asked for.
    public static let logGap = Self("log-gap")
    /// The bytes are encrypted and the key to them was not given, or is another.
    public static let keyMissing = Self("key-missing")
    /// The log failed while the commit waited for it: only a reopen tells whether it survived.
    public static let commitOutcomeUnknown = Self("commit-outcome-unknown")
    /// What should be impossible: an error of the engine itself.
    public static let internalError = Self("internal")
}

/// Every failure of the engine: what, why, where and whether a retry is safe.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The file and byte offset an error speaks of.
    public struct Location: Hashable, Sendable {
        /// The path as the engine knows it, below the data directory's.
        public var path: String
        /// Bytes from the file's beginning, as far as it is known.
        public var offset: UInt64?
        /// A place in a file, or the file.
        public init(path: String, offset: UInt64? = nil) {
            self.path = path
            self.offset = offset
        }
    }

    /// Who can do something about it.
    public var kind: StorageErrorKind
    /// What went wrong.
    public var code: StorageErrorCode
    /// A full sentence without the cause.
    public var message: String
    /// The underlying reason (an errno text, an inner error).
    public var cause: String?
    /// The file it speaks of.
    public var location: Location?
    /// What to do next, or when to try again.
    public var hint: String?
    /// The system's errno where a call failed.
    public var errno: Int32?

    /// An error in full; callers of the engine switch on ``code`` and ``kind``.
    public init(
        _ code: StorageErrorCode, kind: StorageErrorKind, _ message: String, cause: String? = nil,
        location: Location? = nil, hint: String? = nil, errno: Int32? = nil
    ) {
        self.code = code
        self.kind = kind
        self.message = message
        self.cause = cause
        self.location = location
        self.hint = hint
        self.errno = errno
    }

    /// A read that must not wait for the device would have to.
    static func wouldBlock(_ path: String, _ offset: UInt64?) -> StorageError {
        StorageError(
            .wouldBlock, kind: .retryable, "The read would have to wait for the device.",
            location: .init(path: path, offset: offset),
            hint: "Read again where waiting is allowed.")
    }

    public var description: String {
        var text = "\(code): \(message)"
        if let location {
            text += " [\(location.path)"
            if let offset = location.offset { text += " at offset \(offset)" }
            text += "]"
        }
        if let cause { text += " (cause: \(cause))" }
        if let hint { text += (text.hasSuffix(".") ? " " : ". ") + hint }
        return text
    }

    /// Damage found in `path`.
    public static func corruption(
        _ message: String, path: String, offset: UInt64? = nil, hint: String? = nil
    ) -> StorageError {
        StorageError(
            .corruption, kind: .bug, message, location: Location(path: path, offset: offset),
            hint: hint)
    }

    /// A request the caller has to change.
    public static func invalidArgument(_ message: String, hint: String? = nil) -> StorageError {
        StorageError(.invalidArgument, kind: .user, message, hint: hint)
    }
}
