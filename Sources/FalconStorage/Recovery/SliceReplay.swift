/// Replays one slice of the log into a memtable. For one thread.
struct SliceReplay {
    let directory: String
    let fileSystem: any FileSystem
    let memtableBytes: Int
    let slice: LogSlice
    let epoch: UInt64
    /// Where a transaction spills that is larger than a memtable; nil: nowhere.
    let spills: SpillSpace?

    private var commits = 0
    private var operations = 0

    init(
        directory: String, fileSystem: any FileSystem, memtableBytes: Int, slice: LogSlice,
        epoch: UInt64, spills: SpillSpace?
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.memtableBytes = memtableBytes
        self.slice = slice
        self.epoch = epoch
        self.spills = spills
    }

    /// - Parameter progress: called now and then with the bytes of the log and the commits replayed
    ///   since the call before; false gives up.
    mutating func run(
        _ progress: (UInt64, UInt64) -> Bool
    ) throws(StorageError) -> MemtableLayer {
        // A large transaction brings its own arena.
        var layer = MemtableLayer(
            table: try slice.isOneBatch ? MemTable(capacityBytes: 0) : makeTable(), epoch: epoch,
            lastLSN: slice.end)
        var loader = MemTableLoader(layer.table)
        let reader = try WALReader(
            directory: directory, fileSystem: fileSystem, at: slice.start)
        var parts = BatchPartAssembler(spills: slice.isOneBatch ? spills : nil)
        var told = (lsn: slice.start.lsn, commits: 0)
        while let record = try reader.next(), record.lsn < slice.end {
            switch record.tag {
            case .commit: try apply(record, &parts, &layer, &loader)
            case .batchPart: _ = try parts.add(record.body)
            case .incarnation: parts.drop()
            default: break
            }
            if commits - told.commits >= 4096 {
                let bytes = record.end.rawValue &- told.lsn.rawValue
                guard progress(bytes, UInt64(commits - told.commits)) else {
                    throw StorageError(.cancelled, kind: .retryable, "The replay was given up.")
                }
                told = (record.end, commits)
            }
            if record.end >= slice.end { break }
        }
        guard commits == slice.commits, operations == slice.operations else {
            if case .corruption(let damage) = reader.verdict { throw damage.error }
            throw .corruption(
                "The log changed while it was read: from \(slice.start.lsn) to \(slice.end) there "
                    + "were \(slice.commits) commits with \(slice.operations) operations, and now "
                    + "there are \(commits) with \(operations).", path: directory,
                hint: "Is another program writing to the directory? Look at the device's log.")
        }
        guard loader.finish() else { throw Self.noMemory }
        _ = progress(
            slice.end.rawValue &- told.lsn.rawValue, UInt64(commits - told.commits))
        return layer
    }

    private func makeTable() throws(StorageError) -> MemTable {
        try MemTable(
            capacityBytes: Tree.arenaCapacity(memtableBytes, batchBytes: slice.neededBytes))
    }

    /// The layer of a slice that is one large transaction.
    private func layer(
        of batch: WriteBatch, at timestamp: Timestamp, beside placeholder: MemTable
    ) throws(StorageError) -> MemtableLayer {
        if batch.hasSpilled { return try tables(of: batch, at: timestamp, beside: placeholder) }
        guard AdoptedBatch.canAdopt(batch) else {
            let table = try makeTable()
            guard table.apply(batch, at: timestamp) else { throw Self.noMemory }
            return MemtableLayer(table: table, epoch: epoch, lastLSN: slice.end)
        }
        guard placeholder.addRangeTombstones(of: batch, at: timestamp) else { throw Self.noMemory }
        return MemtableLayer(
            table: placeholder, epoch: epoch, lastLSN: slice.end,
            adopted: AdoptedBatch(batch, at: timestamp))
    }

    /// The same of one that was too large for memory. Its tables are nobody's until a manifest names them.
    private func tables(
        of batch: WriteBatch, at timestamp: Timestamp, beside placeholder: MemTable
    ) throws(StorageError) -> MemtableLayer {
        guard let spill = batch.spilled as? BatchSpill else { throw Self.noMemory }
        try spill.prepareTables(of: batch)
        let files = spill.takeTables().map {
            TableFile(
                metadata: FileMetadata(IngestRecord.File($0), at: timestamp, epoch: epoch),
                store: spill.space.store)
        }
        return MemtableLayer(
            table: placeholder, epoch: epoch, lastLSN: slice.end, ingested: files)
    }

    private mutating func apply(
        _ record: WALRecord, _ parts: inout BatchPartAssembler, _ layer: inout MemtableLayer,
        _ loader: inout MemTableLoader
    ) throws(StorageError) {
        guard let view = CommitRecordView(record.body) else {
            throw damaged(record, "A COMMIT record makes no sense.")
        }
        let timestamp = view.header.timestamp
        if !(try applySingle(view, &loader)) {
            guard let batch = try parts.finish(view) else {
                throw damaged(
                    record, "A COMMIT's operations make no sense, or parts of them are missing.")
            }
            operations += Int(batch.nextOrdinal)
            if slice.isOneBatch {
                layer = try self.layer(of: batch, at: timestamp, beside: layer.table)
            } else if !loader.add(batch, at: timestamp) {
                throw Self.noMemory
            }
            // A large one's memory is not kept for the next.
            if view.header.partCount > 0 { parts.drop() }
        }
        layer.lastTimestamp = max(layer.lastTimestamp, timestamp)
        commits += 1
    }

    /// A commit of one put or delete needs no batch: there is nothing to shadow. False: it is none, or a layer of its
    /// own, whose table is a placeholder without room.
    private mutating func applySingle(
        _ view: CommitRecordView, _ loader: inout MemTableLoader
    ) throws(StorageError) -> Bool {
        guard view.header.operationCount == 1, view.header.partCount == 0, !slice.isOneBatch else {
            return false
        }
        var iterator = view.operations()
        guard let operation = iterator.next(),
            operation.kind == .put || operation.kind == .delete
        else { return false }
        let value =
            operation.kind == .put
            ? operation.value : UnsafeRawBufferPointer(start: nil, count: 0)
        let isAdded = loader.add(
            key: operation.key, timestamp: view.header.timestamp, kind: operation.kind,
            value: value)
        guard isAdded else { throw Self.noMemory }
        operations += 1
        return true
    }

    private static var noMemory: StorageError {
        StorageError(.outOfMemory, kind: .transient, "No memory to replay the log's commits.")
    }

    private func damaged(_ record: WALRecord, _ message: String) -> StorageError {
        .corruption(
            "\(message) It lies at \(record.lsn).", path: directory,
            hint: "Run wal-inspect on the directory.")
    }
}
