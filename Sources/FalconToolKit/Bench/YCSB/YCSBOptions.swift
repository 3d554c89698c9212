import ArgumentParser
import FalconStorage

struct YCSBOptions: ParsableArguments {
    @Option(help: "Workloads, in order, separated by commas: a to f.")
    var workloads = "a,b,c,f,d,e"
    @Option(help: "Directory of the database; begins empty unless --use_existing_db=1.")
    var db = "/tmp/falcon-bench-ycsb"
    @Option(help: "Records loaded before the first workload.")
    var records = 1_000_000
    @Option(help: "Operations of each workload, all threads together.")
    var operations = 1_000_000
    @Option(help: "Threads.")
    var threads = 1
    @Option(name: .customLong("value_size"), help: "Bytes of a record's value.")
    var valueSize = 1000
    @Option(help: "Durability of writes: buffered, written or synced.")
    var durability = Durability.written
    @Option(name: .customLong("compression_type"), help: "none, lz4 or zstd.")
    var compressionType = "lz4"
    @Option(name: .customLong("compression_ratio"), help: "What values compress to.")
    var compressionRatio = 0.5
    @Option(name: .customLong("cache_size"), help: "Bytes of block cache.")
    var cacheSize = 256 << 20
    @Option(name: .customLong("write_buffer_size"), help: "Bytes of one memtable.")
    var writeBufferSize = 64 << 20
    @Option(name: .customLong("max_background_jobs"), help: "Threads that flush and compact.")
    var maxBackgroundJobs = 2
    @Option(help: "Seed of keys and operations.")
    var seed: UInt64 = 1
    @Option(
        name: .customLong("use_existing_db"),
        help: "1: the records were loaded by an earlier run with the same --records.")
    var useExistingDB = GFlag.off
    @Option(
        name: .customLong("stall_millis"), help: "An operation that takes this long is a stall.")
    var stallMillis = 100

    /// Each thread copies what it reads to room of its own.
    private static let mostCopiedBytes = 64 << 30

    init() {}

    func validate() throws {
        try FlagLimit.check(
            "workloads", workloads.lowercased(), what: "workload",
            known: YCSBWorkload.allCases.map(\.rawValue))
        try FlagLimit.check([
            FlagLimit("records", records, 1...1 << 40),
            FlagLimit("operations", operations, 1...FlagLimit.mostOperations),
            FlagLimit("threads", threads, 1...1024),
            FlagLimit("value_size", valueSize, 0...1 << 30),
            FlagLimit("cache_size", cacheSize, 0...FlagLimit.mostCacheBytes),
            FlagLimit("write_buffer_size", writeBufferSize, 4096...2 << 30),
            FlagLimit("max_background_jobs", maxBackgroundJobs, 1...17),
            FlagLimit("stall_millis", stallMillis, 1...3_600_000),
        ])
        try FlagLimit.check(ratio: compressionRatio)
        guard threads * valueSize <= Self.mostCopiedBytes else {
            throw ValidationError(
                "--threads times --value_size is \(threads * valueSize) bytes, each thread's copy of a "
                    + "value; at most \(Self.mostCopiedBytes) are set aside.")
        }
        guard codec != nil else {
            throw ValidationError("--compression_type is none, lz4 or zstd.")
        }
    }

    private var names: [String] { workloads.lowercased().split(separator: ",").map(String.init) }
    var chosen: [YCSBWorkload] { names.compactMap(YCSBWorkload.init(rawValue:)) }
    private var codec: BlockCodec? { BlockCodec(flag: compressionType) }

    var engineOptions: EngineOptions {
        var options = EngineOptions()
        options.createIfMissing = useExistingDB == .off
        options.memtableBytes = writeBufferSize
        options.compression = codec ?? .lz4
        options.bottomCompression = codec ?? .lz4
        options.blockCacheBytes = cacheSize
        options.compactionThreads = max(1, maxBackgroundJobs - 1)
        return options
    }

    var json: [(String, JSONValue)] {
        [
            ("workloads", .string(workloads)), ("records", .count(records)),
            ("operations", .count(operations)), ("threads", .count(threads)),
            ("value_size", .count(valueSize)), ("durability", .string("\(durability)")),
            ("compression_type", .string(compressionType)),
            ("compression_ratio", .double(compressionRatio)), ("cache_size", .count(cacheSize)),
            ("write_buffer_size", .count(writeBufferSize)),
            ("max_background_jobs", .count(maxBackgroundJobs)), ("seed", .unsigned(seed)),
            ("use_existing_db", .bool(useExistingDB == .on)), ("stall_millis", .count(stallMillis)),
        ]
    }
}
