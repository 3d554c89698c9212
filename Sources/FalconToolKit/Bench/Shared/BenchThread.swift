import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What one thread of one workload has: its keys, its values, its counts.
final class BenchThread {
    let index: Int
    let options: KVBenchSettings
    let clock: any StorageClock
    private var random: MersenneTwister64
    private var values: BenchValues
    private let keyBuffer: UnsafeMutableRawBufferPointer
    /// Where values are copied to, as db_bench copies the head of each value it steps over.
    private let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)

    private(set) var done: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var startNanos: UInt64 = 0
    private(set) var endNanos: UInt64 = 0
    /// Reads that found something, of those that asked.
    var found: UInt64 = 0
    var asked: UInt64 = 0
    var failure: StorageError?
    /// Nil when no latencies are wanted: reading the clock costs more than some operations.
    let timer: OperationTimer?

    init(
        _ index: Int, seed: UInt64, _ options: KVBenchSettings, _ clock: any StorageClock,
        _ values: BenchValuePool, timer: OperationTimer? = nil
    ) {
        self.index = index
        self.timer = timer
        self.options = options
        self.clock = clock
        random = MersenneTwister64(seed: seed)
        self.values = BenchValues(values)
        keyBuffer = .allocate(byteCount: max(options.keySize, 8) + 1, alignment: 8)
        for i in keyBuffer.indices { keyBuffer[i] = UInt8(ascii: "0") }
    }

    deinit {
        keyBuffer.deallocate()
        copy.deallocate()
    }

    func start() {
        startNanos = clock.monotonicNanos()
        timer?.start(at: startNanos)
    }
    func stop() { endNanos = clock.monotonicNanos() }
    @inline(__always) func finished(_ operations: Int, bytes added: Int) {
        done &+= UInt64(operations)
        bytes &+= UInt64(added)
        if let timer { timer.finish() }
    }
    /// Counts the bytes of a scan's entry, whose operation ends with ``finished(_:bytes:)``.
    @inline(__always) func read(_ value: UnsafeRawBufferPointer) -> Int {
        let count = min(value.count, copy.count)
        if let source = value.baseAddress, let target = copy.baseAddress {
            target.copyMemory(from: source, byteCount: count)
        }
        return value.count
    }

    func randomNumber() -> UInt64 { random.next() % UInt64(max(options.num, 1)) }

    /// The key of a number: 8 bytes big-endian (fewer in a shorter key), then zeros as digits.
    func key(_ number: UInt64) -> UnsafeRawBufferPointer {
        let width = min(options.keySize, 8)
        for i in 0..<width {
            keyBuffer[i] = UInt8(truncatingIfNeeded: number >> (8 * (width - 1 - i)))
        }
        return UnsafeRawBufferPointer(rebasing: keyBuffer[0..<options.keySize])
    }
    /// A key that no workload writes: one byte longer.
    func missingKey(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        keyBuffer[key.count] = UInt8(ascii: "0")
        return UnsafeRawBufferPointer(rebasing: keyBuffer[0...key.count])
    }
    func value() -> UnsafeRawBufferPointer { values.next(options.valueSize) }

    /// Sleeps until the monotonic clock reads `nanos`.
    func waitUntil(_ nanos: UInt64) {
        let now = clock.monotonicNanos()
        if nanos > now { usleep(UInt32(clamping: (nanos - now) / 1000)) }
    }

    /// Loops for ``KVBenchSettings/duration`` seconds, else for `count` operations.
    func repeats(_ count: Int) -> BenchLoop {
        BenchLoop(
            left: options.duration > 0 ? Int.max : count,
            deadline: options.duration > 0
                ? clock.monotonicNanos() + UInt64(options.duration) * 1_000_000_000 : nil,
            clock: clock, pace: timer.flatMap { $0.isPaced ? $0 : nil })
    }
}

/// Counts a loop down; looks at the clock every 256 turns when time is what limits it.
struct BenchLoop {
    var left: Int
    let deadline: UInt64?
    let clock: any StorageClock
    /// Waits for each turn's moment in an open loop.
    let pace: OperationTimer?

    @inline(__always)
    mutating func next() -> Bool {
        left &-= 1
        if left < 0 { return false }
        if let pace {
            pace.begin()
            return deadline.map { clock.monotonicNanos() < $0 } ?? true
        }
        if left & 255 == 0, let deadline { return clock.monotonicNanos() < deadline }
        return true
    }
}
