import Glibc
import Synchronization

/// A file that is read only, and that its ``FilePool`` may close while nobody reads it; the next reader
/// opens it again. A read of an open file takes no lock: it counts itself in one word.
///
/// The word:
///
///     bits 0..<32   readers at the moment
///     bit 62        the pool is taking the open file away
///     bit 63        the file is open
///
/// Only a word of "open, no readers" becomes "taking": a reader that counted itself in finds the file
/// open until it is done, or not open at all. Who finds it so takes itself out again and opens the file
/// under a lock.
final class PooledFile: File, @unchecked Sendable {
    private static let isOpen: UInt64 = 1 << 63
    private static let isTaken: UInt64 = 1 << 62

    let path: String
    private let pool: FilePool
    private let word = Atomic<UInt64>(0)
    private let read = Atomic<Bool>(false)
    private let opening = Mutex<Bool>(false)
    /// Changed by whom the word has made the only one to touch it.
    @exclusivity(unchecked) private var file: (any File)?
    /// Where the pool has it, or -1. Guarded by the pool.
    @exclusivity(unchecked) var place = -1

    init(path: String, pool: FilePool) {
        self.path = path
        self.pool = pool
    }

    deinit {
        pool.remove(self)
        try? file?.close()
    }

    func openFirst() throws(StorageError) {
        _ = try open()
        leave()
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        let file = try enter()
        defer { leave() }
        return try file.read(into: buffer, at: offset)
    }

    /// Opening may wait for the device, too.
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        guard let file = enterIfOpen() else { return nil }
        defer { leave() }
        return try file.readCached(into: buffer, at: offset)
    }

    func size() throws(StorageError) -> UInt64 {
        let file = try enter()
        defer { leave() }
        return try file.size()
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        throw readOnly
    }
    func syncData() throws(StorageError) { throw readOnly }
    func truncate(to size: UInt64) throws(StorageError) { throw readOnly }
    func allocate(to size: UInt64) throws(StorageError) { throw readOnly }

    private var readOnly: StorageError {
        StorageError(
            .internalError, kind: .bug, "A data file that is open for reading was to be written.",
            location: .init(path: path))
    }

    /// Nobody may read the file any more, nor be reading it.
    func close() throws(StorageError) {
        let wasClosed = opening.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        if wasClosed { return }
        pool.remove(self)
        guard let open = takeOpenFile() else { return }
        try open.close()
    }

    // MARK: - Readers

    @inline(__always)
    private func enter() throws(StorageError) -> any File {
        if let file = enterIfOpen() { return file }
        return try reopen()
    }

    @inline(__always)
    private func enterIfOpen() -> (any File)? {
        let before = word.wrappingAdd(1, ordering: .acquiring).oldValue
        if before & Self.isOpen != 0, let file {
            if !read.load(ordering: .relaxed) { read.store(true, ordering: .relaxed) }
            return file
        }
        leave()
        return nil
    }

    @inline(__always)
    private func leave() { word.wrappingSubtract(1, ordering: .releasing) }

    /// A file that was there and is gone is damage of the directory.
    private func reopen() throws(StorageError) -> any File {
        do throws(StorageError) {
            return try open()
        } catch  where error.code == .notFound {
            throw .corruption(
                "The manifest names a file that is missing.", path: path,
                hint: "Restore it from a backup; sst-verify lists what it held.")
        }
    }

    /// Opens the file, unless somebody else has meanwhile, and counts the caller in.
    private func open() throws(StorageError) -> any File {
        var result: Result<any File, StorageError>?
        let mine = Unmanaged.passUnretained(self)
        opening.withLock { isClosed in
            let this = mine.takeUnretainedValue()
            if isClosed {
                result = .failure(
                    StorageError(
                        .closed, kind: .user, "The data file is closed.",
                        location: .init(path: this.path)))
                return
            }
            if let file = this.enterIfOpen() {
                result = .success(file)
                return
            }
            do throws(StorageError) {
                let file = try this.pool.openForReading(this.path)
                // Whoever took the last one has it in a few instructions.
                while this.word.load(ordering: .acquiring) & Self.isTaken != 0 { sched_yield() }
                this.file = file
                this.word.wrappingAdd(Self.isOpen + 1, ordering: .acquiringAndReleasing)
                this.pool.add(this)
                result = .success(file)
            } catch {
                result = .failure(error)
            }
        }
        guard let result else {
            throw StorageError(.internalError, kind: .bug, "A data file's open did not end.")
        }
        return try result.get()
    }

    // MARK: - The pool

    /// Whether it was read since the last call.
    func wasRead() -> Bool { read.exchange(false, ordering: .relaxed) }

    /// Takes the open file away unless somebody is reading it.
    func takeOpenFile() -> (any File)? {
        guard
            word.compareExchange(
                expected: Self.isOpen, desired: Self.isTaken, ordering: .acquiringAndReleasing
            ).exchanged
        else { return nil }
        let taken = file
        file = nil
        word.wrappingSubtract(Self.isTaken, ordering: .releasing)
        return taken
    }
}
