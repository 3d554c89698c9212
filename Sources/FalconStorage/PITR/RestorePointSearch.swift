/// A place in the log that is looked for by what was written there.
public enum RestoreMark: Sendable, Hashable {
    /// A named restore point.
    case name(String)
    /// The commit of a transaction.
    case transaction(TransactionID)
}

/// Where a ``RestoreMark`` was found.
public struct RestoreMarkPlace: Sendable, Hashable {
    /// Where its record begins.
    public var lsn: LSN
    /// One beyond its record: `--to-lsn` with it includes the record.
    public var endLSN: LSN
    /// In microseconds since 1970 UTC.
    public var micros: UInt64
}

extension RestoreMarkPlace {
    /// Every place of `mark` in the log of a directory, oldest first.
    public static func find(
        _ mark: RestoreMark, root: String, environment: StorageEnvironment,
        progress: (LSN) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> [RestoreMarkPlace] {
        let names = FileNames(root: root)
        let fileSystem = environment.fileSystem
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem,
            mode: fileSystem.isLocked(names.lock) ? .follow : .strict)
        var found: [RestoreMarkPlace] = []
        var count = 0
        while let record = try reader.next() {
            count += 1
            if count & 1023 == 0 { try progress(record.end) }
            switch (record.tag, mark) {
            case (.restorePoint, .name(let name)):
                guard let point = RestorePointRecord(record.body), point.name == name else {
                    continue
                }
                found.append(
                    .init(
                        lsn: record.lsn, endLSN: record.end, micros: point.timestamp.microsSince1970
                    ))
            case (.commit, .transaction(let wanted)):
                guard let view = CommitRecordView(record.body), view.header.transaction == wanted
                else { continue }
                found.append(
                    .init(
                        lsn: record.lsn, endLSN: record.end,
                        micros: view.header.timestamp.microsSince1970))
            default: continue
            }
        }
        return found
    }

    /// The same in the whole archived log that leads to the newest segment, gaps passed over.
    public static func find(
        _ mark: RestoreMark, _ repository: Repository, _ inventory: Repository.Inventory,
        branch: UID?, environment: StorageEnvironment, key: MasterKeySource?,
        progress: (LSN) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> [RestoreMarkPlace] {
        var found = Set<RestoreMarkPlace>()
        for log in try RepositoryLog.all(repository, inventory, branch: branch) {
            let keyed = try log.source.environment(environment, key)
            for place in try find(
                mark, root: log.source.root, environment: keyed, progress: progress)
            where place.endLSN <= log.endLSN { found.insert(place) }
        }
        return found.sorted { $0.lsn < $1.lsn }
    }
}
