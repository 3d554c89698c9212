import FalconStorage

/// What the selected records are made of: kinds, tables, sizes, flush groups, syncs, hot keys.
final class WALStatistics {
    /// The operations on one table, index or other storage.
    struct Storage {
        var operationClass: OperationClass
        /// A key of it, to name it by once the whole log was read.
        var sample: [UInt8] = []
        var inserts = 0
        var updates = 0
        var deletes = 0
        var truncates = 0
        /// What no statement asked for.
        var others = 0
        var keyBytes: UInt64 = 0
        var valueBytes: UInt64 = 0

        var operations: Int { inserts + updates + deletes + truncates + others }

        @inline(__always)
        mutating func add(_ operation: WALOperation) {
            switch operation.sql {
            case .insert: inserts &+= 1
            case .update: updates &+= 1
            case .delete: deletes &+= 1
            case .truncate: truncates &+= 1
            case .none: others &+= 1
            }
            keyBytes &+= UInt64(operation.key.count)
            valueBytes &+= UInt64(operation.value.count)
        }
    }

    private(set) var kinds: [UInt8: LatencyHistogram] = [:]
    /// The one that was asked for last: most records are of one kind.
    @exclusivity(unchecked) private var lastKind: (tag: UInt8, histogram: LatencyHistogram)?
    @exclusivity(unchecked) private(set) var storages: [Storage] = []
    private var slots: [UInt64: Int] = [:]
    @exclusivity(unchecked) private var lastPrefix: UInt64?
    @exclusivity(unchecked) private var lastSlot = 0
    let topKeys = WALTopKeys()
    let keySizes = LatencyHistogram()
    let valueSizes = LatencyHistogram()

    /// Of transactions: their operations and bytes, parts included.
    let transactionOperations = LatencyHistogram()
    let transactionBytes = LatencyHistogram()
    @exclusivity(unchecked) private var openOperations: UInt64 = 0
    @exclusivity(unchecked) private var openBytes: UInt64 = 0

    /// Of flush groups, each a chunk: the commits and bytes in it.
    let groupCommits = LatencyHistogram()
    let groupBytes = LatencyHistogram()
    /// Which segment it lies in, counted as the reader entered them, and where.
    @exclusivity(unchecked) private var group: (segment: Int, offset: UInt64)?
    @exclusivity(unchecked) private var commitsInGroup: UInt64 = 0
    private var bytesOfGroup: UInt64 = 0

    /// Of syncs, as chunk headers tell of them: what each took, and when.
    let syncCommits = LatencyHistogram()
    let syncBytes = LatencyHistogram()
    let syncMicros = LatencyHistogram()
    private var syncedLSN: LSN?
    @exclusivity(unchecked) private var commitsSinceSync: UInt64 = 0
    private var lastSyncWall: UInt64?
    @exclusivity(unchecked) private var lastCommitWall: UInt64?

    // MARK: The log as it was written

    /// Every record of the log, in order, before ``begin(_:_:)``.
    func pass(_ record: WALRecord, _ summary: WALSurvey.Summary, _ reader: WALReader) {
        let place = (segment: reader.segmentCount, offset: reader.chunkOffset)
        if group.map({ $0 != place }) ?? true {
            endGroup()
            group = place
            bytesOfGroup = UInt64(reader.chunkRecordBytes)
            noteSync(reader.syncedLSN)
        }
        guard record.tag == .commit else { return }
        commitsInGroup &+= 1
        commitsSinceSync &+= 1
        lastCommitWall = summary.wallMicros
    }

    /// The headers of a chunk and of the marks before it say how far the log was synced when they
    /// were written. Several syncs between two chunks with records count as one.
    private func noteSync(_ lsn: LSN) {
        guard let before = syncedLSN else {
            syncedLSN = lsn
            return
        }
        guard lsn > before else { return }
        syncedLSN = lsn
        syncBytes.record(lsn.rawValue &- before.rawValue)
        syncCommits.record(commitsSinceSync)
        commitsSinceSync = 0
        if let wall = lastCommitWall {
            if let last = lastSyncWall, wall >= last { syncMicros.record(wall &- last) }
            lastSyncWall = wall
        }
    }

    private func endGroup() {
        guard group != nil else { return }
        groupCommits.record(commitsInGroup)
        groupBytes.record(bytesOfGroup)
        commitsInGroup = 0
    }

    /// The log ended; `synced` is what its last mark says.
    func end(_ synced: LSN) {
        endGroup()
        group = nil
        noteSync(synced)
    }

    // MARK: What was selected

    /// A selected record, before its operations.
    func begin(_ record: WALRecord, _ summary: WALSurvey.Summary) {
        let bytes = record.end.rawValue &- record.lsn.rawValue
        histogram(of: record.tag).record(bytes)
        guard record.tag == .commit || record.tag == .batchPart else { return }
        if summary.part == 0 || (record.tag == .commit && summary.partCount == 0) {
            openOperations = 0
            openBytes = 0
        }
        openBytes &+= bytes
    }

    /// A selected record, after its operations.
    func end(_ record: WALRecord) {
        guard record.tag == .commit else { return }
        transactionOperations.record(openOperations)
        transactionBytes.record(openBytes)
        openOperations = 0
        openBytes = 0
    }

    private func histogram(of tag: WALRecordTag) -> LatencyHistogram {
        if let lastKind, lastKind.tag == tag.rawValue { return lastKind.histogram }
        let histogram = kinds[tag.rawValue] ?? LatencyHistogram()
        kinds[tag.rawValue] = histogram
        lastKind = (tag.rawValue, histogram)
        return histogram
    }

    func add(_ operation: WALOperation) {
        let slot = slot(of: operation)
        storages[slot].add(operation)
        keySizes.record(UInt64(operation.key.count))
        if operation.kind == .put { valueSizes.record(UInt64(operation.value.count)) }
        topKeys.add(operation.key, valueBytes: operation.value.count)
        openOperations &+= 1
    }

    private func slot(of operation: WALOperation) -> Int {
        // Keys that no schema made are told apart by their class alone.
        var prefix = UInt64(operation.operationClass.rawValue)
        let hasPrefix =
            operation.key.count >= 8 && operation.key[0] == 0 && operation.key[4] == 0
        if hasPrefix { prefix = operation.key.loadUnaligned(as: UInt64.self) }
        if prefix == lastPrefix { return lastSlot }
        lastPrefix = prefix
        if let known = slots[prefix] {
            lastSlot = known
            return known
        }
        var storage = Storage(operationClass: operation.operationClass)
        if hasPrefix { storage.sample = Array(operation.key.prefix(8)) }
        lastSlot = storages.count
        slots[prefix] = lastSlot
        storages.append(storage)
        return lastSlot
    }
}
