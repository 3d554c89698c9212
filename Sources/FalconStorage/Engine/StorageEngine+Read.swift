extension StorageEngine {
    /// The value of `key` visible at `timestamp`, copied; nil when there is none.
    public func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp
    ) throws(StorageError) -> [UInt8]? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin()
        let found = try lookUp(key, timestamp, borrow, &pin)
        guard case .value(_, let value) = found else { return nil }
        return Array(value)
    }

    /// Calls `body` with the value of `key` visible at `timestamp`, borrowed, and its commit
    /// timestamp; nil when there is none. Nothing is copied or allocated when the block is cached.
    public func withValue<R>(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp,
        _ body: (UnsafeRawBufferPointer, Timestamp) throws(StorageError) -> R
    ) throws(StorageError) -> R? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin()
        let found = try lookUp(key, timestamp, borrow, &pin)
        guard case .value(let version, let value) = found else { return nil }
        return try body(value, version)
    }

    /// The timestamp of the newest published version of `key`, put or delete: exact above
    /// ``safepointReport()``'s timestamp. At or below it no snapshot can tell, and a compaction may
    /// have made it up to 4.5 minutes earlier, or have dropped a delete.
    public func newestCommit(
        of key: UnsafeRawBufferPointer
    ) throws(StorageError) -> Timestamp? {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var pin = BlockPin()
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
        return .value(version, try blobs.resolve(reference, of: key, &pin))
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
        return try state.get(key, at: readable, pin: &pin)
    }

    private static func tooOld(_ timestamp: Timestamp, _ version: Version) -> StorageError {
        StorageError(
            .snapshotTooOld, kind: .retryable,
            "Versions at \(timestamp) may be gone: they are kept from \(version.safepoint) on.",
            hint: "Hold a snapshot while reading at its timestamp.")
    }

    /// A cursor over `range` at `timestamp`, with `overlay`'s writes below `ordinal` laid over it.
    public func makeIterator(
        _ range: KeyRange, at timestamp: Timestamp, overlay: WriteBatch? = nil,
        below ordinal: UInt32 = .max
    ) throws(StorageError) -> RangeIterator {
        let state = cell.retained()
        let readable = min(timestamp, tracker.publishedTimestamp)
        if readable < state.version.safepoint { throw Self.tooOld(timestamp, state.version) }
        var children: [InternalIterator] = []
        children.reserveCapacity(4 + state.immutables.count + state.version.level0.count)
        var tombstones: [RangeTombstone] = []
        var overlayTombstones: [RangeTombstone] = []
        let usesOverlay = overlay.map { !$0.isEmpty } ?? false
        if usesOverlay, let overlay {
            children.append(overlay.makeIterator(below: ordinal))
            if overlay.rangeDeleteCount > 0 {
                overlayTombstones = overlay.rangeDeletes(below: ordinal).map {
                    RangeTombstone(
                        lower: Array($0.key), upper: Array($0.value), timestamp: .max)
                }
            }
        }
        if !state.active.table.isEmpty {
            children.append(state.active.table.makeIterator())
            tombstones += state.active.table.rangeTombstones(in: range, at: readable)
        }
        for layer in state.immutables {
            children.append(layer.table.makeIterator())
            tombstones += layer.table.rangeTombstones(in: range, at: readable)
            for file in layer.ingested where file.overlaps(range) {
                let reader = try file.reader()
                children.append(reader.makeIterator())
                tombstones += reader.rangeTombstones(in: range, at: readable)
            }
        }
        for file in state.version.level0.files where file.overlaps(range) {
            children.append(try file.reader().makeIterator())
        }
        for level in state.version.levels.dropFirst() where level.count > 0 {
            let files = level.positions(in: range)
            if files.count == 1 {
                children.append(try level.files[files.lowerBound].reader().makeIterator())
            } else if !files.isEmpty {
                children.append(LevelIterator(level, files: files))
            }
        }
        if state.version.hasRangeTombstones {
            for level in state.version.levels {
                for file in level.files
                where file.metadata.rangeTombstoneCount > 0 && file.overlaps(range) {
                    tombstones += try file.reader().rangeTombstones(in: range, at: readable)
                }
            }
        }
        return RangeIterator(
            source: MergingIterator.merging(children), state: state, range: range,
            timestamp: readable,
            hiding: tombstones.isEmpty
                ? .none : RangeTombstoneFragments(tombstones, at: readable),
            overlay: usesOverlay ? overlay : nil,
            overlayHiding: overlayTombstones.isEmpty
                ? .none : RangeTombstoneFragments(overlayTombstones, at: .max))
    }
}

extension LevelFiles {
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
