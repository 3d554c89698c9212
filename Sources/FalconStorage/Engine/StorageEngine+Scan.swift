extension StorageEngine {
    /// A cursor over `range` at `timestamp`, with `overlay`'s writes below `ordinal` laid over it.
    ///
    /// Throws `snapshot-too-old` where versions at `timestamp`, or after
    /// ``ReadOptions/newerThan``, may be gone.
    public func makeIterator(
        _ range: KeyRange, at timestamp: Timestamp, overlay: WriteBatch? = nil,
        below ordinal: UInt32 = .max, options: ReadOptions = ReadOptions()
    ) throws(StorageError) -> RangeIterator {
        do throws(StorageError) {
            let iterator = try assembleIterator(
                range, at: timestamp, overlay, below: ordinal, options)
            if let keeper = writeSide?.background.keeper {
                iterator.noteFailure = { [keeper] in keeper.note($0, by: .read) }
            }
            return iterator
        } catch {
            throw noted(error)
        }
    }

    private func assembleIterator(
        _ range: KeyRange, at timestamp: Timestamp, _ overlay: WriteBatch?, below ordinal: UInt32,
        _ options: ReadOptions
    ) throws(StorageError) -> RangeIterator {
        let state = cell.retained()
        let readable = min(timestamp, tracker.publishedTimestamp)
        if readable < state.version.safepoint { throw Self.tooOld(timestamp, state.version) }
        var scan = try tableScan(options, at: readable, state.version)
        scan.range = range
        var children: [InternalIterator] = []
        children.reserveCapacity(4 + state.immutables.count + state.version.sublevels.count)
        var tombstones: [RangeTombstone] = []
        var overlayTombstones: [RangeTombstone] = []
        let usesOverlay = overlay.map { !$0.isEmpty } ?? false
        if usesOverlay, let overlay {
            children.append(overlay.makeIterator(below: ordinal))
            if overlay.hasSpilled {
                children += try overlay.makeSpilledIterators(below: ordinal)
            }
            if overlay.rangeDeleteCount > 0 {
                overlayTombstones = overlay.copiedRangeDeletes(below: ordinal).map {
                    RangeTombstone(lower: $0.lower, upper: $0.upper, timestamp: .max)
                }
            }
        }
        if !state.active.table.isEmpty {
            children.append(state.active.table.makeIterator())
            tombstones += state.active.table.rangeTombstones(in: range, at: readable)
        }
        for layer in state.immutables {
            children.append(layer.makeIterator())
            tombstones += layer.table.rangeTombstones(in: range, at: readable)
            for file in layer.ingested where file.overlaps(range) && scan.needs(file) {
                let reader = try file.reader(mayWait: scan.mayWait)
                children.append(reader.makeIterator(scan))
                tombstones += reader.rangeTombstones(in: range, at: readable)
            }
        }
        try addTables(of: state.version, range, scan, &children)
        if state.version.hasRangeTombstones {
            for level in state.version.levels {
                for file in level.files
                where file.metadata.rangeTombstoneCount > 0 && file.overlaps(range)
                    && scan.needs(file)
                {
                    tombstones += try file.reader(mayWait: scan.mayWait)
                        .rangeTombstones(in: range, at: readable)
                }
            }
        }
        return RangeIterator(
            source: MergingIterator.merging(children), state: state, range: range,
            timestamp: readable, options: options,
            hiding: tombstones.isEmpty
                ? .none : RangeTombstoneFragments(tombstones, at: readable),
            overlay: usesOverlay ? overlay : nil,
            overlayHiding: overlayTombstones.isEmpty
                ? .none : RangeTombstoneFragments(overlayTombstones, at: .max),
            sampler: writeSide?.background.sampler)
    }

    private func tableScan(
        _ options: ReadOptions, at timestamp: Timestamp, _ version: Version
    ) throws(StorageError) -> TableScan {
        var scan = TableScan(mayWait: options.mayWait)
        scan.fillCache = options.fillsCache
        guard let newerThan = options.newerThan else { return scan }
        // Below the safepoint a compaction may have dropped deletes, and made versions older.
        if newerThan < version.safepoint { throw Self.tooOld(newerThan, version) }
        scan.window = TimestampBounds(
            oldest: newerThan.rawValue &+ (newerThan == .max ? 0 : 1), newest: timestamp.rawValue)
        scan.counters = scanCounters
        return scan
    }

    private func addTables(
        of version: Version, _ range: KeyRange, _ scan: TableScan,
        _ children: inout [InternalIterator]
    ) throws(StorageError) {
        for level in version.sublevels {
            if let child = try level.cursor(in: range, scan) { children.append(child) }
        }
        for level in version.levels.dropFirst() where level.count > 0 {
            if let child = try level.cursor(in: range, scan) { children.append(child) }
        }
    }
}
