import CFalconPlatform
import Glibc
import Synchronization

/// An open file descriptor. EINTR and short transfers are retried.
public final class PosixFile: File {
    public let path: String
    private let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)

    init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if !isClosed.load(ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard let base = buffer.baseAddress, let start = Int(exactly: offset) else { return 0 }
        var done = 0
        while done < buffer.count {
            let got = pread(descriptor, base + done, buffer.count - done, start + done)
            if got < 0 {
                if errno == EINTR { continue }
                throw .posix(errno, "pread", path: path, offset: offset)
            }
            if got == 0 { break }
            done += got
        }
        return done
    }

    public func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        guard let base = buffer.baseAddress, let start = Int(exactly: offset) else { return 0 }
        let got = falcon_pread_nowait(descriptor, base, buffer.count, Int64(start))
        if got == buffer.count { return got }
        if got < 0 {
            switch errno {
            case EAGAIN, EINTR: return nil
            case EOPNOTSUPP, ENOSYS: return try read(into: buffer, at: offset)
            default: throw .posix(errno, "preadv2", path: path, offset: offset)
            }
        }
        // A short answer is the end of the file or the edge of what is cached: only a blocking
        // read can tell, unless nothing was asked beyond the end.
        let size = try size()
        return offset + UInt64(got) >= size ? got : nil
    }

    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        guard let base = bytes.baseAddress else { return }
        guard let start = Int(exactly: offset) else {
            throw .invalidArgument("A write offset is beyond the largest file size.")
        }
        var done = 0
        while done < bytes.count {
            let put = pwrite(descriptor, base + done, bytes.count - done, start + done)
            if put < 0 {
                if errno == EINTR { continue }
                throw .posix(errno, "pwrite", path: path, offset: offset)
            }
            if put == 0 { throw .posix(EIO, "pwrite", path: path, offset: offset) }
            done += put
        }
    }

    public func syncData() throws(StorageError) {
        // Never repeated after an error other than EINTR: a second call may report success for
        // pages that the kernel has dropped.
        while fdatasync(descriptor) != 0 {
            if errno == EINTR { continue }
            throw .posix(errno, "fdatasync", path: path)
        }
    }

    public func startWriteback(from offset: UInt64, byteCount: UInt64) {
        // Advice: what fails here is tried again, and reported, by the sync.
        _ = falcon_start_writeback(
            descriptor, Int64(clamping: offset), Int64(clamping: byteCount))
    }

    public func size() throws(StorageError) -> UInt64 {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw .posix(errno, "fstat", path: path) }
        return UInt64(max(0, info.st_size))
    }

    public func truncate(to size: UInt64) throws(StorageError) {
        guard let size = Int(exactly: size) else {
            throw .invalidArgument("A size is beyond the largest file size.")
        }
        while ftruncate(descriptor, size) != 0 {
            if errno == EINTR { continue }
            throw .posix(errno, "ftruncate", path: path)
        }
    }

    public func allocate(to size: UInt64) throws(StorageError) {
        guard let size = Int(exactly: size) else {
            throw .invalidArgument("A size is beyond the largest file size.")
        }
        while true {
            let code = posix_fallocate(descriptor, 0, size)
            if code == 0 || code == EOPNOTSUPP || code == EINVAL { return }
            if code == EINTR { continue }
            throw .posix(code, "posix_fallocate", path: path)
        }
    }

    public func mapForWrites(byteCount: UInt64) -> FileMapping? {
        FileMapping(descriptor: descriptor, byteCount: byteCount)
    }

    public func close() throws(StorageError) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // EINTR still closes on Linux: a retry could close somebody else's descriptor.
        if Glibc.close(descriptor) != 0, errno != EINTR { throw .posix(errno, "close", path: path) }
    }
}
