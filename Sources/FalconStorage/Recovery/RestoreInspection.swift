/// A restored state that is looked at before it becomes a database: what the file `RESTORE_INSPECTION` of its
/// directory says.
///
/// The directory is what a server killed at the target would have left, and stays that: it is opened to be read, and
/// nobody writes to its log but who goes on replaying the source's. Its end makes an ordinary directory of it, which
/// begins a branch of its own.
///
/// ```
/// falcon-restore-inspection 0
/// state ready|advancing|promoting
/// source directory|repository PATH
/// shard UID
/// incarnation NUMBER BRANCH PARENT FORK-LSN EPOCH      what was written at the log's end
/// end LSN                                              of the log
/// segment NUMBER                                       the log's last; later ones are an unfinished advance's
/// last none|LSN END-LSN TIMESTAMP TRANSACTION OPERATIONS
/// replay yes|no
/// HASH                                                 XXH3-64 of the lines above
/// ```
public struct RestoreInspection: Sendable, Hashable {
    /// What is done with the directory.
    public enum State: String, Sendable {
        /// It may be read.
        case ready
        /// The source's log is being copied, or was when that was ended.
        case advancing
        /// It is becoming a database, or was when that was ended.
        case promoting
    }

    /// What it was restored from.
    public enum SourceKind: String, Sendable {
        /// A data directory.
        case directory
        /// A backup repository.
        case repository
    }

    /// The newest commit that is in.
    struct LastCommit: Sendable, Hashable {
        var lsn: LSN
        var endLSN: LSN
        var timestamp: Timestamp
        var transaction: TransactionID
        var operationCount: UInt32
    }

    /// What is done with the directory.
    public internal(set) var state = State.ready
    /// What it was restored from.
    public let sourceKind: SourceKind
    /// Where that was.
    public let source: String
    /// Whose database it is.
    public internal(set) var shard = UID.zero
    /// The branch at the log's end.
    public var branch: UID { incarnation.branch }
    /// Up to here the source's log is in.
    public internal(set) var endLSN = LSN.zero
    /// The source's log goes on where this state ends; false: only its tables hold what comes next.
    public internal(set) var isAdvanceable = true
    var incarnation = Incarnation(
        number: 0, branch: .zero, parent: .zero, forkLSN: .zero, epoch: 0)
    var lastSegment = WALSegmentNumber(0)
    var lastCommit: LastCommit?

    /// An inspection that is to be made from `source`; the rest is known when it is there.
    public init(of sourceKind: SourceKind, at source: String) throws(StorageError) {
        guard !source.utf8.contains(10) else {
            throw .invalidArgument(
                "The path of what is restored has a line break in it, and an inspection notes it.",
                hint: "Rename the directory, or restore without --inspect.")
        }
        self.sourceKind = sourceKind
        self.source = source
    }
}

// MARK: - The file

extension RestoreInspection {
    private static let format = "falcon-restore-inspection 0"

    var encoded: [UInt8] {
        let branch = "\(incarnation.branch) \(incarnation.parent) \(incarnation.forkLSN)"
        let last = lastCommit.map {
            "\($0.lsn) \($0.endLSN) \($0.timestamp.rawValue) \($0.transaction.rawValue) "
                + "\($0.operationCount)"
        }
        let lines = [
            Self.format, "state \(state.rawValue)", "source \(sourceKind.rawValue) \(source)",
            "shard \(shard)",
            "incarnation \(incarnation.number) \(branch) \(incarnation.epoch)",
            "end \(endLSN)", "segment \(lastSegment.rawValue)", "last " + (last ?? "none"),
            "replay " + (isAdvanceable ? "yes" : "no"),
        ]
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        let sum = text.withUnsafeBytes { Checksum.xxh3($0) }
        return text + Array((FileNames.hex(sum) + "\n").utf8)
    }

    /// What the directory's file says; nil: it is no inspection. Throws `corruption` where the file is damaged,
    /// `unsupported-format` where a later version wrote it.
    public static func read(
        root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> RestoreInspection? {
        let path = FileNames(root: root).inspectionMarker
        guard try fileSystem.exists(path) else { return nil }
        let bytes = try fileSystem.unkeyed.contents(of: path)
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let first = lines.first, first != format, first.hasPrefix("falcon-restore-inspection ") {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The inspection has a format that this program does not know.", cause: first,
                location: .init(path: path), hint: "Use the version that made it, or a later one.")
        }
        guard let found = try decode(lines), found.encoded == bytes else {
            throw .corruption(
                "The file RESTORE_INSPECTION is damaged.", path: path, offset: 0,
                hint: "Remove the directory and restore again.")
        }
        return found
    }

    /// Nil: damaged. That every value is written as it was read is the caller's to check.
    private static func decode(_ lines: [String]) throws(StorageError) -> RestoreInspection? {
        guard lines.count == 11 else { return nil }
        func value(_ index: Int, _ name: String) -> String? {
            lines[index].hasPrefix(name + " ")
                ? String(lines[index].dropFirst(name.count + 1)) : nil
        }
        guard let state = value(1, "state").flatMap(State.init(rawValue:)),
            let place = value(2, "source")?.split(
                separator: " ", maxSplits: 1, omittingEmptySubsequences: false),
            place.count == 2, let kind = SourceKind(rawValue: String(place[0])),
            let shard = value(3, "shard").flatMap({ UID(text: $0) }),
            let incarnation = value(4, "incarnation").flatMap(decodeIncarnation),
            let end = value(5, "end").flatMap({ LSN(text: $0) }),
            let segment = value(6, "segment").flatMap({ UInt64($0) }),
            let last = value(7, "last"), let replay = value(8, "replay")
        else { return nil }
        var found = try RestoreInspection(of: kind, at: String(place[1]))
        found.state = state
        found.shard = shard
        found.incarnation = incarnation
        found.endLSN = end
        found.lastSegment = WALSegmentNumber(segment)
        found.isAdvanceable = replay == "yes"
        if last != "none" {
            guard let commit = decodeCommit(last) else { return nil }
            found.lastCommit = commit
        }
        return found
    }

    private static func decodeIncarnation(_ text: String) -> Incarnation? {
        let words = text.split(separator: " ")
        guard words.count == 5, let number = UInt64(words[0]), let branch = UID(text: words[1]),
            let parent = UID(text: words[2]), let fork = LSN(text: words[3]),
            let epoch = UInt64(words[4])
        else { return nil }
        return Incarnation(
            number: number, branch: branch, parent: parent, forkLSN: fork, epoch: epoch)
    }

    private static func decodeCommit(_ text: String) -> LastCommit? {
        let words = text.split(separator: " ")
        guard words.count == 5, let lsn = LSN(text: words[0]), let end = LSN(text: words[1]),
            let timestamp = UInt64(words[2]), let transaction = UInt64(words[3]),
            let operations = UInt32(words[4])
        else { return nil }
        return LastCommit(
            lsn: lsn, endLSN: end, timestamp: Timestamp(timestamp),
            transaction: TransactionID(transaction), operationCount: operations)
    }

    /// Makes the directory say so, durably.
    func write(_ names: FileNames, _ fileSystem: any FileSystem) throws(StorageError) {
        try fileSystem.unkeyed.replace(names.inspectionMarker, with: encoded)
    }
}

// MARK: - Who may do what

extension RestoreInspection {
    /// Keeps others from changing or showing the inspection in `root`; throws `in-use` where somebody does.
    public static func hold(
        root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> any FileLock {
        do throws(StorageError) {
            return try fileSystem.lock(FileNames(root: root).inspectionLock)
        } catch  where error.code == .inUse {
            throw StorageError(
                .inUse, kind: .transient,
                "The inspection is in use: a server shows it, or it is being advanced.",
                location: .init(path: root), hint: "Stop that server, or wait, and try again.")
        }
    }

    /// Throws where the directory of `names` is an inspection that may not be opened: for writing none may, for
    /// reading one that is not being changed.
    static func check(
        _ names: FileNames, _ fileSystem: any FileSystem, forWriting: Bool
    ) throws(StorageError) {
        guard let found = try read(root: names.root, fileSystem) else { return }
        if let error = found.unfinished(names) { throw error }
        guard forWriting else { return }
        throw StorageError(
            .readOnly, kind: .user,
            "The directory is a restore's inspection: it can be read, and not written to.",
            location: .init(path: names.inspectionMarker),
            hint: "'pitr-restore advance \(names.root) --promote' makes a database of it.")
    }

    /// Why what is there is not a state that anybody asked for; nil: it is one.
    func unfinished(_ names: FileNames) -> StorageError? {
        let message: String
        let hint: String
        switch state {
        case .ready: return nil
        case .advancing:
            message = "The inspection is being advanced, or was when that was ended."
            hint =
                "Where pitr-restore still runs, wait for its end; else run 'pitr-restore advance "
                + "\(names.root)' again, with any target from \(endLSN) on."
        case .promoting:
            message = "The inspection is becoming a database, or was when that was ended."
            hint =
                "Where pitr-restore still runs, wait for its end; else run 'pitr-restore advance "
                + "\(names.root) --promote' again."
        }
        return StorageError(
            .invalidArgument, kind: .user, message, location: .init(path: names.inspectionMarker),
            hint: hint)
    }
}
