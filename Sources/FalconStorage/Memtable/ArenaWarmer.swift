import CFalconPlatform
import Glibc

/// Touches the pages of the active memtable's arena some way ahead of the writer, on a thread of its
/// own: the system clears a page when it is first touched, and commits would wait for that.
///
/// The thread starts with the first arena that is written far enough. Only a help: where the kernel
/// (before 5.14) cannot do it, or there is no thread, the writer touches the pages itself.
final class ArenaWarmer: @unchecked Sendable {
    /// Taken at a time, so that the arena of a memtable that stays small stays so.
    static let stepBytes = 4 << 20
    static let hugePageBytes = 2 << 20

    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var wanted: (@Sendable () -> Bool)?
    private var isStopping = false
    private var isUsable = true
    private var thread: WorkerThread?

    init() { changed = MonitorCondition(monitor) }

    /// Asks for the pages of `range`. What was asked for before and is not begun is given up.
    func warm(_ arena: Arena, _ range: Range<Int>) {
        ask { Self.touch(arena, range) }
    }

    /// Puts an arena whose first pages are there into an empty `pool`, for the next memtable: its first
    /// writes would wait for them.
    /// - Parameter limit: memtables are rotated there.
    func prepare(_ pool: ArenaPool, capacityBytes: Int, limit: Int) {
        ask {
            guard pool.isEmpty else { return true }
            let arena: Arena
            do throws(StorageError) {
                arena = try Arena(capacityBytes: capacityBytes, hugePages: true)
            } catch {
                // The memtable that needs one says so.
                return true
            }
            let count = min(Self.stepBytes, limit, arena.capacity)
            guard Self.touch(arena, 0..<count) else { return false }
            arena.noteTouched(count)
            pool.prepare(arena)
            return true
        }
    }

    /// Does `work` on the thread; false from it: the kernel cannot, and nothing is asked for any more.
    private func ask(_ work: @escaping @Sendable () -> Bool) {
        monitor.lock()
        defer { monitor.unlock() }
        guard isUsable, !isStopping else { return }
        wanted = work
        guard thread == nil else { return changed.signal() }
        do throws(StorageError) {
            thread = try WorkerThread(
                name: "falcon-warmer", niceness: WorkerThread.backgroundNiceness
            ) { [self] in run() }
        } catch {
            isUsable = false
            wanted = nil
        }
    }

    func stop() {
        monitor.lock()
        isStopping = true
        wanted = nil
        let thread = self.thread
        changed.broadcast()
        monitor.unlock()
        thread?.join()
    }

    private func run() {
        monitor.lock()
        while !isStopping {
            guard let work = wanted else {
                changed.wait()
                continue
            }
            wanted = nil
            monitor.unlock()
            let isDone = work()
            monitor.lock()
            if !isDone { isUsable = false }
        }
        monitor.unlock()
    }

    /// A huge page at a time: a thread that commits and waits for this one's processor goes first.
    private static func touch(_ arena: Arena, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(hugePageBytes - offset % hugePageBytes, range.upperBound - offset)
            if falcon_populate_writable(arena.base + offset, count) == 0 {
                offset += count
                sched_yield()
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
