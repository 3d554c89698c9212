import CLZ4
import CZstd

/// Compresses and restores blocks through raw memory: no array per block.
///
/// The formats store the uncompressed size beside the codec; a block that does not shrink is stored
/// with codec `none`. Values are stateless to use and safe on any thread.
public enum BlockCompression {
    /// ZSTD's level for tables.
    public static let defaultZstdLevel: Int32 = 3

    /// The capacity that `compress` needs for `count` input bytes.
    @inlinable public static func bound(_ codec: BlockCodec, _ count: Int) -> Int {
        switch codec {
        case .none: count
        case .lz4: count &+ count / 255 &+ 16
        case .zstd: ZSTD_compressBound(count)
        }
    }

    /// Compresses `source` into `target`; nil when it does not fit or the codec fails. The result
    /// counts the bytes written. With codec `none`, copies.
    @inlinable public static func compress(
        _ codec: BlockCodec, _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer, zstdLevel: Int32 = defaultZstdLevel
    ) -> Int? {
        guard let input = source.baseAddress, source.count > 0 else { return source.count }
        guard let output = target.baseAddress else { return nil }
        switch codec {
        case .none:
            guard target.count >= source.count else { return nil }
            target.copyMemory(from: source)
            return source.count
        case .lz4:
            guard let size = Int32(exactly: source.count), let room = Int32(exactly: target.count)
            else { return nil }
            let written = LZ4_compress_default(
                input.assumingMemoryBound(to: CChar.self),
                output.assumingMemoryBound(to: CChar.self), size, room)
            return written > 0 ? Int(written) : nil
        case .zstd:
            let written = ZSTD_compress(output, target.count, input, source.count, zstdLevel)
            return ZSTD_isError(written) == 0 ? written : nil
        }
    }

    /// Restores a block into `target`, whose size must be the stored uncompressed size exactly.
    /// False when the bytes are damaged or the size differs; never writes outside `target`.
    @inlinable public static func decompress(
        _ codec: BlockCodec, _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let input = source.baseAddress, let output = target.baseAddress else {
            return source.count == 0 && target.count == 0
        }
        switch codec {
        case .none:
            guard source.count == target.count else { return false }
            target.copyMemory(from: source)
            return true
        case .lz4:
            guard let size = Int32(exactly: source.count), let room = Int32(exactly: target.count)
            else { return false }
            return Int(
                LZ4_decompress_safe(
                    input.assumingMemoryBound(to: CChar.self),
                    output.assumingMemoryBound(to: CChar.self), size, room)) == target.count
        case .zstd:
            return target.count > 0 && ZstdDecoders.decompress(source, into: target)
        }
    }
}

/// A ZSTD compression context kept over many blocks of one file: `ZSTD_compress` allocates one per
/// call. For one thread at a time.
public final class ZstdBlockCompressor {
    private let context: OpaquePointer?
    private let level: Int32
    private var dictionary: OpaquePointer?

    /// A context for blocks at `level`; where memory for it is short, each ``compress(_:into:)`` says so.
    public init(level: Int32 = BlockCompression.defaultZstdLevel) {
        context = ZSTD_createCCtx()
        self.level = level
    }
    deinit {
        ZSTD_freeCCtx(context)
        ZSTD_freeCDict(dictionary)
    }

    /// Compresses with `dictionary` from now on; nil: with none. False when memory ran out.
    func use(_ dictionary: ZstdDictionary?) -> Bool {
        ZSTD_freeCDict(self.dictionary)
        self.dictionary = nil
        guard let dictionary else { return true }
        self.dictionary = ZSTD_createCDict(dictionary.bytes, dictionary.bytes.count, level)
        return self.dictionary != nil
    }

    /// Like ``BlockCompression/compress(_:_:into:zstdLevel:)`` with codec `zstd`.
    public func compress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let context, let input = source.baseAddress, let output = target.baseAddress else {
            return nil
        }
        let written =
            dictionary.map {
                ZSTD_compress_usingCDict(
                    context, output, target.count, input, source.count, $0)
            } ?? ZSTD_compressCCtx(context, output, target.count, input, source.count, level)
        return ZSTD_isError(written) == 0 ? written : nil
    }
}
