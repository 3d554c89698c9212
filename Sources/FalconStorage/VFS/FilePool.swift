import Glibc
import Synchronization

/// Keeps the data files of one engine open for reading, not more than a limit at a time: those beyond
/// it are closed, and opened again when somebody reads them. Thread-safe.
///
/// A CLOCK: a file that was read since the hand last passed is passed once more. The limit is exceeded
/// only by files that are being read at the very moment, at most one for each thread.
final class FilePool: Sendable {
    fileprivate struct Ring {
        /// Kept alive by their owners; each leaves in its `deinit`.
        var files: [Unmanaged<PooledFile>] = []
        /// Files that are about to be opened.
        var arriving = 0
        var hand = 0
    }
    let limit: Int
    let fileSystem: any FileSystem
    private let ring = Mutex(Ring())

    /// - Parameter limit: `Int.max`: no file is closed before its owner lets it go.
    init(_ fileSystem: any FileSystem, limit: Int) {
        self.fileSystem = fileSystem
        self.limit = max(1, limit)
    }

    /// How many data files one engine keeps open where the process may have `limit` descriptors: a quarter,
    /// and never the 96 that the log, MANIFEST, what is being written and some sockets need, but 8 at least.
    static func share(of limit: Int) -> Int {
        if limit == .max { return .max }
        return max(8, min(limit / 4, limit - 96))
    }

    /// Files that are open.
    var openCount: Int { ring.withLock { $0.files.count } }

    /// Opens `path` for reading; it must exist.
    func open(_ path: String) throws(StorageError) -> PooledFile {
        let file = PooledFile(path: path, pool: self)
        try file.openFirst()
        return file
    }

    /// Creates `path`, making room for it where the process has no descriptor left, unless the pool has no
    /// limit.
    func create(_ path: String) throws(StorageError) -> any File {
        do throws(StorageError) {
            return try fileSystem.open(path, .create)
        } catch  where error.isOutOfDescriptors {
            guard evict(16) > 0 else { throw error }
            return try fileSystem.open(path, .create)
        }
    }

    // MARK: - For the files

    /// Opens the file itself, after others have made room.
    func openForReading(_ path: String) throws(StorageError) -> any File {
        let victims = ring.withLock { ring in
            ring.arriving += 1
            var victims: [Victim] = []
            while ring.files.count + ring.arriving > limit, let victim = ring.takeVictim() {
                victims.append(victim)
            }
            return victims
        }
        for victim in victims { victim.close() }
        do throws(StorageError) {
            do throws(StorageError) {
                return try fileSystem.open(path, .read)
            } catch  where error.isOutOfDescriptors {
                guard evict(16) > 0 else { throw error }
                return try fileSystem.open(path, .read)
            }
        } catch {
            ring.withLock { $0.arriving -= 1 }
            throw error
        }
    }

    /// A file for which ``openForReading(_:)`` has succeeded is open from here on.
    func add(_ file: PooledFile) {
        let reference = Unmanaged.passUnretained(file)
        ring.withLock { ring in
            ring.arriving -= 1
            reference._withUnsafeGuaranteedRef { $0.place = ring.files.count }
            ring.files.append(reference)
        }
    }

    /// The file is being closed by its owner.
    func remove(_ file: PooledFile) {
        let reference = Unmanaged.passUnretained(file)
        ring.withLock { ring in
            let place = reference._withUnsafeGuaranteedRef { $0.place }
            if place >= 0 { ring.remove(place) }
        }
    }

    /// Closes up to `count` files that nobody is reading; how many. None without a limit: their names may be
    /// gone.
    func evict(_ count: Int) -> Int {
        guard limit != .max else { return 0 }
        let victims = ring.withLock { ring in
            var victims: [Victim] = []
            while victims.count < count, let victim = ring.takeVictim() { victims.append(victim) }
            return victims
        }
        for victim in victims { victim.close() }
        return victims.count
    }

    /// An open file that was taken from its ``PooledFile``.
    fileprivate struct Victim: Sendable {
        var file: any File

        /// What was only read has nothing that a failing close could lose.
        func close() { try? file.close() }
    }
}

extension FilePool.Ring {
    /// The file is not in the ring any more.
    mutating func remove(_ place: Int) {
        guard place < files.count else { return }
        files[place]._withUnsafeGuaranteedRef { $0.place = -1 }
        let last = files.removeLast()
        guard place < files.count else { return }
        files[place] = last
        last._withUnsafeGuaranteedRef { $0.place = place }
    }

    /// Takes the open file from the first that was not read since the hand last passed; nil when all are
    /// being read.
    fileprivate mutating func takeVictim() -> FilePool.Victim? {
        var steps = files.count * 2
        while steps > 0, !files.isEmpty {
            steps -= 1
            if hand >= files.count { hand = 0 }
            let file = files[hand]
            if file._withUnsafeGuaranteedRef({ $0.wasRead() }) {
                hand += 1
                continue
            }
            if let open = file._withUnsafeGuaranteedRef({ $0.takeOpenFile() }) {
                remove(hand)
                return FilePool.Victim(file: open)
            }
            hand += 1
        }
        return nil
    }
}

extension StorageError {
    /// The process, or the system, has no file descriptor left.
    var isOutOfDescriptors: Bool { errno == EMFILE || errno == ENFILE }
}
