import FalconStorage

/// A progress line on standard error: only on a terminal, five times a second at most.
public final class ToolProgress {
    private static let intervalNanos: UInt64 = 200_000_000

    private let context: ToolContext
    private let isShown: Bool
    private let label: String
    private let startNanos: UInt64
    private var lastNanos: UInt64 = 0
    private var isOnLine = false

    public init(_ label: String, _ report: ReportWriter) {
        context = report.context
        self.label = label
        startNanos = report.context.environment.clock.monotonicNanos()
        isShown = !report.isQuiet && report.context.standardError.isTerminal
    }

    /// Says how far the work is, of a total in the same unit (0: unknown).
    public func update(_ done: UInt64, of total: UInt64, unit: String) {
        guard isDue() else { return }
        let percent = total > 0 ? Double(done) / Double(total) * 100 : 0
        let share = total > 0 ? " of \(total) (\(Int(percent)) %)" : ""
        show("\(done)\(share) \(unit)")
    }

    /// Says how many files and bytes are done, how fast that goes, and when it ends if it goes on so.
    public func update(bytes: UInt64, of total: UInt64, files: Int, of fileTotal: Int) {
        guard isDue() else { return }
        let seconds = Double(lastNanos &- startNanos) / 1e9
        let rate = seconds > 0 ? Double(bytes) / seconds : 0
        let percent = total > 0 ? Int(Double(bytes) / Double(total) * 100) : 0
        var text =
            "\(bytes >> 20) of \(total >> 20) MiB (\(percent) %), \(files) of \(fileTotal) files"
        if rate >= 1 {
            let left = Double(total &- min(bytes, total)) / rate
            text += ", \(Int(rate / 1_048_576)) MiB/s, ETA \(Self.span(left))"
        }
        show(text)
    }

    /// `m:ss`, or `h:mm:ss`.
    static func span(_ seconds: Double) -> String {
        let whole = seconds < 1e9 ? Int(seconds.rounded(.up)) : 1_000_000_000
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return whole < 3600
            ? "\(whole / 60):\(two(whole % 60))"
            : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }

    /// Whether the line may change again; notes the time if so.
    private func isDue() -> Bool {
        guard isShown else { return false }
        let now = context.environment.clock.monotonicNanos()
        guard !isOnLine || now &- lastNanos >= Self.intervalNanos else { return false }
        lastNanos = now
        isOnLine = true
        return true
    }

    private func show(_ text: String) {
        context.standardError.write("\r\u{1B}[K\(label): \(text)")
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
