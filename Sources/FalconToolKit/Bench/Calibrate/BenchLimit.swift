/// A limit of the machine, under the name it has in exports.
enum BenchLimit: String, CaseIterable {
    case memcpy = "memcpy"
    case xxh3Of4K = "xxh3_4k"
    case xxh3Of32K = "xxh3_32k"
    case crc32cOf4K = "crc32c_4k"
    case crc32cOf32K = "crc32c_32k"
    case sealMessage = "aes_256_gcm_128b"
    case sealOf4K = "aes_256_gcm_4k"
    case sealOf16K = "aes_256_gcm_16k"
    case sealOf32K = "aes_256_gcm_32k"
    case lz4Compress = "lz4_compress"
    case lz4Decompress = "lz4_decompress"
    case zstdCompress = "zstd_compress"
    case zstdDecompress = "zstd_decompress"
    case lock = "uncontended_lock"
    case dram = "dram_latency"
    case pread = "pread_4k_hot"
    case pwrite = "pwrite_4k"
    case syncGrowing = "fdatasync_growing_p50"
    case syncGrowingTail = "fdatasync_growing_p99"
    case syncPreallocated = "fdatasync_preallocated_p50"
    case syncPreallocatedTail = "fdatasync_preallocated_p99"
    case syncOverwritten = "fdatasync_overwritten_p50"
    case syncOverwrittenTail = "fdatasync_overwritten_p99"
    case pacedTail = "paced_loads_p99_9"
    case pacedMaximum = "paced_loads_max"

    var unit: String {
        switch self {
        case .memcpy, .xxh3Of4K, .xxh3Of32K, .crc32cOf4K, .crc32cOf32K, .sealOf4K, .sealOf16K,
            .sealOf32K:
            "GB/s"
        case .lz4Compress, .lz4Decompress, .zstdCompress, .zstdDecompress: "MB/s"
        case .sealMessage, .lock, .dram: "ns"
        default: "us"
        }
    }

    /// What was done, in a few words.
    var title: String {
        switch self {
        case .memcpy: "copy, beyond the caches"
        case .xxh3Of4K: "XXH3-64 of 4 KiB"
        case .xxh3Of32K: "XXH3-64 of 32 KiB"
        case .crc32cOf4K: "CRC-32C of 4 KiB"
        case .crc32cOf32K: "CRC-32C of 32 KiB"
        case .sealMessage: "AES-256-GCM, one message of 128 B"
        case .sealOf4K: "AES-256-GCM of 4 KiB"
        case .sealOf16K: "AES-256-GCM of 16 KiB"
        case .sealOf32K: "AES-256-GCM of 32 KiB"
        case .lz4Compress: "LZ4, compress 4 KiB of half-random text"
        case .lz4Decompress: "LZ4, decompress"
        case .zstdCompress: "ZSTD level 3, compress 4 KiB"
        case .zstdDecompress: "ZSTD, decompress"
        case .lock: "mutex, lock and unlock"
        case .dram: "DRAM, dependent load"
        case .pread: "pread 4 KiB, in the page cache"
        case .pwrite: "pwrite 4 KiB, no sync"
        case .syncGrowing: "write 4 KiB and fdatasync, growing file, p50"
        case .syncPreallocated: "write 4 KiB and fdatasync, preallocated file, p50"
        case .syncOverwritten: "write 4 KiB and fdatasync, overwritten file, p50"
        case .pacedTail: "loads paced at 70 % of their rate, p99.9"
        case .pacedMaximum: "… max"
        case .syncGrowingTail, .syncPreallocatedTail, .syncOverwrittenTail: "… p99"
        }
    }
}
