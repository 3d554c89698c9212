import CFalconPlatform
import CZstd

/// ZSTD decompression contexts that wait for their next use: making one costs more than a block.
///
/// One place per group of threads, a cache line each; a thread that finds its place empty makes a
/// context, and one that finds it full again frees its own.
@usableFromInline
enum ZstdDecoders {
    private static let places = 16
    private static let placeBytes = 64
    nonisolated(unsafe) private static let slots: UnsafeMutableRawPointer = {
        let bytes = places * placeBytes
        let slots = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: placeBytes)
        slots.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        return slots
    }()

    /// Runs `body` with a context; what it returns, or 0 when it is an error of ZSTD's or there is no
    /// memory.
    static func with(_ body: (OpaquePointer) -> Int) -> Int {
        let slot = slots + (Int(falcon_thread_ordinal()) & (places - 1)) * placeBytes
        let kept = OpaquePointer(bitPattern: UInt(falcon_exchange_u64(slot, 0)))
        guard let context = kept ?? ZSTD_createDCtx() else { return 0 }
        let written = body(context)
        var expected: UInt64 = 0
        if !falcon_cas_u64(slot, &expected, UInt64(UInt(bitPattern: context))) {
            ZSTD_freeDCtx(context)
        }
        return ZSTD_isError(written) == 0 ? written : 0
    }

    @usableFromInline
    static func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        with { context in
            ZSTD_decompressDCtx(
                context, target.baseAddress, target.count, source.baseAddress, source.count)
        } == target.count
    }
}
