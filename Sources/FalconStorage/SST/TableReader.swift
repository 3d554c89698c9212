/// An open table: footer, index, filter and properties in memory, blocks through the cache.
/// Thread-safe.
final class TableReader: @unchecked Sendable {
    let uid: UID
    let properties: TableProperties
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
    let index: IndexBlock?
    let hasPartitions: Bool
    private let hasRangeTombstones: Bool
    private let charge: MemoryCharge

    /// Opens and checks a table.
    /// - Parameters:
    ///   - uid: what MANIFEST says; nil trusts the file's own (offline tools).
    ///   - cache: where its blocks go; nil reads them each time.
    ///   - budget: charged for index, filter and properties.
    static func open(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?, budget: MemoryBudget? = nil
    ) throws(StorageError) -> TableReader {
        try TableReader(file: file, uid: uid, size: size, cache: cache, budget: budget)
    }

    private init(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?, budget: MemoryBudget?
    ) throws(StorageError) {
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
        let blocks = TableBlockReader(file: file, footer: footer)
        var held = BlockPin()
        try blocks.load(footer.properties, .properties, &held)
        guard let properties = TableProperties.decode(held.bytes) else {
            throw blocks.damaged(footer.properties, .properties, "cannot be decoded")
        }
        self.properties = properties
        if footer.rangeTombstones.isAbsent {
            rangeTombstones = []
        } else {
            try blocks.load(footer.rangeTombstones, .rangeTombstones, &held)
            guard let list = RangeTombstoneBlock.decode(held.bytes) else {
                throw blocks.damaged(footer.rangeTombstones, .rangeTombstones, "cannot be decoded")
            }
            rangeTombstones = list
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
        if !footer.index.isAbsent { try blocks.load(footer.index, .index, &indexPin) }
        if !footer.filter.isAbsent { try blocks.load(footer.filter, .filter, &filterPin) }
        let indexBytes = indexPin.takeOwn()
        let filterBytes = filterPin.takeOwn()
        self.indexBytes = indexBytes
        self.filterBytes = filterBytes
        index = indexBytes.map { IndexBlock(validated: $0) }
        filter = filterBytes?.baseAddress
        hasPartitions = footer.indexLevels == 2
        hasRangeTombstones = !rangeTombstones.isEmpty
        self.uid = footer.uid
        self.footer = footer
        self.file = file
        self.cache = cache
        cacheReference = cache.map { .passUnretained($0) }
        fileBytes = size
        let metadataBytes =
            TableReader.fixedBytes + (indexBytes?.count ?? 0) + (filterBytes?.count ?? 0)
        charge = MemoryCharge(
            budget, .tables,
            bytes: metadataBytes + rangeTombstones.count * TableReader.tombstoneBytes)
    }

    /// What an open table takes beside its blocks and tombstones: objects, properties, bounds.
    private static let fixedBytes = 2048
    private static let tombstoneBytes = 160

    deinit {
        if let bytes = indexBytes?.baseAddress {
            UnsafeMutableRawPointer(mutating: bytes).deallocate()
        }
        if let bytes = filterBytes?.baseAddress {
            UnsafeMutableRawPointer(mutating: bytes).deallocate()
        }
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

    var blocks: TableBlockReader { TableBlockReader(file: file, footer: footer) }

    // MARK: - Point reads

    /// The newest version of `key` not above `timestamp`, range tombstones applied. The value lives
    /// while `pin` is not reused. No allocation on a cached hit.
    @inline(__always)
    func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        let found = try getEntry(key, timestamp.rawValue, &pin)
        return hasRangeTombstones ? hidden(found, key, timestamp) : found
    }

    /// Whether the filter lets `key` pass: false means that no version of it is here.
    @inline(__always)
    func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        filter.map { BloomFilter.mayContain($0, BloomFilter.hash(key)) } ?? true
    }

    private func getEntry(
        _ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        guard let index, mayContain(key) else { return .absent }
        var limit = timestamp
        while true {
            let place = index.search(key, limit)
            guard place < index.count else { return .absent }
            if !hasPartitions {
                try loadBlock(index.handle(place), .data, &pin, fillCache: true)
                if let answer = find(key, limit, pin.bytes) { return answer }
                guard let rest = TableReader.limit(beyond: index, place, key) else {
                    return .absent
                }
                limit = rest
                continue
            }
            var partition = BlockPin()
            try loadBlock(index.handle(place), .index, &partition, fillCache: true)
            let inner = IndexBlock(validated: partition.bytes)
            let innerPlace = inner.search(key, limit)
            // The partition's separator is its last block's.
            guard innerPlace < inner.count else { return .absent }
            try loadBlock(inner.handle(innerPlace), .data, &pin, fillCache: true)
            let rest = TableReader.limit(beyond: inner, innerPlace, key)
            partition.release()
            if let answer = find(key, limit, pin.bytes) { return answer }
            guard let rest else { return .absent }
            limit = rest
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
        TableIterator(self, fillCache: fillCache)
    }

    /// Bytes of the file that hold keys of `range`, roughly.
    func approximateBytes(in range: KeyRange) -> UInt64 {
        guard let index else { return 0 }
        func offset(_ key: [UInt8]?, _ open: UInt64) -> UInt64 {
            guard let key else { return open }
            let place = key.withUnsafeBytes { index.search($0, .max) }
            return place < index.count ? index.handle(place).offset : fileBytes
        }
        let lower = offset(range.lower, 0)
        let upper = offset(range.upper, fileBytes)
        return upper > lower ? upper - lower : 0
    }

    func close() throws(StorageError) { try file.close() }
}
