/// Checks a table against itself and against MANIFEST, past any damage, without changing it.
public struct TableVerifier {
    private let file: any File
    private let expected: TableExpectations
    private let findingLimit: Int
    var result = TableVerification()
    var blocks: TableBlockReader
    private var extents: [(offset: UInt64, end: UInt64, name: String)] = []
    private(set) var filter: LoadedFilter?
    /// Recomputed from the entries.
    var seen = TableProperties()
    var storageCounts = StorageCounts()
    var damagedBlocks = 0
    var lastKey: [UInt8]?
    var lastTimestamp: UInt64 = 0
    let blobs: BlobResolver?
    private var keys: FileKeys?
    var blobUses = BlobUseCounter()

    /// Checks everything that can be reached.
    /// - Parameters:
    ///   - expected: what MANIFEST says; empty when there is none.
    ///   - findingLimit: findings kept; more are counted.
    ///   - blobs: follows references to large values; nil leaves them unchecked.
    ///   - keyring: opens encrypted tables; without it their structure and checksums are checked.
    public static func verify(
        _ file: any File, expected: TableExpectations = .init(), findingLimit: Int = 1000,
        blobs: BlobResolver? = nil, keyring: (any FileKeyring)? = nil
    ) -> TableVerification {
        var verifier = TableVerifier(file, expected, findingLimit, blobs)
        verifier.keys = keyring as? FileKeys
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

    mutating func report(_ finding: TableFinding) {
        if result.findings.count < findingLimit {
            result.findings.append(finding)
        } else {
            result.suppressedFindings += 1
        }
    }

    mutating func report(
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
        if footer.isSealed {
            result.isEncrypted = true
            if keys == nil {
                checkChain()
                compareWithManifest()
                return
            }
            do throws(StorageError) {
                blocks.cipher = try TableReader.cipher(file, footer, keys)
            } catch {
                report(error, .headerDamaged)
                checkChain()
                return
            }
        }
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
        if let recorded { checkDictionary(recorded) }
        if !footer.rangeTombstones.isAbsent, load(footer.rangeTombstones, .rangeTombstones, &pin) {
            checkRangeTombstones(RangeTombstoneBlock.decode(pin.bytes))
        }
        if !footer.filter.isAbsent {
            filter = LoadedFilter(footer) { load($0, .filter, &$1) }
        }
        if !footer.index.isAbsent {
            if load(footer.index, .index, &pin) {
                walkIndex(
                    IndexBlock(validated: pin.bytes), footer.index, isTop: footer.indexLevels == 2)
            } else {
                damagedBlocks += 1
            }
        }
        finishBounds()
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

    /// Without its dictionary a table's data blocks cannot be restored: each is reported then.
    private mutating func checkDictionary(_ recorded: TableProperties) {
        let handle = recorded.dictionary
        if handle.isAbsent { return }
        extents.append((handle.offset, handle.end, "dictionary"))
        do throws(StorageError) {
            try blocks.loadDictionary(recorded)
            result.checkedBlocks += 1
        } catch {
            report(
                error, .blockDamaged, lower: recorded.smallestKey, upper: recorded.largestKey,
                length: UInt64(handle.payloadBytes) + UInt64(TableFormat.trailerBytes))
        }
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

    mutating func load(
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
        var position = blocks.footer.bodyOffset
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
