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
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let invalidArgument = Self("invalid-argument")
    public static let notFound = Self("not-found")
    public static let alreadyExists = Self("already-exists")
    public static let corruption = Self("corruption")
    public static let io = Self("io")
    public static let diskFull = Self("disk-full")
    public static let inUse = Self("in-use")
    public static let unsupportedFormat = Self("unsupported-format")
    public static let poisoned = Self("poisoned")
    public static let closed = Self("closed")
    public static let readOnly = Self("read-only")
    public static let snapshotTooOld = Self("snapshot-too-old")
    public static let outOfMemory = Self("out-of-memory")
    public static let cancelled = Self("cancelled")
    public static let wouldBlock = Self("would-block")
    public static let clockJump = Self("clock-jump")
    public static let targetUnreachable = Self("target-unreachable")
    public static let keyMissing = Self("key-missing")
    public static let commitOutcomeUnknown = Self("commit-outcome-unknown")
    public static let internalError = Self("internal")
}

/// Every failure of the engine: what, why, where and whether a retry is safe.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The file and byte offset an error speaks of.
    public struct Location: Hashable, Sendable {
        public var path: String
        public var offset: UInt64?
        public init(path: String, offset: UInt64? = nil) {
            self.path = path
            self.offset = offset
        }
    }

    public var kind: StorageErrorKind
    public var code: StorageErrorCode
    /// A full sentence without the cause.
    public var message: String
    /// The underlying reason (an errno text, an inner error).
    public var cause: String?
    public var location: Location?
    /// What to do next, or when to try again.
    public var hint: String?
    /// The system's errno where a call failed.
    public var errno: Int32?

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
