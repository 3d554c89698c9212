/// Writes the outputs of one flush or compaction: cuts files, clips range tombstones to them, has large
/// values put into blob files, and removes what it wrote when the job fails.
final class TableOutput {
    struct Options {
        var table: TableOptions
        var targetBytes: UInt64
        var flushEpoch: UInt64
        /// The keys that are added; tombstones are clipped to them.
        var range = KeyRange.all
        var blobs = BlobOutput.Options()
        /// How the bytes go to the disk; nil: at once, and on to the device when a file ends.
        var pacing: WritePacing?
        /// See ``EngineOptions/catalogStorageLimit``.
        var catalogLimit: UInt32 = 0
        /// Nil: as ``catalogLimit``. Where files are not cut, what tells under whose key they are.
        var keyCatalogLimit: UInt32?
    }
    private let store: TableStore
    private let options: Options
    private let random: any StorageRandom
    private let allocateNumber: () -> FileNumber
    private let tombstones: [RangeTombstone]
    private let blobs: BlobOutput

    @exclusivity(unchecked) private(set) var writer: TableWriter?
    @exclusivity(unchecked) private var file: (any File)?
    @exclusivity(unchecked) private var number = FileNumber(0)
    @exclusivity(unchecked) private var uid = UID.zero
    @exclusivity(unchecked) private(set) var lastKey = RawBuffer()
    /// Where the open file begins when it is not the first: what lies before belongs to the others.
    @exclusivity(unchecked) private(set) var lowerCut: [UInt8]?
    /// Nil: keys are of one scope.
    let scopes: KeyScopes?
    /// No key whose first 8 bytes are less, as a number, is beyond the scope of the keys before it.
    @exclusivity(unchecked) var scopeEnd: UInt64
    /// See ``KeyScopes/borders(of:)``.
    let tombstoneCuts: [UInt64]
    @exclusivity(unchecked) var tombstoneCutsPassed = 0
    private(set) var finished: [FileMetadata] = []
    /// The range tombstones of the tables that have any.
    private(set) var writtenTombstones: [FileNumber: [RangeTombstone]] = [:]
    private var tableBytes: UInt64 = 0
    /// Tables and blob files.
    var writtenBytes: UInt64 { tableBytes &+ blobs.writtenBytes }
    /// Bytes of values that were moved out of blob files being collected.
    var movedBytes: UInt64 { blobs.movedBytes }

    /// - Parameter tombstones: those to be written, whole; each file gets its part.
    init(
        store: TableStore, options: Options, random: any StorageRandom,
        tombstones: [RangeTombstone], allocateNumber: @escaping () -> FileNumber
    ) {
        self.store = store
        self.options = options
        self.random = random
        self.tombstones = tombstones
        self.allocateNumber = allocateNumber
        scopes = options.catalogLimit > 0 ? KeyScopes(catalogLimit: options.catalogLimit) : nil
        scopeEnd = scopes == nil ? .max : 0
        tombstoneCuts = scopes?.borders(of: tombstones) ?? []
        var blobOptions = options.blobs
        blobOptions.pacing = options.pacing
        blobOptions.catalogLimit = options.keyCatalogLimit ?? options.catalogLimit
        blobs = BlobOutput(
            store: store, options: blobOptions, random: random, allocateNumber: allocateNumber)
        lowerCut = options.range.lower
    }

    deinit { lastKey.deallocate() }

    var currentBytes: UInt64 { writer?.estimatedFileBytes ?? 0 }

    @inline(__always)
    func add(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) throws(StorageError) {
        let writer = try openWriter(key)
        if blobs.concerns(kind, value.count) {
            var placedKind = kind
            let placed = try blobs.place(key: key, kind: &placedKind, value: value)
            try writer.add(key: key, timestamp: timestamp, kind: placedKind, value: placed)
        } else {
            try writer.add(key: key, timestamp: timestamp, kind: kind, value: value)
        }
        lastKey.assign(key)
    }

    /// Ends the open file before `key`: a new user key, greater than all that were added.
    func cut(before key: UnsafeRawBufferPointer) throws(StorageError) {
        try cut(at: Array(key))
    }

    /// The same at a bound between the keys.
    func cut(at bound: [UInt8]) throws(StorageError) {
        try finishFile(upperCut: bound)
        lowerCut = bound
    }

    /// Ends the last file and makes all names durable. Tables and blob files.
    func finish() throws(StorageError) -> [FileMetadata] {
        try endScopes(before: options.range.upper)
        try finishFile(upperCut: options.range.upper)
        finished += try blobs.finish()
        if !finished.isEmpty { try store.fileSystem.syncDirectory(store.names.sstDirectory) }
        return finished
    }

    /// Removes everything this job wrote.
    func abandon() {
        if let file {
            try? file.close()
            try? store.fileSystem.remove(store.names.table(number))
        }
        writer = nil
        file = nil
        blobs.abandon()
        for metadata in finished where metadata.kind == .rowTable {
            try? store.fileSystem.remove(store.names.table(metadata.number))
        }
        finished = []
    }

    @inline(__always)
    private func openWriter(_ key: UnsafeRawBufferPointer) throws(StorageError) -> TableWriter {
        if let writer { return writer }
        return try begin(
            .ofKey(key, catalogLimit: options.keyCatalogLimit ?? options.catalogLimit))
    }

    private func begin(_ scope: KeyScope) throws(StorageError) -> TableWriter {
        number = allocateNumber()
        uid = random.nextUID()
        let cipher = try store.fileSystem.makeCipher(.table, scope, uid: uid)
        var file = try store.files.create(store.names.table(number))
        if let pacing = options.pacing { file = PacedFile(file, pacing) }
        self.file = file
        let writer = try TableWriter(
            file: file, uid: uid, options: options.table, cipher: cipher)
        self.writer = writer
        lastKey.assign(UnsafeRawBufferPointer(start: nil, count: 0))
        return writer
    }

    private func finishFile(upperCut: [UInt8]?) throws(StorageError) {
        let parts = clipped(upperCut: upperCut)
        guard writer != nil || !parts.isEmpty else { return }
        let hasPoints = writer != nil
        let writer: TableWriter
        if let open = self.writer { writer = open } else { writer = try beginWithTombstone(parts) }
        for part in parts { try writer.addRangeTombstone(part) }
        if !parts.isEmpty { writtenTombstones[number] = parts }
        let summary = try writer.finish()
        try file?.close()
        file = nil
        self.writer = nil
        let endsInPoint = hasPoints && lastKey.bytes.elementsEqual(summary.largestKey)
        tableBytes += summary.fileBytes
        finished.append(
            FileMetadata(
                number: number, uid: summary.uid, byteCount: summary.fileBytes,
                flushEpoch: options.flushEpoch, smallest: summary.smallestKey,
                largest: summary.largestKey, largestIsExclusive: !endsInPoint,
                minTimestamp: summary.minTimestamp, maxTimestamp: summary.maxTimestamp,
                entryCount: summary.entryCount, tombstoneCount: summary.tombstoneCount,
                rangeTombstoneCount: summary.rangeTombstoneCount, contentHash: summary.fileHash,
                keyID: summary.keyID, blobUses: blobs.takeUses(), garbage: summary.garbage))
    }

    /// A table of nothing but range tombstones.
    private func beginWithTombstone(_ parts: [RangeTombstone]) throws(StorageError) -> TableWriter {
        try begin(
            .ofKey(
                parts.first?.lower ?? [],
                catalogLimit: options.keyCatalogLimit ?? options.catalogLimit))
    }

    /// The parts of the tombstones between the last cut and this one.
    private func clipped(upperCut: [UInt8]?) -> [RangeTombstone] {
        guard !tombstones.isEmpty else { return [] }
        var parts: [RangeTombstone] = []
        for var tombstone in tombstones {
            if let lowerCut, KeyOrder.less(tombstone.lower, lowerCut) { tombstone.lower = lowerCut }
            if let upperCut, KeyOrder.less(upperCut, tombstone.upper) { tombstone.upper = upperCut }
            if KeyOrder.less(tombstone.lower, tombstone.upper) { parts.append(tombstone) }
        }
        return parts
    }
}
