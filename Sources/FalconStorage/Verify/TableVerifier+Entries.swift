extension TableVerifier {
    /// A separator: a place in internal order.
    private typealias Separator = (key: [UInt8], timestamp: UInt64)

    // MARK: - Index

    /// Walks the table below its index or the index's top level.
    mutating func walkIndex(_ index: IndexBlock, _ handle: BlockHandle, isTop: Bool) {
        var lower: Separator?
        var bounds: [TimestampBounds?] = []
        for place in 0..<index.count where !isStopped() {
            let upper = (key: Array(index.key(place)), timestamp: index.timestamp(place))
            checkSeparators(lower, upper, index.handle(place))
            bounds.append(
                isTop
                    ? walkPartition(index, place, lower, upper)
                    : checkData(index.handle(place), lower, upper))
            lower = upper
        }
        if !isStopped() { checkBounds(index, handle, bounds) }
    }

    /// Walks one index partition; the timestamps found, nil when damage hides some.
    private mutating func walkPartition(
        _ top: IndexBlock, _ place: Int, _ lower: Separator?, _ upper: Separator
    ) -> TimestampBounds? {
        var pin = BlockPin()
        let handle = top.handle(place)
        guard load(handle, .index, &pin, lower: lower?.key, upper: upper.key) else {
            damagedBlocks += 1
            isLayoutKnown = false
            return nil
        }
        let leaf = IndexBlock(validated: pin.bytes)
        var low = lower
        var bounds: [TimestampBounds?] = []
        for leafPlace in 0..<leaf.count where !isStopped() {
            let high = (key: Array(leaf.key(leafPlace)), timestamp: leaf.timestamp(leafPlace))
            checkSeparators(low, high, leaf.handle(leafPlace))
            bounds.append(checkData(leaf.handle(leafPlace), low, high))
            low = high
        }
        if let low, !isStopped(), low.key != upper.key || low.timestamp != upper.timestamp {
            report(
                TableFinding(
                    .indexDisagrees, "A partition's last separator is not the top's.",
                    offset: handle.offset, lowerKey: lower?.key, upperKey: upper.key))
        }
        let whole = isStopped() ? nil : checkBounds(leaf, handle, bounds)
        pin.release()
        return whole
    }

    private static func order(_ a: Separator, _ b: Separator) -> Int {
        let keys = KeyOrder.compare(a.key, b.key)
        if keys != 0 { return keys }
        return a.timestamp > b.timestamp ? -1 : (a.timestamp == b.timestamp ? 0 : 1)
    }

    private mutating func checkSeparators(
        _ lower: Separator?, _ upper: Separator, _ handle: BlockHandle
    ) {
        if let lower, TableVerifier.order(lower, upper) >= 0 {
            report(
                TableFinding(
                    .indexDisagrees, "Separators are not ascending.", offset: handle.offset,
                    lowerKey: upper.key, upperKey: lower.key))
        }
    }

    /// Compares what an index block says of its children's timestamps with what was found in them; the
    /// bounds of all, nil when damage hides some.
    @discardableResult
    private mutating func checkBounds(
        _ index: IndexBlock, _ handle: BlockHandle, _ found: [TimestampBounds?]
    ) -> TimestampBounds? {
        var whole = TimestampBounds.none
        for bounds in found {
            guard let bounds else { return nil }
            whole.add(bounds)
        }
        let scale = TimestampScale(covering: whole)
        for (place, bounds) in found.enumerated() {
            guard let bounds else { continue }
            let expected = (
                scale.first(scale.step(bounds.oldest)), scale.last(scale.step(bounds.newest))
            )
            if index.scale == scale, index.oldest(place) == expected.0,
                index.newest(place) == expected.1
            {
                continue
            }
            report(
                TableFinding(
                    .timestampsDisagree, "The index is wrong about a block's timestamps.",
                    offset: handle.offset,
                    expected: "\(Timestamp(expected.0)) to \(Timestamp(expected.1))",
                    actual: "\(Timestamp(index.oldest(place))) to"
                        + " \(Timestamp(index.newest(place)))",
                    lowerKey: place > 0 ? Array(index.key(place - 1)) : nil,
                    upperKey: Array(index.key(place))))
        }
        return whole
    }

    // MARK: - Data blocks

    /// What one data block holds.
    private struct Tally {
        var entries: UInt64 = 0
        var tombstones: UInt64 = 0
        var keyBytes: UInt64 = 0
        var valueBytes: UInt64 = 0
        var bounds = TimestampBounds.none
        /// The first entry is no version of the key that the block before ended with.
        var beginsNewKey = false
    }

    /// Walks a data block; the timestamps found, nil when it is damaged, or the check a quick one.
    private mutating func checkData(
        _ handle: BlockHandle, _ lower: Separator?, _ upper: Separator
    ) -> TimestampBounds? {
        var pin = BlockPin()
        guard load(handle, .data, &pin, lower: lower?.key, upper: upper.key) else {
            damagedBlocks += 1
            return nil
        }
        seen.dataBlockCount += 1
        if plan.isQuick { return nil }
        let block = DataBlock(validated: pin.bytes)
        var tally = Tally()
        var offset = 0
        hashes.removeAll(keepingCapacity: true)
        while offset < block.end {
            let entry = block.entry(at: offset)
            check(entry, handle, &tally)
            if offset == 0, let lower { checkFirst(lower, handle) }
            offset = block.offset(after: entry)
        }
        checkFilter(block, tally)
        if cursor.isSet, orderOfCursor(against: upper) > 0 {
            report(
                TableFinding(
                    .indexDisagrees, "A block ends beyond its separator.", offset: handle.offset,
                    lowerKey: upper.key, upperKey: cursor.key))
        }
        pin.release()
        add(tally)
        return tally.bounds
    }

    private mutating func add(_ tally: Tally) {
        histograms?.endBlock(entries: tally.entries, tombstones: tally.tombstones)
        seen.entryCount += tally.entries
        seen.tombstoneCount += tally.tombstones
        seen.rawKeyBytes += tally.keyBytes
        seen.rawValueBytes += tally.valueBytes
        if tally.entries > 0 {
            seen.minTimestamp = min(seen.minTimestamp, Timestamp(tally.bounds.oldest))
            seen.maxTimestamp = max(seen.maxTimestamp, Timestamp(tally.bounds.newest))
        }
        result.checkedEntries += tally.entries
    }

    private mutating func checkFirst(_ lower: Separator, _ handle: BlockHandle) {
        guard orderOfCursor(against: lower) <= 0 else { return }
        report(
            TableFinding(
                .indexDisagrees, "A block begins at or before the separator of the one before.",
                offset: handle.offset, lowerKey: cursor.key, upperKey: lower.key))
    }

    /// The entry the walk stands at, against a separator, in internal order.
    private func orderOfCursor(against separator: Separator) -> Int {
        let keys = separator.key.withUnsafeBytes { KeyOrder.compare(cursor.bytes, $0) }
        if keys != 0 { return keys }
        let (own, other) = (cursor.timestamp, separator.timestamp)
        return own > other ? -1 : (own == other ? 0 : 1)
    }

    /// Moves to the next entry and checks it.
    private mutating func check(
        _ entry: DataBlock.Entry, _ handle: BlockHandle, _ tally: inout Tally
    ) {
        let isNewKey = checkOrder(entry, handle)
        let isTombstone = entry.kind == OperationKind.delete.rawValue
        if tally.entries == 0 { tally.beginsNewKey = isNewKey }
        if isNewKey {
            if let filter {
                let hash = BloomFilter.hash(cursor.bytes)
                filter.prefetch(hash)
                hashes.append(hash)
            }
            storageCounts.begin(EntryTree.window(cursor.bytes, 0))
        }
        var valueBytes = entry.valueLength
        if entry.kind == OperationKind.valueReference.rawValue {
            valueBytes = checkReference(entry, handle)
        }
        storageCounts.add(isTombstone: isTombstone)
        tally.entries &+= 1
        if isTombstone { tally.tombstones &+= 1 }
        tally.keyBytes &+= UInt64(cursor.count)
        tally.valueBytes &+= UInt64(entry.valueLength)
        tally.bounds.add(entry.timestamp)
        histograms?.add(
            entry, keyBytes: cursor.count, isNewKey: isNewKey,
            valueBytes: isTombstone ? nil : valueBytes)
    }

    /// Asks the filter for the block's keys, all at once: their lines are on the way from memory by now.
    private mutating func checkFilter(_ block: DataBlock, _ tally: Tally) {
        guard let filter else { return }
        for hash in hashes where filter.page(denying: hash) != nil {
            return reportDenied(block, tally, filter)
        }
    }

    /// Goes through a block's keys again for those that the filter denies.
    private mutating func reportDenied(_ block: DataBlock, _ tally: Tally, _ filter: LoadedFilter) {
        let again = KeyCursor()
        var offset = 0
        while offset < block.end {
            let entry = block.entry(at: offset)
            let isNewKey = again.isSet ? again.order(before: entry) != 0 : tally.beginsNewKey
            again.advance(to: entry)
            offset = block.offset(after: entry)
            guard isNewKey, let page = filter.page(denying: BloomFilter.hash(again.bytes)) else {
                continue
            }
            report(
                TableFinding(
                    .filterMissesKey, "The filter denies a key that is present.",
                    offset: page.offset, lowerKey: again.key, upperKey: again.key))
        }
    }

    /// Moves to an entry and compares it with the one before; true when its key is another.
    private mutating func checkOrder(_ entry: DataBlock.Entry, _ handle: BlockHandle) -> Bool {
        guard cursor.isSet else {
            cursor.advance(to: entry)
            seen.smallestKey = cursor.key
            return true
        }
        let order = cursor.order(before: entry)
        let before = cursor.timestamp
        let larger = order > 0 ? cursor.key : []
        cursor.advance(to: entry)
        if order > 0 {
            report(
                TableFinding(
                    .keyOrder, "A key sorts before its predecessor.", offset: handle.offset,
                    lowerKey: cursor.key, upperKey: larger))
        } else if order == 0, entry.timestamp >= before {
            let key = cursor.key
            report(
                TableFinding(
                    .versionOrder, "A version is not older than its predecessor.",
                    offset: handle.offset, expected: "below \(Timestamp(before))",
                    actual: "\(Timestamp(entry.timestamp))", lowerKey: key, upperKey: key))
        }
        return order != 0
    }

    /// The bytes of the value that a reference leads to.
    private mutating func checkReference(
        _ entry: DataBlock.Entry, _ handle: BlockHandle
    ) -> Int {
        let bytes = UnsafeRawBufferPointer(start: entry.value, count: entry.valueLength)
        let key = cursor.key
        guard let reference = BlobReference(bytes) else {
            report(
                TableFinding(
                    .referenceMalformed, "A value reference makes no sense.",
                    offset: handle.offset, lowerKey: key, upperKey: key))
            return entry.valueLength
        }
        blobUses.count(reference)
        if let why = blobs?.problem(reference, key) {
            report(
                TableFinding(
                    .referenceUnresolved, "A value cannot be read: \(why).", offset: handle.offset,
                    expected: "\(reference.recordBytes) bytes at \(reference.offset) of blob file "
                        + FileNames.hex(reference.file), lowerKey: key, upperKey: key))
        }
        return Int(reference.valueBytes)
    }
}
