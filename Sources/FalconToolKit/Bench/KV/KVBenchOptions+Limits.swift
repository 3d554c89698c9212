import ArgumentParser
import FalconStorage

extension KVBenchOptions {
    /// The most that one commit may hold: half of what the engine's batch does.
    private static let mostBatchBytes = 2 << 30

    func validate() throws {
        try FlagLimit.check("benchmarks", benchmarks, what: "workload", known: KVWorkload.names)
        try FlagLimit.check(loadLimits + engineLimits)
        try FlagLimit.check(ratio: compressionRatio)
        let entry = keySize + valueSize
        guard batchSize * entry <= Self.mostBatchBytes else {
            throw ValidationError(
                "--batch_size times a key and a value is \(batchSize * entry) bytes; a commit holds at "
                    + "most \(Self.mostBatchBytes).")
        }
        try checkIngestedKeys()
        guard codec != nil else {
            throw ValidationError("--compression_type is none, lz4 or zstd.")
        }
        guard durability != .synced else {
            throw ValidationError(
                "--durability is written or buffered; --sync=1 forces each write to the device.")
        }
    }

    /// Shorter keys would begin anew, and a sorted file takes rising ones alone.
    private func checkIngestedKeys() throws {
        let names = benchmarks.split(separator: ",")
        let count = KVBenchSettings(self).writeCount
        let most = keySize < 6 ? 1 << (8 * keySize) : FlagLimit.mostOperations
        guard names.contains("ingest"), count > most else { return }
        throw ValidationError(
            "--key_size=\(keySize) has room for \(most) different keys; ingest writes \(count).")
    }

    /// What is done. db_bench's -1 is "as many as --num".
    private var loadLimits: [FlagLimit] {
        let many = FlagLimit.mostOperations
        return [
            FlagLimit("num", num, 1...many),
            FlagLimit("reads", reads, 0...many, or: (-1, "as --num")),
            FlagLimit("writes", writes, 0...many, or: (-1, "as --num")),
            FlagLimit("key_size", keySize, 1...1 << 20),
            FlagLimit("value_size", valueSize, 0...1 << 30),
            FlagLimit("threads", threads, 1...1024),
            FlagLimit("batch_size", batchSize, 1...1_000_000),
            FlagLimit("duration", duration, 0...FlagLimit.mostSeconds),
            FlagLimit("seek_nexts", seekNexts, 0...many),
            FlagLimit("benchmark_write_rate_limit", writeRateLimit, 0...FlagLimit.mostPerSecond),
            FlagLimit("open_loop_ops_per_sec", openLoopRate, 0...1_000_000_000),
            FlagLimit("stall_millis", stallMillis, 1...3_600_000),
        ]
    }

    /// What the engine is opened with.
    private var engineLimits: [FlagLimit] {
        [
            FlagLimit("cache_size", cacheSize, 0...FlagLimit.mostCacheBytes),
            FlagLimit("bloom_bits", bloomBits, .min...64),
            FlagLimit(
                "compression_max_dict_bytes", dictionaryBytes, 256...1 << 20, or: (0, "none")),
            FlagLimit(
                "memory_budget", memoryBudget, (64 << 20)...FlagLimit.mostCacheBytes,
                or: (0, "none")),
            FlagLimit("write_buffer_size", writeBufferSize, 4096...2 << 30),
            FlagLimit("replay_buffer_size", replayBufferSize, 4096...2 << 30),
            FlagLimit("target_file_size_base", targetFileBytes, 4096...4 << 30),
            FlagLimit("block_size", blockSize, 64...1 << 20),
            FlagLimit("min_blob_size", minBlobSize, 0...FlagLimit.mostOperations),
            FlagLimit("max_background_jobs", maxBackgroundJobs, 1...17),
            FlagLimit("rate_limiter_bytes_per_sec", rateLimiterBytes, 0...FlagLimit.mostPerSecond),
        ]
    }
}
