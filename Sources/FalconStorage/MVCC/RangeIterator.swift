/// A cursor over the rows visible at one timestamp, with a transaction's own writes laid over them.
///
/// `key` and `value` are borrowed and live until the cursor moves or the iterator ends. Usable from
/// one thread at a time. It keeps what it reads alive: close it by letting it go.
public final class RangeIterator: @unchecked Sendable {
    /// Asked now and then while hidden entries are passed over; true ends the move with `cancelled`.
    public var shouldCancel: (@Sendable () -> Bool)?

    /// Versions of one key that are passed one by one, before a seek passes the rest. A power of two.
    private static let stepsBeforeSeek = 8

    /// Told of each failed move before it is thrown on.
    var noteFailure: (@Sendable (StorageError) -> Void)?

    private let source: InternalIterator
    /// Keeps memtables and tables alive.
    private let state: ReadState
    private let overlay: WriteBatch?
    /// Learns where seeks go; nil beside a read-only engine.
    private let sampler: ReadSampler?
    private let readTimestamp: UInt64
    /// Older versions do not show.
    private let oldestShown: UInt64
    private let showsDeletions: Bool
    /// Where a seek enters a key's versions: the overlay's stand before all others.
    private let seekTimestamp: Timestamp
    private let lower: UnsafeRawBufferPointer?
    private let upper: UnsafeRawBufferPointer?
    private let bounds: UnsafeMutableRawPointer
    private let hiding: RangeTombstoneFragments
    private let hidesAny: Bool
    /// Ranges the overlay deleted: no committed row shows there.
    private let overlayHiding: RangeTombstoneFragments

    /// True: `source` stands on the current row. False: it stands before it, and the row is copied.
    @exclusivity(unchecked) private var isForward = true
    @exclusivity(unchecked) private var valid = false
    @exclusivity(unchecked) private var currentKey = UnsafeRawBufferPointer(start: nil, count: 0)
    @exclusivity(unchecked) private var currentValue = UnsafeRawBufferPointer(start: nil, count: 0)
    @exclusivity(unchecked) private var currentTimestamp = Timestamp.zero
    @exclusivity(unchecked) private var keyBuffer = RawBuffer()
    @exclusivity(unchecked) private var valueBuffer = RawBuffer()
    @exclusivity(unchecked) private var passed: UInt32 = 0
    /// Holds the current value when it lies in a blob file and the scan must not wait.
    @exclusivity(unchecked) private var blobPin: BlockPin
    /// The same for a scan that may; made with the first of them.
    @exclusivity(unchecked) private var blobScan: BlobScan?
    @exclusivity(unchecked) private var deletion = false
    private let defersLargeValues: Bool
    /// Where the current value lies while it has yet to be read.
    @exclusivity(unchecked) private var pendingReference: UnsafeRawBufferPointer?

    init(
        source: InternalIterator, state: ReadState, range: KeyRange, timestamp: Timestamp,
        options: ReadOptions, hiding: RangeTombstoneFragments, overlay: WriteBatch?,
        overlayHiding: RangeTombstoneFragments, sampler: ReadSampler? = nil
    ) {
        self.sampler = sampler
        self.source = source
        self.state = state
        self.overlay = overlay
        self.hiding = hiding
        self.overlayHiding = overlayHiding
        hidesAny = !hiding.isEmpty || !overlayHiding.isEmpty
        readTimestamp = timestamp.rawValue
        oldestShown = options.newerThan.map { $0.rawValue &+ ($0 == .max ? 0 : 1) } ?? 0
        defersLargeValues = options.defersLargeValues
        showsDeletions = options.newerThan != nil && options.includesDeletions
        blobPin = BlockPin(mayWait: options.mayWait)
        seekTimestamp = overlay == nil ? timestamp : .max
        let (a, b) = (range.lower?.count ?? 0, range.upper?.count ?? 0)
        bounds = .allocate(byteCount: max(a + b, 1), alignment: 8)
        UnsafeMutableRawBufferPointer(start: bounds, count: a).copyBytes(from: range.lower ?? [])
        UnsafeMutableRawBufferPointer(start: bounds + a, count: b).copyBytes(
            from: range.upper ?? [])
        lower = range.lower == nil ? nil : UnsafeRawBufferPointer(start: bounds, count: a)
        upper = range.upper == nil ? nil : UnsafeRawBufferPointer(start: bounds + a, count: b)
    }

    deinit {
        // Before the state goes, which may be the last to hold the cache.
        blobPin.release()
        blobScan = nil
        bounds.deallocate()
        keyBuffer.deallocate()
        valueBuffer.deallocate()
    }

    /// True while the cursor stands on a row.
    public var isValid: Bool { valid }
    /// The row's key; of no meaning where the cursor is not valid.
    public var key: UnsafeRawBufferPointer { currentKey }
    /// With ``ReadOptions/defersLargeValues`` empty for a large value that ``readValue()`` has yet to read.
    public var value: UnsafeRawBufferPointer { currentValue }
    /// The commit timestamp of the row; `.max` for the overlay's own.
    public var versionTimestamp: Timestamp { currentTimestamp }

    /// True: the key was deleted after ``ReadOptions/newerThan``, and ``value`` is empty. Only with
    /// ``ReadOptions/includesDeletions``.
    public var isDeletion: Bool { deletion }

    /// The ranges deleted after ``ReadOptions/newerThan``, by key, with ``ReadOptions/includesDeletions``:
    /// rows in them that are older are gone, whether or not the cursor shows their keys.
    public var deletedRanges: [KeyRange] {
        guard showsDeletions else { return [] }
        return hiding.fragments.filter { $0.timestamp.rawValue >= oldestShown }
            .map { KeyRange(lower: $0.lower, upper: $0.upper) }
    }

    /// The current value, read now if that was put off. Fails like a move; the cursor stays where it is.
    @inline(__always)
    public func readValue() throws(StorageError) -> UnsafeRawBufferPointer {
        guard let pendingReference else { return currentValue }
        return try readPending(pendingReference)
    }

    @inline(never)
    private func readPending(
        _ reference: UnsafeRawBufferPointer
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        do throws(StorageError) {
            currentValue = try readLarge(reference, currentKey)
        } catch {
            throw noted(error)
        }
        pendingReference = nil
        return currentValue
    }

    /// The value is large and ``readValue()`` has yet to read it.
    @inline(__always)
    public var hasDeferredValue: Bool { pendingReference != nil }

    /// Where a value lies that ``readValue()`` has yet to read.
    var deferredReference: BlobReference? { pendingReference.flatMap { BlobReference($0) } }

    /// Moves to the first row of the range; not valid where there is none.
    public func seekToFirst() throws(StorageError) {
        do throws(StorageError) { try seekToFirstUnnoted() } catch { throw noted(error) }
    }

    private func seekToFirstUnnoted() throws(StorageError) {
        valid = false
        isForward = true
        if let lower {
            sampler?.noteSeek(lower, state.version)
            try source.seek(lower, seekTimestamp)
        } else {
            try source.seekToFirst()
        }
        try findForward()
    }

    /// Moves to the last row of the range; not valid where there is none.
    public func seekToLast() throws(StorageError) {
        do throws(StorageError) { try seekToLastUnnoted() } catch { throw noted(error) }
    }

    private func seekToLastUnnoted() throws(StorageError) {
        valid = false
        isForward = false
        if let upper {
            sampler?.noteSeek(upper, state.version)
            try source.seekBefore(upper)
        } else {
            try source.seekToLast()
        }
        try findBackward()
    }

    /// The first row at or after `key`.
    public func seek(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        do throws(StorageError) { try seekUnnoted(key) } catch { throw noted(error) }
    }

    private func seekUnnoted(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        if let lower, KeyOrder.compare(key, lower) < 0 { return try seekToFirst() }
        valid = false
        isForward = true
        sampler?.noteSeek(key, state.version)
        try source.seek(key, seekTimestamp)
        try findForward()
    }

    /// The last row before `key`.
    public func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        do throws(StorageError) { try seekBeforeUnnoted(key) } catch { throw noted(error) }
    }

    private func seekBeforeUnnoted(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        if let upper, KeyOrder.compare(key, upper) > 0 { return try seekToLast() }
        valid = false
        isForward = false
        sampler?.noteSeek(key, state.version)
        try source.seekBefore(key)
        try findBackward()
    }

    /// Moves to the next row, or beyond the last, where the cursor is not valid; there it stays. Throws
    /// `corruption` or `io` when a table or blob file cannot be read, `would-block` where it may not wait,
    /// `cancelled` by ``shouldCancel``: then the cursor is not valid either.
    public func next() throws(StorageError) {
        do throws(StorageError) { try nextUnnoted() } catch { throw noted(error) }
    }

    private func nextUnnoted() throws(StorageError) {
        guard valid else { return }
        valid = false
        if isForward {
            try passVersions()
        } else {
            isForward = true
            let key = keyBuffer.bytes
            try source.seek(key, .zero)
            while source.isValid, KeyOrder.compare(source.userKey, key) == 0 {
                try source.next()
            }
        }
        try findForward()
    }

    /// Moves to the row before; otherwise as ``next()``.
    public func previous() throws(StorageError) {
        do throws(StorageError) { try previousUnnoted() } catch { throw noted(error) }
    }

    private func previousUnnoted() throws(StorageError) {
        guard valid else { return }
        valid = false
        if isForward {
            isForward = false
            keyBuffer.assign(currentKey)
            try source.seekBefore(keyBuffer.bytes)
        }
        try findBackward()
    }

    @inline(never)
    private func noted(_ error: StorageError) -> StorageError {
        noteFailure?(error)
        return error
    }

    // MARK: - Visibility

    /// Moves on until a visible row.
    private func findForward() throws(StorageError) {
        var unseen = 0
        while source.isValid {
            let key = source.userKey
            if let upper, KeyOrder.compare(key, upper) >= 0 { return }
            let timestamp = source.timestamp
            let kind = source.kind
            if (timestamp.rawValue > readTimestamp && timestamp != .max) || kind == .intent {
                unseen &+= 1
                if unseen & (Self.stepsBeforeSeek - 1) == 0 {
                    try passNewerVersions(of: key)
                } else {
                    try source.next()
                }
                try checkCancelled()
                continue
            }
            if timestamp.rawValue >= oldestShown {
                let isGone = kind == .delete || hidesAny && isHidden(key, timestamp)
                if !isGone || showsDeletions {
                    return try show(key, isGone ? nil : source.value, kind, timestamp)
                }
            }
            currentKey = key
            try passVersions()
            try checkCancelled()
        }
    }

    /// Makes a row the current one, or with `value` nil a deletion.
    @inline(__always)
    private func show(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, _ kind: OperationKind,
        _ timestamp: Timestamp
    ) throws(StorageError) {
        currentKey = key
        currentValue = value ?? BlockPin.none
        pendingReference = nil
        if kind == .valueReference, let value {
            if defersLargeValues {
                currentValue = BlockPin.none
                pendingReference = value
            } else {
                currentValue = try readLarge(value, key)
            }
        }
        deletion = value == nil
        currentTimestamp = timestamp
        valid = true
    }

    /// Moves beyond every version of ``currentKey``, which is the source's current key.
    @inline(__always)
    private func passVersions() throws(StorageError) {
        keyBuffer.assign(currentKey)
        let key = keyBuffer.bytes
        var steps = 0
        repeat {
            try source.next()
            steps &+= 1
            if steps == Self.stepsBeforeSeek {
                try source.seek(key, .zero)
            }
        } while source.isValid && KeyOrder.compare(source.userKey, key) == 0
    }

    /// Moves beyond the source's entry, and when more of `key` follow beyond all that are too new.
    @inline(never)
    private func passNewerVersions(of key: UnsafeRawBufferPointer) throws(StorageError) {
        keyBuffer.assign(key)
        let key = keyBuffer.bytes
        try source.next()
        guard source.isValid, KeyOrder.compare(source.userKey, key) == 0,
            source.timestamp.rawValue > readTimestamp
        else { return }
        try source.seek(key, Timestamp(rawValue: readTimestamp))
    }

    /// Moves back until a visible row, which is copied: its newest visible version is only known
    /// once the source stands before it.
    private func findBackward() throws(StorageError) {
        while source.isValid {
            if let lower, KeyOrder.compare(source.userKey, lower) < 0 { return }
            keyBuffer.assign(source.userKey)
            let key = keyBuffer.bytes
            var shown: OperationKind?
            var steps = 0
            repeat {
                if steps == Self.stepsBeforeSeek {
                    shown = try newestVisible(of: key)
                    try source.seekBefore(key)
                    break
                }
                steps &+= 1
                if isVisible { shown = takeVersion() }
                try source.previous()
            } while source.isValid && KeyOrder.compare(source.userKey, key) == 0
            if let shown, currentTimestamp.rawValue >= oldestShown {
                let isGone = shown == .delete || hidesAny && isHidden(key, currentTimestamp)
                if !isGone || showsDeletions {
                    return try show(
                        key, isGone ? nil : valueBuffer.bytes, shown, currentTimestamp)
                }
            }
            try checkCancelled()
        }
    }

    /// The source's entry is old enough, or this transaction's own.
    @inline(__always)
    private var isVisible: Bool {
        let timestamp = source.timestamp
        return (timestamp.rawValue <= readTimestamp || timestamp == .max) && source.kind != .intent
    }

    /// Keeps the source's entry as what is shown, unless one that is newer follows.
    @inline(__always)
    private func takeVersion() -> OperationKind {
        let kind = source.kind
        currentTimestamp = source.timestamp
        if kind != .delete { valueBuffer.assign(source.value) }
        return kind
    }

    /// Enters the versions of `key` from their newest end, for a key that has many.
    @inline(never)
    private func newestVisible(
        of key: UnsafeRawBufferPointer
    ) throws(StorageError) -> OperationKind? {
        try source.seek(key, seekTimestamp)
        while source.isValid, KeyOrder.compare(source.userKey, key) == 0 {
            if isVisible { return takeVersion() }
            let timestamp = source.timestamp
            if timestamp.rawValue > readTimestamp, timestamp != .max {
                try source.seek(key, Timestamp(rawValue: readTimestamp))
            } else {
                try source.next()
            }
        }
        return nil
    }

    private func readLarge(
        _ reference: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        guard blobPin.mayWait else {
            return try state.version.blobs.resolve(reference, of: key, &blobPin)
        }
        let scan = blobScan ?? BlobScan()
        blobScan = scan
        return try state.version.blobs.resolve(reference, of: key, scan)
    }

    private func isHidden(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) -> Bool {
        if timestamp == .max { return false }
        if !hiding.isEmpty, hiding.covering(key) > timestamp { return true }
        return !overlayHiding.isEmpty && overlayHiding.covering(key) > timestamp
    }

    @inline(__always)
    private func checkCancelled() throws(StorageError) {
        passed &+= 1
        if passed & 1023 == 0, let shouldCancel, shouldCancel() {
            throw StorageError(.cancelled, kind: .user, "The scan was cancelled.")
        }
    }
}
