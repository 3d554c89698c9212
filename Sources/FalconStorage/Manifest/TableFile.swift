import CFalconPlatform
import Synchronization

/// A live data file: its metadata, and its reader once somebody needed it. Shared by the versions
/// that list it; when the last lets go of an obsolete one, the file is unlinked.
final class TableFile: @unchecked Sendable {
    let metadata: FileMetadata
    private let store: TableStore
    /// Both bounds, one allocation, for comparison without array traffic.
    private let bounds: UnsafeMutableRawPointer
    let smallest: UnsafeRawBufferPointer
    let largest: UnsafeRawBufferPointer
    let largestIsExclusive: Bool

    /// Nil while quarantined whole, too: only then does ``reader()`` look further.
    private let opened: Atomic<UnsafeRawPointer?>
    private struct Opening {
        /// Why the table is out of service.
        var quarantine: QuarantineRecord?
        /// Readers from before a quarantine: somebody may still be using them.
        var retired: [TableReader] = []
    }
    private let opening = Mutex(Opening())
    private let isOutOfService = Atomic<Bool>(false)
    private let obsolete = Atomic<Bool>(false)
    private let isInLevel0 = Atomic<Bool>(false)
    /// Guarded by the compaction picker's lock.
    var isBeingCompacted = false
    /// How many more seeks may look in here in vain.
    private let seeksLeft: Atomic<Int>

    init(metadata: FileMetadata, store: TableStore) {
        self.metadata = metadata
        self.store = store
        opened = Atomic(nil)
        seeksLeft = Atomic(max(100, Int(clamping: metadata.byteCount >> 14)))
        let (a, b) = (metadata.smallest.count, metadata.largest.count)
        let bounds = UnsafeMutableRawPointer.allocate(byteCount: max(a + b, 1), alignment: 8)
        metadata.smallest.withUnsafeBytes { source in
            if let base = source.baseAddress { bounds.copyMemory(from: base, byteCount: a) }
        }
        metadata.largest.withUnsafeBytes { source in
            if let base = source.baseAddress {
                bounds.advanced(by: a).copyMemory(from: base, byteCount: b)
            }
        }
        self.bounds = bounds
        smallest = UnsafeRawBufferPointer(start: bounds, count: a)
        largest = UnsafeRawBufferPointer(start: bounds + a, count: b)
        largestIsExclusive = metadata.largestIsExclusive
    }

    deinit {
        if let pointer = opened.load(ordering: .acquiring) {
            let reader = Unmanaged<TableReader>.fromOpaque(pointer)
            try? reader.takeUnretainedValue().close()
            reader.release()
        }
        opening.withLock { opening in
            for reader in opening.retired { try? reader.close() }
        }
        if obsolete.load(ordering: .acquiring) {
            store.doom(.rowTable, metadata.number, byteCount: metadata.byteCount)
        }
        bounds.deallocate()
    }

    var number: FileNumber { metadata.number }

    /// Every read passes level 0: there, index and filter stay in memory whatever other tables hold.
    func noteLevel(_ level: Int) {
        isInLevel0.store(level == 0, ordering: .relaxed)
        guard let pointer = opened.load(ordering: .acquiring) else { return }
        Unmanaged<TableReader>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
            $0.holdsBeyondShare.store(level == 0, ordering: .relaxed)
        }
    }

    /// No compaction may take it: another has it, or it is out of service. Under the picker's lock.
    var isTaken: Bool { isBeingCompacted || isQuarantined }
    /// Takes `count` from what seeks may cost; true when that has just used it up.
    func chargeSeeks(_ count: Int) -> Bool {
        let (before, after) = seeksLeft.wrappingSubtract(count, ordering: .relaxed)
        return before > 0 && after <= 0
    }

    var hasSpentSeeks: Bool { seeksLeft.load(ordering: .relaxed) <= 0 }

    /// The file is in no version newer than those that hold it now.
    func markObsolete() { obsolete.store(true, ordering: .releasing) }

    // MARK: - Quarantine

    /// Why the table is out of service; nil when it is in service.
    var quarantine: QuarantineRecord? {
        guard isQuarantined else { return nil }
        return opening.withLock { $0.quarantine }
    }

    @inline(__always)
    var isQuarantined: Bool { isOutOfService.load(ordering: .acquiring) }

    /// True when nothing of it can be read; false also where only some blocks are damaged.
    var isUnreadable: Bool { quarantine?.isWhole ?? false }

    /// Takes the table out of service, or puts it back with nil. Sound blocks of one that can be opened are
    /// read on: every block proves itself when it is read.
    func setQuarantine(_ record: QuarantineRecord?) {
        opening.withLock { opening in
            opening.quarantine = record
            isOutOfService.store(record != nil, ordering: .releasing)
            // What comes back may be another file of the same name.
            guard record?.isWhole ?? true,
                let pointer = opened.exchange(nil, ordering: .acquiringAndReleasing)
            else { return }
            let reader = Unmanaged<TableReader>.fromOpaque(pointer)
            opening.retired.append(reader.takeRetainedValue())
        }
    }

    /// Reads and checks all of the file, past readers and cache; nil: it is sound. Throws what keeps it from
    /// being read just now.
    func survey() throws(StorageError) -> TableDamage? {
        let reader: TableReader
        do throws(StorageError) {
            try store.checkSize(metadata)
            reader = try store.open(metadata, usesCache: false)
        } catch  where error.code == .corruption {
            return .whole(error)
        }
        defer { try? reader.close() }
        return try reader.survey()
    }

    /// Checks that the file is there, its size, and perhaps header and footer.
    func checkPresence(readsEnds: Bool) throws(StorageError) {
        try store.checkSize(metadata)
        guard readsEnds else { return }
        let file = try store.fileSystem.open(store.names.table(number), .read)
        defer { try? file.close() }
        try TableReader.checkEnds(of: file, uid: metadata.uid, size: metadata.byteCount)
    }

    // MARK: - Reading

    /// The open reader; opened on first use. A failure is not remembered. Throws `corruption` while the
    /// table is quarantined whole.
    /// - Parameter mayWait: false throws `would-block` in place of opening it.
    @inline(__always)
    func reader(mayWait: Bool = true) throws(StorageError) -> TableReader {
        if let pointer = opened.load(ordering: .acquiring) {
            return Unmanaged<TableReader>.fromOpaque(pointer).takeUnretainedValue()
        }
        return try open(mayWait: mayWait)
    }

    /// The reader when the table was opened already.
    var openReader: TableReader? {
        opened.load(ordering: .acquiring).map {
            Unmanaged<TableReader>.fromOpaque($0).takeUnretainedValue()
        }
    }

    @inline(never)
    private func open(mayWait: Bool) throws(StorageError) -> TableReader {
        if !mayWait { throw .wouldBlock(store.path(of: metadata), nil) }
        let reader = try openLocked()
        // Not under the lock: who hears of it looks at the table.
        if let damage = reader.filterDamage { store.noteDamage?(damage) }
        return reader
    }

    private func openLocked() throws(StorageError) -> TableReader {
        var result: Result<TableReader, StorageError>?
        opening.withLock { opening in
            if let record = opening.quarantine, record.isWhole {
                result = .failure(quarantineError(record))
                return
            }
            if let pointer = opened.load(ordering: .acquiring) {
                result = .success(
                    Unmanaged<TableReader>.fromOpaque(pointer).takeUnretainedValue())
                return
            }
            do throws(StorageError) {
                let reader = try store.open(metadata)
                reader.holdsBeyondShare.store(
                    isInLevel0.load(ordering: .relaxed), ordering: .relaxed)
                opened.store(
                    UnsafeRawPointer(Unmanaged.passRetained(reader).toOpaque()),
                    ordering: .releasing)
                result = .success(reader)
            } catch {
                result = .failure(error)
            }
        }
        guard let result else {
            throw StorageError(.internalError, kind: .bug, "A table's open did not end.")
        }
        return try result.get()
    }

    private func quarantineError(_ record: QuarantineRecord) -> StorageError {
        StorageError(
            .corruption, kind: .bug,
            "A damaged table is out of service: keys from \(KeyText.hex(metadata.smallest)) "
                + (metadata.largestIsExclusive ? "to before " : "to ")
                + "\(KeyText.hex(metadata.largest)) cannot be read unless a newer version answers.",
            cause: "\(record.reason) (found by \(record.finder.rawValue))",
            location: .init(path: store.names.table(number), offset: record.offset),
            hint: TableDamage.hint)
    }

    /// True when `key` is within the bounds.
    @inline(__always)
    func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        KeyOrder.compare(smallest, key) <= 0 && endsAtOrAfter(key)
    }

    /// True when the bounds do not end before `key`.
    @inline(__always)
    func endsAtOrAfter(_ key: UnsafeRawBufferPointer) -> Bool {
        let order = KeyOrder.compare(largest, key)
        return order > 0 || (order == 0 && !largestIsExclusive)
    }

    /// True when some key of `range` is within the bounds.
    func overlaps(_ range: KeyRange) -> Bool {
        if let lower = range.lower, metadata.isBefore(lower) { return false }
        if let upper = range.upper, metadata.isAfter(upper, exclusive: true) { return false }
        return true
    }
}

extension TableScan {
    /// False: no entry of the table is in the window.
    func needs(_ file: TableFile) -> Bool {
        guard let window else { return true }
        let metadata = file.metadata
        return metadata.maxTimestamp.rawValue >= window.oldest
            && metadata.minTimestamp.rawValue <= window.newest
    }
}
