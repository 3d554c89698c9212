/// Where the large values of one flush or compaction go: decides which leave their table, writes the
/// blob files, moves live values out of files that are being collected, and counts what each table
/// refers to. For one thread.
final class BlobOutput {
    struct Options {
        /// Values of so many bytes leave their table; `Int.max`: none does.
        var thresholdBytes = Int.max
        /// Bytes at which a blob file is cut.
        var targetBytes: UInt64 = 64 << 20
        var codec = BlockCodec.lz4
        /// Where references that come in lead to.
        var source = BlobFiles.none
        /// Files whose values are moved, by number.
        var collected: [UInt64] = []
        /// Bytes of records that may be moved; the rest stays for another time.
        var moveLimitBytes: UInt64 = 256 << 20
        /// As for the tables of the same job.
        var pacing: WritePacing?
        /// See ``EngineOptions/catalogStorageLimit``: an encrypted file has values of one scope.
        var catalogLimit: UInt32 = 0
        /// Told of damage that was met; the job goes on.
        var noteDamage: (StorageError) -> Void = { _ in }

        init() {}

        /// What `options` ask for, with the codec of the tables.
        init(_ options: EngineOptions, codec: BlockCodec) {
            if options.blobThresholdBytes > 0 { thresholdBytes = options.blobThresholdBytes }
            targetBytes = UInt64(options.targetFileBytes)
            self.codec = codec
        }
    }

    private let store: TableStore
    private let random: any StorageRandom
    private let allocateNumber: () -> FileNumber
    private let options: Options
    /// Compared for every entry; the size alone decides for nearly all.
    @exclusivity(unchecked) private(set) var thresholdBytes: Int
    private var writer: BlobWriter?
    private let isSealing: Bool
    /// Of the values in the open file.
    private var scope = KeyScope.shared
    private var file: (any File)?
    private var uses = BlobUseCounter()
    private var pin = BlockPin()
    private let reference: UnsafeMutableRawPointer
    private(set) var finished: [FileMetadata] = []
    private(set) var writtenBytes: UInt64 = 0
    private(set) var movedBytes: UInt64 = 0

    init(
        store: TableStore, options: Options, random: any StorageRandom,
        allocateNumber: @escaping () -> FileNumber
    ) {
        self.store = store
        self.options = options
        self.random = random
        self.allocateNumber = allocateNumber
        thresholdBytes = options.thresholdBytes
        isSealing = store.fileSystem.keys?.ring.isSealing ?? false
        reference = .allocate(byteCount: BlobReference.byteCount, alignment: 8)
    }

    deinit { reference.deallocate() }

    /// Whether ``place(key:kind:value:)`` has a say in an entry.
    @inline(__always)
    func concerns(_ kind: OperationKind, _ valueBytes: Int) -> Bool {
        kind == .valueReference || (valueBytes >= thresholdBytes && kind == .put)
    }

    /// What the table is to hold of `value`: a reference to where it was put, a reference as it came,
    /// or the value itself. Lives until the next call.
    func place(
        key: UnsafeRawBufferPointer, kind: inout OperationKind, value: UnsafeRawBufferPointer
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        var value = value
        if kind == .valueReference {
            guard let found = BlobReference(value) else { throw BlobFiles.malformed }
            guard let moved = try takeOut(found, key) else {
                uses.count(found)
                return value
            }
            movedBytes &+= UInt64(found.recordBytes)
            value = moved
        }
        guard value.count >= thresholdBytes, value.count <= BlobFormat.largestValueBytes else {
            kind = .put
            return value
        }
        if isSealing { try enter(.ofKey(key, catalogLimit: options.catalogLimit)) }
        let placed = try openWriter().add(key: key, value: value)
        uses.count(placed)
        placed.store(to: reference)
        kind = .valueReference
        if let writer, writer.byteCount >= options.targetBytes { try finishFile() }
        return UnsafeRawBufferPointer(start: reference, count: BlobReference.byteCount)
    }

    /// The value of a record that is to be moved; nil: it stays where it is.
    private func takeOut(
        _ found: BlobReference, _ key: UnsafeRawBufferPointer
    ) throws(StorageError) -> UnsafeRawBufferPointer? {
        guard !options.collected.isEmpty, movedBytes < options.moveLimitBytes,
            options.collected.contains(sorted: found.file)
        else { return nil }
        do throws(StorageError) {
            return try options.source.value(found, of: key, &pin, fillCache: false)
        } catch  where error.code == .corruption || error.code == .io {
            // What cannot be read stays where it is, and its reference as it was: it must keep the tables
            // from being compacted no more than it may be lost.
            if error.code == .io {
                options.source.file(FileNumber(found.file))?.rest()
            } else {
                options.noteDamage(error)
            }
            return nil
        }
    }

    /// What the table that was filled since the last call refers to.
    func takeUses() -> [BlobUse] { uses.take() }

    /// Values of another scope go into another file.
    private func enter(_ next: KeyScope) throws(StorageError) {
        if next == scope { return }
        try finishFile()
        scope = next
    }

    private func openWriter() throws(StorageError) -> BlobWriter {
        if let writer { return writer }
        let number = allocateNumber()
        let uid = random.nextUID()
        let cipher = try store.fileSystem.makeCipher(.blob, scope, uid: uid)
        var file = try store.files.create(store.names.blob(number))
        if let pacing = options.pacing { file = PacedFile(file, pacing) }
        let writer = BlobWriter(
            file: file, number: number, uid: uid, codec: options.codec, cipher: cipher)
        self.file = file
        self.writer = writer
        return writer
    }

    private func finishFile() throws(StorageError) {
        guard let writer else { return }
        let metadata = FileMetadata(blob: try writer.finish())
        try file?.close()
        file = nil
        self.writer = nil
        writtenBytes &+= metadata.byteCount
        finished.append(metadata)
    }

    /// Ends the last file. The caller makes the names durable.
    func finish() throws(StorageError) -> [FileMetadata] {
        try finishFile()
        return finished
    }

    /// Removes everything that was written.
    func abandon() {
        if let writer {
            try? file?.close()
            try? store.fileSystem.remove(store.names.blob(writer.number))
        }
        writer = nil
        file = nil
        for metadata in finished {
            try? store.fileSystem.remove(store.names.blob(metadata.number))
        }
        finished = []
    }
}

extension Array where Element: Comparable {
    /// Whether a sorted array has `element`.
    func contains(sorted element: Element) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == element
    }
}
