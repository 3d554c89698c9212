/// The files of one level in search order, as raw pointers so that a lookup retains nothing.
final class LevelFiles: @unchecked Sendable {
    let files: [TableFile]
    let byteCount: UInt64
    let count: Int
    private let slots: UnsafeMutablePointer<Unmanaged<TableFile>>

    static let empty = LevelFiles([])

    /// - Parameter files: newest first for level 0, else by key.
    init(_ files: [TableFile]) {
        self.files = files
        count = files.count
        byteCount = files.reduce(0) { $0 + $1.metadata.byteCount }
        slots = .allocate(capacity: max(files.count, 1))
        for (index, file) in files.enumerated() {
            (slots + index).initialize(to: Unmanaged.passUnretained(file))
        }
    }

    deinit { slots.deallocate() }

    /// Valid while the level lives.
    @inline(__always)
    func slot(_ index: Int) -> Unmanaged<TableFile> { slots[index] }

    /// In a sorted level: the first file that does not end before `key`; `count` when all do.
    @inline(__always)
    func firstEndingAtOrAfter(_ key: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) &>> 1
            if slots[middle]._withUnsafeGuaranteedRef({ $0.endsAtOrAfter(key) }) {
                high = middle
            } else {
                low = middle &+ 1
            }
        }
        return low
    }
}

/// An immutable set of files: what MANIFEST says at one moment.
final class Version: @unchecked Sendable {
    static let levelCount = VersionEdit.levelCount
    let levels: [LevelFiles]
    let level0: LevelFiles
    /// The same tables as runs without overlaps, the newest first; see ``Sublevels``.
    let sublevels: [LevelFiles]
    /// ``sublevels`` once more: a lookup through it retains nothing.
    private let sublevelSlots: UnsafeMutablePointer<Unmanaged<LevelFiles>>
    private let sublevelCount: Int
    let blobs: BlobFiles
    /// Bit n: level n has files.
    private let occupied: UInt32
    /// Guarded by the compaction picker's lock; see ``blobMergeWindows(targetBytes:writtenBytes:)``.
    var blobMerges: [BlobMergeWindow]?
    /// Some file holds range tombstones.
    let hasRangeTombstones: Bool
    /// Commits that end at or before it are in these files.
    let flushedLSN: LSN
    /// Versions shadowed below it may be missing here.
    let safepoint: Timestamp

    /// - Parameter sublevels: those of level 0 where they are known.
    init(
        levels: [LevelFiles], sublevels: [LevelFiles]? = nil, blobs: BlobFiles, flushedLSN: LSN,
        safepoint: Timestamp
    ) {
        self.blobs = blobs
        self.levels = levels
        level0 = levels[0]
        let sublevels = sublevels ?? Sublevels.arrange(levels[0].files)
        self.sublevels = sublevels
        sublevelCount = sublevels.count
        sublevelSlots = .allocate(capacity: max(sublevels.count, 1))
        for (index, sublevel) in sublevels.enumerated() {
            (sublevelSlots + index).initialize(to: .passUnretained(sublevel))
        }
        var occupied: UInt32 = 0
        for (index, level) in levels.enumerated() where level.count > 0 { occupied |= 1 << index }
        self.occupied = occupied
        hasRangeTombstones = levels.contains { level in
            level.files.contains { $0.metadata.rangeTombstoneCount > 0 }
        }
        self.flushedLSN = flushedLSN
        self.safepoint = safepoint
    }

    deinit { sublevelSlots.deallocate() }

    static let empty = Version(
        levels: Array(repeating: .empty, count: levelCount), blobs: .none, flushedLSN: .zero,
        safepoint: .zero)

    /// The table of that number and its level.
    func file(_ number: FileNumber) -> (file: TableFile, level: Int)? {
        for (index, level) in levels.enumerated() {
            if let file = level.files.first(where: { $0.number == number }) {
                return (file, index)
            }
        }
        return nil
    }

    /// The tables that are out of service, and the blob files with damage.
    func corruptionReport(_ names: FileNames) -> CorruptionReport {
        var report = CorruptionReport()
        report.blobFiles = blobs.corruptionReport(names)
        for (index, level) in levels.enumerated() {
            for file in level.files {
                guard let record = file.quarantine else { continue }
                report.entries.append(
                    CorruptionReport.Entry(file, record, level: index, names: names))
            }
        }
        return report
    }

    var fileCount: Int { levels.reduce(0) { $0 + $1.count } }

    /// The newest version of `key` not above `timestamp` in any file.
    @inline(__always)
    func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        var index = 0
        while index < sublevelCount {
            let sublevel = sublevelSlots[index]._withUnsafeGuaranteedRef { $0 }
            index &+= 1
            let position = sublevel.count == 1 ? 0 : sublevel.firstEndingAtOrAfter(key)
            guard position < sublevel.count else { continue }
            let found = try Self.lookUp(sublevel.slot(position), key, timestamp, &pin)
            if case .absent = found {} else { return found }
        }
        var deeper = occupied & ~1
        while deeper != 0 {
            let level = levels[deeper.trailingZeroBitCount]
            deeper &= deeper &- 1
            let position = level.firstEndingAtOrAfter(key)
            guard position < level.count else { continue }
            let found = try Self.lookUp(level.slot(position), key, timestamp, &pin)
            if case .absent = found {} else { return found }
        }
        return .absent
    }

    @inline(__always)
    private static func lookUp(
        _ slot: Unmanaged<TableFile>, _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp,
        _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        let file = slot._withUnsafeGuaranteedRef { $0 }
        guard file.mayContain(key) else { return .absent }
        return try file.reader(mayWait: pin.mayWait).get(key, at: timestamp, pin: &pin)
    }

    struct Applied {
        var version: Version
        /// Files that are not in it any more.
        var removed: [TableFile]
        var removedBlobs: [BlobFile]
    }

    /// This version with `edit` applied. `known` brings files that are live already,
    /// by number.
    func applying(
        _ edit: VersionEdit, store: TableStore, known: [FileNumber: TableFile] = [:]
    ) throws(StorageError) -> Applied {
        var removedFiles: [TableFile] = []
        var moved: [FileNumber: TableFile] = [:]
        var newLevels = levels
        var changed: [Int: [TableFile]] = [:]
        var blobChange = BlobFiles.Change()
        for removal in edit.removed {
            if let blob = blobs.file(removal.number) {
                blobChange.removed.insert(blob.number)
                continue
            }
            var files = changed[removal.level] ?? newLevels[removal.level].files
            guard let index = files.firstIndex(where: { $0.number == removal.number }) else {
                throw StorageError(
                    .internalError, kind: .bug,
                    "An edit removes table \(FileNames.hex(removal.number.rawValue)), which is not "
                        + "in level \(removal.level).")
            }
            let file = files.remove(at: index)
            moved[removal.number] = file
            blobChange.removedTables.append(file.metadata)
            changed[removal.level] = files
        }
        for addition in edit.added {
            if addition.file.kind == .blob {
                blobChange.added.append(BlobFile(metadata: addition.file, store: store))
                continue
            }
            blobChange.addedTables.append(addition.file)
            let file =
                moved.removeValue(forKey: addition.file.number)
                ?? known[addition.file.number]
                ?? TableFile(metadata: addition.file, store: store)
            file.noteLevel(addition.level)
            // In place: a copy for each of 10,000 tables takes an open a second.
            changed[addition.level, default: newLevels[addition.level].files].append(file)
        }
        removedFiles = Array(moved.values)
        for (level, files) in changed {
            newLevels[level] = LevelFiles(try Self.ordered(files, level: level))
        }
        let version = Version(
            levels: newLevels, sublevels: changed[0] == nil ? sublevels : nil,
            blobs: try blobs.applying(blobChange),
            flushedLSN: max(flushedLSN, edit.flushedLSN ?? .zero),
            safepoint: max(safepoint, edit.safepoint ?? .zero))
        return Applied(
            version: version, removed: removedFiles,
            removedBlobs: blobChange.removed.compactMap { blobs.file($0) })
    }

    private static func ordered(
        _ files: [TableFile], level: Int
    ) throws(StorageError) -> [TableFile] {
        if level == 0 {
            return files.sorted {
                ($0.metadata.flushEpoch, $0.number.rawValue)
                    > ($1.metadata.flushEpoch, $1.number.rawValue)
            }
        }
        let sorted = files.sorted {
            KeyOrder.less($0.metadata.smallest, $1.metadata.smallest)
        }
        for index in sorted.indices.dropFirst() {
            let (before, after) = (sorted[index - 1].metadata, sorted[index].metadata)
            guard before.isBefore(after.smallest) else {
                throw StorageError(
                    .internalError, kind: .bug,
                    "Tables \(FileNames.hex(before.number.rawValue)) and "
                        + "\(FileNames.hex(after.number.rawValue)) overlap in level \(level).")
            }
        }
        return sorted
    }
}
