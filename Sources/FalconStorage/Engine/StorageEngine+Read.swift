extension StorageEngine {
    /// The value of `key` visible at `timestamp`, copied; nil when there is none.
    ///
    /// Throws `snapshot-too-old` when versions of that moment may be gone, `corruption` or `io` when what
    /// holds the key cannot be read, `would-block` where it may not wait.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, mayWait: Bool = true
    ) throws(StorageError) -> [UInt8]? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin(mayWait: mayWait)
        let found = try lookUp(key, timestamp, borrow, &pin)
        guard case .value(_, let value) = found else { return nil }
        return Array(value)
    }

    /// Calls `body` with the value of `key` visible at `timestamp`, borrowed, and its commit
    /// timestamp; nil when there is none. Nothing is copied or allocated when the block is cached.
    /// Throws as ``get(_:at:mayWait:)``, and what `body` throws.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func withValue<R>(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, mayWait: Bool = true,
        _ body: (UnsafeRawBufferPointer, Timestamp) throws(StorageError) -> R
    ) throws(StorageError) -> R? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin(mayWait: mayWait)
        let found = try lookUp(key, timestamp, borrow, &pin)
        guard case .value(let version, let value) = found else { return nil }
        return try body(value, version)
    }

    /// The commit timestamp of the version of `key` visible at `timestamp`; nil when there is none. A large
    /// value is not read for it, and may be damaged.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func visibleCommit(
        of key: UnsafeRawBufferPointer, at timestamp: Timestamp, mayWait: Bool = true
    ) throws(StorageError) -> Timestamp? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin(mayWait: mayWait)
        switch try find(key, timestamp, borrow, &pin) {
        case .absent, .deleted: return nil
        case .value(let version, _), .reference(let version, _): return version
        }
    }

    /// The timestamp of the newest published version of `key`, put or delete: exact above
    /// ``safepointReport()``'s timestamp. At or below it no snapshot can tell, and a compaction may
    /// have made it up to 4.5 minutes earlier, or have dropped a delete.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func newestCommit(
        of key: UnsafeRawBufferPointer, mayWait: Bool = true
    ) throws(StorageError) -> Timestamp? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin(mayWait: mayWait)
        switch try find(key, .max, borrow, &pin) {
        case .absent: return nil
        case .deleted(let timestamp): return timestamp
        case .value(let timestamp, _), .reference(let timestamp, _): return timestamp
        }
    }

    /// Never answers with a reference: its value is read.
    @inline(__always)
    func lookUp(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp, _ borrow: ReadStateCell.Borrow,
        _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        let found = try find(key, timestamp, borrow, &pin)
        guard case .reference(let version, let reference) = found else { return found }
        let blobs = borrow.state._withUnsafeGuaranteedRef { $0 }.version.blobs
        do throws(StorageError) {
            return .value(version, try blobs.resolve(reference, of: key, &pin))
        } catch {
            throw noted(error)
        }
    }

    @inline(__always)
    private func find(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp, _ borrow: ReadStateCell.Borrow,
        _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        let state = borrow.state._withUnsafeGuaranteedRef { $0 }
        // Published is read after the state was taken, so it is at or above the state's safepoint.
        let readable = min(timestamp, tracker.publishedTimestamp)
        if readable < state.version.safepoint { throw Self.tooOld(timestamp, state.version) }
        do throws(StorageError) {
            return try state.get(key, at: readable, pin: &pin)
        } catch {
            throw noted(error)
        }
    }

    static func tooOld(_ timestamp: Timestamp, _ version: Version) -> StorageError {
        StorageError(
            .snapshotTooOld, kind: .retryable,
            "Versions at \(timestamp) may be gone: they are kept from \(version.safepoint) on.",
            hint: "Hold a snapshot while reading at its timestamp.")
    }
}

extension LevelFiles {
    /// Over the tables of a sorted level that may hold keys of `range`, or what the scan looks for there;
    /// nil when none does.
    func cursor(
        in range: KeyRange, _ scan: TableScan = TableScan()
    ) throws(StorageError) -> InternalIterator? {
        var level = self
        var scan = scan
        scan.range = range
        var files = positions(in: range)
        if scan.window != nil {
            let needed = level.files[files].filter(scan.needs)
            scan.counters?.add(tables: files.count - needed.count)
            level = LevelFiles(needed)
            files = 0..<needed.count
        }
        if files.isEmpty { return nil }
        if files.count == 1 {
            let file = level.files[files.lowerBound]
            return try file.reader(mayWait: scan.mayWait).makeIterator(scan)
        }
        return LevelIterator(level, files: files, scan)
    }

    /// The positions of the files that may hold keys of `range`.
    func positions(in range: KeyRange) -> Range<Int> {
        var first = 0
        if let lower = range.lower {
            first = lower.withUnsafeBytes { firstEndingAtOrAfter($0) }
        }
        var end = count
        if let upper = range.upper {
            end = upper.withUnsafeBytes { firstEndingAtOrAfter($0) }
            // The file found ends at or after the bound; it counts when it begins before it.
            if end < count, !files[end].metadata.isAfter(upper, exclusive: true) { end += 1 }
        }
        return first..<max(first, end)
    }
}
