#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes one table, streaming: blocks go to the file as they fill.
final class TableWriter {
    private static let writeBytes = 1 << 20

    private let file: any File
    private let uid: UID
    private let options: TableOptions
    private let block: DataBlockBuilder
    private let index = IndexBlockBuilder()
    private let output = ByteBuffer(capacity: TableWriter.writeBytes + (64 << 10))
    private let lastKey = ByteBuffer(capacity: 256)
    private let hashes = ByteBuffer(capacity: 64 << 10)
    private let fileHash = XXH3Stream()
    private let zstd: ZstdBlockCompressor?
    /// Nil: the table is plain.
    private let cipher: FileCipher?
    /// Data blocks that wait for the dictionary they are to train; nil when there is none to train.
    @exclusivity(unchecked) private var samples: DictionarySamples?
    @exclusivity(unchecked) private var dictionary: ZstdDictionary?

    /// Bytes already handed to the file.
    private var flushed: UInt64 = 0
    @exclusivity(unchecked) private var properties = TableProperties()
    @exclusivity(unchecked) private var tombstones: [RangeTombstone] = []
    /// A finished data block whose separator waits for the next key.
    @exclusivity(unchecked) private var pending: IndexBlockBuilder.Child?
    @exclusivity(unchecked) private var lastTimestamp: UInt64 = 0
    // Hot counters, moved into the properties at the end.
    @exclusivity(unchecked) private(set) var entryCount: UInt64 = 0
    @exclusivity(unchecked) private var tombstoneCount: UInt64 = 0
    @exclusivity(unchecked) private var rawKeyBytes: UInt64 = 0
    @exclusivity(unchecked) private var rawValueBytes: UInt64 = 0
    /// Of the open data block, and of all finished ones.
    @exclusivity(unchecked) private var blockTimestamps = TimestampBounds.none
    @exclusivity(unchecked) private var timestamps = TimestampBounds.none
    @exclusivity(unchecked) private var storageCounts = StorageCounts()
    @exclusivity(unchecked) private var shadowed = AgeCounter()
    @exclusivity(unchecked) private var deletes = AgeCounter()
    private var largestIsExclusive = false
    private var isFinished = false

    /// - Parameters:
    ///   - file: new and empty; the writer writes and syncs it, the caller closes it.
    ///   - cipher: encrypts the blocks; nil leaves them plain.
    init(
        file: any File, uid: UID, options: TableOptions = .init(), cipher: FileCipher? = nil
    ) throws(StorageError) {
        self.cipher = cipher
        self.file = file
        self.uid = uid
        self.options = options
        block = DataBlockBuilder(
            restartInterval: options.restartInterval, capacity: options.blockBytes + (8 << 10))
        zstd = options.codec == .zstd ? ZstdBlockCompressor() : nil
        if options.codec == .zstd, options.dictionaryBytes > 0 {
            samples = DictionarySamples(dictionaryBytes: options.dictionaryBytes)
        }
        TableHeader.encode(uid: uid, cipher?.envelope).withUnsafeBytes { output.append($0) }
    }

    /// Bytes written and buffered so far: where to cut a compaction's output.
    var estimatedFileBytes: UInt64 {
        position + UInt64(block.byteCount + index.byteCount + (samples?.byteCount ?? 0))
            + entryCount * UInt64(options.filterBitsPerKey) / 8
    }

    var rangeTombstoneCount: Int { tombstones.count }

    private var position: UInt64 { flushed &+ UInt64(output.count) }

    // MARK: - Adding

    /// Adds the next entry; entries come in internal order.
    func add(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) throws(StorageError) {
        let version = timestamp.rawValue
        var isNewKey = true
        if entryCount > 0 {
            let order = KeyOrder.compare(key, lastKey.bytes)
            guard order > 0 || (order == 0 && version < lastTimestamp) else {
                throw StorageError(
                    .internalError, kind: .bug, "Entries reached a table out of order.",
                    location: .init(path: file.path))
            }
            isNewKey = order > 0
            if let pending {
                addSeparator(pending, next: key, isNewKey: isNewKey)
                self.pending = nil
            }
        } else {
            properties.smallestKey = Array(key)
        }
        if isNewKey {
            if options.filterBitsPerKey > 0 { hashes.appendFixed(BloomFilter.hash(key)) }
            storageCounts.begin(EntryTree.window(key, 0))
            lastKey.count = 0
            lastKey.append(key)
        } else {
            // Gone once every reader sees the version before it.
            shadowed.add(lastTimestamp)
        }
        lastTimestamp = version
        block.add(key, version, kind.rawValue, value)
        entryCount &+= 1
        storageCounts.add(isTombstone: kind == .delete)
        if kind == .delete {
            tombstoneCount &+= 1
            deletes.add(version)
        }
        rawKeyBytes &+= UInt64(key.count)
        rawValueBytes &+= UInt64(value.count)
        blockTimestamps.add(version)
        if block.byteCount >= options.blockBytes { try finishDataBlock() }
    }

    func addRangeTombstone(_ tombstone: RangeTombstone) throws(StorageError) {
        tombstones.append(tombstone)
    }

    private func finishDataBlock() throws(StorageError) {
        if block.isEmpty { return }
        let raw = block.finish()
        pending = .init(handle: .absent, bounds: blockTimestamps)
        if let samples {
            samples.add(raw)
            if samples.isComplete { try writeSamples(samples) }
        } else {
            pending?.handle = try writeBlock(.data, raw, codec: options.codec)
        }
        timestamps.add(blockTimestamps)
        blockTimestamps = .none
        properties.dataBlockCount += 1
        block.reset()
        if output.count >= TableWriter.writeBytes { try flushOutput() }
    }

    /// Trains the dictionary, and writes the blocks that waited for it: all data blocks so far.
    private func writeSamples(_ samples: DictionarySamples) throws(StorageError) {
        self.samples = nil
        if let zstd { dictionary = samples.train(zstd, limit: options.dictionaryBytes) }
        for place in 0..<samples.count {
            let handle = try writeBlock(.data, samples.block(place), codec: options.codec)
            if place < index.count {
                index.setHandle(handle, ofChild: place)
            } else {
                pending?.handle = handle
            }
            if output.count >= TableWriter.writeBytes { try flushOutput() }
        }
    }

    /// Adds the index entry of a block that ends with `lastKey`; the next one begins with `next`.
    private func addSeparator(
        _ child: IndexBlockBuilder.Child, next: UnsafeRawBufferPointer?, isNewKey: Bool
    ) {
        let last = lastKey.bytes
        if !isNewKey {
            // A key's versions go on in the next block.
            return index.add(last, lastTimestamp, child)
        }
        if let next, let start = last.baseAddress, let other = next.baseAddress {
            let common = DataBlock.commonPrefix(start, other, min(last.count, next.count))
            if common < 8, next.count > 8 {
                // Another storage id: what is lost with a block is not told to reach into it.
                return index.add(UnsafeRawBufferPointer(rebasing: next[..<8]), 0, child)
            }
            if common < last.count, common < next.count, last[common] < 0xFF,
                last[common] &+ 1 < next[common]
            {
                var short = Array(last[...common])
                short[common] &+= 1
                return short.withUnsafeBytes { index.add($0, 0, child) }
            }
        }
        index.add(last, 0, child)
    }

    // MARK: - Blocks

    private func writeBlock(
        _ kind: TableFormat.BlockKind, _ raw: UnsafeRawBufferPointer, codec: BlockCodec
    ) throws(StorageError) -> BlockHandle {
        let offset = position
        let usesDictionary = kind == .data && dictionary != nil
        guard let rawBytes = UInt32(exactly: raw.count) else {
            throw .invalidArgument("A block exceeds 4 GiB.")
        }
        var used = BlockCodec.none
        var payload = raw.count
        if codec != .none, raw.count > 64 {
            let bound = BlockCompression.bound(codec, raw.count)
            output.reserve(bound + TableFormat.trailerBytes)
            let target = UnsafeMutableRawBufferPointer(
                start: output.pointer + output.count, count: bound)
            let packed =
                usesDictionary || dictionary == nil
                ? zstd?.compress(raw, into: target)
                    ?? BlockCompression.compress(codec, raw, into: target)
                : BlockCompression.compress(codec, raw, into: target)
            // Less than an eighth saved does not pay for decompression.
            if let packed, packed < raw.count - raw.count / 8 {
                used = codec
                payload = packed
            }
        }
        if used == .none {
            output.append(raw)
        } else {
            output.count += payload
        }
        if let cipher {
            let shape = TableSeal.shape(
                codec: used, usesDictionary: usesDictionary && used == .zstd, rawBytes: rawBytes)
            output.reserve(TableFormat.sealBytes)
            try cipher.seal(
                output.pointer + (output.count - payload), count: payload,
                at: TableSeal.place(uid, kind, offset, shape))
            output.count += FileCipher.tagBytes
            payload += TableFormat.sealBytes
            output.appendFixed(UInt32(truncatingIfNeeded: payload))
        }
        output.appendFixed(used.rawValue)
        output.appendFixed(UInt8(cipher == nil ? 0 : 1))
        output.appendFixed(kind.rawValue)
        output.appendFixed(UInt8(usesDictionary && used == .zstd ? 1 : 0))
        output.appendFixed(rawBytes)
        let start = output.count - payload - 8
        let covered = UnsafeRawBufferPointer(rebasing: output.bytes[start...])
        let seed = Checksum.locationSeed(uid: uid, offset: offset, kind: kind.rawValue)
        output.appendFixed(Checksum.xxh3(covered, seed: seed))
        return BlockHandle(offset: offset, payloadBytes: UInt32(truncatingIfNeeded: payload))
    }

    private func writeBlock(
        _ kind: TableFormat.BlockKind, _ raw: [UInt8], codec: BlockCodec
    ) throws(StorageError) -> BlockHandle {
        var result: Result<BlockHandle, StorageError>?
        raw.withUnsafeBytes { bytes in
            do throws(StorageError) {
                result = .success(try writeBlock(kind, bytes, codec: codec))
            } catch {
                result = .failure(error)
            }
        }
        switch result {
        case .success(let handle): return handle
        case .failure(let error): throw error
        case nil: throw StorageError(.internalError, kind: .bug, "No block was written.")
        }
    }

    private func flushOutput() throws(StorageError) {
        if output.count == 0 { return }
        try file.write(output.bytes, at: flushed)
        fileHash.update(output.bytes)
        flushed += UInt64(output.count)
        output.count = 0
    }

    // MARK: - Finishing

    /// Writes what is left, syncs the file's data and describes it. Nothing may be added afterwards.
    func finish() throws(StorageError) -> TableSummary {
        guard !isFinished, entryCount > 0 || !tombstones.isEmpty else {
            throw StorageError(
                .internalError, kind: .bug, "A table needs an entry, and one finish.")
        }
        isFinished = true
        try finishDataBlock()
        if let samples { try writeSamples(samples) }
        if let pending { addSeparator(pending, next: nil, isNewKey: true) }
        fillProperties()

        var footer = TableFooter(uid: uid, fileBytes: 0)
        footer.isSealed = cipher != nil
        let filterBytes = hashes.count / 64 * options.filterBitsPerKey
        var topIndex = index
        if index.byteCount + filterBytes > options.partitioningBytes {
            footer.indexLevels = 2
            topIndex = try writePartitions()
        }
        if hashes.count > 0 { try writeFilter(&footer) }
        if !tombstones.isEmpty {
            footer.rangeTombstones = try writeBlock(
                .rangeTombstones, RangeTombstoneBlock.encode(tombstones), codec: .none)
        }
        if topIndex.count > 0 {
            footer.index = try writeBlock(
                .index, topIndex.encode(0..<topIndex.count), codec: options.codec)
        }
        if let dictionary {
            properties.dictionary = try writeBlock(.dictionary, dictionary.bytes, codec: .none)
        }
        footer.properties = try writeBlock(.properties, properties.encode(), codec: .none)
        footer.fileBytes = position + UInt64(TableFormat.footerBytes)
        footer.encode().withUnsafeBytes { output.append($0) }
        try flushOutput()
        if !options.isScratch { try file.syncData() }
        return TableSummary(
            uid: uid, fileBytes: flushed, fileHash: fileHash.digest,
            smallestKey: properties.smallestKey, largestKey: properties.largestKey,
            largestIsExclusive: largestIsExclusive,
            minTimestamp: properties.minTimestamp, maxTimestamp: properties.maxTimestamp,
            entryCount: entryCount, tombstoneCount: tombstoneCount,
            rangeTombstoneCount: UInt64(tombstones.count), keyID: cipher?.envelope?.keyID ?? 0,
            garbage: VersionGarbage(shadowed: shadowed.finish(), deletes: deletes.finish()))
    }

    private func fillProperties() {
        properties.entryCount = entryCount
        properties.tombstoneCount = tombstoneCount
        properties.rangeTombstoneCount = UInt64(tombstones.count)
        properties.storageCounts = storageCounts.finish()
        properties.isSortedFile = options.isSortedFile
        properties.rawKeyBytes = rawKeyBytes
        properties.rawValueBytes = rawValueBytes
        properties.minTimestamp = Timestamp(timestamps.oldest)
        properties.maxTimestamp = Timestamp(timestamps.newest)
        if entryCount > 0 { properties.largestKey = Array(lastKey.bytes) }
        var hasBounds = entryCount > 0
        for tombstone in tombstones {
            if !hasBounds || keyIsLess(tombstone.lower, properties.smallestKey) {
                properties.smallestKey = tombstone.lower
            }
            if !hasBounds || keyIsLess(properties.largestKey, tombstone.upper) {
                properties.largestKey = tombstone.upper
                largestIsExclusive = true
            }
            hasBounds = true
            properties.minTimestamp = min(properties.minTimestamp, tombstone.timestamp)
            properties.maxTimestamp = max(properties.maxTimestamp, tombstone.timestamp)
        }
    }

    private func keyIsLess(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBytes { x in b.withUnsafeBytes { KeyOrder.compare(x, $0) < 0 } }
    }

    // MARK: - Index and filter

    /// Cuts the index into partitions; the top level over them.
    private func writePartitions() throws(StorageError) -> IndexBlockBuilder {
        let top = IndexBlockBuilder()
        var start = 0
        while start < index.count {
            let end = index.partitionEnd(from: start, bytes: options.partitionBytes)
            let child = IndexBlockBuilder.Child(
                handle: try writeBlock(.index, index.encode(start..<end), codec: options.codec),
                bounds: index.bounds(start..<end))
            index.withKey(end - 1) { top.add($0, index.timestamp(end - 1), child) }
            start = end
        }
        return top
    }

    /// Writes the filter, in pages beside a two-level index.
    private func writeFilter(_ footer: inout TableFooter) throws(StorageError) {
        let filter = hashes.bytes.withMemoryRebound(to: UInt64.self) {
            BloomFilter.build(hashes: $0, bitsPerKey: options.filterBitsPerKey)
        }
        defer { UnsafeMutableRawPointer(mutating: filter.baseAddress)?.deallocate() }
        guard footer.indexLevels == 2 else {
            footer.filter = try writeBlock(.filter, filter, codec: .none)
            return
        }
        footer.filterLines = filter.loadUnaligned(as: UInt32.self)
        footer.filterShift = UInt8(
            min(
                (options.partitionBytes / 64).bitWidth - 1
                    - (options.partitionBytes / 64).leadingZeroBitCount,
                FilterPages.largestShift))
        var page = ByteWriter(capacity: BloomFilter.headerBytes + 64 << Int(footer.filterShift))
        for number in 0..<footer.filterPages.count {
            page.bytes.removeAll(keepingCapacity: true)
            let lines = footer.filterPages.lineCount(number)
            let start = BloomFilter.headerBytes + 64 * number << Int(footer.filterShift)
            page.appendFixed(UInt32(truncatingIfNeeded: lines))
            page.append(contentsOf: UnsafeRawBufferPointer(rebasing: filter[4..<64]))
            page.append(
                contentsOf: UnsafeRawBufferPointer(rebasing: filter[start..<(start + 64 * lines)]))
            let handle = try writeBlock(.filter, page.bytes, codec: .none)
            if number == 0 { footer.filter = handle }
        }
    }
}
