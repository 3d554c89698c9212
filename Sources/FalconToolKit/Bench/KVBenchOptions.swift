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
    @Option(name: .customLong("compression_ratio"), help: "What values compress to.")
    var compressionRatio = 0.5
    @Option(help: "1: each write is forced to the device.")
    var sync = GFlag.off
    @Option(help: "Durability of writes without --sync: written (db_bench's own) or buffered.")
    var durability = Durability.written
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
    @Option(name: .customLong("write_buffer_size"), help: "Bytes of one memtable.")
    var writeBufferSize = 64 << 20
    @Option(name: .customLong("block_size"), help: "Uncompressed bytes of a data block.")
    var blockSize = 4096
    @Option(name: .customLong("max_background_jobs"), help: "Threads that flush and compact.")
    var maxBackgroundJobs = 2
    @Option(
        name: .customLong("benchmark_write_rate_limit"),
        help: "Bytes a second that readwhilewriting's writer writes; 0: as fast as it can.")
    var writeRateLimit = 0

    init() {}

    func validate() throws {
        guard num > 0, (1...1 << 20).contains(keySize), (0...1 << 30).contains(valueSize),
            (1...1024).contains(threads), batchSize > 0, cacheSize >= 0, duration >= 0,
            compressionRatio > 0, compressionRatio <= 1, blockSize > 0, writeBufferSize > 0
        else { throw ValidationError("A size or count is out of range.") }
        guard codec != nil else {
            throw ValidationError("--compression_type is none, lz4 or zstd.")
        }
    }

    var codec: BlockCodec? {
        switch compressionType {
        case "none": BlockCodec.none
        case "lz4": .lz4
        case "zstd": .zstd
        default: nil
        }
    }

    var engineOptions: EngineOptions {
        var options = EngineOptions()
        options.memtableBytes = writeBufferSize
        options.blockBytes = blockSize
        options.filterBitsPerKey = max(bloomBits, 0)
        options.compression = codec ?? .lz4
        options.bottomCompression = codec ?? .lz4
        options.blockCacheBytes = cacheSize
        options.compactionThreads = max(1, maxBackgroundJobs - 1)
        return options
    }
}
