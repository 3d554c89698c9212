/// What recovery will say of FORMAT, CURRENT and MANIFEST, found by reading alone: for tools, whose
/// judgement must not be milder than the server's.
public struct DirectoryCondition: Sendable {
    /// Why the server refuses the directory, as far as these files tell.
    public private(set) var problems: [StorageError] = []
    /// Why the server refuses the directory whatever the log holds; nil: it does not. Segments of another database
    /// do not count: recovery minds only those that it reads, as ``RecoveryForecast`` says.
    public var refusal: StorageError? {
        problems.indices.first { $0 != foreignProblem }.map { problems[$0] }
    }
    /// The one of ``problems`` that is about ``foreignSegments``.
    private var foreignProblem: Int?
    /// What MANIFEST says of the log; nil without a manifest that can be read.
    public private(set) var expectation: LogExpectation?
    /// Whose directory it is by FORMAT; nil without one that can be read.
    public private(set) var shard: UID?
    /// Segments of the log that are another database's; one of ``problems`` speaks of them all.
    public private(set) var foreignSegments: [String] = []
    /// Something of an engine is there besides a log.
    public private(set) var isEngine = false
    /// There is a CURRENT file.
    public private(set) var hasMarker = false
    /// MANIFEST is encrypted and its key not at hand: its structure was checked, and what it says is unknown.
    public private(set) var isHidden = false
    private var names: FileNames

    /// Throws on I/O errors only.
    public static func read(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> DirectoryCondition {
        var found = Self(names: names)
        var hasFormat = false
        for name in try fileSystem.list(names.root) {
            if name == FileNames.restoreMarkerName {
                found.problems.append(UnfinishedRestore.error(names))
            }
            if name == FileNames.inspectionMarkerName {
                do throws(StorageError) {
                    try RestoreInspection.check(names, fileSystem, forWriting: false)
                } catch  where error.code == .invalidArgument {
                    // It is being changed.
                    found.problems.append(error)
                } catch {
                    try found.note(error)
                }
            }
            switch FileNames.parse(name) {
            case .format: hasFormat = true
            case .current: found.hasMarker = true
            case .manifest: found.isEngine = true
            default: break
            }
        }
        found.isEngine = found.isEngine || hasFormat || found.hasMarker
        var format: FormatFile?
        if hasFormat {
            do throws(StorageError) {
                format = try FormatFile.decode(
                    fileSystem.contents(of: names.format), path: names.format, forWriting: false)
                found.shard = format?.shard
            } catch {
                try found.note(error)
            }
        } else if found.hasMarker {
            found.problems.append(
                .corruption(
                    "The directory has a manifest but no FORMAT file.", path: names.format,
                    hint: "Restore FORMAT from a backup of the same directory."))
        }
        do throws(StorageError) {
            try found.checkKeys(format, fileSystem)
        } catch {
            try found.note(error)
        }
        do throws(StorageError) {
            try found.readManifest(format, fileSystem)
        } catch  where error.code == .keyMissing {
            found.isHidden = fileSystem.keys == nil
            let missing = error
            do throws(StorageError) {
                if let manifest = try ManifestReader.checkLive(names, fileSystem) {
                    try found.checkShard(of: manifest, format)
                }
                // The keys are there, and the manifest's is not among them.
                if !found.isHidden { throw missing }
            } catch {
                try found.note(error)
            }
        } catch {
            try found.note(error)
        }
        try found.checkLog(fileSystem)
        if !found.hasMarker, try holdsTables(names, fileSystem) {
            found.isEngine = true
            found.problems.append(
                .corruption(
                    "The directory holds tables but no CURRENT file names a manifest.",
                    path: names.current,
                    hint: "Restore CURRENT from a backup of the same directory."))
        }
        return found
    }

    /// What the log adds: a directory whose log holds commits has had a manifest.
    public mutating func noteCommits() {
        guard isEngine, !hasMarker, problems.isEmpty else { return }
        problems.append(
            .corruption(
                "The log holds commits but no CURRENT file names a manifest.", path: names.current,
                hint: "Restore CURRENT from a backup of the same directory."))
    }

    /// The damage is what one of ``problems`` speaks of: it needs no second finding.
    public func tells(_ damage: WALDamage) -> Bool {
        damage.kind == .foreign && foreignSegments.contains(damage.path)
    }

    /// Of a log that is by itself: nothing is known of it.
    public init(names: FileNames) { self.names = names }

    /// The key registry, as far as it can be judged without a key.
    private func checkKeys(
        _ format: FormatFile?, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        if try fileSystem.exists(names.keys) {
            try KeyRegistryFile.check(fileSystem.contents(of: names.keys), path: names.keys)
            return
        }
        let isNeeded = (format?.features.readIncompatible ?? 0) & FeatureBits.encryption != 0
        guard isNeeded else { return }
        throw .corruption(
            "The data directory is encrypted, and its key registry is missing.", path: names.keys,
            hint: "Restore KEYS from a backup of the same directory: without it nothing that is "
                + "encrypted can be read.")
    }

    private mutating func readManifest(
        _ format: FormatFile?, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: false)
        else { return }
        try checkShard(of: manifest, format)
        expectation = LogExpectation(manifest, path: names.manifest(manifest.number))
    }

    private func checkShard(
        of manifest: ManifestContents, _ format: FormatFile?
    ) throws(StorageError) {
        guard let format, format.shard != manifest.shard else { return }
        throw .corruption(
            "The manifest belongs to another shard than FORMAT says.",
            path: names.manifest(manifest.number), offset: 60)
    }

    /// Segments of another database are one problem, however many there are.
    private mutating func checkLog(_ fileSystem: any FileSystem) throws(StorageError) {
        guard let shard, try fileSystem.exists(names.walDirectory) else { return }
        var reasons: [String] = []
        for name in try fileSystem.list(names.walDirectory).sorted() {
            guard case .walSegment = FileNames.parse(name) else { continue }
            let path = names.walDirectory + "/" + name
            do throws(StorageError) {
                if case .header(let header) = try WALDirectory.readHeader(path, fileSystem),
                    let reason = header.foreignReason(shard)
                {
                    foreignSegments.append(path)
                    reasons.append(reason)
                }
            } catch  where error.code == .notFound {
                // A live writer released it meanwhile.
            }
        }
        guard let path = foreignSegments.first, let reason = reasons.first else { return }
        let others = reasons.count == 1 ? "" : "; \(reasons.count - 1) more are another's, too"
        foreignProblem = problems.count
        problems.append(
            .corruption(
                reason.prefix(1).uppercased() + reason.dropFirst() + others + ".",
                path: path, offset: 56,
                hint: "Put back the segments that belong there, from a backup."))
    }

    private mutating func note(_ error: StorageError) throws(StorageError) {
        guard error.code == .corruption || error.code == .unsupportedFormat else { throw error }
        problems.append(error)
    }

    private static func holdsTables(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> Bool {
        guard try fileSystem.exists(names.sstDirectory) else { return false }
        return try fileSystem.list(names.sstDirectory).contains {
            if case .table = FileNames.parse($0) { true } else { false }
        }
    }
}
