import FalconStorage

/// What the loops of a workload need of the options, as plain fields: reading an option through
/// ArgumentParser's wrapper costs more than some of the operations measured.
struct KVBenchSettings: Sendable {
    let num: Int
    let readCount: Int
    let writeCount: Int
    /// Synced writes of fillsync. db_bench makes `num`; without --writes a thousandth is enough.
    let syncedWriteCount: Int
    let keySize: Int
    let valueSize: Int
    let threads: Int
    let batchSize: Int
    let duration: Int
    let seekNexts: Int
    let compressionRatio: Double
    let writeRateLimit: Int
    let durability: Durability
    let openLoopRate: Int
    let stallMillis: Int
    let takesLatencies: Bool

    init(_ options: KVBenchOptions) {
        num = options.num
        readCount = options.reads < 0 ? options.num : options.reads
        writeCount = options.writes > 0 ? options.writes : options.num
        syncedWriteCount = options.writes > 0 ? options.writes : max(options.num / 1000, 1)
        keySize = options.keySize
        valueSize = options.valueSize
        threads = options.threads
        batchSize = options.batchSize
        duration = options.duration
        seekNexts = options.seekNexts
        compressionRatio = options.compressionRatio
        writeRateLimit = options.writeRateLimit
        openLoopRate = options.openLoopRate
        stallMillis = options.stallMillis
        takesLatencies = options.histogram == .on || options.openLoopRate > 0
        durability = options.sync == .on ? .synced : options.durability
    }
}
