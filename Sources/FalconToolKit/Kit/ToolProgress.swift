import FalconStorage

/// How far a run is, on standard error: on a terminal a line that changes five times a second at most; elsewhere,
/// or as JSON, lines at an interval that was asked for.
public final class ToolProgress {
    /// How it is written.
    struct Style: Equatable {
        var format = ProgressFormat.text
        /// Between two lines; nil: not asked for.
        var seconds: Double?
    }

    /// What is known of the work.
    private struct State {
        var done: UInt64
        var total: UInt64
        var unit: String
        var files: (done: Int, total: Int)?
    }

    private enum Form {
        case none
        /// One line of a terminal, over and over.
        case changingLine
        case lines
        case json
    }

    private let context: ToolContext
    private let form: Form
    private let intervalNanos: UInt64
    private let label: String
    private let tool: String
    private let startNanos: UInt64
    private var lastNanos: UInt64 = 0
    private var isOnLine = false
    private var isBegun = false
    /// The newest that was not shown.
    private var unshown: State?

    public init(_ label: String, _ report: ReportWriter) {
        context = report.context
        tool = report.tool
        self.label = label
        startNanos = report.context.environment.clock.monotonicNanos()
        let style = report.progressStyle
        let isTerminal = report.context.standardError.isTerminal
        var seconds = style.seconds ?? 1
        if report.isQuiet {
            form = .none
        } else if style.format == .json {
            form = .json
        } else if isTerminal {
            form = .changingLine
            seconds = style.seconds ?? 0.2
        } else {
            form = style.seconds == nil ? .none : .lines
        }
        intervalNanos = UInt64(max(0, min(seconds, 86_400)) * 1e9)
    }

    /// Says how far the work is, of a total in the same unit (0: unknown).
    public func update(_ done: UInt64, of total: UInt64, unit: String) {
        note(State(done: done, total: total, unit: unit))
    }

    /// Says how many files and bytes are done, how fast that goes, and when it ends if it goes on so.
    public func update(bytes: UInt64, of total: UInt64, files: Int, of fileTotal: Int) {
        note(State(done: bytes, total: total, unit: "bytes", files: (files, fileTotal)))
    }

    /// Takes the line of a terminal away: something else is written.
    public func end() {
        guard isOnLine else { return }
        context.standardError.write("\r\u{1B}[K")
        context.standardError.flush()
        isOnLine = false
    }

    /// The work is through, or ended: where lines are written, one more says how far it came.
    public func finish() {
        end()
        guard form == .lines || form == .json, let state = unshown else { return }
        unshown = nil
        write(state, at: context.environment.clock.monotonicNanos())
    }

    private func note(_ state: State) {
        guard form != .none else { return }
        let now = context.environment.clock.monotonicNanos()
        // A terminal's line that was taken away comes back at once.
        let isFirst = form == .changingLine ? !isOnLine : !isBegun
        guard isFirst || now &- lastNanos >= intervalNanos else {
            unshown = state
            return
        }
        isBegun = true
        lastNanos = now
        unshown = nil
        write(state, at: now)
    }

    private func write(_ state: State, at now: UInt64) {
        let seconds = Double(now &- startNanos) / 1e9
        switch form {
        case .none: return
        case .changingLine:
            isOnLine = true
            context.standardError.write("\r\u{1B}[K\(label): \(text(state, seconds))")
        case .lines: context.standardError.write("\(label): \(text(state, seconds))\n")
        case .json: context.standardError.write(json(state, seconds).encoded + "\n")
        }
        context.standardError.flush()
    }

    // MARK: - Forms

    private func text(_ state: State, _ seconds: Double) -> String {
        let share = state.total > 0 ? Double(state.done) / Double(state.total) * 100 : 0
        guard let files = state.files else {
            let part = state.total > 0 ? " of \(state.total) (\(Int(share)) %)" : ""
            return "\(state.done)\(part) \(state.unit)"
        }
        var text =
            "\(state.done >> 20) of \(state.total >> 20) MiB (\(Int(share)) %), "
            + "\(files.done) of \(files.total) files"
        let rate = Self.rate(state, seconds)
        if rate >= 1 {
            let left = Self.left(state, rate)
            text += ", \(Int(rate / 1_048_576)) MiB/s, ETA \(Self.span(left))"
        }
        return text
    }

    private func json(_ state: State, _ seconds: Double) -> JSONValue {
        let rate = Self.rate(state, seconds)
        let isBytes = state.unit.hasPrefix("bytes")
        let known = state.total > 0
        return .object([
            ("type", .string("progress")), ("tool", .string(tool)), ("step", .string(label)),
            ("unit", .string(isBytes ? "bytes" : state.unit)),
            (isBytes ? "bytes" : "done", .unsigned(state.done)),
            ("total", known ? .unsigned(state.total) : .null),
            ("files", state.files.map { .count($0.done) } ?? .null),
            ("files_total", state.files.map { .count($0.total) } ?? .null),
            ("seconds", .double(Self.rounded(seconds))), ("rate", .double(Self.rounded(rate))),
            (
                "eta",
                known && rate > 0 ? .double(Self.rounded(Self.left(state, rate))) : .null
            ),
        ])
    }

    /// Units a second since the start.
    private static func rate(_ state: State, _ seconds: Double) -> Double {
        seconds > 0 ? Double(state.done) / seconds : 0
    }

    /// Seconds to the end.
    private static func left(_ state: State, _ rate: Double) -> Double {
        Double(state.total &- min(state.done, state.total)) / rate
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    /// `m:ss`, or `h:mm:ss`.
    static func span(_ seconds: Double) -> String {
        let whole = seconds < 1e9 ? Int(seconds.rounded(.up)) : 1_000_000_000
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return whole < 3600
            ? "\(whole / 60):\(two(whole % 60))"
            : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}
