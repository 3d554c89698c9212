import CFalconPlatform
import CXXHash

/// The two checksums of the formats: CRC-32C for WAL chunks, XXH3-64 for blocks and files.
public enum Checksum {
    /// CRC-32C of `bytes`, continuing from `seed` (0 to begin).
    @inlinable
    public static func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        falcon_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// XXH3-64 of `bytes` under `seed`.
    @inlinable
    public static func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
    }

    /// The seed that binds a block's checksum to its place: file uid, offset and block kind. A block
    /// that was moved, or written into the wrong file, fails its check.
    @inlinable
    public static func locationSeed(uid: UID, offset: UInt64, kind: UInt8) -> UInt64 {
        var x = uid.high ^ (uid.low &* 0x9E37_79B9_7F4A_7C15)
        x ^= offset &* 0xC2B2_AE3D_27D4_EB4F
        x ^= UInt64(kind) &* 0x1656_67B1_9E37_79F9
        x ^= x >> 29
        x = x &* 0xBF58_476D_1CE4_E5B9
        return x ^ (x >> 32)
    }
}
