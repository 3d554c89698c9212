import FalconStorage

/// To a file, each change exactly once: the cursor says how many bytes of the file count, and is stored
/// after they are on the device. A start cuts the file back to them.
///
/// A file that is full is renamed to `FILE.00000001` and so on, and is final then.
final class SinkOutput: ChangeOutput {
    private static let syncBytes: UInt64 = 8 << 20
    private static let bufferBytes = 256 << 10

    private let path: String
    private let fileSystem: any FileSystem
    private let cursorFile: CursorFile
    /// 0: one file.
    private let rotateBytes: UInt64
    /// Begins every file.
    private let header: [UInt8]
    private var file: any File
    /// Written to the file, the buffer's bytes not counted.
    private var written: UInt64 = 0
    private var buffer: [UInt8] = []
    private var storedBytes: UInt64 = 0
    /// A write or a sync failed. Another sync might succeed without what the failed one gave up, so nothing
    /// is stored any more: the next run begins at the cursor.
    private var isBroken = false

    private var length: UInt64 { written + UInt64(buffer.count) }

    /// Opens the sink at `path`, as an earlier run left it.
    init(
        _ path: String, _ cursorFile: CursorFile, _ fresh: StreamCursor, rotateBytes: UInt64,
        header: [UInt8], _ environment: StorageEnvironment
    ) throws(StorageError) {
        self.path = path
        self.cursorFile = cursorFile
        self.rotateBytes = rotateBytes
        self.header = header
        fileSystem = environment.fileSystem
        var cursor = cursorFile.stored ?? fresh
        if cursorFile.stored == nil {
            try Self.refuseForeign(path, fileSystem)
            // Of an earlier sink, whose cursor was removed.
            while try fileSystem.exists(Self.rotated(path, cursor.file)) { cursor.file += 1 }
            // Before the file has a byte: a file without a cursor is somebody else's.
            try cursorFile.store(cursor)
        } else {
            if try fileSystem.exists(Self.rotated(path, cursor.file)) {
                // The cursor's file was renamed, and the cursor of the next did not come about.
                cursor.file += 1
                cursor.byteCount = 0
            }
            // What is found may be in memory alone, where a sync failed: before it is built upon, it is made
            // durable once more.
            try fileSystem.syncDirectory(VFSPath.parent(of: path))
            try cursorFile.store(cursor, again: true)
        }
        file = try Self.open(path, cursor, fileSystem)
        super.init(cursor, clock: environment.clock)
        written = cursor.byteCount
        storedBytes = written
        buffer.reserveCapacity(Self.bufferBytes)
    }

    private static func rotated(_ path: String, _ number: UInt64) -> String {
        let digits = String(number)
        return path + "." + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private static func refuseForeign(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard try fileSystem.exists(path), try fileSystem.fileSize(path) > 0 else { return }
        throw StorageError(
            .alreadyExists, kind: .user,
            "There is a file already, and no cursor beside it.", location: .init(path: path),
            hint: "Name another file for the sink, or remove this one.")
    }

    private static func open(
        _ path: String, _ cursor: StreamCursor, _ fileSystem: any FileSystem
    ) throws(StorageError) -> any File {
        let isThere = try fileSystem.exists(path)
        let file = try fileSystem.open(path, .createIfMissing)
        let size = try file.size()
        guard size >= cursor.byteCount else {
            throw StorageError(
                .corruption, kind: .user,
                "The sink has \(size) bytes, and its cursor says that \(cursor.byteCount) were "
                    + "written and synced.", location: .init(path: path),
                hint: "Somebody changed the file. Remove it and its cursor to start over.")
        }
        if size > cursor.byteCount {
            try file.truncate(to: cursor.byteCount)
            try file.syncData()
        }
        if !isThere { try fileSystem.syncDirectory(VFSPath.parent(of: path)) }
        return file
    }

    // MARK: Writing

    override func write(_ line: [UInt8]) throws(StorageError) {
        if length == 0 { buffer += header }
        buffer += line
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    private func flush() throws(StorageError) {
        guard !buffer.isEmpty else { return }
        isBroken = true
        try file.write(buffer, at: written)
        isBroken = false
        written += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    override func boundary(_ end: LSN) throws(StorageError) {
        try super.boundary(end)
        cursor.byteCount = length
        if rotateBytes > 0, length >= rotateBytes {
            try rotate()
        } else if length - storedBytes >= Self.syncBytes || isDue() {
            try store()
        }
    }

    override func settle(isLast: Bool) throws(StorageError) {
        // Without new lines the cursor may lag: what it does not say is found hidden again.
        if length > storedBytes || isLast || isDue() { try store() }
    }

    private func store() throws(StorageError) {
        guard cursor != cursorFile.stored, !isBroken else { return }
        try flush()
        isBroken = true
        if written > storedBytes { try file.syncData() }
        try cursorFile.store(cursor)
        storedBytes = cursor.byteCount
        isBroken = false
    }

    private func rotate() throws(StorageError) {
        try store()
        isBroken = true
        try file.close()
        try fileSystem.rename(path, to: Self.rotated(path, cursor.file))
        try fileSystem.syncDirectory(VFSPath.parent(of: path))
        cursor.file += 1
        cursor.byteCount = 0
        written = 0
        storedBytes = 0
        file = try Self.open(path, cursor, fileSystem)
        try cursorFile.store(cursor)
        isBroken = false
    }
}
