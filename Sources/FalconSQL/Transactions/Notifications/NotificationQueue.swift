import FalconSchema
import FalconStorage
import Synchronization

/// What NOTIFY has sent and listening sessions have not taken yet: a mailbox for each, and a bound on all.
///
/// A commit takes its part in four steps: it reserves room (``reserve(_:)``, which may fail it), gets its
/// place in the order of commits (``ordered(_:)``), and is published or abandoned. Messages reach the
/// mailboxes in the order of commits, whichever thread hears of a commit first. A message is charged once,
/// from the reservation until the last mailbox is rid of it. Thread-safe; wakes sessions outside its lock.
final class NotificationQueue: Sendable {
    private struct Topic: Hashable {
        var database: UInt32
        var channel: String
    }

    /// A message and in how many mailboxes it is.
    private final class Letter {
        let notification: SessionNotification
        var receivers = 0
        init(_ notification: SessionNotification) { self.notification = notification }
    }

    private struct Mailbox {
        let listener: NotificationListener
        /// In the order of LISTEN.
        var channels: [String] = []
        var letters: [Letter] = []
        /// How many of `letters` are taken.
        var taken = 0
    }

    private struct State {
        var mailboxes: [UInt64: Mailbox] = [:]
        var readers: [Topic: [UInt64]] = [:]
        /// Commits with messages in their order, from the first whose fate is open on.
        var order: [NotificationCommit] = []
        var usedBytes = 0
        var chargedBytes = 0
        var lastWarning: ContinuousClock.Instant?
        var nextID: UInt64 = 1
    }

    /// A place in a mailbox.
    private static let placeBytes = 8
    private static let leastPiece = 64 << 10
    /// How often a queue that is more than half full is warned of.
    private static let warningPause = Duration.seconds(5)

    let limitBytes: Int
    private let budget: MemoryBudget?
    private let state = Mutex(State())

    /// - Parameter limitBytes: nil for a sixteenth of the memory budget, or 64 MiB without one.
    init(_ budget: MemoryBudget?, limitBytes: Int?) {
        self.budget = budget
        self.limitBytes = max(1, limitBytes ?? budget.map { $0.totalBytes / 16 } ?? 64 << 20)
    }

    /// The part of the queue that is taken: pg_notification_queue_usage.
    var usage: Double {
        Double(state.withLock { $0.usedBytes }) / Double(limitBytes)
    }

    // MARK: Listeners

    func makeListener(
        database: UInt32, processID: Int32, wake: @escaping @Sendable () -> Void
    ) -> NotificationListener {
        state.withLock { state in
            let listener = NotificationListener(
                id: state.nextID, database: database, processID: processID, wake: wake)
            state.nextID &+= 1
            state.mailboxes[listener.id] = Mailbox(listener: listener)
            return listener
        }
    }

    /// Its session is over.
    func remove(_ listener: NotificationListener) {
        state.withLock { state in
            unlistenAll(listener, &state)
            guard let box = state.mailboxes.removeValue(forKey: listener.id) else { return }
            for letter in box.letters.dropFirst(box.taken) { drop(letter, &state) }
            settleCharge(&state)
        }
    }

    func channels(of listener: NotificationListener) -> [String] {
        state.withLock { $0.mailboxes[listener.id]?.channels ?? [] }
    }

    /// What has come for it, the oldest first: at least one if there is any, and no more when they are
    /// `maximumBytes`.
    func take(_ listener: NotificationListener, maximumBytes: Int) -> [SessionNotification] {
        state.withLock { state in
            guard var box = state.mailboxes[listener.id] else { return [] }
            // The only reference: a copy of the letters would cost as much as all of them.
            state.mailboxes[listener.id]?.letters = []
            var found: [SessionNotification] = []
            var bytes = 0
            while box.taken < box.letters.count, bytes < maximumBytes {
                let letter = box.letters[box.taken]
                box.taken += 1
                found.append(letter.notification)
                bytes &+= letter.notification.bytes
                drop(letter, &state)
            }
            if box.taken == box.letters.count {
                box.letters = []
                box.taken = 0
                listener.hasMail.store(false, ordering: .releasing)
            } else if box.taken > 1024, box.taken > box.letters.count / 2 {
                box.letters.removeFirst(box.taken)
                box.taken = 0
            }
            state.mailboxes[listener.id] = box
            settleCharge(&state)
            return found
        }
    }

    // MARK: Commits

    /// Takes room for the commit's messages, or throws and takes none. What it returns is to be told to the
    /// client: the queue fills.
    func reserve(_ commit: NotificationCommit) throws(SQLError) -> SQLError? {
        let result: Result<SQLError?, SQLError> = state.withLock { state in
            let used = state.usedBytes &+ commit.bytes
            guard used <= limitBytes else { return .failure(Self.full) }
            if let budget, used > state.chargedBytes {
                let wanted = used &- state.chargedBytes &+ Self.leastPiece
                guard budget.tryCharge(.notifications, wanted) else {
                    return .failure(
                        MemoryMeter.exceeded(
                            budget, "The transaction's notifications take \(commit.bytes) bytes"))
                }
                state.chargedBytes &+= wanted
            }
            state.usedBytes = used
            return .success(fillWarning(&state))
        }
        return try result.get()
    }

    /// The commit has its place; called where it gets it.
    func ordered(_ commit: NotificationCommit) {
        if commit.messages.isEmpty { return }
        state.withLock { state in
            commit.isOrdered = true
            state.order.append(commit)
        }
    }

    /// The commit is visible: its LISTEN and UNLISTEN take effect, and its messages go out behind those of
    /// the commits before it.
    func published(_ commit: NotificationCommit) { settle(commit, .committed) }

    /// Nothing of the commit will be visible.
    func abandoned(_ commit: NotificationCommit) { settle(commit, .aborted) }

    private func settle(_ commit: NotificationCommit, _ fate: NotificationCommit.Fate) {
        let woken = state.withLock { state in
            commit.fate = fate
            if fate == .committed { apply(commit, &state) }
            var woken: [NotificationListener] = []
            if commit.isOrdered {
                let ready = state.order.prefix { $0.fate != .open }
                state.order.removeFirst(ready.count)
                for commit in ready { post(commit, &state, &woken) }
            } else {
                post(commit, &state, &woken)
            }
            settleCharge(&state)
            return woken
        }
        for listener in woken { listener.notify() }
    }

    private func apply(_ commit: NotificationCommit, _ state: inout State) {
        guard let listener = commit.listener, state.mailboxes[listener.id] != nil else { return }
        for action in commit.actions {
            switch action {
            case .listen(let channel):
                guard state.mailboxes[listener.id]?.channels.contains(channel) == false else {
                    continue
                }
                state.mailboxes[listener.id]?.channels.append(channel)
                state.readers[Topic(database: listener.database, channel: channel), default: []]
                    .append(listener.id)
            case .unlisten(let channel): unlisten(listener, channel, &state)
            case .unlistenAll: unlistenAll(listener, &state)
            }
        }
    }

    private func unlistenAll(_ listener: NotificationListener, _ state: inout State) {
        for channel in state.mailboxes[listener.id]?.channels ?? [] {
            unlisten(listener, channel, &state)
        }
    }

    /// As in PostgreSQL, what has not been taken from the channel yet is not delivered either.
    private func unlisten(
        _ listener: NotificationListener, _ channel: String, _ state: inout State
    ) {
        let topic = Topic(database: listener.database, channel: channel)
        state.readers[topic]?.removeAll { $0 == listener.id }
        if state.readers[topic]?.isEmpty ?? false { state.readers[topic] = nil }
        guard var box = state.mailboxes[listener.id] else { return }
        box.channels.removeAll { $0 == channel }
        var kept: [Letter] = []
        for letter in box.letters.dropFirst(box.taken) {
            if letter.notification.channel == channel {
                drop(letter, &state)
            } else {
                kept.append(letter)
            }
        }
        box.letters = kept
        box.taken = 0
        if kept.isEmpty { listener.hasMail.store(false, ordering: .releasing) }
        state.mailboxes[listener.id] = box
    }

    /// Puts a commit's messages into the mailboxes of those that listen.
    private func post(
        _ commit: NotificationCommit, _ state: inout State,
        _ woken: inout [NotificationListener]
    ) {
        guard commit.fate == .committed else {
            state.usedBytes &-= commit.bytes
            return
        }
        for message in commit.messages {
            let topic = Topic(database: commit.database, channel: message.channel)
            let letter = Letter(message)
            for reader in state.readers[topic] ?? [] {
                guard let listener = state.mailboxes[reader]?.listener else { continue }
                state.mailboxes[reader]?.letters.append(letter)
                letter.receivers += 1
                state.usedBytes &+= Self.placeBytes
                if !listener.hasMail.exchange(true, ordering: .acquiringAndReleasing) {
                    woken.append(listener)
                }
            }
            if letter.receivers == 0 { state.usedBytes &-= message.bytes }
        }
    }

    /// One mailbox is rid of it.
    private func drop(_ letter: Letter, _ state: inout State) {
        letter.receivers -= 1
        state.usedBytes &-= Self.placeBytes
        if letter.receivers == 0 { state.usedBytes &-= letter.notification.bytes }
    }

    // MARK: Room

    /// Brings the budget's account to what is used; places in mailboxes cannot be refused.
    private func settleCharge(_ state: inout State) {
        let excess = state.chargedBytes &- state.usedBytes
        guard let budget, excess < 0 || excess > 4 * Self.leastPiece || state.usedBytes == 0 else {
            return
        }
        budget.charge(.notifications, -excess)
        state.chargedBytes = state.usedBytes
    }

    private static let full = SQLError(
        .programLimitExceeded, "too many notifications in the NOTIFY queue")

    /// More than half is taken, and nobody was told of it lately.
    private func fillWarning(_ state: inout State) -> SQLError? {
        guard state.usedBytes > limitBytes / 2 else { return nil }
        let now = ContinuousClock.now
        if let last = state.lastWarning, now - last < Self.warningPause { return nil }
        state.lastWarning = now
        let slowest = state.mailboxes.values.max {
            $0.letters.count - $0.taken < $1.letters.count - $1.taken
        }
        let share = Int((Double(state.usedBytes) / Double(limitBytes) * 100).rounded())
        return SQLError(
            .warning, "NOTIFY queue is \(share)% full",
            detail: slowest.map {
                "The server process with PID \($0.listener.processID) is among those with the "
                    + "oldest transactions."
            },
            hint: slowest.map { _ in
                "The NOTIFY queue cannot be emptied until that process ends its current transaction."
            }, severity: .warning)
    }
}
