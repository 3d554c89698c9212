/// Checks a table against itself and against MANIFEST, past any damage, without changing it.
public struct TableVerifier {
    private let file: any File
    private let expected: TableExpectations
    private let findingLimit: Int
    private var result = TableVerification()
    private var blocks: TableBlockReader
    private var extents: [(offset: UInt64, end: UInt64, name: String)] = []
    private var filter = BlockPin.none
    /// Recomputed from the entries.
    private var seen = TableProperties()
    private var storageCounts = StorageCounts()
    private var damagedBlocks = 0
    private var lastKey: [UInt8]?
    private var lastTimestamp: UInt64 = 0
    private var filterMisses = 0
    private let blobs: BlobResolver?
    private var blobUses = BlobUseCounter()

    /// Checks everything that can be reached.
    /// - Parameters:
    ///   - expected: what MANIFEST says; empty when there is none.
    ///   - findingLimit: findings kept; more are counted.
    ///   - blobs: follows references to large values; nil leaves them unchecked.
    public static func verify(
        _ file: any File, expected: TableExpectations = .init(), findingLimit: Int = 1000,
        blobs: BlobResolver? = nil
    ) -> TableVerification {
        var verifier = TableVerifier(file, expected, findingLimit, blobs)
        verifier.run()
        return verifier.result
    }

    private init(
        _ file: any File, _ expected: TableExpectations, _ findingLimit: Int,
        _ blobs: BlobResolver?
    ) {
        self.file = file
        self.blobs = blobs
        self.expected = expected
        self.findingLimit = findingLimit
        blocks = TableBlockReader(file: file, footer: TableFooter(uid: .zero, fileBytes: 0))
    }

    private mutating func report(_ finding: TableFinding) {
        if result.findings.count < findingLimit {
            result.findings.append(finding)
        } else {
            result.suppressedFindings += 1
        }
    }

    private mutating func report(
        _ error: StorageError, _ code: TableFindingCode, lower: [UInt8]? = nil,
        upper: [UInt8]? = nil,
        length: UInt64? = nil
    ) {
        let actual: TableFindingCode =
            switch error.code {
            case .corruption: code
            case .unsupportedFormat: .unsupportedFormat
            case .keyMissing: .keyMissing
            default: .unreadable
            }
        report(
            TableFinding(
                actual, error.message, offset: error.location?.offset, length: length,
                actual: error.cause, lowerKey: lower, upperKey: upper))
    }

    // MARK: - The walk

    private mutating func run() {
        do throws(StorageError) {
            result.fileBytes = try file.size()
            checkHash()
            let footer = try readFooter()
            blocks = TableBlockReader(file: file, footer: footer)
            result.uid = footer.uid
        } catch {
            return report(
                error, .footerDamaged, lower: expected.smallestKey, upper: expected.largestKey)
        }
        checkHeader()
        let footer = blocks.footer
        var pin = BlockPin()
        var recorded: TableProperties?
        if load(footer.properties, .properties, &pin) {
            recorded = TableProperties.decode(pin.bytes)
            if recorded == nil {
                report(
                    blocks.damaged(footer.properties, .properties, "cannot be decoded"),
                    .blockDamaged)
            }
        }
        result.properties = recorded
        if !footer.rangeTombstones.isAbsent, load(footer.rangeTombstones, .rangeTombstones, &pin) {
            checkRangeTombstones(RangeTombstoneBlock.decode(pin.bytes))
        }
        var filterPin = BlockPin()
        if !footer.filter.isAbsent, load(footer.filter, .filter, &filterPin) {
            filter = filterPin.bytes
        }
        if !footer.index.isAbsent {
            if load(footer.index, .index, &pin) {
                walkIndex(IndexBlock(validated: pin.bytes), levels: footer.indexLevels)
            } else {
                damagedBlocks += 1
            }
        }
        finishBounds()
        filter = BlockPin.none
        filterPin.release()
        pin.release()
        checkCoverage()
        if let recorded { compare(recorded) }
        compareWithManifest()
    }

    private func readFooter() throws(StorageError) -> TableFooter {
        let size = result.fileBytes
        guard size >= UInt64(TableFormat.headerBytes + TableFormat.footerBytes) else {
            throw .corruption("The file is too short for a table.", path: file.path, offset: 0)
        }
        let tail = try file.readExactly(
            TableFormat.footerBytes, at: size - UInt64(TableFormat.footerBytes))
        return try TableReader.decodeFooter(tail, size, file.path)
    }

    private mutating func checkHeader() {
        do throws(StorageError) {
            let head = try file.readExactly(TableFormat.headerBytes, at: 0)
            let uid = try TableReader.decodeHeader(head, file.path)
            if uid != blocks.footer.uid {
                report(
                    TableFinding(
                        .headerDamaged, "Header and footer name different tables.", offset: 0,
                        expected: "\(blocks.footer.uid)", actual: "\(uid)"))
            }
        } catch { report(error, .headerDamaged) }
    }

    private mutating func load(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin,
        lower: [UInt8]? = nil, upper: [UInt8]? = nil
    ) -> Bool {
        extents.append((handle.offset, handle.end, "\(kind)"))
        do throws(StorageError) {
            try blocks.load(handle, kind, &pin)
            result.checkedBlocks += 1
            return true
        } catch {
            report(
                error, .blockDamaged, lower: lower, upper: upper,
                length: UInt64(handle.payloadBytes) + UInt64(TableFormat.trailerBytes))
            return false
        }
    }

    private mutating func walkIndex(_ index: IndexBlock, levels: UInt8) {
        var lower: (key: [UInt8], timestamp: UInt64)?
        for place in 0..<index.count {
            let upper = (key: Array(index.key(place)), timestamp: index.timestamp(place))
            checkSeparators(lower, upper, index.handle(place))
            if levels == 1 {
                checkData(index.handle(place), lower, upper)
            } else {
                var pin = BlockPin()
                if load(index.handle(place), .index, &pin, lower: lower?.key, upper: upper.key) {
                    let inner = IndexBlock(validated: pin.bytes)
                    var low = lower
                    for innerPlace in 0..<inner.count {
                        let high = (
                            key: Array(inner.key(innerPlace)),
                            timestamp: inner.timestamp(innerPlace)
                        )
                        checkSeparators(low, high, inner.handle(innerPlace))
                        checkData(inner.handle(innerPlace), low, high)
                        low = high
                    }
                    if let low, low.key != upper.key || low.timestamp != upper.timestamp {
                        report(
                            TableFinding(
                                .indexDisagrees, "A partition's last separator is not the top's.",
                                offset: index.handle(place).offset, lowerKey: lower?.key,
                                upperKey: upper.key))
                    }
                } else {
                    damagedBlocks += 1
                }
                pin.release()
            }
            lower = upper
        }
    }

    private static func order(
        _ a: (key: [UInt8], timestamp: UInt64), _ b: (key: [UInt8], timestamp: UInt64)
    ) -> Int {
        let keys = a.key.withUnsafeBytes { x in
            b.key.withUnsafeBytes { KeyOrder.compare(x, $0) }
        }
        if keys != 0 { return keys }
        return a.timestamp > b.timestamp ? -1 : (a.timestamp == b.timestamp ? 0 : 1)
    }

    private mutating func checkSeparators(
        _ lower: (key: [UInt8], timestamp: UInt64)?, _ upper: (key: [UInt8], timestamp: UInt64),
        _ handle: BlockHandle
    ) {
        if let lower, TableVerifier.order(lower, upper) >= 0 {
            report(
                TableFinding(
                    .indexDisagrees, "Separators are not ascending.", offset: handle.offset,
                    lowerKey: upper.key, upperKey: lower.key))
        }
    }

    // MARK: - Data blocks

    private mutating func checkData(
        _ handle: BlockHandle, _ lower: (key: [UInt8], timestamp: UInt64)?,
        _ upper: (key: [UInt8], timestamp: UInt64)
    ) {
        var pin = BlockPin()
        guard load(handle, .data, &pin, lower: lower?.key, upper: upper.key) else {
            damagedBlocks += 1
            return
        }
        seen.dataBlockCount += 1
        let block = DataBlock(validated: pin.bytes)
        var key: [UInt8] = []
        var offset = 0
        var first: (key: [UInt8], timestamp: UInt64)?
        while offset < block.end {
            let entry = block.entry(at: offset)
            offset = block.offset(after: entry)
            key.removeLast(key.count - entry.shared)
            key.append(
                contentsOf: UnsafeRawBufferPointer(start: entry.suffix, count: entry.suffixLength))
            check(entry, key, handle)
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
    }

    private mutating func check(_ entry: DataBlock.Entry, _ key: [UInt8], _ handle: BlockHandle) {
        var isNewKey = true
        if let lastKey {
            let order = lastKey.withUnsafeBytes { x in
                key.withUnsafeBytes { KeyOrder.compare(x, $0) }
            }
            if order > 0 {
                report(
                    TableFinding(
                        .keyOrder, "A key sorts before its predecessor.", offset: handle.offset,
                        lowerKey: key, upperKey: lastKey))
            } else if order == 0 {
                isNewKey = false
                if entry.timestamp >= lastTimestamp {
                    report(
                        TableFinding(
                            .versionOrder, "A version is not older than its predecessor.",
                            offset: handle.offset, expected: "below \(Timestamp(lastTimestamp))",
                            actual: "\(Timestamp(entry.timestamp))", lowerKey: key, upperKey: key))
                }
            }
        } else {
            seen.smallestKey = key
        }
        if isNewKey {
            if let start = filter.baseAddress,
                !BloomFilter.mayContain(start, key.withUnsafeBytes { BloomFilter.hash($0) })
            {
                filterMisses += 1
                report(
                    TableFinding(
                        .filterMissesKey, "The filter denies a key that is present.",
                        offset: blocks.footer.filter.offset, lowerKey: key, upperKey: key))
            }
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

    private var tombstoneBounds: (lower: [UInt8], upper: [UInt8])?

    private mutating func checkRangeTombstones(_ list: [RangeTombstone]?) {
        let handle = blocks.footer.rangeTombstones
        guard let list else {
            return report(
                blocks.damaged(handle, .rangeTombstones, "cannot be decoded"), .blockDamaged)
        }
        seen.rangeTombstoneCount = UInt64(list.count)
        for tombstone in list {
            if KeyOrder.compare(tombstone.lower, tombstone.upper) >= 0 {
                report(
                    TableFinding(
                        .keyOrder, "A range tombstone's bounds are not ascending.",
                        offset: handle.offset, lowerKey: tombstone.lower, upperKey: tombstone.upper)
                )
            }
            seen.minTimestamp = min(seen.minTimestamp, tombstone.timestamp)
            seen.maxTimestamp = max(seen.maxTimestamp, tombstone.timestamp)
            let bounds = tombstoneBounds ?? (tombstone.lower, tombstone.upper)
            tombstoneBounds = (
                KeyOrder.less(tombstone.lower, bounds.lower) ? tombstone.lower : bounds.lower,
                KeyOrder.less(bounds.upper, tombstone.upper) ? tombstone.upper : bounds.upper
            )
        }
    }

    private mutating func finishBounds() {
        seen.largestKey = lastKey ?? []
        guard let bounds = tombstoneBounds else { return }
        if lastKey == nil || KeyOrder.less(bounds.lower, seen.smallestKey) {
            seen.smallestKey = bounds.lower
        }
        if lastKey == nil || KeyOrder.less(seen.largestKey, bounds.upper) {
            seen.largestKey = bounds.upper
        }
    }

    // MARK: - The whole

    private mutating func checkCoverage() {
        // With a lost index partition its blocks are unknown: gaps would say nothing new.
        if damagedBlocks > 0 && blocks.footer.indexLevels == 2 { return }
        var position = UInt64(TableFormat.headerBytes)
        for extent in extents.sorted(by: { $0.offset < $1.offset }) {
            if extent.offset != position {
                report(
                    TableFinding(
                        .coverage,
                        extent.offset > position
                            ? "Bytes before the \(extent.name) block belong to nothing."
                            : "The \(extent.name) block overlaps the one before.",
                        offset: min(position, extent.offset),
                        length: max(position, extent.offset) - min(position, extent.offset)))
            }
            position = max(position, extent.end)
        }
        let end = blocks.footer.fileBytes - UInt64(TableFormat.footerBytes)
        if position != end, damagedBlocks == 0 {
            report(
                TableFinding(
                    .coverage, "Bytes before the footer belong to nothing.", offset: position,
                    expected: "\(end)", actual: "\(position)"))
        }
    }

    private mutating func compare(_ recorded: TableProperties) {
        // What damage hides cannot be counted.
        if damagedBlocks > 0 { return }
        let offset = blocks.footer.properties.offset
        func check(_ name: String, _ recorded: UInt64, _ seen: UInt64) -> TableFinding? {
            recorded == seen
                ? nil
                : TableFinding(
                    .propertiesDisagree, "Property \(name) is wrong.", offset: offset,
                    expected: "\(seen)", actual: "\(recorded)")
        }
        var found = [
            check("entries", recorded.entryCount, seen.entryCount),
            check("tombstones", recorded.tombstoneCount, seen.tombstoneCount),
            check("range tombstones", recorded.rangeTombstoneCount, seen.rangeTombstoneCount),
            check("data blocks", recorded.dataBlockCount, seen.dataBlockCount),
            check("raw key bytes", recorded.rawKeyBytes, seen.rawKeyBytes),
            check("raw value bytes", recorded.rawValueBytes, seen.rawValueBytes),
            check("least timestamp", recorded.minTimestamp.rawValue, seen.minTimestamp.rawValue),
            check("greatest timestamp", recorded.maxTimestamp.rawValue, seen.maxTimestamp.rawValue),
        ].compactMap { $0 }
        if recorded.smallestKey != seen.smallestKey || recorded.largestKey != seen.largestKey {
            found.append(
                TableFinding(
                    .propertiesDisagree, "The recorded key bounds are wrong.", offset: offset,
                    lowerKey: recorded.smallestKey, upperKey: recorded.largestKey))
        }
        if recorded.storageCounts != storageCounts.finish() {
            found.append(
                TableFinding(
                    .propertiesDisagree, "The counts per storage id are wrong.", offset: offset))
        }
        for finding in found { report(finding) }
    }

    private mutating func compareWithManifest() {
        func check<T: Equatable & Sendable>(
            _ name: String, _ manifest: T?, _ table: T?
        ) -> TableFinding? {
            guard let manifest, let table, manifest != table else { return nil }
            return TableFinding(
                .manifestDisagrees, "MANIFEST and the table differ about \(name).",
                expected: "\(manifest)", actual: "\(table)")
        }
        if damagedBlocks == 0, let uses = expected.blobUses, uses != blobUses.uses {
            report(
                TableFinding(
                    .manifestDisagrees,
                    "MANIFEST and the table differ about what it refers to in blob files.",
                    expected: "\(uses)", actual: "\(blobUses.uses)"))
        }
        var found = [
            check("the uid", expected.uid, blocks.footer.uid),
            check("the file's size", expected.fileBytes, result.fileBytes),
        ].compactMap { $0 }
        if let recorded = result.properties {
            found += [
                check("the entry count", expected.entryCount, recorded.entryCount),
                check("the tombstone count", expected.tombstoneCount, recorded.tombstoneCount),
                check(
                    "the range tombstone count", expected.rangeTombstoneCount,
                    recorded.rangeTombstoneCount),
                check("the least timestamp", expected.minTimestamp, recorded.minTimestamp),
                check("the greatest timestamp", expected.maxTimestamp, recorded.maxTimestamp),
            ].compactMap { $0 }
            if let smallest = expected.smallestKey, let largest = expected.largestKey,
                smallest != recorded.smallestKey || largest != recorded.largestKey
            {
                found.append(
                    TableFinding(
                        .manifestDisagrees, "MANIFEST and the table differ about the key bounds.",
                        lowerKey: recorded.smallestKey, upperKey: recorded.largestKey))
            }
        }
        for finding in found { report(finding) }
    }

    /// Streams the file through XXH3 when MANIFEST knows its hash.
    private mutating func checkHash() {
        guard let wanted = expected.fileHash else { return }
        let stream = XXH3Stream()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        do throws(StorageError) {
            while offset < result.fileBytes {
                let count = try file.read(into: buffer, at: offset)
                if count == 0 { break }
                stream.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
                offset += UInt64(count)
            }
        } catch { return report(error, .unreadable) }
        if stream.digest != wanted {
            report(
                TableFinding(
                    .fileHash, "The file's hash is not MANIFEST's.",
                    expected: String(wanted, radix: 16), actual: String(stream.digest, radix: 16)))
        }
    }
}
