/// Checks a table against itself and against MANIFEST, past any damage, without changing it.
public struct TableVerifier {
    private let file: any File
    let expected: TableExpectations
    private let findingLimit: Int
    let plan: VerificationPlan
    var result = TableVerification()
    var blocks: TableBlockReader
    private(set) var reader: SequentialReader?
    private var extents: [(offset: UInt64, end: UInt64, kind: TableFormat.BlockKind)] = []
    private(set) var filter: LoadedFilter?
    private var filterMeasure: FilterMeasure?
    /// Recomputed from the entries.
    var seen = TableProperties()
    var storageCounts = StorageCounts()
    private(set) var histograms: HistogramCollector?
    /// Blocks whose contents are not known, so that nothing can be counted against them.
    var damagedBlocks = 0
    /// Index, partitions and properties were read: they say where all blocks are.
    var isLayoutKnown = true
    let cursor = KeyCursor()
    /// Of the keys of the block that is walked, while they wait for the filter.
    var hashes: [UInt64] = []
    let blobs: BlobResolver?
    private var keys: FileKeys?
    var blobUses = BlobUseCounter()

    /// Checks everything that can be reached.
    /// - Parameters:
    ///   - expected: what MANIFEST says; empty when there is none.
    ///   - findingLimit: findings kept; more are counted.
    ///   - blobs: follows references to large values; nil leaves them unchecked.
    ///   - keyring: opens encrypted tables; without it their structure and checksums are checked.
    ///   - plan: how much is checked.
    public static func verify(
        _ file: any File, expected: TableExpectations = .init(), findingLimit: Int = 1000,
        blobs: BlobResolver? = nil, keyring: (any FileKeyring)? = nil,
        plan: VerificationPlan = .init()
    ) -> TableVerification {
        var verifier = TableVerifier(file, expected, findingLimit, blobs, plan)
        verifier.keys = keyring as? FileKeys
        verifier.run()
        return verifier.result
    }

    private init(
        _ file: any File, _ expected: TableExpectations, _ findingLimit: Int,
        _ blobs: BlobResolver?, _ plan: VerificationPlan
    ) {
        self.file = file
        self.blobs = blobs
        self.expected = expected
        self.findingLimit = findingLimit
        self.plan = plan
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

    /// The check is to end before it is through.
    mutating func isStopped() -> Bool {
        guard plan.pace?.isStopped == true else { return false }
        result.isPartial = true
        return true
    }

    // MARK: - The walk

    private mutating func run() {
        walk()
        finishReading()
    }

    private mutating func walk() {
        do throws(StorageError) {
            result.fileBytes = try file.size()
            reader = SequentialReader(
                file, size: result.fileBytes, hashes: expected.fileHash != nil, pace: plan.pace)
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
                compareWithManifest()
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
        if let recorded { checkDictionary(recorded) } else { isLayoutKnown = false }
        if !footer.rangeTombstones.isAbsent {
            let isRead = load(footer.rangeTombstones, .rangeTombstones, &pin)
            if isRead {
                checkRangeTombstones(RangeTombstoneBlock.decode(pin.bytes))
            } else {
                damagedBlocks += 1
            }
        }
        if !footer.filter.isAbsent {
            filter = LoadedFilter(footer) { load($0, .filter, &$1) }
            if plan.measuresFilters { measureFilter() }
        }
        if let moment = plan.histogramsAsOf, !plan.isQuick {
            histograms = HistogramCollector(asOf: moment, ingested: expected.ingestTimestamp)
        }
        if !footer.index.isAbsent {
            if load(footer.index, .index, &pin) {
                walkIndex(
                    IndexBlock(validated: pin.bytes), footer.index, isTop: footer.indexLevels == 2)
            } else {
                damagedBlocks += 1
                isLayoutKnown = false
            }
        }
        pin.release()
        if isStopped() { return }
        finishBounds()
        result.histograms = histograms?.finish(filterMeasure)
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
        extents.append((handle.offset, handle.end, .dictionary))
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
        extents.append((handle.offset, handle.end, kind))
        do throws(StorageError) {
            if kind == .data {
                try loadData(handle, &pin)
            } else {
                try blocks.load(handle, kind, &pin)
            }
            result.checkedBlocks += 1
            return true
        } catch {
            report(
                error, .blockDamaged, lower: lower, upper: upper,
                length: UInt64(handle.payloadBytes) + UInt64(TableFormat.trailerBytes))
            return false
        }
    }

    /// Proves a data block out of what is read in large pieces; but for a quick check it is decoded too.
    private mutating func loadData(
        _ handle: BlockHandle, _ pin: inout BlockPin
    ) throws(StorageError) {
        try blocks.check(handle, .data)
        let payload = Int(handle.payloadBytes)
        guard let stored = reader?.bytes(at: handle.offset, payload + TableFormat.trailerBytes)
        else { return try blocks.load(handle, .data, &pin) }
        if plan.isQuick {
            return try blocks.authenticate(handle, .data, UnsafeRawBufferPointer(stored))
        }
        try blocks.unseal(handle, .data, stored, isOwned: false, &pin)
        histograms?.addBlock(
            BlockCodec(rawValue: stored[payload]) ?? .none, raw: pin.bytes.count,
            stored: payload)
    }

    private mutating func measureFilter() {
        guard let filter else { return }
        let measure = FilterMeasure(filter, uid: blocks.footer.uid)
        filterMeasure = measure
        guard measure.isWeak else { return }
        func percent(_ share: Double) -> String {
            "\((share * 10_000).rounded() / 100) % of absent keys"
        }
        report(
            TableFinding(
                .filterWeak, "The filter lets through more than it should.",
                offset: blocks.footer.filter.offset, expected: percent(measure.nominalRate),
                actual: percent(measure.rate)))
    }

    private var tombstoneBounds: (lower: [UInt8], upper: [UInt8])?

    private mutating func checkRangeTombstones(_ list: [RangeTombstone]?) {
        let handle = blocks.footer.rangeTombstones
        guard let list else {
            damagedBlocks += 1
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
        seen.largestKey = cursor.key
        guard let bounds = tombstoneBounds else { return }
        if !cursor.isSet || KeyOrder.less(bounds.lower, seen.smallestKey) {
            seen.smallestKey = bounds.lower
        }
        if !cursor.isSet || KeyOrder.less(seen.largestKey, bounds.upper) {
            seen.largestKey = bounds.upper
        }
    }

    // MARK: - The whole

    private mutating func checkCoverage() {
        // Blocks that a lost one would have named are unknown: gaps would say nothing new.
        if !isLayoutKnown { return }
        var position = blocks.footer.bodyOffset
        for extent in extents.sorted(by: { $0.offset < $1.offset }) {
            if extent.offset != position {
                report(
                    TableFinding(
                        .coverage,
                        extent.offset > position
                            ? "Bytes before the \(extent.kind) block belong to nothing."
                            : "The \(extent.kind) block overlaps the one before.",
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

    /// Reads what no block took, and compares the hash of it all with MANIFEST's, if that knows it.
    private mutating func finishReading() {
        guard let reader, !isStopped() else { return }
        let digest: UInt64?
        do throws(StorageError) { digest = try reader.finish() } catch {
            return report(error, .unreadable)
        }
        guard let wanted = expected.fileHash, let digest, digest != wanted, !isStopped() else {
            return
        }
        // It stands first, and is not lost behind the limit.
        result.findings.insert(
            TableFinding(
                .fileHash, "The file's hash is not MANIFEST's.",
                expected: String(wanted, radix: 16), actual: String(digest, radix: 16)), at: 0)
    }
}
