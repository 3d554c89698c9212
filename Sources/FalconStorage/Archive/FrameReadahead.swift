/// Threads that prove and unpack the next frames of archived segments while those before them are used.
///
/// Who reads a segment in order finds the next frame ready; each segment has at most ``depth`` of them waiting.
final class FrameReadahead: Sendable {
    private let work: FrameWork
    private let threads: [WorkerThread]
    /// Frames that are unpacked before anybody asks for them.
    private let depth: Int

    /// Throws when the system has no thread at all left.
    init(threads count: Int) throws(StorageError) {
        let work = FrameWork()
        var threads: [WorkerThread] = []
        for _ in 0..<max(1, count) {
            do throws(StorageError) {
                threads.append(try WorkerThread(name: "falcon-unpack") { work.run() })
            } catch  where !threads.isEmpty {
                break  // those that there are do it all
            }
        }
        self.work = work
        self.threads = threads
        depth = 2 * threads.count
    }

    deinit {
        work.end()
        for thread in threads { thread.join() }
    }

    /// What `frames` are asked for through. It does not keep the threads: without them it reads by itself.
    func queue(of frames: ArchivedFrames) -> Queue { Queue(frames, work, depth: depth) }

    /// The frames of one segment.
    final class Queue: Sendable {
        private let frames: ArchivedFrames
        private let work: FrameWork
        private let depth: Int

        fileprivate init(_ frames: ArchivedFrames, _ work: FrameWork, depth: Int) {
            self.frames = frames
            self.work = work
            self.depth = depth
        }

        /// The bytes of a frame, and has those behind it unpacked.
        func take(_ index: Int) throws(StorageError) -> [UInt8] {
            let last = min(index + depth, frames.count - 1)
            guard index < last, let result = work.take(index, through: last, frames) else {
                return try frames.read(index)
            }
            return try result.get()
        }

        /// Waits for frames that are being read, and forgets the others: the file is closed next.
        func end() { work.drop(frames) }
    }
}

/// Frames that are wanted, and those that are ready.
private final class FrameWork: @unchecked Sendable {
    private enum Slot {
        case waiting
        case reading
        case ready(Result<[UInt8], StorageError>)
    }
    private struct Place: Hashable {
        let file: ObjectIdentifier
        let index: Int
    }

    private let monitor = Monitor()
    private let wanted: MonitorCondition
    private let finished: MonitorCondition
    // Under `monitor`.
    private var slots: [Place: Slot] = [:]
    private var queue: [(frames: ArchivedFrames, place: Place)] = []
    private var isEnding = false

    init() {
        wanted = MonitorCondition(monitor)
        finished = MonitorCondition(monitor)
    }

    func run() {
        monitor.lock()
        while !isEnding {
            if queue.isEmpty {
                wanted.wait()
                continue
            }
            let (frames, place) = queue.removeFirst()
            guard case .waiting? = slots[place] else { continue }
            slots[place] = .reading
            monitor.unlock()
            let result: Result<[UInt8], StorageError>
            do throws(StorageError) {
                result = .success(try frames.read(place.index))
            } catch {
                result = .failure(error)
            }
            monitor.lock()
            slots[place] = .ready(result)
            finished.broadcast()
        }
        monitor.unlock()
    }

    func end() {
        monitor.locked {
            isEnding = true
            wanted.broadcast()
            finished.broadcast()
        }
    }

    /// The frame at `index`; those up to `last` are wanted soon. Nil: nobody reads any more.
    func take(
        _ index: Int, through last: Int, _ frames: ArchivedFrames
    ) -> Result<[UInt8], StorageError>? {
        let file = ObjectIdentifier(frames)
        monitor.lock()
        defer { monitor.unlock() }
        forget(file) { $0 < index || $0 > last }
        for next in index...last {
            let place = Place(file: file, index: next)
            if slots[place] != nil { continue }
            slots[place] = .waiting
            queue.append((frames, place))
        }
        wanted.broadcast()
        let place = Place(file: file, index: index)
        while !isEnding {
            if case .ready(let result)? = slots[place] {
                slots[place] = nil
                return result
            }
            finished.wait()
        }
        return nil
    }

    /// Forgets the frames of a file, and waits for those that are being read.
    func drop(_ frames: ArchivedFrames) {
        let file = ObjectIdentifier(frames)
        monitor.lock()
        defer { monitor.unlock() }
        queue.removeAll { $0.place.file == file }
        forget(file) { _ in true }
        // A thread that is ended meanwhile finishes the one that it reads.
        while slots.keys.contains(where: { $0.file == file }) {
            finished.wait()
            forget(file) { _ in true }
        }
    }

    /// What is being read stays until it is.
    private func forget(_ file: ObjectIdentifier, where isPassed: (Int) -> Bool) {
        let passed = slots.filter { place, slot in
            if case .reading = slot { return false }
            return place.file == file && isPassed(place.index)
        }
        for place in passed.keys { slots[place] = nil }
    }
}
