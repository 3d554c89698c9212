/// Makes a table outside an engine, for ``StorageEngine/ingest(_:_:)``: the fastest way to load much
/// data, since it passes neither the log nor the memtables nor any compaction.
///
/// Keys come in strictly rising order. The entries have no timestamps: the engine gives the whole file
/// one when it is ingested. A range delete hides what the engine holds from before the ingestion, not
/// what is in the file.
///
/// Not thread-safe; several writers may run at once. A writer that is let go before ``finish()``
/// removes its file.
public final class SortedFileWriter {
    /// Where the file is written.
    public let path: String
    private let fileSystem: any FileSystem
    private let file: any File
    private let uid: UID
    private let table: TableOptions
    private let catalogLimit: UInt32
    /// Made with the first key, whose scope tells under which key the file is encrypted.
    private var writer: TableWriter?
    @exclusivity(unchecked) private var lastKey = RawBuffer()
    @exclusivity(unchecked) private var hasKey = false
    private var state = State.open

    private enum State {
        case open
        case finished
        /// A write failed, or the caller gave up: the file is gone.
        case abandoned
    }

    /// Creates the file at `path`, which must not exist.
    /// - Parameter options: block size, filter and ``EngineOptions/bottomCompression`` are taken from it.
    public init(
        path: String, options: EngineOptions = .init(), environment: StorageEnvironment
    ) throws(StorageError) {
        try options.validate()
        self.path = path
        fileSystem = environment.fileSystem
        uid = environment.random.nextUID()
        var table = options.tableOptions
        table.codec = options.bottomCompression
        table.isSortedFile = true
        self.table = table
        catalogLimit = options.catalogStorageLimit
        file = try fileSystem.open(path, .create)
    }

    @inline(__always)
    private func openWriter(_ key: UnsafeRawBufferPointer) throws(StorageError) -> TableWriter {
        if let writer { return writer }
        return try begin(key)
    }

    @inline(never)
    private func begin(_ key: UnsafeRawBufferPointer) throws(StorageError) -> TableWriter {
        let fresh = try TableWriter(
            file: file, uid: uid, options: table,
            cipher: try fileSystem.makeCipher(
                .table, .ofKey(key, catalogLimit: catalogLimit), uid: uid))
        writer = fresh
        return fresh
    }

    deinit {
        abandon()
        lastKey.deallocate()
    }

    /// About the size that the file has reached, in bytes: for cutting at a size.
    public var byteCount: UInt64 {
        writer?.estimatedFileBytes ?? UInt64(TableFormat.headerBytes)
    }

    /// Adds `key`, which must be greater than every key before; throws `invalid-argument` otherwise and
    /// changes nothing.
    public func put(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) throws(StorageError) { try add(.put, key, value) }

    /// Deletes `key`, in the same order as ``put(key:value:)``.
    public func delete(key: UnsafeRawBufferPointer) throws(StorageError) {
        try add(.delete, key, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Deletes what the engine holds of [lower, upper) when the file is ingested; in any order.
    public func deleteRange(
        lower: UnsafeRawBufferPointer, upper: UnsafeRawBufferPointer
    ) throws(StorageError) {
        try checkOpen()
        guard KeyOrder.compare(lower, upper) < 0 else {
            throw .invalidArgument("A range delete's lower bound must be less than its upper.")
        }
        let longest = max(lower.count, upper.count)
        guard longest <= ArenaEntry.maximumKeyBytes else {
            throw ArenaEntry.tooLong(key: longest)
        }
        try guarded { () throws(StorageError) in
            try openWriter(lower).addRangeTombstone(
                RangeTombstone(
                    lower: Array(lower), upper: Array(upper),
                    timestamp: TableProperties.sortedFileTimestamp))
        }
    }

    /// Ends the file and makes it durable, its name included. Nothing may be added afterwards.
    /// Throws `invalid-argument` when nothing was added; then, and after any other error, the file is
    /// gone.
    public func finish() throws(StorageError) -> SortedFile {
        try checkOpen()
        guard let writer, hasKey || writer.rangeTombstoneCount > 0 else {
            abandon()
            throw .invalidArgument("A sorted file needs at least one entry.")
        }
        var finished: TableSummary?
        try guarded { () throws(StorageError) in
            let summary = try writer.finish()
            try file.close()
            try fileSystem.syncDirectory(VFSPath.parent(of: path))
            finished = summary
        }
        guard let summary = finished else { throw Self.unusable(path) }
        state = .finished
        return SortedFile(
            path: path, uid: summary.uid, byteCount: summary.fileBytes,
            entryCount: summary.entryCount, tombstoneCount: summary.tombstoneCount,
            rangeTombstoneCount: summary.rangeTombstoneCount,
            smallestKey: summary.smallestKey, largestKey: summary.largestKey,
            largestIsExclusive: summary.largestIsExclusive, hash: summary.fileHash)
    }

    /// Gives up: the file is removed. Does nothing after ``finish()``.
    public func abandon() {
        guard state == .open else { return }
        state = .abandoned
        try? file.close()
        try? fileSystem.remove(path)
    }

    @inline(__always)
    private func add(
        _ kind: OperationKind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StorageError) {
        try checkOpen()
        guard key.count <= ArenaEntry.maximumKeyBytes, value.count <= ArenaEntry.maximumValueBytes
        else { throw ArenaEntry.tooLong(key: key.count, value: value.count) }
        if hasKey, KeyOrder.compare(key, lastKey.bytes) <= 0 {
            throw .invalidArgument(
                "Keys must come to a sorted file in strictly rising order.",
                hint: "Sort them first, and keep the newest of equal ones.")
        }
        do throws(StorageError) {
            try openWriter(key).add(
                key: key, timestamp: TableProperties.sortedFileTimestamp, kind: kind, value: value)
        } catch {
            abandon()
            throw error
        }
        lastKey.assign(key)
        hasKey = true
    }

    private func guarded(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        do throws(StorageError) { try body() } catch {
            abandon()
            throw error
        }
    }

    @inline(__always)
    private func checkOpen() throws(StorageError) {
        if state != .open { throw Self.unusable(path) }
    }

    private static func unusable(_ path: String) -> StorageError {
        StorageError(
            .invalidArgument, kind: .user, "The sorted file is finished or was given up.",
            location: .init(path: path), hint: "Make a new writer.")
    }
}
