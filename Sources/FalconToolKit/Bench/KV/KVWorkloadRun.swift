import FalconStorage
import Synchronization

/// One workload on all its threads.
final class KVWorkloadRun: @unchecked Sendable {
    private let workload: KVWorkload
    private let options: KVBenchSettings
    private let engine: StorageEngine
    private let environment: StorageEnvironment
    /// The thread of this index is not measured: it writes while others read.
    private let helperIndex: Int
    private let readersLeft: Atomic<Int>

    init(
        _ workload: KVWorkload, _ options: KVBenchSettings, _ engine: StorageEngine,
        _ environment: StorageEnvironment, helperIndex: Int
    ) {
        self.workload = workload
        self.options = options
        self.engine = engine
        self.environment = environment
        self.helperIndex = helperIndex
        readersLeft = Atomic(options.threads)
    }

    func finished(_ thread: BenchThread) {
        if thread.index != helperIndex { readersLeft.wrappingSubtract(1, ordering: .relaxed) }
    }

    func body(_ thread: BenchThread) throws(StorageError) {
        switch workload.kind {
        case .fillSequential: try write(thread, options.writeCount, isRandom: false)
        case .fillRandom, .overwrite: try write(thread, options.writeCount, isRandom: true)
        case .fillSync:
            try write(thread, options.syncedWriteCount, isRandom: true, durability: .synced)
        case .deleteRandom: try delete(thread)
        case .readRandom: try read(thread, isMissing: false)
        case .readMissing: try read(thread, isMissing: true)
        case .multiReadRandom: try multiRead(thread)
        case .readSequential: try scan(thread, isReverse: false)
        case .readReverse: try scan(thread, isReverse: true)
        case .seekRandom: try seek(thread)
        case .readWhileWriting:
            if thread.index == helperIndex {
                try writeUntilReadersEnd(thread)
            } else {
                try read(thread, isMissing: false)
            }
        case .ingest: try ingest(thread)
        case .flush:
            try engine.flush()
            thread.finished(1, bytes: 0)
        case .compact:
            try engine.compact()
            thread.finished(1, bytes: 0)
        case .waitForCompaction:
            try engine.awaitIdle()
            thread.finished(1, bytes: 0)
        case .open, .replay, .replayFlush, .stats: break
        }
    }

    private func commitOptions(_ durability: Durability?) -> CommitOptions {
        CommitOptions(durability: durability ?? options.durability)
    }

    private func write(
        _ thread: BenchThread, _ count: Int, isRandom: Bool, durability: Durability? = nil
    ) throws(StorageError) {
        let commit = commitOptions(durability)
        let batch = WriteBatch()
        let size = options.keySize + options.valueSize
        var next: UInt64 = 0
        let bytes = size * options.batchSize
        // A share below one would be no limit at all.
        let share =
            options.writeRateLimit > 0 ? max(1, options.writeRateLimit / options.threads) : 0
        var limit = WriteRateLimit(share, thread)
        var loop = thread.repeats((count + options.batchSize - 1) / options.batchSize)
        while loop.next() {
            limit.wait(for: bytes, thread)
            for _ in 0..<options.batchSize {
                let number = isRandom ? thread.randomNumber() : next
                next &+= 1
                try batch.put(key: thread.key(number), value: thread.value())
            }
            _ = try engine.commitAndWait(batch, commit)
            batch.removeAll()
            thread.finished(options.batchSize, bytes: bytes)
        }
    }

    /// The keys in order, by sorted files: the first thread makes and ingests them all.
    private func ingest(_ thread: BenchThread) throws(StorageError) {
        guard thread.index == 0 else { return }
        var files: [String] = []
        var writer: SortedFileWriter?
        for number in 0..<options.writeCount {
            if let full = writer, full.byteCount >= UInt64(engine.options.targetFileBytes) {
                _ = try full.finish()
                writer = nil
            }
            if writer == nil {
                files.append(engine.path + "/sorted-\(files.count).tmp")
                writer = try engine.makeSortedFileWriter(path: files[files.count - 1])
            }
            let (key, value) = (thread.key(UInt64(number)), thread.value())
            try writer?.put(key: key, value: value)
            thread.finished(1, bytes: key.count + value.count)
        }
        _ = try writer?.finish()
        try engine.ingest(files, IngestOptions(transfer: .move))
    }

    private func delete(_ thread: BenchThread) throws(StorageError) {
        let commit = commitOptions(nil)
        let batch = WriteBatch()
        var loop = thread.repeats((options.num + options.batchSize - 1) / options.batchSize)
        while loop.next() {
            for _ in 0..<options.batchSize {
                try batch.delete(key: thread.key(thread.randomNumber()))
            }
            _ = try engine.commitAndWait(batch, commit)
            batch.removeAll()
            thread.finished(options.batchSize, bytes: 0)
        }
    }

    private func read(_ thread: BenchThread, isMissing: Bool) throws(StorageError) {
        var found: UInt64 = 0
        var asked: UInt64 = 0
        defer { (thread.found, thread.asked) = (found, asked) }
        var loop = thread.repeats(options.readCount)
        while loop.next() {
            asked &+= 1
            var key = thread.key(thread.randomNumber())
            if isMissing {
                // One byte more than any key that was written, as db_bench does it.
                key = thread.missingKey(key)
            }
            let size = try engine.withValue(key, at: engine.publishedTimestamp) { value, _ in
                value.count
            }
            if let size {
                found &+= 1
                thread.finished(1, bytes: key.count + size)
            } else {
                thread.finished(1, bytes: 0)
            }
        }
    }

    private func scan(_ thread: BenchThread, isReverse: Bool) throws(StorageError) {
        let snapshot = engine.makeSnapshot()
        defer { snapshot.release() }
        let iterator = try engine.makeIterator(.all, at: snapshot.timestamp)
        if isReverse { try iterator.seekToLast() } else { try iterator.seekToFirst() }
        var left = options.readCount
        while left > 0, iterator.isValid {
            thread.finished(1, bytes: iterator.key.count + iterator.value.count)
            left &-= 1
            if isReverse { try iterator.previous() } else { try iterator.next() }
        }
    }

    /// A batch's keys in one call, unsorted and at one timestamp, as db_bench does it.
    private func multiRead(_ thread: BenchThread) throws(StorageError) {
        var found: UInt64 = 0
        var asked: UInt64 = 0
        defer { (thread.found, thread.asked) = (found, asked) }
        var loop = thread.repeats((options.readCount + options.batchSize - 1) / options.batchSize)
        var keys: [[UInt8]] = []
        keys.reserveCapacity(options.batchSize)
        while loop.next() {
            keys.removeAll(keepingCapacity: true)
            for _ in 0..<options.batchSize {
                keys.append(Array(thread.key(thread.randomNumber())))
            }
            let values = try engine.multiGet(keys, at: engine.publishedTimestamp)
            asked &+= UInt64(keys.count)
            var bytes = 0
            for (key, value) in zip(keys, values) {
                guard let value else { continue }
                found &+= 1
                bytes &+= key.count &+ value.count
            }
            thread.finished(options.batchSize, bytes: bytes)
        }
    }

    /// A new iterator for each seek, and the values stepped over copied, as db_bench does it.
    private func seek(_ thread: BenchThread) throws(StorageError) {
        var found: UInt64 = 0
        var asked: UInt64 = 0
        defer { (thread.found, thread.asked) = (found, asked) }
        var loop = thread.repeats(options.readCount)
        while loop.next() {
            asked &+= 1
            let key = thread.key(thread.randomNumber())
            let iterator = try engine.makeIterator(.all, at: engine.publishedTimestamp)
            try iterator.seek(key)
            var bytes = 0
            if iterator.isValid, KeyOrder.compare(iterator.key, key) == 0 { found &+= 1 }
            var steps = options.seekNexts
            while steps > 0, iterator.isValid {
                bytes &+= iterator.key.count &+ thread.read(iterator.value)
                try iterator.next()
                steps &-= 1
            }
            thread.finished(1, bytes: bytes)
        }
    }

    private func writeUntilReadersEnd(_ thread: BenchThread) throws(StorageError) {
        let commit = commitOptions(nil)
        let batch = WriteBatch()
        let size = options.keySize + options.valueSize
        var limit = WriteRateLimit(options.writeRateLimit, thread)
        while readersLeft.load(ordering: .relaxed) > 0 {
            limit.wait(for: size, thread)
            try batch.put(key: thread.key(thread.randomNumber()), value: thread.value())
            _ = try engine.commitAndWait(batch, commit)
            batch.removeAll()
            thread.finished(1, bytes: size)
        }
    }
}

/// Holds one thread's writes to a number of bytes a second.
private struct WriteRateLimit {
    private let bytesPerSecond: Double
    private let start: UInt64
    private var written = 0.0

    /// 0 or less: no limit.
    init(_ bytesPerSecond: Int, _ thread: BenchThread) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 0))
        start = bytesPerSecond > 0 ? thread.clock.monotonicNanos() : 0
    }

    /// The wait counts for no operation, as in db_bench.
    @inline(__always)
    mutating func wait(for bytes: Int, _ thread: BenchThread) {
        guard bytesPerSecond > 0 else { return }
        thread.waitUntil(start &+ UInt64(min(written / bytesPerSecond * 1e9, 1e18)))
        thread.timer?.restart()
        written += Double(bytes)
    }
}
