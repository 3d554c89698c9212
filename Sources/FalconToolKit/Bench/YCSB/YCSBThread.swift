import FalconStorage

/// One thread of a YCSB workload.
final class YCSBThread {
    private let workload: YCSBWorkload
    private let engine: StorageEngine
    private let records: YCSBRecords
    private let clock: any StorageClock
    private let commit: CommitOptions
    private let valueSize: Int
    private let stallNanos: UInt64
    private let batch = WriteBatch()
    private var values: BenchValues
    private var random: SplitMix64
    private let scrambled = ScrambledZipfian()
    private var latest: ZipfianGenerator
    private let key = UnsafeMutableRawBufferPointer.allocate(
        byteCount: YCSBKey.byteCount, alignment: 8)
    private let copy: UnsafeMutableRawBufferPointer

    let latencies = YCSBWorkload.Operation.allCases.map { _ in LatencyHistogram() }
    private(set) var missed: UInt64 = 0
    private(set) var scanned: UInt64 = 0
    private(set) var writtenBytes: UInt64 = 0
    private(set) var stalls: UInt64 = 0
    var failure: StorageError?

    init(
        _ workload: YCSBWorkload, _ engine: StorageEngine, _ records: YCSBRecords,
        _ clock: any StorageClock, _ options: YCSBOptions, _ values: BenchValuePool, seed: UInt64
    ) {
        self.workload = workload
        self.engine = engine
        self.records = records
        self.clock = clock
        commit = CommitOptions(durability: options.durability)
        valueSize = options.valueSize
        stallNanos = UInt64(options.stallMillis) * 1_000_000
        self.values = BenchValues(values)
        random = SplitMix64(seed: seed)
        latest = ZipfianGenerator(count: workload.readsLatest ? records.count : 1)
        copy = .allocate(byteCount: max(options.valueSize, 1), alignment: 16)
    }

    deinit {
        key.deallocate()
        copy.deallocate()
    }

    func run(_ operations: Int, shouldStop: () -> Bool) throws(StorageError) {
        for i in 0..<operations {
            if i & 1023 == 0, shouldStop() { return }
            let operation = workload.operation(uniform())
            let start = clock.monotonicNanos()
            try perform(operation)
            let nanos = clock.monotonicNanos() &- start
            if nanos >= stallNanos { stalls &+= 1 }
            latencies[operation.index].record(nanos)
        }
    }

    /// Puts the records of `numbers`, for the load before the workloads.
    func load(_ numbers: Range<UInt64>, shouldStop: () -> Bool) throws(StorageError) {
        for number in numbers {
            // Of a thousand threads each has few numbers, and a write that is held back takes long.
            if number & 15 == 0, shouldStop() { return }
            try write(number)
        }
    }

    private func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// A record that is there.
    private func draw() -> UInt64 {
        let count = records.count
        guard workload.readsLatest else { return scrambled.number(uniform(), below: count) }
        latest.grow(to: count)
        return count &- 1 &- min(latest.number(uniform()), count &- 1)
    }

    private func perform(_ operation: YCSBWorkload.Operation) throws(StorageError) {
        switch operation {
        case .read: try read(draw())
        case .update: try write(draw())
        case .insert:
            let number = records.begin()
            try write(number)
            records.end(number)
        case .scan: try scan(draw(), 1 + Int(random.next() % 100))
        case .readModifyWrite:
            let number = draw()
            try read(number)
            try write(number)
        }
    }

    private func take(_ value: UnsafeRawBufferPointer) {
        copy.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: value.prefix(copy.count)))
    }

    private func read(_ number: UInt64) throws(StorageError) {
        YCSBKey.write(number, into: key)
        let found: Void? = try engine.withValue(
            UnsafeRawBufferPointer(key), at: engine.publishedTimestamp
        ) { value, _ in take(value) }
        if found == nil { missed &+= 1 }
    }

    private func write(_ number: UInt64) throws(StorageError) {
        YCSBKey.write(number, into: key)
        try batch.put(key: UnsafeRawBufferPointer(key), value: values.next(valueSize))
        defer { batch.removeAll() }
        _ = try engine.commitAndWait(batch, commit)
        writtenBytes &+= UInt64(key.count &+ valueSize)
    }

    private func scan(_ number: UInt64, _ length: Int) throws(StorageError) {
        YCSBKey.write(number, into: key)
        let iterator = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        try iterator.seek(UnsafeRawBufferPointer(key))
        if !iterator.isValid { missed &+= 1 }
        var left = length
        while left > 0, iterator.isValid {
            take(iterator.value)
            scanned &+= 1
            left -= 1
            if left > 0 { try iterator.next() }
        }
    }
}
