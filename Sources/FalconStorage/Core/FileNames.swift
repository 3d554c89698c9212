/// The number in a WAL segment's name; rises by one with each segment, never reused.
public struct WALSegmentNumber: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The segment of that number.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    /// The number of the next segment.
    public var successor: Self { Self(rawValue &+ 1) }
    public var description: String { FileNames.hex(rawValue) }
}

/// What a name inside a data directory says about its file.
public enum FileKind: Hashable, Sendable {
    /// A segment of the log, active or retained.
    case walSegment(WALSegmentNumber)
    /// A pre-written or recycled segment that waits for its activation.
    case walSpare(UInt64)
    /// A sorted table.
    case table(FileNumber)
    /// Large values that tables refer to.
    case blob(FileNumber)
    /// Operations of an uncommitted transaction by key; nothing to a later process.
    case spilledRun(UInt64)
    /// The same operations in the order they were made in.
    case spilledOperations(UInt64)
    /// A MANIFEST; ``current`` names the one in use.
    case manifest(UInt64)
    /// The marker that names the live MANIFEST.
    case current
    /// Held, not read, by the process that writes.
    case lock
    /// The directory's format version and identity.
    case format
    /// The key registry of an encrypted directory.
    case keys
    /// Written under this name first, then renamed; a left-over one is an orphan.
    case temporary
    /// No name of an engine's.
    case unknown
}

/// Where the files of one data directory are: the only place that makes and parses their names.
///
/// ```
/// FORMAT                  format version and identity of the directory
/// KEYS                    the key registry, where files are or were encrypted
/// LOCK                    held by the process that writes
/// CURRENT                 names the live manifest
/// MANIFEST-%016x
/// sst/%016x.sst
/// sst/%016x.blob         large values that tables refer to
/// wal/%016x.wal           active and retained segments
/// wal/%016x.spare         pre-written or recycled, not yet activated
/// spill/%016x.run         uncommitted operations by key
/// spill/%016x.ops         the same in their order; both are orphans after a crash
/// RESTORE_INCOMPLETE      a restore is building the directory, or was when it was ended
/// RESTORE_INSPECTION      a restored state that is looked at, and not yet a database
/// RESTORE_INSPECTION.LOCK held while a server shows it, or it is changed
/// *.tmp                   unfinished; an orphan after a crash
/// ```
public struct FileNames: Hashable, Sendable {
    /// The data directory, without a slash at the end.
    public let root: String

    /// The names below `root`; nothing is looked up.
    public init(root: String) { self.root = root }

    /// The log's segments.
    public var walDirectory: String { root + "/wal" }
    /// Tables and blob files.
    public var sstDirectory: String { root + "/sst" }
    /// What uncommitted transactions spilled.
    public var spillDirectory: String { root + "/" + Self.spillDirectoryName }
    /// Not there before something has spilled.
    public static let spillDirectoryName = "spill"
    /// Locked by the process that writes.
    public var lock: String { root + "/LOCK" }
    /// Format version and identity.
    public var format: String { root + "/FORMAT" }
    /// The key registry; there only where files are or were encrypted.
    public var keys: String { root + "/KEYS" }
    /// Names the MANIFEST in use.
    public var current: String { root + "/CURRENT" }
    /// There while a restore builds the directory: see ``RestoreExecutor``.
    public var restoreMarker: String { root + "/" + Self.restoreMarkerName }
    /// The first file to come and the last to go: a directory without it is whole.
    public static let restoreMarkerName = "RESTORE_INCOMPLETE"
    /// There while the directory is an inspection: see ``RestoreInspection``.
    public var inspectionMarker: String { root + "/" + Self.inspectionMarkerName }
    /// Held by who shows an inspection, or changes it.
    public var inspectionLock: String { inspectionMarker + ".LOCK" }
    /// What a directory that is an inspection has, and no other.
    public static let inspectionMarkerName = "RESTORE_INSPECTION"
    /// The path of a MANIFEST.
    public func manifest(_ number: UInt64) -> String { root + "/" + Self.manifestName(number) }
    /// The path of a table.
    public func table(_ number: FileNumber) -> String {
        sstDirectory + "/" + Self.tableName(number)
    }
    /// The path of a blob file.
    public func blob(_ number: FileNumber) -> String {
        sstDirectory + "/" + Self.blobName(number)
    }
    /// The path of a spilled run.
    public func spilledRun(_ number: UInt64) -> String {
        spillDirectory + "/" + Self.spilledRunName(number)
    }
    /// The path of a spilled batch's operations.
    public func spilledOperations(_ number: UInt64) -> String {
        spillDirectory + "/" + Self.spilledOperationsName(number)
    }
    /// The path of a segment of the log.
    public func walSegment(_ number: WALSegmentNumber) -> String {
        walDirectory + "/" + Self.walSegmentName(number)
    }

    /// The name of a MANIFEST in the directory.
    public static func manifestName(_ number: UInt64) -> String { "MANIFEST-" + hex(number) }
    /// The name of a table in ``sstDirectory``.
    public static func tableName(_ number: FileNumber) -> String { hex(number.rawValue) + ".sst" }
    /// The name of a blob file in ``sstDirectory``.
    public static func blobName(_ number: FileNumber) -> String { hex(number.rawValue) + ".blob" }
    /// The name of a segment in ``walDirectory``.
    public static func walSegmentName(_ number: WALSegmentNumber) -> String {
        hex(number.rawValue) + ".wal"
    }
    /// The name of a spilled run in ``spillDirectory``.
    public static func spilledRunName(_ number: UInt64) -> String { hex(number) + ".run" }
    /// The name of a spilled batch's operations in ``spillDirectory``.
    public static func spilledOperationsName(_ number: UInt64) -> String { hex(number) + ".ops" }
    /// The name of a spare segment in ``walDirectory``; its number is no segment's.
    public static func walSpareName(_ number: UInt64) -> String { hex(number) + ".spare" }
    /// The name `name` is written under before its rename.
    public static func temporary(_ name: String) -> String { name + ".tmp" }

    /// What the last component of a path means.
    public static func parse(_ name: String) -> FileKind {
        switch name {
        case "CURRENT": return .current
        case "LOCK": return .lock
        case "FORMAT": return .format
        case "KEYS": return .keys
        default: break
        }
        if name.hasSuffix(".tmp") { return .temporary }
        if name.hasPrefix("MANIFEST-") {
            return parseHex(name.dropFirst(9)).map(FileKind.manifest) ?? .unknown
        }
        if name.hasSuffix(".wal") {
            return parseHex(name.dropLast(4)).map { .walSegment(WALSegmentNumber($0)) } ?? .unknown
        }
        if name.hasSuffix(".sst") {
            return parseHex(name.dropLast(4)).map { .table(FileNumber($0)) } ?? .unknown
        }
        if name.hasSuffix(".blob") {
            return parseHex(name.dropLast(5)).map { .blob(FileNumber($0)) } ?? .unknown
        }
        if name.hasSuffix(".run") {
            return parseHex(name.dropLast(4)).map(FileKind.spilledRun) ?? .unknown
        }
        if name.hasSuffix(".ops") {
            return parseHex(name.dropLast(4)).map(FileKind.spilledOperations) ?? .unknown
        }
        if name.hasSuffix(".spare") {
            return parseHex(name.dropLast(6)).map(FileKind.walSpare) ?? .unknown
        }
        return .unknown
    }

    /// Sixteen lower-case hex digits.
    public static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    private static func parseHex(_ text: some StringProtocol) -> UInt64? {
        guard text.utf8.count == 16,
            text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        return UInt64(text, radix: 16)
    }
}
