import FalconStorage
import Synchronization

/// Runs the clients and checks what they left.
final class TPCBBench {
    private let options: TPCBOptions
    private let output: BenchOutput
    private var clock: any StorageClock { output.context.environment.clock }

    init(_ options: TPCBOptions, _ output: BenchOutput) {
        self.options = options
        self.output = output
    }

    /// False when the tables' sums do not agree.
    func run() throws(WireFailure) -> Bool {
        let control = try WireClient(
            host: options.host, port: options.port, user: options.user, database: options.database)
        defer { control.close() }
        if options.initialize {
            let start = clock.monotonicNanos()
            try TPCBTables.create(
                control, scale: options.scale, accounts: options.accountsPerBranch)
            let seconds = Double(clock.monotonicNanos() &- start) / 1e9
            output.write(
                "scale \(options.scale) loaded in "
                    + "\(BenchText.number(seconds, width: 0, decimals: 1)) seconds\n")
            output.set("load_seconds", .double(seconds))
        }
        let before = try TPCBTables.sums(control)
        var clients: [TPCBClient] = []
        for index in 0..<options.clients {
            clients.append(
                try TPCBClient(options, clock, seed: options.seed &<< 32 &+ UInt64(index)))
        }
        var watch: MetricsWatch?
        if let address = options.adminAddress { watch = try MetricsWatch(address) }
        let nanos = run(clients, watch)
        if let failure = clients.lazy.compactMap(\.failure).first ?? watch?.failure {
            throw failure
        }
        let after = try TPCBTables.sums(control)
        return report(clients, watch, nanos, before, after)
    }

    private func run(_ clients: [TPCBClient], _ watch: MetricsWatch?) -> UInt64 {
        let context = output.context
        let left = LeftCount(clients.count)
        let start = clock.monotonicNanos()
        let deadline = start &+ UInt64(options.seconds) * 1_000_000_000
        var bodies: [() -> Void] = clients.map { client in
            {
                do throws(WireFailure) {
                    try client.run(until: deadline) { context.shouldStop }
                } catch { client.failure = error }
                client.close()
                if left.fall() { watch?.end() }
            }
        }
        if let watch { bodies.append { watch.run(context) } }
        ParallelThreads.run(bodies)
        return clock.monotonicNanos() &- start
    }

    private func report(
        _ clients: [TPCBClient], _ watch: MetricsWatch?, _ nanos: UInt64,
        _ before: TPCBTables.Sums, _ after: TPCBTables.Sums
    ) -> Bool {
        let latency = LatencyHistogram()
        for client in clients { latency.merge(client.latency) }
        let retries = clients.reduce(0) { $0 + $1.retries }
        let failed = clients.reduce(0) { $0 + $1.failed }
        let seconds = max(Double(nanos) / 1e9, 1e-9)
        let rate = Double(latency.count) / seconds
        let rows = after.historyRows - before.historyRows
        let isWhole = after.areEqual && UInt64(exactly: rows) == latency.count
        var text = "tpcb: \(latency.count) transactions,"
        text += " \(BenchText.number(rate, width: 0, decimals: 1)) per second,"
        text += " \(retries) retries, \(failed) failed\n"
        text += "  ms: p50 \(millis(latency.percentile(50))) p95 \(millis(latency.percentile(95)))"
        text += " p99 \(millis(latency.percentile(99))) p99.9 \(millis(latency.percentile(99.9)))"
        text += " max \(millis(Double(latency.maximum)))\n"
        text += watch?.text ?? ""
        text += "sums: accounts \(after.accounts), tellers \(after.tellers),"
        text += " branches \(after.branches), history \(after.history); \(rows) rows of history: "
        text += isWhole ? "they agree\n" : "THEY DO NOT AGREE\n"
        output.write(text)
        output.set(
            "workloads",
            .array([
                .object([
                    ("name", .string("tpcb")), ("threads", .count(clients.count)),
                    ("operations", .unsigned(latency.count)), ("seconds", .double(seconds)),
                    ("ops_per_sec", .double(rate)), ("latency", latency.json),
                    ("retries", .unsigned(retries)), ("failed", .unsigned(failed)),
                    ("throttling", watch?.json ?? .null),
                ])
            ]))
        output.set(
            "sums",
            .object([
                ("accounts", .count(after.accounts)), ("tellers", .count(after.tellers)),
                ("branches", .count(after.branches)), ("history", .count(after.history)),
                ("history_rows", .count(rows)), ("agree", .bool(isWhole)),
            ]))
        return isWhole
    }

    private func millis(_ nanos: Double) -> String {
        BenchText.number(nanos / 1e6, width: 0, decimals: 3)
    }
}

/// Counts threads that are still at work.
private final class LeftCount: Sendable {
    private let count: Atomic<Int>
    init(_ count: Int) { self.count = Atomic(count) }
    /// One less; true for the last.
    func fall() -> Bool {
        count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}
