import Synchronization

/// Pieces of work that several threads do, and whose results are taken in the order of the pieces, by the
/// thread that waits for them.
public final class OrderedWork<Result: Sendable>: @unchecked Sendable {
    /// Does the piece of that number. Each thread has one of its own.
    public typealias Worker = (Int) -> Result

    private static var lookNanos: UInt64 { 100_000_000 }

    private let monitor = Monitor()
    private let finished: MonitorCondition
    /// By piece, under `monitor`: done and not yet taken.
    private var results: [Result?]
    private let count: Int
    private let next = Atomic<Int>(0)
    private let isEnding = Atomic<Bool>(false)
    private let makeWorker: @Sendable () -> Worker

    private init(_ count: Int, _ makeWorker: @escaping @Sendable () -> Worker) {
        self.count = count
        finished = MonitorCondition(monitor)
        results = Array(repeating: nil, count: count)
        self.makeWorker = makeWorker
    }

    /// Returns when all pieces were taken, or `take` or `idle` said false: pieces that were begun are then
    /// still finished.
    /// - Parameters:
    ///   - name: of the threads.
    ///   - makeWorker: called once on each thread.
    ///   - idle: called several times a second while the next piece is not done.
    ///   - take: gets each result, in order.
    public static func run(
        _ count: Int, threads: Int, name: String = "falcon-verify",
        makeWorker: @escaping @Sendable () -> Worker,
        idle: () -> Bool, take: (Int, Result) -> Bool
    ) throws(StorageError) {
        guard count > 0 else { return }
        let work = OrderedWork(count, makeWorker)
        var pool: [WorkerThread] = []
        defer {
            work.isEnding.store(true, ordering: .relaxed)
            for thread in pool { thread.join() }
        }
        for _ in 0..<max(1, min(threads, count)) {
            do throws(StorageError) {
                pool.append(try WorkerThread(name: name) { work.runThread() })
            } catch  where !pool.isEmpty {
                break  // those that there are do it all
            }
        }
        for index in 0..<count {
            guard let result = work.wait(for: index, idle), take(index, result) else { return }
        }
    }

    private func runThread() {
        let worker = makeWorker()
        while !isEnding.load(ordering: .relaxed) {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            let result = worker(index)
            monitor.locked { results[index] = result }
            finished.signal()
        }
    }

    private func wait(for index: Int, _ idle: () -> Bool) -> Result? {
        while true {
            monitor.lock()
            if results[index] == nil { _ = finished.wait(nanos: Self.lookNanos) }
            let result = results[index].take()
            monitor.unlock()
            if let result { return result }
            if !idle() { return nil }
        }
    }
}
