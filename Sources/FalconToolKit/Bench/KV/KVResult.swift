import FalconStorage

/// What one workload came to.
struct KVResult {
    let workload: KVWorkload
    let settings: KVBenchSettings
    let operations: UInt64
    let bytes: UInt64
    /// Keys and values written, by threads that are not measured too.
    let writtenBytes: UInt64
    /// All measured threads' time.
    let threadNanos: Double
    let seconds: Double
    let found: UInt64
    let asked: UInt64
    let latency: LatencyHistogram?
    let service: LatencyHistogram?
    let stalls: UInt64
    let longestNanos: UInt64
    let before: EngineStatistics
    let after: EngineStatistics

    init(
        _ workload: KVWorkload, _ settings: KVBenchSettings, _ threads: [BenchThread],
        measured: Int, before: EngineStatistics, after: EngineStatistics
    ) {
        self.workload = workload
        self.settings = settings
        let all = threads
        let threads = all.prefix(measured)
        operations = threads.reduce(0) { $0 + $1.done }
        bytes = threads.reduce(0) { $0 + $1.bytes }
        writtenBytes =
            (workload.isWrite ? bytes : 0) + all.dropFirst(measured).reduce(0) { $0 + $1.bytes }
        threadNanos = threads.reduce(0.0) { $0 + Double($1.endNanos &- $1.startNanos) }
        let start = threads.map(\.startNanos).min() ?? 0
        let end = threads.map(\.endNanos).max() ?? 0
        seconds = max(Double(end &- start) / 1e9, 1e-9)
        found = threads.reduce(0) { $0 + $1.found }
        asked = threads.reduce(0) { $0 + $1.asked }
        let timers = threads.compactMap(\.timer)
        latency = Self.merged(timers.map(\.latency))
        service = Self.merged(timers.compactMap(\.service))
        stalls = timers.reduce(0) { $0 + $1.stalls }
        longestNanos = timers.map(\.longestNanos).max() ?? 0
        self.before = before
        self.after = after
    }

    private static func merged(_ all: [LatencyHistogram]) -> LatencyHistogram? {
        guard !all.isEmpty else { return nil }
        let sum = LatencyHistogram()
        for histogram in all { sum.merge(histogram) }
        return sum
    }

    var microsPerOperation: Double { threadNanos / 1000 / Double(max(operations, 1)) }
    var operationsPerSecond: Double { Double(max(operations, 1)) / seconds }
    var delayNanos: UInt64 { after.totalDelayNanos &- before.totalDelayNanos }
}

extension KVResult {
    /// `fillseq      :       2.500 micros/op 400000 ops/sec 2.500 seconds 1000000 operations;   44.2 MB/s`
    var text: String {
        var line = BenchText.padded(workload.name, 12) + " : "
        line += BenchText.number(microsPerOperation, width: 11, decimals: 3)
        line += " micros/op \(Int(operationsPerSecond)) ops/sec "
        line += BenchText.number(seconds, width: 0, decimals: 3)
        line += " seconds \(max(operations, 1)) operations;"
        if bytes > 0 {
            let rate = Double(bytes) / 1_048_576 / seconds
            line += " " + BenchText.number(rate, width: 6, decimals: 1) + " MB/s"
        }
        if asked > 0 { line += " (\(found) of \(asked) found)" }
        line += "\n"
        if let service {
            line += latency?.text(of: "\(workload.operationName), from when it was due") ?? ""
            line += service.text(of: "\(workload.operationName), from its begin")
        } else {
            line += latency?.text(of: workload.operationName) ?? ""
        }
        if latency != nil, stalls > 0 || delayNanos > 0 {
            line += "Writers held back \(delayNanos / 1_000_000) ms, now"
            line += " \(after.delayReason.rawValue); \(stalls) stalls, longest operation"
            line += " \(longestNanos / 1_000_000) ms\n"
        }
        return line
    }

    func json(limit: KVLimit?) -> JSONValue {
        .object([
            ("name", .string(workload.name)), ("threads", .count(settings.threads)),
            ("operations", .unsigned(operations)), ("seconds", .double(seconds)),
            ("micros_per_op", .double(microsPerOperation)),
            ("ops_per_sec", .double(operationsPerSecond)), ("bytes", .unsigned(bytes)),
            ("mb_per_sec", .double(Double(bytes) / 1_048_576 / seconds)),
            ("found", asked > 0 ? .unsigned(found) : .null),
            ("asked", asked > 0 ? .unsigned(asked) : .null), ("latency", latency?.json ?? .null),
            ("open_loop", openLoop), ("throttling", throttling), ("written", written),
            ("limit", limit?.json(of: self) ?? .null),
        ])
    }

    private var openLoop: JSONValue {
        guard let service, workload.canBePaced, settings.openLoopRate > 0 else { return .null }
        return .object([
            ("target_ops_per_sec", .count(settings.openLoopRate)),
            ("reached_ops_per_sec", .double(operationsPerSecond)), ("service", service.json),
        ])
    }

    private var throttling: JSONValue {
        .object([
            ("delay_nanos", .unsigned(delayNanos)),
            ("delay_reason_at_end", .string(after.delayReason.rawValue)),
            ("stall_millis", .count(settings.stallMillis)),
            ("stalls", latency == nil ? .null : .unsigned(stalls)),
            ("longest_micros", latency == nil ? .null : .double(Double(longestNanos) / 1000)),
        ])
    }

    private var written: JSONValue {
        BenchEngine.written(from: before, to: after, userBytes: writtenBytes)
    }
}
