import FalconStorage
import Synchronization

/// Looks at a server's `/metrics` while a measurement runs: once a second, and at both ends.
final class MetricsWatch: @unchecked Sendable {
    private let address: String
    private let isOver = Atomic<Bool>(false)
    private let before: ServerMetrics
    // The watching thread's until it has ended.
    private var after: ServerMetrics
    private var samples = 0
    private var throttled: [String: Int] = [:]
    private(set) var failure: WireFailure?

    init(_ address: String) throws(WireFailure) {
        self.address = address
        before = try ServerMetrics(from: address)
        after = before
    }

    /// The thread's body: until ``end()``.
    func run(_ context: ToolContext) {
        do throws(WireFailure) {
            while true {
                let last = isOver.load(ordering: .acquiring)
                after = try ServerMetrics(from: address)
                samples += 1
                if let reason = after.delayReason { throttled[reason, default: 0] += 1 }
                if last { return }
                for _ in 0..<20 where !isOver.load(ordering: .acquiring) {
                    context.pause(milliseconds: 50)
                }
            }
        } catch { failure = error }
    }

    func end() { isOver.store(true, ordering: .releasing) }

    private func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }

    var text: String {
        let reasons = throttled.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let delay = grown("falcon_write_delay_nanoseconds_total") / 1e6
        return
            "server: writers held back \(BenchText.number(delay, width: 0, decimals: 1)) ms; throttled in "
            + "\(throttled.values.reduce(0, +)) of \(samples) looks"
            + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: ", ")))")
            + "; \(Int(grown("falcon_errors_total"))) errors sent\n"
    }

    var json: JSONValue {
        .object([
            ("delay_nanos", .double(grown("falcon_write_delay_nanoseconds_total"))),
            ("samples", .count(samples)),
            ("throttled_samples", .count(throttled.values.reduce(0, +))),
            (
                "throttled_by_reason",
                .object(throttled.sorted { $0.key < $1.key }.map { ($0.key, .count($0.value)) })
            ),
            ("errors", .double(grown("falcon_errors_total"))),
            ("commits", .double(grown("falcon_transactions_committed_total"))),
        ])
    }
}
