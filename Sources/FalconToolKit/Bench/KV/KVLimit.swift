import FalconStorage

/// The least time an operation of a workload can take on this machine, by what it cannot do without.
///
/// | operation | bound |
/// |---|---|
/// | a synced commit | one `fdatasync` of an overwritten file (p50), shared by the threads |
/// | a written commit | one 4 KiB `pwrite` |
/// | a buffered commit | 5 DRAM misses of the memtable's descent |
/// | a read that finds | 5 DRAM misses: filter, index, block's restart points, entry, value |
/// | a read that misses | 2 DRAM misses: filters |
/// | a seek | 10 DRAM misses: two runs; and the copy of the bytes stepped over |
/// | a step of a scan | the copy of its bytes |
///
/// All but the commits of one log scale with cores.
struct KVLimit {
    let name: String
    let nanosPerOperation: Double

    init?(_ result: KVResult, _ calibration: Calibration) {
        let settings = result.settings
        let lanes = Double(min(settings.threads, BenchMachine.cores))
        let bytes = Double(result.bytes) / Double(max(result.operations, 1))
        let copy = calibration[.memcpy].map { bytes / ($0 * 1e9) * 1e9 }
        let miss = calibration[.dram]
        func misses(_ count: Double, copying: Bool = false) -> (String, Double)? {
            guard let miss else { return nil }
            return ("dram_latency", (count * miss + (copying ? copy ?? 0 : 0)) / lanes)
        }
        func commit(_ durability: Durability) -> (String, Double)? {
            let batch = Double(settings.batchSize)
            switch durability {
            case .synced:
                return calibration[.syncOverwritten].map {
                    (
                        BenchLimit.syncOverwritten.rawValue,
                        $0 * 1000 / Double(settings.threads) / batch
                    )
                }
            case .written:
                return calibration[.pwrite].map {
                    (BenchLimit.pwrite.rawValue, $0 * 1000 / batch)
                }
            case .buffered: return misses(5)
            }
        }
        let bound: (String, Double)? =
            switch result.workload.kind {
            case .fillSync: commit(.synced)
            case .fillSequential, .fillRandom, .overwrite, .deleteRandom:
                commit(settings.durability)
            case .readRandom, .multiReadRandom, .readWhileWriting: misses(5)
            case .readMissing: misses(2)
            case .seekRandom: misses(10, copying: true)
            case .readSequential, .readReverse: copy.map { ("memcpy", $0 / lanes) }
            case .ingest, .flush, .compact, .waitForCompaction, .open, .replay, .replayFlush,
                .stats:
                nil
            }
        guard let bound, bound.1 > 0 else { return nil }
        (name, nanosPerOperation) = bound
    }

    /// 1 is the limit itself; 0.5 takes twice as long.
    func ratio(of result: KVResult) -> Double {
        nanosPerOperation / (1e9 / result.operationsPerSecond)
    }

    func text(of result: KVResult) -> String {
        "limit \(name): \(BenchText.number(nanosPerOperation, width: 0, decimals: 1)) ns/op,"
            + " reached \(BenchText.number(ratio(of: result) * 100, width: 0, decimals: 1)) %\n"
    }

    func json(of result: KVResult) -> JSONValue {
        .object([
            ("name", .string(name)), ("nanos_per_op", .double(nanosPerOperation)),
            ("ratio", .double(ratio(of: result))),
        ])
    }
}
