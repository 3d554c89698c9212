import Synchronization

/// An open table: footer, properties and the index's top level in memory, blocks through the cache.
/// Thread-safe.
///
/// A small table has its whole index and filter in memory. A large one has them in partitions: see
/// ``TablePartitions``.
final class TableReader: @unchecked Sendable {
    let uid: UID
    let properties: TableProperties
    private let dictionary: ZstdDictionary?
    private let cipher: FileCipher?
    let rangeTombstones: [RangeTombstone]
    /// The same for lookups, when they are many.
    private let tombstoneTree: TombstoneTree?
    let fileBytes: UInt64
    let footer: TableFooter
    let file: any File
    let cache: BlockCache?
    /// ``cache`` once more: a lookup through it costs no retain.
    private let cacheReference: Unmanaged<BlockCache>?
    /// Owned; freed at the end.
    private let indexBytes: UnsafeRawBufferPointer?
    private let filterBytes: UnsafeRawBufferPointer?
    private let filter: UnsafeRawPointer?
    /// Why there is a filter and reads go without.
    let filterDamage: StorageError?
    private let ignoresFilterPages = Atomic<Bool>(false)
    /// Told of damage that fails no read; set before the first.
    @exclusivity(unchecked) var noteDamage: (@Sendable (StorageError) -> Void)?
    /// The index, or its top level.
    let index: IndexBlock?
    let hasPartitions: Bool
    private let filterPages: FilterPages
    private let partitions: TablePartitions
    /// Partitions are held even if other tables hold the share of the cache: those of level 0, which
    /// every read passes.
    let holdsBeyondShare = Atomic<Bool>(false)
    private let hasRangeTombstones: Bool
    /// The timestamp that MANIFEST gives every entry of an ingested file; zero in other tables.
    private let ingestTimestamp: Timestamp
    private let charge: MemoryCharge

    /// Opens and checks a table. Reads its first bytes and its last: as much of a large table as of a
    /// small one.
    /// - Parameters:
    ///   - uid: what MANIFEST says; nil trusts the file's own (offline tools).
    ///   - cache: where its blocks go; nil reads them each time.
    ///   - budget: charged for what is kept in memory beside the cache.
    ///   - ingestTimestamp: what counts as the timestamp of every entry; nil: the entries' own.
    ///   - keys: open an encrypted table.
    static func open(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?, budget: MemoryBudget? = nil,
        ingestTimestamp: Timestamp? = nil, keys: FileKeys? = nil
    ) throws(StorageError) -> TableReader {
        try TableReader(
            file: file, uid: uid, size: size, cache: cache, budget: budget,
            ingestTimestamp: ingestTimestamp ?? .zero, keys: keys)
    }

    private init(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?, budget: MemoryBudget?,
        ingestTimestamp: Timestamp, keys: FileKeys?
    ) throws(StorageError) {
        self.ingestTimestamp = ingestTimestamp
        let path = file.path
        let tail = try TableTail(file, size: size)
        let footer = tail.footer
        if let uid, uid != footer.uid {
            throw .corruption(
                "The file is table \(footer.uid), not \(uid).", path: path,
                offset: size - UInt64(TableFormat.footerBytes))
        }
        let head = try file.readExactly(TableFormat.headerBytes, at: 0)
        guard try TableReader.decodeHeader(head, path) == footer.uid else {
            throw .corruption("Header and footer name different tables.", path: path, offset: 0)
        }
        var blocks = TableBlockReader(file: file, footer: footer)
        blocks.cipher = try Self.cipher(file, footer, keys)
        cipher = blocks.cipher
        var held = BlockPin()
        try tail.load(footer.properties, .properties, blocks, &held)
        guard let properties = TableProperties.decode(held.bytes) else {
            throw blocks.damaged(footer.properties, .properties, "cannot be decoded")
        }
        self.properties = properties
        try blocks.loadDictionary(properties)
        dictionary = blocks.dictionary
        if footer.rangeTombstones.isAbsent {
            rangeTombstones = []
        } else {
            try tail.load(footer.rangeTombstones, .rangeTombstones, blocks, &held)
            guard let list = RangeTombstoneBlock.decode(held.bytes) else {
                throw blocks.damaged(footer.rangeTombstones, .rangeTombstones, "cannot be decoded")
            }
            rangeTombstones =
                ingestTimestamp == .zero ? list : list.map { $0.at(ingestTimestamp) }
        }
        tombstoneTree = try TombstoneTree(of: rangeTombstones)
        if footer.index.isAbsent && properties.entryCount > 0 {
            throw .corruption(
                "The table has entries and no index.", path: path,
                offset: size - UInt64(TableFormat.footerBytes))
        }
        // From here on nothing throws that would leak: each load owns its bytes at once.
        var indexPin = BlockPin()
        var filterPin = BlockPin()
        if !footer.index.isAbsent { try tail.load(footer.index, .index, blocks, &indexPin) }
        filterDamage = try TableReader.loadFilter(tail, footer, blocks, &filterPin)
        let indexBytes = indexPin.takeOwn()
        let filterBytes = filterPin.takeOwn()
        self.indexBytes = indexBytes
        self.filterBytes = filterBytes
        let index = indexBytes.map { IndexBlock(validated: $0) }
        self.index = index
        filter = filterBytes?.baseAddress
        hasPartitions = footer.indexLevels == 2
        filterPages = footer.filterPages
        partitions = TablePartitions(
            indexPartitions: hasPartitions ? index?.count ?? 0 : 0, filterPages: filterPages.count)
        hasRangeTombstones = !rangeTombstones.isEmpty
        self.uid = footer.uid
        self.footer = footer
        self.file = file
        self.cache = cache
        cacheReference = cache.map { .passUnretained($0) }
        fileBytes = size
        let metadataBytes =
            TableReader.fixedBytes + (indexBytes?.count ?? 0) + (filterBytes?.count ?? 0)
            + partitions.byteCount + (dictionary?.byteCount ?? 0)
        charge = MemoryCharge(
            budget, .tables,
            bytes: metadataBytes + rangeTombstones.count * TableReader.tombstoneBytes)
    }

    /// Loads the filter if it is one block, or says what is wrong with it.
    private static func loadFilter(
        _ tail: borrowing TableTail, _ footer: TableFooter, _ blocks: TableBlockReader,
        _ pin: inout BlockPin
    ) throws(StorageError) -> StorageError? {
        if footer.filter.isAbsent || footer.filterLines > 0 { return nil }
        do throws(StorageError) {
            try tail.load(footer.filter, .filter, blocks, &pin)
            return nil
        } catch  where error.code == .corruption {
            return error
        }
    }

    /// What an open table takes beside its blocks and tombstones: objects, properties, bounds.
    private static let fixedBytes = 2048
    private static let tombstoneBytes = 160

    deinit {
        partitions.release(cache)
        if let bytes = indexBytes?.baseAddress {
            UnsafeMutableRawPointer(mutating: bytes).deallocate()
        }
        if let bytes = filterBytes?.baseAddress {
            UnsafeMutableRawPointer(mutating: bytes).deallocate()
        }
    }

    /// Header and footer are whole and name the table that is expected.
    @discardableResult
    static func checkEnds(
        of file: any File, uid: UID?, size: UInt64
    ) throws(StorageError) -> TableFooter {
        let path = file.path
        guard size >= UInt64(TableFormat.headerBytes + TableFormat.footerBytes) else {
            throw .corruption("The file is too short for a table.", path: path, offset: 0)
        }
        let tail = try file.readExactly(
            TableFormat.footerBytes, at: size - UInt64(TableFormat.footerBytes))
        let footer = try TableReader.decodeFooter(tail, size, path)
        if let uid, uid != footer.uid {
            throw .corruption(
                "The file is table \(footer.uid), not \(uid).", path: path,
                offset: size - UInt64(TableFormat.footerBytes))
        }
        let head = try file.readExactly(TableFormat.headerBytes, at: 0)
        guard try TableReader.decodeHeader(head, path) == footer.uid else {
            throw .corruption("Header and footer name different tables.", path: path, offset: 0)
        }
        return footer
    }

    static func decodeFooter(
        _ bytes: [UInt8], _ size: UInt64, _ path: String
    ) throws(StorageError) -> TableFooter {
        var result: Result<TableFooter, StorageError>?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) {
                result = .success(try TableFooter.decode(buffer, size: size, path: path))
            } catch { result = .failure(error) }
        }
        guard let result else { throw .corruption("The footer is unreadable.", path: path) }
        return try result.get()
    }

    static func decodeHeader(_ bytes: [UInt8], _ path: String) throws(StorageError) -> UID {
        var result: Result<UID, StorageError>?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) {
                result = .success(try TableHeader.decode(buffer, path: path))
            } catch { result = .failure(error) }
        }
        guard let result else { throw .corruption("The header is unreadable.", path: path) }
        return try result.get()
    }

    var blocks: TableBlockReader {
        TableBlockReader(file: file, footer: footer, cipher: cipher, dictionary: dictionary)
    }

    /// The wrapping key over the table's data key; 0: the table is plain.
    var keyID: UInt64 { cipher?.envelope?.keyID ?? 0 }

    /// What opens the blocks of a table; nil: it is plain.
    static func cipher(
        _ file: any File, _ footer: TableFooter, _ keys: FileKeys?
    ) throws(StorageError) -> FileCipher? {
        guard footer.isSealed else { return nil }
        let envelope = try TableHeader.envelope(file, uid: footer.uid)
        return try keys.cipher(.table, envelope, uid: footer.uid, path: file.path)
    }

    // MARK: - Point reads

    /// The newest version of `key` not above `timestamp`, range tombstones applied. The value lives
    /// while `pin` is not reused. No allocation on a cached hit.
    @inline(__always)
    func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        if ingestTimestamp != .zero { return try getIngested(key, at: timestamp, &pin) }
        let found = try getEntry(key, timestamp.rawValue, &pin)
        return hasRangeTombstones ? hidden(found, key, timestamp) : found
    }

    @inline(never)
    private func getIngested(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        guard timestamp >= ingestTimestamp else { return .absent }
        switch try getEntry(key, .max, &pin) {
        case .absent: return hasRangeTombstones ? hidden(.absent, key, timestamp) : .absent
        case .deleted: return .deleted(ingestTimestamp)
        // The file's own range tombstones hide what is older than the file.
        case .value(_, let value): return .value(ingestTimestamp, value)
        case .reference(_, let value): return .reference(ingestTimestamp, value)
        }
    }

    @inline(__always)
    private func getEntry(
        _ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        guard let index else { return .absent }
        if let filter {
            if !BloomFilter.mayContain(filter, BloomFilter.hash(key)) { return .absent }
        } else if filterPages.lines > 0 {
            if try !passesFilterPage(BloomFilter.hash(key), mayWait: pin.mayWait) { return .absent }
        }
        if hasPartitions { return try getThroughPartitions(index, key, timestamp, &pin) }
        var limit = timestamp
        while true {
            let place = index.search(key, limit)
            guard place < index.count else { return .absent }
            try loadData(index, place, top: 0, &pin)
            if let answer = find(key, limit, pin.bytes) { return answer }
            guard let rest = TableReader.limit(beyond: index, place, key) else { return .absent }
            limit = rest
        }
    }

    private func getThroughPartitions(
        _ index: IndexBlock, _ key: UnsafeRawBufferPointer, _ timestamp: UInt64,
        _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        var limit = timestamp
        while true {
            let place = index.search(key, limit)
            guard place < index.count else { return .absent }
            var partitionPin = BlockPin(mayWait: pin.mayWait)
            let leaf = try partition(place, &partitionPin)
            let leafPlace = leaf.search(key, limit)
            // The partition's separator is its last block's.
            guard leafPlace < leaf.count else { return .absent }
            try loadData(leaf, leafPlace, top: place, &pin)
            if let answer = find(key, limit, pin.bytes) { return answer }
            guard let rest = TableReader.limit(beyond: leaf, leafPlace, key) else {
                return .absent
            }
            limit = rest
        }
    }

    /// Pins the data block at `place` of `leaf`; damage tells which keys are lost.
    @inline(__always)
    private func loadData(
        _ leaf: IndexBlock, _ place: Int, top: Int, _ pin: inout BlockPin
    ) throws(StorageError) {
        do throws(StorageError) {
            try loadBlock(leaf.handle(place), .data, &pin, fillCache: true)
        } catch {
            throw losing(error, leaf, place, top: top)
        }
    }

    /// A block may leave a key unanswered when it ends in intents of that key: what follows is older
    /// than its separator. Nil: nothing of the key follows.
    private static func limit(
        beyond index: IndexBlock, _ place: Int, _ key: UnsafeRawBufferPointer
    ) -> UInt64? {
        let timestamp = index.timestamp(place)
        guard timestamp > 0, KeyOrder.compare(index.key(place), key) == 0 else { return nil }
        return timestamp &- 1
    }

    /// The answer of one block; nil: look in the next.
    @inline(__always)
    private func find(
        _ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ bytes: UnsafeRawBufferPointer
    ) -> PointLookup? {
        let block = DataBlock(validated: bytes)
        var limit = timestamp
        while true {
            switch block.find(key, limit) {
            case .entry(let entry):
                if entry.kind == OperationKind.intent.rawValue {
                    if entry.timestamp == 0 { return .absent }
                    limit = entry.timestamp &- 1
                    continue
                }
                if entry.kind == OperationKind.delete.rawValue {
                    return .deleted(Timestamp(entry.timestamp))
                }
                let value = UnsafeRawBufferPointer(
                    start: entry.value, count: entry.valueLength)
                return entry.kind == OperationKind.valueReference.rawValue
                    ? .reference(Timestamp(entry.timestamp), value)
                    : .value(Timestamp(entry.timestamp), value)
            case .otherKey: return .absent
            case .end: return nil
            }
        }
    }

    /// What a reader at `timestamp` sees of the tombstones that reach into `range`, and perhaps more.
    func rangeTombstones(in range: KeyRange, at timestamp: Timestamp) -> [RangeTombstone] {
        tombstoneTree?.pieces(in: range, at: timestamp) ?? rangeTombstones
    }

    private func hidden(
        _ found: PointLookup, _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) -> PointLookup {
        let cover =
            tombstoneTree?.newestCovering(key, at: timestamp)
            ?? rangeTombstones.newestCovering(key, at: timestamp) ?? .zero
        guard cover > .zero else { return found }
        switch found {
        case .absent: return .deleted(cover)
        case .deleted(let version): return .deleted(max(version, cover))
        case .value(let version, _), .reference(let version, _):
            return version < cover ? .deleted(cover) : found
        }
    }

    // MARK: - Partitions

    @inline(__always)
    private func passesFilterPage(_ hash: UInt64, mayWait: Bool) throws(StorageError) -> Bool {
        let place = filterPages.place(hash)
        if let held = partitions.filter(place.page) {
            return BloomFilter.mayContain(held, hash, line: place.line)
        }
        return try passesLoadedFilterPage(hash, mayWait: mayWait)
    }

    @inline(never)
    private func passesLoadedFilterPage(_ hash: UInt64, mayWait: Bool) throws(StorageError) -> Bool
    {
        if ignoresFilterPages.load(ordering: .relaxed) { return true }
        let (page, line) = filterPages.place(hash)
        let handle = filterPages.handle(page)
        var pin = BlockPin(mayWait: mayWait)
        do throws(StorageError) {
            try loadBlock(handle, .filter, &pin, fillCache: true)
            guard pin.bytes.count == Int(handle.payloadBytes) - Int(filterPages.sealBytes) else {
                throw blocks.damaged(handle, .filter, "has a wrong size")
            }
        } catch  where error.code == .corruption {
            // A filter only saves work: without it, every block is asked.
            ignoresFilterPages.store(true, ordering: .relaxed)
            noteDamage?(error)
            return true
        }
        hold(page, .filter, &pin)
        guard let filter = partitions.filter(page) ?? pin.bytes.baseAddress else { return true }
        let passes = BloomFilter.mayContain(filter, hash, line: line)
        pin.release()
        return passes
    }

    /// The index partition at `place` of the top level; it lives as long as the table and the pin.
    @inline(__always)
    func partition(_ place: Int, _ pin: inout BlockPin) throws(StorageError) -> IndexBlock {
        if let held = partitions.index(place) { return IndexBlock(validatedBase: held) }
        return try loadPartition(place, &pin)
    }

    @inline(never)
    private func loadPartition(
        _ place: Int, _ pin: inout BlockPin
    ) throws(StorageError) -> IndexBlock {
        guard let index else { return IndexBlock(validated: BlockPin.none) }
        do throws(StorageError) {
            try loadBlock(index.handle(place), .index, &pin, fillCache: true)
        } catch {
            throw losing(error, index, place, top: place)
        }
        hold(place, .index, &pin)
        return partitions.index(place).map { IndexBlock(validatedBase: $0) }
            ?? IndexBlock(validated: pin.bytes)
    }

    private func hold(_ place: Int, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin) {
        partitions.hold(
            place, kind, &pin, cache, beyondShare: holdsBeyondShare.load(ordering: .relaxed))
    }

    // MARK: - Blocks

    /// Pins a block that the cache has.
    @inline(__always)
    func lookup(_ handle: BlockHandle, _ pin: inout BlockPin) -> Bool {
        guard let cacheReference else { return false }
        return cacheReference._withUnsafeGuaranteedRef { $0.lookup(uid, handle.offset, &pin) }
    }

    /// Pins a validated block, from the cache or the file.
    @inline(__always)
    func loadBlock(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin, fillCache: Bool
    ) throws(StorageError) {
        if lookup(handle, &pin) { return }
        try loadFromFile(handle, kind, &pin, fillCache: fillCache)
    }

    private func loadFromFile(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin, fillCache: Bool
    ) throws(StorageError) {
        try blocks.load(handle, kind, &pin)
        if fillCache, let cache, let bytes = pin.takeOwn() {
            cache.insert(uid, handle.offset, bytes, &pin)
        }
    }

    // MARK: - Scans

    /// All entries, range tombstones not applied.
    /// - Parameter fillCache: false for compaction: blocks read are not kept.
    func makeIterator(fillCache: Bool = true) -> InternalIterator {
        makeIterator(TableScan(fillCache: fillCache))
    }
    func makeIterator(_ scan: TableScan) -> InternalIterator {
        if ingestTimestamp == .zero { return TableIterator(self, scan) }
        // The blocks' bounds are of the timestamps in the file, and those do not count.
        var scan = scan
        scan.window = nil
        return IngestedIterator(TableIterator(self, scan), at: ingestTimestamp)
    }

    /// Bytes of the file that hold keys of `range`, roughly: by partitions where there are some.
    func approximateBytes(in range: KeyRange) -> UInt64 {
        guard let index else { return 0 }
        func offset(_ key: [UInt8]?, _ open: UInt64) -> UInt64 {
            guard let key else { return open }
            let place = key.withUnsafeBytes { index.search($0, .max) }
            guard place < index.count else { return fileBytes }
            if hasPartitions { return fileBytes / UInt64(index.count) * UInt64(place) }
            return index.handle(place).offset
        }
        let lower = offset(range.lower, 0)
        let upper = offset(range.upper, fileBytes)
        return upper > lower ? upper - lower : 0
    }

    func close() throws(StorageError) { try file.close() }
}
