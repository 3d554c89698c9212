import ArgumentParser
import FalconStorage

/// A switch as gflags takes it: `--sync=1`, `--sync=true`.
enum GFlag: ExpressibleByArgument, Sendable {
    case on
    case off

    init?(argument: String) {
        switch argument.lowercased() {
        case "1", "true", "t", "yes", "y": self = .on
        case "0", "false", "f", "no", "n": self = .off
        default: return nil
        }
    }
    var defaultValueDescription: String { self == .on ? "1" : "0" }
}

extension Durability: @retroactive ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "buffered": self = .buffered
        case "written": self = .written
        case "synced": self = .synced
        default: return nil
        }
    }
    public var defaultValueDescription: String { "\(self)" }
}

extension EngineProfile: @retroactive ExpressibleByArgument {}

extension BlockCodec {
    /// As `--compression_type` names it.
    init?(flag: String) {
        switch flag {
        case "none": self = .none
        case "lz4": self = .lz4
        case "zstd": self = .zstd
        default: return nil
        }
    }
}

/// `db_bench`'s flags, under its names and with its defaults where this engine has the thing.
struct KVBenchOptions: ParsableArguments {
    @Option(help: "Workloads, in order, separated by commas.")
    var benchmarks = "fillseq,fillrandom,overwrite,readrandom,readseq,readreverse,stats"
    @Option(help: "Directory of the database.")
    var db = "/tmp/falcon-bench"
    @Option(help: "Keys: they are numbered below this.")
    var num = 1_000_000
    @Option(help: "Reads per thread; -1: num.")
    var reads = -1
    @Option(help: "Writes per thread; -1: num.")
    var writes = -1
    @Option(name: .customLong("key_size"), help: "Bytes of a key.")
    var keySize = 16
    @Option(name: .customLong("value_size"), help: "Bytes of a value.")
    var valueSize = 100
    @Option(help: "Threads that run each workload.")
    var threads = 1
    @Option(name: .customLong("cache_size"), help: "Bytes of block cache.")
    var cacheSize = 8 << 20
    @Option(name: .customLong("bloom_bits"), help: "Filter bits per key; 0 or less: no filter.")
    var bloomBits = 10
    @Option(name: .customLong("compression_type"), help: "none, lz4 or zstd.")
    var compressionType = "lz4"
    @Option(
        name: .customLong("compression_max_dict_bytes"),
        help: "With zstd: bytes of the last level's dictionaries; 0: none.")
    var dictionaryBytes = 0
    @Option(name: .customLong("compression_ratio"), help: "What values compress to.")
    var compressionRatio = 0.5
    @Option(help: "1: each write is forced to the device.")
    var sync = GFlag.off
    @Option(help: "Durability of writes without --sync: written (db_bench's own) or buffered.")
    var durability = Durability.written
    @Option(
        help: """
            Engine options that belong together: standard, point-reads, bulk-load, low-memory, \
            large-values; the flags for cache, filter, memtable and block do not count then.
            """)
    var profile: EngineProfile?
    @Option(help: "Seed of the keys; 0: by the time.")
    var seed: UInt64 = 0
    @Option(name: .customLong("use_existing_db"), help: "1: fill workloads keep what is there.")
    var useExistingDB = GFlag.off
    @Option(name: .customLong("batch_size"), help: "Writes per commit.")
    var batchSize = 1
    @Option(help: "Seconds each workload runs; 0: until its operations are done.")
    var duration = 0
    @Option(name: .customLong("seek_nexts"), help: "Steps after each seek of seekrandom.")
    var seekNexts = 0
    @Option(
        name: .customLong("memory_budget"),
        help: "Bytes for memtables, table metadata and cache together; 0: each by its own option.")
    var memoryBudget = 0
    @Option(name: .customLong("write_buffer_size"), help: "Bytes of one memtable.")
    var writeBufferSize = 64 << 20
    @Option(
        name: .customLong("replay_buffer_size"),
        help: "Bytes of one memtable after the reopen of replay and replayflush.")
    var replayBufferSize = 64 << 20
    @Option(
        name: .customLong("target_file_size_base"), help: "Bytes at which compactions cut tables.")
    var targetFileBytes = EngineOptions().targetFileBytes
    @Option(name: .customLong("block_size"), help: "Uncompressed bytes of a data block.")
    var blockSize = 4096
    @Option(
        name: .customLong("min_blob_size"),
        help: "Values of so many bytes go to blob files; 0: none does.")
    var minBlobSize = EngineOptions().blobThresholdBytes
    @Option(name: .customLong("max_background_jobs"), help: "Threads that flush and compact.")
    var maxBackgroundJobs = 2
    @Option(
        name: .customLong("rate_limiter_bytes_per_sec"),
        help: "Bytes a second that flushes and compactions write; 0: no limit.")
    var rateLimiterBytes = 0
    @Option(
        name: .customLong("benchmark_write_rate_limit"),
        help:
            "Bytes a second that write workloads and readwhilewriting's writer write; 0: no limit.")
    var writeRateLimit = 0
    @Option(help: "1: files are encrypted, under a key that is no secret.")
    var encryption = GFlag.off
    @Option(help: "1: latencies of each workload's operations, as db_bench prints them.")
    var histogram = GFlag.off
    @Option(
        name: .customLong("open_loop_ops_per_sec"),
        help:
            "Operations begin at this rate, all threads together, and last from the moment they were due; 0: one after the other."
    )
    var openLoopRate = 0
    @Option(
        name: .customLong("stall_millis"), help: "An operation that takes this long is a stall.")
    var stallMillis = 100
    @Option(
        help: "A file of 'falcon-bench calibrate --export json': results carry their ratio to it.")
    var calibration: String?

    init() {}

    /// What an export says of them.
    var json: [(String, JSONValue)] {
        [
            ("benchmarks", .string(benchmarks)), ("num", .count(num)), ("reads", .count(reads)),
            ("writes", .count(writes)), ("key_size", .count(keySize)),
            ("value_size", .count(valueSize)), ("threads", .count(threads)),
            ("cache_size", .count(cacheSize)), ("memory_budget", .count(memoryBudget)),
            ("bloom_bits", .count(bloomBits)),
            ("compression_type", .string(compressionType)),
            ("compression_max_dict_bytes", .count(dictionaryBytes)),
            ("compression_ratio", .double(compressionRatio)), ("sync", .bool(sync == .on)),
            ("durability", .string("\(sync == .on ? .synced : durability)")),
            ("profile", .text(profile?.rawValue)), ("seed", .unsigned(seed)),
            ("use_existing_db", .bool(useExistingDB == .on)),
            ("batch_size", .count(batchSize)), ("duration", .count(duration)),
            ("seek_nexts", .count(seekNexts)), ("write_buffer_size", .count(writeBufferSize)),
            ("target_file_size_base", .count(targetFileBytes)), ("block_size", .count(blockSize)),
            ("min_blob_size", .count(minBlobSize)),
            ("max_background_jobs", .count(maxBackgroundJobs)),
            ("replay_buffer_size", .count(replayBufferSize)),
            ("benchmark_write_rate_limit", .count(writeRateLimit)),
            ("encryption", .bool(encryption == .on)), ("histogram", .bool(histogram == .on)),
            ("open_loop_ops_per_sec", .count(openLoopRate)),
            ("stall_millis", .count(stallMillis)), ("calibration", .text(calibration)),
        ]
    }

    var codec: BlockCodec? { BlockCodec(flag: compressionType) }

    var engineOptions: EngineOptions {
        var options = profile.map { EngineOptions(profile: $0) } ?? EngineOptions()
        if encryption == .on {
            options.encryption = EncryptionOptions(
                masterKey: .key([UInt8](repeating: 0xFA, count: 32)))
        }
        if profile != nil { return options }
        options.memtableBytes = writeBufferSize
        options.blockBytes = blockSize
        options.targetFileBytes = targetFileBytes
        options.blobThresholdBytes = minBlobSize
        options.filterBitsPerKey = max(bloomBits, 0)
        options.compression = codec ?? .lz4
        options.bottomCompression = codec ?? .lz4
        options.bottomDictionaryBytes = dictionaryBytes
        options.blockCacheBytes = cacheSize
        options.compactionThreads = max(1, maxBackgroundJobs - 1)
        options.backgroundBytesPerSecond = UInt64(rateLimiterBytes)
        return options
    }
}
