import Synchronization

/// Finds out that a session has been idle too long. One timer at a time for a session, however many
/// requests come: the timer looks when it fires and goes on if it is too early.
final class IdleTimeout: @unchecked Sendable {
    /// Where the session is idle.
    enum Place: Sendable {
        case session
        case transaction
    }

    private struct State {
        var place: Place?
        var deadline: UInt64 = 0
        /// When the running timer fires; nil without one.
        var timerDeadline: UInt64?
        var timer: TimerService.Timer?
        /// Tells a replaced timer, which may be firing, from the current one.
        var generation = 0
    }
    /// No timer runs longer: cancelled ones stay in the service's heap until their time.
    private static let longestTimerNanos: UInt64 = 60_000_000_000

    private let timers: TimerService
    private let state = Mutex(State())
    private let expired: @Sendable (Interrupt.Reason) -> Void
    /// The session's thread asks this before it calls `end`.
    private(set) var isOn = false

    /// `expired` is called on the timer thread and must be short.
    init(timers: TimerService, expired: @escaping @Sendable (Interrupt.Reason) -> Void) {
        self.timers = timers
        self.expired = expired
    }

    /// The session has nothing to do from now on.
    func begin(_ place: Place, milliseconds: Int) {
        isOn = true
        let now = TimerService.nowNanos()
        state.withLock { state in
            state.place = place
            state.deadline = now &+ UInt64(max(0, milliseconds)) &* 1_000_000
            if let running = state.timerDeadline, running <= state.deadline { return }
            arm(&state, now)
        }
    }

    /// It has. The timer runs on: it finds this when it fires.
    func end() {
        isOn = false
        state.withLock { $0.place = nil }
    }

    /// The session is closed.
    func stop() {
        isOn = false
        state.withLock { state in
            state.place = nil
            state.timer?.cancel()
            state.timer = nil
            state.timerDeadline = nil
        }
    }

    /// Where it has been idle too long, if it has and still is. Thread-safe.
    var expiredPlace: Place? {
        state.withLock { state in
            state.deadline <= TimerService.nowNanos() ? state.place : nil
        }
    }

    private func arm(_ state: inout State, _ now: UInt64) {
        state.timer?.cancel()
        let left = state.deadline > now ? state.deadline &- now : 0
        let nanos = min(left, Self.longestTimerNanos)
        state.generation &+= 1
        let generation = state.generation
        state.timerDeadline = now &+ nanos
        // Rounded up: it is not to fire just before the deadline.
        state.timer = timers.schedule(afterMilliseconds: Int((nanos &+ 999_999) / 1_000_000)) {
            [weak self] in self?.fired(generation)
        }
    }

    private func fired(_ generation: Int) {
        let over = state.withLock { state -> Place? in
            guard generation == state.generation else { return nil }
            state.timer = nil
            state.timerDeadline = nil
            guard let place = state.place else { return nil }
            let now = TimerService.nowNanos()
            if state.deadline <= now { return place }
            arm(&state, now)
            return nil
        }
        switch over {
        case .session: expired(.idleSession)
        case .transaction: expired(.idleInTransaction)
        case nil: break
        }
    }
}
