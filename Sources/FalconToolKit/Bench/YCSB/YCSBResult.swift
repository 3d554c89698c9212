import FalconStorage

/// What one workload came to.
struct YCSBResult {
    let name: String
    let operations: UInt64
    let seconds: Double
    let latencies: [(YCSBWorkload.Operation, LatencyHistogram)]
    let overall = LatencyHistogram()
    let missed: UInt64
    let scanned: UInt64
    let stalls: UInt64
    let writtenBytes: UInt64
    let threadCount: Int
    let before: EngineStatistics
    let after: EngineStatistics

    /// `records`: what the load put, which counts no latencies.
    init(
        name: String, threads: [YCSBThread], records: Int, nanos: UInt64,
        before: EngineStatistics, after: EngineStatistics
    ) {
        self.name = name
        var latencies: [(YCSBWorkload.Operation, LatencyHistogram)] = []
        for operation in YCSBWorkload.Operation.allCases {
            let parts = threads.map { $0.latencies[operation.index] }.filter { $0.count > 0 }
            guard !parts.isEmpty else { continue }
            let sum = LatencyHistogram()
            for part in parts {
                sum.merge(part)
                overall.merge(part)
            }
            latencies.append((operation, sum))
        }
        self.latencies = latencies
        operations = records > 0 ? UInt64(records) : overall.count
        seconds = max(Double(nanos) / 1e9, 1e-9)
        missed = threads.reduce(0) { $0 + $1.missed }
        scanned = threads.reduce(0) { $0 + $1.scanned }
        stalls = threads.reduce(0) { $0 + $1.stalls }
        writtenBytes = threads.reduce(0) { $0 + $1.writtenBytes }
        threadCount = threads.count
        self.before = before
        self.after = after
    }

    private var delayNanos: UInt64 { after.totalDelayNanos &- before.totalDelayNanos }

    func text(of title: String) -> String {
        var text = "\(name): \(title)\n  \(operations) operations,"
        text += " \(Int(Double(operations) / seconds)) ops/sec,"
        text += " \(BenchText.number(seconds, width: 0, decimals: 3)) seconds"
        if missed > 0 { text += ", \(missed) NOT FOUND" }
        if delayNanos > 0 { text += ", writers held back \(delayNanos / 1_000_000) ms" }
        if stalls > 0 { text += ", \(stalls) stalls" }
        text += "\n"
        for (operation, latency) in latencies {
            text += "  " + BenchText.padded(operation.name, 18)
            text += BenchText.number(Double(latency.count), width: 10, decimals: 0) + "  us:"
            for (label, value) in [
                ("p50", latency.percentile(50)), ("p95", latency.percentile(95)),
                ("p99", latency.percentile(99)), ("p99.9", latency.percentile(99.9)),
                ("max", Double(latency.maximum)),
            ] {
                text += " \(label) \(BenchText.number(value / 1000, width: 0, decimals: 2))"
            }
            text += "\n"
        }
        return text
    }

    var json: JSONValue {
        .object([
            ("name", .string(name)), ("threads", .count(threadCount)),
            ("operations", .unsigned(operations)), ("seconds", .double(seconds)),
            ("ops_per_sec", .double(Double(operations) / seconds)),
            ("not_found", .unsigned(missed)), ("scanned_records", .unsigned(scanned)),
            ("latency", overall.count > 0 ? overall.json : .null),
            ("operations_by_kind", .object(latencies.map { ($0.0.name, $0.1.json) })),
            (
                "throttling",
                .object([
                    ("delay_nanos", .unsigned(delayNanos)),
                    ("delay_reason_at_end", .string(after.delayReason.rawValue)),
                    ("stalls", .unsigned(stalls)),
                    ("longest_micros", .double(Double(overall.maximum) / 1000)),
                ])
            ),
            ("written", BenchEngine.written(from: before, to: after, userBytes: writtenBytes)),
        ])
    }
}
