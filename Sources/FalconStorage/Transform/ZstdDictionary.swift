import CZstd

/// A ZSTD dictionary: what the small blocks of one table have in common, so that each need not say it
/// again. Thread-safe once made.
final class ZstdDictionary: @unchecked Sendable {
    let bytes: [UInt8]
    private let decoder: OpaquePointer

    /// Nil when the bytes make no dictionary.
    init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, let decoder = ZSTD_createDDict(bytes, bytes.count) else { return nil }
        self.bytes = bytes
        self.decoder = decoder
    }

    deinit { ZSTD_freeDDict(decoder) }

    /// Memory it takes: the bytes, and the decoder with its own copy.
    var byteCount: Int { bytes.count + ZSTD_sizeof_DDict(decoder) }

    /// Trains a dictionary of at most `limit` bytes; nil when the samples are too few or have nothing
    /// in common.
    /// - Parameters:
    ///   - samples: one after the other.
    ///   - sizes: the size of each.
    static func train(
        samples: UnsafeRawBufferPointer, sizes: [Int], limit: Int
    ) -> ZstdDictionary? {
        guard sizes.count >= 8, samples.count >= 8 * limit else { return nil }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { room, count in
            let made = ZDICT_trainFromBuffer(
                room.baseAddress, limit, samples.baseAddress, sizes, UInt32(clamping: sizes.count))
            failed = ZDICT_isError(made) != 0
            count = failed ? 0 : made
        }
        return failed ? nil : ZstdDictionary(bytes)
    }

    /// Like ``BlockCompression/decompress(_:_:into:)`` for a block compressed with the dictionary.
    func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        ZstdDecoders.with { context in
            ZSTD_decompress_usingDDict(
                context, target.baseAddress, target.count, source.baseAddress, source.count,
                decoder)
        } == target.count
    }
}
