import CFalconPlatform
import Glibc

/// The first bytes of a file, mapped for writing: a small write is then a copy into the page cache,
/// where `pwrite` costs a microsecond of system call (docs/design/mapped-log.md has the measurement).
///
/// What is written here is with the operating system as after ``File/write(_:at:)``: a killed process
/// loses none of it, ``File/syncData()`` brings it to the device and reports what could not be brought.
///
/// A store into a mapping cannot return an error: it kills the process (SIGBUS). So pages are first
/// asked for with MADV_POPULATE_WRITE, which can, some ahead of the writes; and only file systems that
/// overwrite blocks in place are mapped, where a page once writable needs no further room. What is
/// left is a file that somebody cuts short, or a device that fails to read back a page which the kernel
/// had dropped in between.
///
/// One thread at a time may write; ``letGo()`` may come beside it.
public final class FileMapping: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    /// Pages before this were made writable.
    private var populated = 0
    /// Pages before this were let go again: they are in the page cache alone.
    private var released = 0
    private var isUsable = true

    /// Pages asked for at a time: so many that the calls do not count, so few that the sync of a
    /// quiet log does not write much for nothing.
    private static let populateBytes = 256 << 10
    /// What is let go at a time: what is still mapped when a sync begins costs the writer a fault a page.
    private static let releaseBytes = 256 << 10

    /// Nil where the file system, the kernel or the address space does not allow it.
    init?(descriptor: Int32, byteCount: UInt64) {
        guard let count = Int(exactly: byteCount), count > 0,
            falcon_overwrites_in_place(descriptor),
            let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            base != MAP_FAILED
        else { return nil }
        self.base = base
        self.byteCount = count
    }

    deinit { munmap(base, byteCount) }

    /// Copies `bytes` to `offset`; false: nothing was written, ``File/write(_:at:)`` has to do it and
    /// will say what is wrong.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Bool {
        guard let source = bytes.baseAddress, isUsable, offset < UInt64(byteCount),
            UInt64(bytes.count) <= UInt64(byteCount) - offset
        else { return false }
        let start = Int(truncatingIfNeeded: offset)
        let end = start &+ bytes.count
        if end > populated, !populate(from: start, to: end) { return false }
        memcpy(base + start, source, bytes.count)
        return true
    }

    private func populate(from start: Int, to end: Int) -> Bool {
        let step = FileMapping.populateBytes
        let first = max(populated, start / step * step)
        let last = min(byteCount, (end + step - 1) / step * step)
        while falcon_populate_writable(base + first, last - first) != 0 {
            if errno == EINTR { continue }
            isUsable = false
            return false
        }
        populated = last
        release(before: start / Self.releaseBytes * Self.releaseBytes)
        return true
    }

    /// Takes all pages out of the mapping, for a sync that is about to begin: it write-protects each dirty page that
    /// is mapped, and interrupts every processor on which the process runs to do so, page by page, with the
    /// writer held up meanwhile. This does it once for all of them. The writer's next store to a page maps it again.
    /// What was written stays with the operating system.
    func letGo() { _ = madvise(base, byteCount, MADV_DONTNEED) }

    /// Takes written pages out of the mapping, as ``letGo()`` does.
    private func release(before end: Int) {
        guard end > released else { return }
        _ = madvise(base + released, end - released, MADV_DONTNEED)
        released = end
    }
}
