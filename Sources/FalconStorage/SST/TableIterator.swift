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
    // The index: the top level's place, and with two levels a pinned partition and a place in it.
    @exclusivity(unchecked) private var topPlace = 0
    @exclusivity(unchecked) private var partitionPin = BlockPin()
    @exclusivity(unchecked) private var leaf: IndexBlock?
    @exclusivity(unchecked) private var leafPlace = 0
    // The block and the entry in it.
    @exclusivity(unchecked) private var pin = BlockPin()
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

    init(_ table: TableReader, fillCache: Bool) {
        self.table = table
        self.fillCache = fillCache
        if !fillCache { readahead.startEagerly() }
    }

    deinit {
        // Before the table goes, which may be the last to hold the cache.
        pin.release()
        partitionPin.release()
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
        guard let index = table.index else { return }
        try enterTop(index, 0)
        leafPlace = 0
        try enterBlock()
        showFirst()
    }

    override func seekToLast() throws(StorageError) {
        valid = false
        guard let index = table.index else { return }
        try enterTop(index, index.count - 1)
        leafPlace = (leaf?.count ?? 1) - 1
        try enterBlock()
        showLast()
    }

    override func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        valid = false
        guard try position(key, timestamp.rawValue), let block else { return }
        scan(block, key, timestamp.rawValue)
        // The separator may lie beyond the block's last entry.
        if !valid { try nextBlock() }
    }

    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        try seek(key, .max)
        if valid { try previous() } else { try seekToLast() }
    }

    override func next() throws(StorageError) {
        guard valid, let block else { return }
        if nextOffset < block.end {
            advance(block)
        } else {
            try nextBlock()
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
        if leafPlace > 0 {
            leafPlace -= 1
        } else {
            guard table.hasPartitions, topPlace > 0, let index = table.index else { return }
            try enterTop(index, topPlace - 1)
            leafPlace = (leaf?.count ?? 1) - 1
        }
        try enterBlock()
        showLast()
    }

    // MARK: - Index

    /// Makes `leaf` the index block whose places are data blocks.
    private func enterTop(_ index: IndexBlock, _ place: Int) throws(StorageError) {
        topPlace = place
        guard table.hasPartitions else {
            leaf = index
            return
        }
        leaf = nil
        leaf = try table.partition(place, &partitionPin)
    }

    /// Enters the block where the first entry at or after the target must be; false: there is none.
    private func position(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64) throws(StorageError)
        -> Bool
    {
        guard let index = table.index else { return false }
        var place = index.search(key, timestamp)
        guard place < index.count else { return false }
        if table.hasPartitions {
            try enterTop(index, place)
            place = leaf?.search(key, timestamp) ?? 0
            guard let leaf, place < leaf.count else { return false }
        } else {
            leaf = index
        }
        leafPlace = place
        try enterBlock()
        return true
    }

    private func nextBlock() throws(StorageError) {
        valid = false
        guard let leaf else { return }
        if leafPlace + 1 < leaf.count {
            leafPlace += 1
        } else {
            guard table.hasPartitions, let index = table.index, topPlace + 1 < index.count else {
                return
            }
            try enterTop(index, topPlace + 1)
            leafPlace = 0
        }
        try enterBlock()
        showFirst()
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
        try readahead.load(handle, table, &pin)
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

/// Reads ahead of a scan: from the third block in a row that was not cached, larger and larger pieces.
struct Readahead: ~Copyable {
    private static let largest = 256 << 10
    private var buffer: UnsafeMutableRawBufferPointer?
    private var start: UInt64 = 0
    private var filled = 0
    private var expected: UInt64 = 0
    private var run = 0
    private var size = 16 << 10

    init() {}
    deinit { buffer?.deallocate() }

    mutating func startEagerly() {
        run = 2
        size = Readahead.largest
    }

    /// Loads a data block into memory of the pin's own.
    mutating func load(
        _ handle: BlockHandle, _ table: TableReader, _ pin: inout BlockPin
    ) throws(StorageError) {
        let blocks = table.blocks
        let stored = Int(handle.payloadBytes) + TableFormat.trailerBytes
        run = handle.offset == expected ? run + 1 : (size == Readahead.largest ? run : 0)
        expected = handle.end
        if run < 2 || stored > Readahead.largest {
            return try blocks.load(handle, .data, &pin)
        }
        try blocks.check(handle, .data)
        if handle.offset < start || handle.end > start + UInt64(filled) {
            let room = buffer ?? .allocate(byteCount: Readahead.largest, alignment: 4096)
            buffer = room
            let wanted = min(
                UInt64(max(size, stored)), table.fileBytes - handle.offset, UInt64(room.count))
            let target = UnsafeMutableRawBufferPointer(rebasing: room[0..<Int(wanted)])
            filled = 0
            start = handle.offset
            filled = try table.file.readFully(into: target, at: handle.offset)
            size = min(size * 2, Readahead.largest)
        }
        guard let buffer, handle.end <= start + UInt64(filled) else {
            throw blocks.damaged(handle, .data, "is cut off by the file's end")
        }
        let from = Int(handle.offset - start)
        try blocks.unseal(
            handle, .data, UnsafeMutableRawBufferPointer(rebasing: buffer[from..<(from + stored)]),
            isOwned: false, &pin)
    }
}
