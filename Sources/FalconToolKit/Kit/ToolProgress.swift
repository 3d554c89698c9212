import FalconStorage

/// A progress line on standard error: only on a terminal, five times a second at most.
public final class ToolProgress {
    private static let intervalNanos: UInt64 = 200_000_000

    private let context: ToolContext
    private let isShown: Bool
    private let label: String
    private var lastNanos: UInt64 = 0
    private var isOnLine = false

    public init(_ label: String, _ report: ReportWriter) {
        context = report.context
        self.label = label
        isShown = !report.isQuiet && report.context.standardError.isTerminal
    }

    /// Says how far the work is, of a total in the same unit (0: unknown).
    public func update(_ done: UInt64, of total: UInt64, unit: String) {
        guard isShown else { return }
        let now = context.environment.clock.monotonicNanos()
        guard !isOnLine || now &- lastNanos >= Self.intervalNanos else { return }
        lastNanos = now
        isOnLine = true
        let percent = total > 0 ? Double(done) / Double(total) * 100 : 0
        let share = total > 0 ? " of \(total) (\(Int(percent)) %)" : ""
        context.standardError.write("\r\u{1B}[K\(label): \(done)\(share) \(unit)")
        context.standardError.flush()
    }

    /// Takes the line away.
    public func end() {
        guard isOnLine else { return }
        context.standardError.write("\r\u{1B}[K")
        context.standardError.flush()
        isOnLine = false
    }
}
