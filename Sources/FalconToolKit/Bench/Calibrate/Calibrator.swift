import CCrypto
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Measures limits: each a loop around the call itself.
final class Calibrator {
    typealias Figures = [(BenchLimit, Double)]
    let context: ToolContext
    let nanosEach: UInt64
    let memoryBytes: Int
    var clock: any StorageClock { context.environment.clock }
    /// What was computed goes here, so that computing it cannot be left out.
    private var sink: UInt64 = 0

    init(_ context: ToolContext, milliseconds: Int, memoryBytes: Int) {
        self.context = context
        nanosEach = UInt64(milliseconds) * 1_000_000
        self.memoryBytes = memoryBytes
    }

    /// Makes what `value` was computed with count as used.
    func keep(_ value: UInt64) { sink &+= value }

    /// Nanoseconds of one call of `body` in the best of several rounds: what disturbs a round is no
    /// limit of the machine.
    func nanosPerCall(_ body: () throws(StorageError) -> Void) throws(StorageError) -> Double {
        let rounds = 8
        try body()
        var best = Double.infinity
        var calls = 1
        let end = clock.monotonicNanos() &+ nanosEach
        repeat {
            let start = clock.monotonicNanos()
            for _ in 0..<calls { try body() }
            let passed = clock.monotonicNanos() &- start
            best = min(best, Double(passed) / Double(calls))
            // The next round has as many calls as fill its share, one reading of the clock for all.
            let share = Double(nanosEach) / Double(rounds)
            calls = max(1, Int(min(share / max(best, 0.1), Double(calls) * 16)))
        } while clock.monotonicNanos() < end
        return best
    }

    // MARK: - Memory

    func memory() throws(StorageError) -> Figures {
        let bytes = memoryBytes
        let half = bytes / 2
        let area = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
        defer { area.deallocate() }
        area.initializeMemory(as: UInt8.self, repeating: 1)
        let source = UnsafeRawBufferPointer(rebasing: area[0..<half])
        let target = UnsafeMutableRawBufferPointer(rebasing: area[half..<(half * 2)])
        let copy = try nanosPerCall { () throws(StorageError) in target.copyMemory(from: source) }
        let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        defer { lock.deallocate() }
        lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(lock, nil)
        let locking = try nanosPerCall { () throws(StorageError) in
            pthread_mutex_lock(lock)
            pthread_mutex_unlock(lock)
        }
        pthread_mutex_destroy(lock)
        return [
            (.memcpy, Double(half) / copy), (.lock, locking), (.dram, try chase(area)),
        ]
    }

    /// Nanoseconds of a load whose address the load before it gave: one random cycle through all
    /// cache lines of `area`.
    private func chase(_ area: UnsafeMutableRawBufferPointer) throws(StorageError) -> Double {
        let lines = area.count / 64
        var order = Array(0..<UInt32(clamping: lines))
        var random = SplitMix64(seed: 1)
        order.shuffle(using: &random)
        for i in order.indices {
            let next = order[i + 1 < order.count ? i + 1 : 0]
            area.storeBytes(of: next, toByteOffset: Int(order[i]) * 64, as: UInt32.self)
        }
        let steps = 1000
        var line: UInt32 = 0
        let nanos = try nanosPerCall { () throws(StorageError) in
            for _ in 0..<steps { line = area.load(fromByteOffset: Int(line) * 64, as: UInt32.self) }
        }
        sink &+= UInt64(line)
        return nanos / Double(steps)
    }

    // MARK: - Transforms

    func transforms() throws(StorageError) -> Figures {
        let pool = BenchValuePool(ratio: 0.5, valueBytes: 32 << 10)
        defer { withExtendedLifetime(pool) {} }
        var values = BenchValues(pool)
        let large = values.next(32 << 10)
        let small = UnsafeRawBufferPointer(rebasing: large[0..<4096])
        var figures: Figures = []
        for (limit, bytes) in [(BenchLimit.xxh3Of4K, small), (.xxh3Of32K, large)] {
            let nanos = try nanosPerCall { () throws(StorageError) in
                sink &+= Checksum.xxh3(bytes, seed: sink)
            }
            figures.append((limit, Double(bytes.count) / nanos))
        }
        for (limit, bytes) in [(BenchLimit.crc32cOf4K, small), (.crc32cOf32K, large)] {
            let nanos = try nanosPerCall { () throws(StorageError) in
                let seed = UInt32(truncatingIfNeeded: sink)
                sink &+= UInt64(Checksum.crc32c(bytes, seed: seed))
            }
            figures.append((limit, Double(bytes.count) / nanos))
        }
        figures += try seals(large)
        figures += try codecs(small)
        return figures
    }

    private func seals(_ input: UnsafeRawBufferPointer) throws(StorageError) -> Figures {
        let sealer = try GCMSealer()
        var figures: Figures = []
        for (limit, size) in [
            (BenchLimit.sealMessage, 128), (.sealOf4K, 4096), (.sealOf16K, 16 << 10),
            (.sealOf32K, 32 << 10),
        ] {
            let bytes = UnsafeRawBufferPointer(rebasing: input[0..<size])
            let nanos = try nanosPerCall { () throws(StorageError) in try sealer.seal(bytes) }
            figures.append((limit, limit == .sealMessage ? nanos : Double(size) / nanos))
        }
        return figures
    }

    private func codecs(_ block: UnsafeRawBufferPointer) throws(StorageError) -> Figures {
        var figures: Figures = []
        for (codec, compress, decompress) in [
            (BlockCodec.lz4, BenchLimit.lz4Compress, BenchLimit.lz4Decompress),
            (.zstd, .zstdCompress, .zstdDecompress),
        ] {
            let packed = UnsafeMutableRawBufferPointer.allocate(
                byteCount: BlockCompression.bound(codec, block.count), alignment: 16)
            let restored = UnsafeMutableRawBufferPointer.allocate(
                byteCount: block.count, alignment: 16)
            defer {
                packed.deallocate()
                restored.deallocate()
            }
            let zstd = ZstdBlockCompressor()
            var size = 0
            let packing = try nanosPerCall { () throws(StorageError) in
                size =
                    (codec == .zstd
                        ? zstd.compress(block, into: packed)
                        : BlockCompression.compress(codec, block, into: packed)) ?? 0
            }
            let stored = UnsafeRawBufferPointer(rebasing: packed[0..<size])
            var isWhole = true
            let restoring = try nanosPerCall { () throws(StorageError) in
                isWhole = BlockCompression.decompress(codec, stored, into: restored) && isWhole
            }
            guard size > 0, isWhole else {
                throw StorageError(
                    .internalError, kind: .bug, "The codec \(codec) does not restore its block.")
            }
            figures.append((compress, Double(block.count) / packing * 1000))
            figures.append((decompress, Double(block.count) / restoring * 1000))
        }
        return figures
    }
}

/// AES-256-GCM through one kept context, as the engine would use it.
private final class GCMSealer {
    private let context: OpaquePointer
    private var nonce = [UInt8](repeating: 0, count: 12)
    private var tag = [UInt8](repeating: 0, count: 16)
    private let sealed = UnsafeMutableRawBufferPointer.allocate(
        byteCount: (32 << 10) + 16, alignment: 16)

    init() throws(StorageError) {
        guard let context = EVP_CIPHER_CTX_new() else {
            throw StorageError(.outOfMemory, kind: .transient, "There is no cipher context.")
        }
        self.context = context
        let key = [UInt8](repeating: 7, count: 32)
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1 else {
            throw StorageError(.internalError, kind: .bug, "AES-256-GCM is not to be had.")
        }
    }
    deinit {
        EVP_CIPHER_CTX_free(context)
        sealed.deallocate()
    }

    /// One message: a new nonce, the bytes, the tag.
    func seal(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        nonce[0] &+= 1
        if nonce[0] == 0 { nonce[1] &+= 1 }
        let out = sealed.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let text = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var count: Int32 = 0
        let isSealed =
            EVP_EncryptInit_ex(context, nil, nil, nil, nonce) == 1
            && EVP_EncryptUpdate(context, out, &count, text, Int32(clamping: bytes.count)) == 1
            && EVP_EncryptFinal_ex(context, out, &count) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
        guard isSealed else {
            throw StorageError(.internalError, kind: .bug, "A message cannot be sealed.")
        }
    }
}
