#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Walks a table in internal order, both ways. Holds one block pinned.
///
/// Forward it decodes entry by entry. Backward it decodes a whole restart interval at a time and
/// steps down in it.
final class TableIterator: InternalIterator {
    private let table: TableReader
    private let fillCache: Bool
    private let window: TimestampBounds?
    private let counters: ScanCounters?
    private let range: KeyRange
    @exclusivity(unchecked) private var skippedPartitions = 0
    @exclusivity(unchecked) private var skippedBlocks = 0
    // The index: the top level's place, and with two levels a pinned partition and a place in it.
    @exclusivity(unchecked) private var topPlace = 0
    @exclusivity(unchecked) private var partitionPin: BlockPin
    @exclusivity(unchecked) private var leaf: IndexBlock?
    @exclusivity(unchecked) private var leafPlace = 0
    // The block and the entry in it.
    @exclusivity(unchecked) private var pin: BlockPin
    @exclusivity(unchecked) private var block: DataBlock?
    @exclusivity(unchecked) private var valid = false
    @exclusivity(unchecked) private var entryOffset = 0
    @exclusivity(unchecked) private var nextOffset = 0
    @exclusivity(unchecked) private var entry = DataBlock.Entry(
        shared: 0, suffixLength: 0, valueLength: 0, kind: 1, timestamp: 0,
        // trap-ok: the pattern is not zero
        suffix: UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped)
    private let keyBuffer = ByteBuffer(capacity: 256)
    // Backward: offsets of the entries of the interval the current one is in.
    @exclusivity(unchecked) private var interval: [Int] = []
    @exclusivity(unchecked) private var intervalPlace = -1
    // Readahead.
    @exclusivity(unchecked) private var readahead = Readahead()

    init(_ table: TableReader, _ scan: TableScan) {
        self.table = table
        fillCache = scan.fillCache
        window = scan.window
        counters = scan.counters
        range = scan.range
        partitionPin = BlockPin(mayWait: scan.mayWait)
        pin = BlockPin(mayWait: scan.mayWait)
        if !fillCache { readahead.startEagerly() }
    }

    deinit {
        // Before the table goes, which may be the last to hold the cache.
        pin.release()
        partitionPin.release()
        counters?.add(partitions: skippedPartitions, blocks: skippedBlocks)
    }

    override var isValid: Bool { valid }
    override var userKey: UnsafeRawBufferPointer { keyBuffer.bytes }
    override var timestamp: Timestamp { Timestamp(entry.timestamp) }
    override var kind: OperationKind { OperationKind(rawValue: entry.kind) ?? .put }
    override var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: entry.value, count: entry.valueLength)
    }

    // MARK: - Moving

    override func seekToFirst() throws(StorageError) {
        valid = false
        leaf = nil
        topPlace = -1
        do throws(StorageError) { try nextBlock() } catch { try stopBeyondRange(error) }
    }

    override func seekToLast() throws(StorageError) {
        valid = false
        leaf = nil
        topPlace = table.hasPartitions ? table.index?.count ?? 0 : 1
        leafPlace = 0
        do throws(StorageError) { try previousBlock() } catch { try stopBeforeRange(error) }
    }

    override func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        do throws(StorageError) { try find(key, timestamp) } catch { try stopBeyondRange(error) }
    }

    private func find(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        valid = false
        guard try position(key, timestamp.rawValue), let block else { return }
        scan(block, key, timestamp.rawValue)
        // The separator may lie beyond the block's last entry.
        if !valid { try nextBlock() }
    }

    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        do throws(StorageError) {
            try find(key, .max)
        } catch {
            // What lies before `key` lies before a damaged block that begins no earlier.
            guard let lost = lostKeys(error)?.lower,
                lost.withUnsafeBytes({ KeyOrder.compare($0, key) }) >= 0
            else { throw error }
            do throws(StorageError) {
                return try previousBlock()
            } catch {
                return try stopBeforeRange(error)
            }
        }
        if valid { try previous() } else { try seekToLast() }
    }

    // MARK: - Damage

    /// The keys of the block that could not be entered for damage, which is where the cursor stands.
    private func lostKeys(_ error: StorageError) -> KeyRange? {
        guard error.code == .corruption, let index = table.index else { return nil }
        if let leaf {
            guard leafPlace < leaf.count else { return nil }
            return table.keys(of: leaf, leafPlace, top: topPlace)
        }
        guard table.hasPartitions, topPlace >= 0, topPlace < index.count else { return nil }
        return table.keys(of: index, topPlace, top: topPlace)
    }

    /// Throws `error` unless it is of a block behind the range: then the range has ended.
    @inline(never)
    private func stopBeyondRange(_ error: StorageError) throws(StorageError) {
        guard let upper = range.upper, let lost = lostKeys(error)?.lower,
            !KeyOrder.less(lost, upper)
        else { throw error }
        valid = false
    }

    /// Throws `error` unless it is of a block before the range: then the range has begun.
    @inline(never)
    private func stopBeforeRange(_ error: StorageError) throws(StorageError) {
        guard let lower = range.lower, let lost = lostKeys(error)?.upper,
            !KeyOrder.less(lower, lost)
        else { throw error }
        valid = false
    }

    override func next() throws(StorageError) {
        guard valid, let block else { return }
        if nextOffset < block.end {
            advance(block)
        } else {
            do throws(StorageError) { try nextBlock() } catch { try stopBeyondRange(error) }
        }
    }

    override func previous() throws(StorageError) {
        guard valid, let block else { return }
        if intervalPlace < 0 || interval[intervalPlace] != entryOffset {
            decodeInterval(block, upTo: entryOffset)
        }
        if intervalPlace > 0 {
            intervalPlace -= 1
            show(block, at: intervalPlace)
            return
        }
        if entryOffset > 0 {
            decodeInterval(block, upTo: entryOffset - 1)
            show(block, at: intervalPlace)
            return
        }
        valid = false
        do throws(StorageError) { try previousBlock() } catch { try stopBeforeRange(error) }
    }

    // MARK: - Index

    /// False: no entry of the child is in the window.
    @inline(__always)
    private func passes(_ index: IndexBlock, _ place: Int) -> Bool {
        guard let window else { return true }
        return index.newest(place) >= window.oldest && index.oldest(place) <= window.newest
    }

    /// Makes `leaf` the index block whose places are data blocks: the partition at `place`, or the
    /// whole index, which counts as the one at 0.
    private func enterTop(_ index: IndexBlock, _ place: Int) throws(StorageError) {
        topPlace = place
        leaf = nil
        leaf = table.hasPartitions ? try table.partition(place, &partitionPin) : index
    }

    /// Enters the block where the first entry at or after the target must be; false: there is none, or
    /// the window passes the block over, and a later one is entered.
    private func position(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64) throws(StorageError)
        -> Bool
    {
        guard let index = table.index else { return false }
        let place = index.search(key, timestamp)
        guard place < index.count else { return false }
        guard table.hasPartitions else {
            topPlace = 0
            leaf = index
            return try enter(index, place)
        }
        guard passes(index, place) else {
            skippedPartitions += 1
            leaf = nil
            topPlace = place
            try nextBlock()
            return false
        }
        try enterTop(index, place)
        guard let leaf else { return false }
        let leafPlace = leaf.search(key, timestamp)
        guard leafPlace < leaf.count else { return false }
        return try enter(leaf, leafPlace)
    }

    /// Enters the block at `place`; false: the window passes it over, and a later one is entered.
    private func enter(_ leaf: IndexBlock, _ place: Int) throws(StorageError) -> Bool {
        leafPlace = place
        if passes(leaf, place) {
            try enterBlock()
            return true
        }
        skippedBlocks += 1
        try nextBlock()
        return false
    }

    /// To the first entry of the next block that the window does not pass over.
    private func nextBlock() throws(StorageError) {
        valid = false
        if leaf != nil { leafPlace += 1 }
        while true {
            if let leaf {
                while leafPlace < leaf.count {
                    if passes(leaf, leafPlace) {
                        try enterBlock()
                        return showFirst()
                    }
                    skippedBlocks += 1
                    leafPlace += 1
                }
            }
            guard let index = table.index else { return }
            var place = topPlace + 1
            if table.hasPartitions {
                while place < index.count, !passes(index, place) {
                    skippedPartitions += 1
                    place += 1
                }
            }
            guard place < (table.hasPartitions ? index.count : 1) else { return }
            try enterTop(index, place)
            leafPlace = 0
        }
    }

    /// To the last entry of the block before that the window does not pass over.
    private func previousBlock() throws(StorageError) {
        valid = false
        while true {
            if let leaf {
                while leafPlace > 0 {
                    leafPlace -= 1
                    if passes(leaf, leafPlace) {
                        try enterBlock()
                        return showLast()
                    }
                    skippedBlocks += 1
                }
            }
            guard let index = table.index else { return }
            var place = topPlace - 1
            if table.hasPartitions {
                while place >= 0, !passes(index, place) {
                    skippedPartitions += 1
                    place -= 1
                }
            }
            guard place >= 0 else { return }
            try enterTop(index, place)
            leafPlace = leaf?.count ?? 0
        }
    }

    // MARK: - Blocks

    private func enterBlock() throws(StorageError) {
        block = nil
        intervalPlace = -1
        guard let leaf, leafPlace < leaf.count else { return }
        let handle = leaf.handle(leafPlace)
        if table.lookup(handle, &pin) {
            block = DataBlock(validated: pin.bytes)
            return
        }
        do throws(StorageError) {
            try readahead.load(handle, table, &pin)
        } catch {
            throw table.losing(error, leaf, leafPlace, top: topPlace)
        }
        if fillCache, let cache = table.cache, let bytes = pin.takeOwn() {
            cache.insert(table.uid, handle.offset, bytes, &pin)
        }
        block = DataBlock(validated: pin.bytes)
    }

    private func showFirst() {
        guard let block else { return }
        nextOffset = 0
        keyBuffer.count = 0
        advance(block)
    }

    private func showLast() {
        guard let block else { return }
        decodeInterval(block, upTo: block.end - 1)
        show(block, at: intervalPlace)
    }

    /// To the entry at `nextOffset`, whose predecessor's key is in the buffer.
    @inline(__always)
    private func advance(_ block: DataBlock) {
        let decoded = block.entry(at: nextOffset)
        entryOffset = nextOffset
        nextOffset = block.offset(after: decoded)
        keyBuffer.replaceTail(keeping: decoded.shared, with: decoded.suffix, decoded.suffixLength)
        entry = decoded
        valid = true
    }

    /// The first entry at or after the target in the block.
    private func scan(_ block: DataBlock, _ key: UnsafeRawBufferPointer, _ timestamp: UInt64) {
        nextOffset = block.restart(block.restartIndex(before: key, timestamp))
        keyBuffer.count = 0
        while nextOffset < block.end {
            advance(block)
            let order = KeyOrder.compare(keyBuffer.bytes, key)
            if order > 0 || (order == 0 && entry.timestamp <= timestamp) { return }
        }
        valid = false
    }

    // MARK: - Backward

    /// Lists the entries from the restart point at or before `offset` to the one that holds it.
    private func decodeInterval(_ block: DataBlock, upTo offset: Int) {
        var low = 0
        var high = block.restartCount - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if block.restart(middle) <= offset { low = middle } else { high = middle - 1 }
        }
        interval.removeAll(keepingCapacity: true)
        var at = block.restart(low)
        while at <= offset && at < block.end {
            interval.append(at)
            at = block.offset(after: block.entry(at: at))
        }
        intervalPlace = interval.count - 1
    }

    /// To an entry of the interval: keys are rebuilt from the restart point.
    private func show(_ block: DataBlock, at place: Int) {
        keyBuffer.count = 0
        for index in 0...place {
            nextOffset = interval[index]
            advance(block)
        }
    }
}
