extension TableVerifier {
    /// A separator: a place in internal order.
    private typealias Separator = (key: [UInt8], timestamp: UInt64)

    // MARK: - Index

    /// Walks the table below its index or the index's top level.
    mutating func walkIndex(_ index: IndexBlock, _ handle: BlockHandle, isTop: Bool) {
        var lower: Separator?
        var bounds: [TimestampBounds?] = []
        for place in 0..<index.count {
            let upper = (key: Array(index.key(place)), timestamp: index.timestamp(place))
            checkSeparators(lower, upper, index.handle(place))
            bounds.append(
                isTop
                    ? walkPartition(index, place, lower, upper)
                    : checkData(index.handle(place), lower, upper))
            lower = upper
        }
        checkBounds(index, handle, bounds)
    }

    /// Walks one index partition; the timestamps found, nil when damage hides some.
    private mutating func walkPartition(
        _ top: IndexBlock, _ place: Int, _ lower: Separator?, _ upper: Separator
    ) -> TimestampBounds? {
        var pin = BlockPin()
        let handle = top.handle(place)
        guard load(handle, .index, &pin, lower: lower?.key, upper: upper.key) else {
            damagedBlocks += 1
            return nil
        }
        let leaf = IndexBlock(validated: pin.bytes)
        var low = lower
        var bounds: [TimestampBounds?] = []
        for leafPlace in 0..<leaf.count {
            let high = (key: Array(leaf.key(leafPlace)), timestamp: leaf.timestamp(leafPlace))
            checkSeparators(low, high, leaf.handle(leafPlace))
            bounds.append(checkData(leaf.handle(leafPlace), low, high))
            low = high
        }
        if let low, low.key != upper.key || low.timestamp != upper.timestamp {
            report(
                TableFinding(
                    .indexDisagrees, "A partition's last separator is not the top's.",
                    offset: handle.offset, lowerKey: lower?.key, upperKey: upper.key))
        }
        let whole = checkBounds(leaf, handle, bounds)
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

    /// Walks a data block; the timestamps found, nil when it is damaged.
    private mutating func checkData(
        _ handle: BlockHandle, _ lower: Separator?, _ upper: Separator
    ) -> TimestampBounds? {
        var pin = BlockPin()
        guard load(handle, .data, &pin, lower: lower?.key, upper: upper.key) else {
            damagedBlocks += 1
            return nil
        }
        seen.dataBlockCount += 1
        let block = DataBlock(validated: pin.bytes)
        var key: [UInt8] = []
        var offset = 0
        var first: Separator?
        var bounds = TimestampBounds.none
        while offset < block.end {
            let entry = block.entry(at: offset)
            offset = block.offset(after: entry)
            key.removeLast(key.count - entry.shared)
            key.append(
                contentsOf: UnsafeRawBufferPointer(start: entry.suffix, count: entry.suffixLength))
            check(entry, key, handle)
            bounds.add(entry.timestamp)
            if first == nil { first = (key, entry.timestamp) }
        }
        if let first, let lower, TableVerifier.order(first, lower) <= 0 {
            report(
                TableFinding(
                    .indexDisagrees, "A block begins at or before the separator of the one before.",
                    offset: handle.offset, lowerKey: first.key, upperKey: lower.key))
        }
        if let lastKey, TableVerifier.order((lastKey, lastTimestamp), upper) > 0 {
            report(
                TableFinding(
                    .indexDisagrees, "A block ends beyond its separator.", offset: handle.offset,
                    lowerKey: upper.key, upperKey: lastKey))
        }
        pin.release()
        return bounds
    }

    private mutating func check(_ entry: DataBlock.Entry, _ key: [UInt8], _ handle: BlockHandle) {
        let isNewKey = checkOrder(entry, key, handle)
        if isNewKey {
            checkFilter(key)
            storageCounts.begin(key.withUnsafeBytes { EntryTree.window($0, 0) })
        }
        if entry.kind == OperationKind.valueReference.rawValue {
            checkReference(entry, key, handle)
        }
        let isTombstone = entry.kind == OperationKind.delete.rawValue
        storageCounts.add(isTombstone: isTombstone)
        if isTombstone { seen.tombstoneCount += 1 }
        seen.entryCount += 1
        seen.rawKeyBytes += UInt64(key.count)
        seen.rawValueBytes += UInt64(entry.valueLength)
        seen.minTimestamp = min(seen.minTimestamp, Timestamp(entry.timestamp))
        seen.maxTimestamp = max(seen.maxTimestamp, Timestamp(entry.timestamp))
        lastKey = key
        lastTimestamp = entry.timestamp
        result.checkedEntries += 1
    }

    private mutating func checkFilter(_ key: [UInt8]) {
        guard let filter else { return }
        let hash = key.withUnsafeBytes { BloomFilter.hash($0) }
        guard let page = filter.page(denying: hash) else { return }
        report(
            TableFinding(
                .filterMissesKey, "The filter denies a key that is present.", offset: page.offset,
                lowerKey: key, upperKey: key))
    }

    /// Compares an entry with the one before; true when its key is another.
    private mutating func checkOrder(
        _ entry: DataBlock.Entry, _ key: [UInt8], _ handle: BlockHandle
    ) -> Bool {
        guard let lastKey else {
            seen.smallestKey = key
            return true
        }
        let order = KeyOrder.compare(lastKey, key)
        if order > 0 {
            report(
                TableFinding(
                    .keyOrder, "A key sorts before its predecessor.", offset: handle.offset,
                    lowerKey: key, upperKey: lastKey))
        } else if order == 0, entry.timestamp >= lastTimestamp {
            report(
                TableFinding(
                    .versionOrder, "A version is not older than its predecessor.",
                    offset: handle.offset, expected: "below \(Timestamp(lastTimestamp))",
                    actual: "\(Timestamp(entry.timestamp))", lowerKey: key, upperKey: key))
        }
        return order != 0
    }

    private mutating func checkReference(
        _ entry: DataBlock.Entry, _ key: [UInt8], _ handle: BlockHandle
    ) {
        let bytes = UnsafeRawBufferPointer(start: entry.value, count: entry.valueLength)
        guard let reference = BlobReference(bytes) else {
            return report(
                TableFinding(
                    .referenceMalformed, "A value reference makes no sense.",
                    offset: handle.offset, lowerKey: key, upperKey: key))
        }
        blobUses.count(reference)
        guard let why = blobs?.problem(reference, key) else { return }
        report(
            TableFinding(
                .referenceUnresolved, "A value cannot be read: \(why).", offset: handle.offset,
                expected: "\(reference.recordBytes) bytes at \(reference.offset) of blob file "
                    + FileNames.hex(reference.file), lowerKey: key, upperKey: key))
    }
}
