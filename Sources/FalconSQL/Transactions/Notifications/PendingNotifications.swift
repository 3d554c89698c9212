import FalconSchema

/// What a transaction's LISTEN, UNLISTEN and NOTIFY come to when it commits, in their order.
struct PendingNotifications {
    enum Action: Sendable {
        case listen(String)
        case unlisten(String)
        case unlistenAll
    }

    /// How far it was at a savepoint, or where a statement began.
    struct Mark {
        var actions = 0
        var messages = 0
        var bytes = 0
    }

    struct Message: Hashable, Sendable {
        var channel: String
        var payload: String
        var bytes: Int { channel.utf8.count &+ payload.utf8.count &+ 160 }
    }

    private(set) var actions: [Action] = []
    /// Each once: equal ones of a transaction are one.
    private(set) var messages: [Message] = []
    private var known: Set<Message> = []
    private(set) var memoryBytes = 0

    var isEmpty: Bool { actions.isEmpty && messages.isEmpty }
    var mark: Mark {
        Mark(actions: actions.count, messages: messages.count, bytes: memoryBytes)
    }

    /// LISTEN takes effect with the commit.
    var listens: Bool {
        actions.contains {
            if case .listen = $0 { true } else { false }
        }
    }

    mutating func append(_ action: Action) {
        actions.append(action)
        memoryBytes &+= 160
    }

    mutating func append(_ message: Message) {
        guard known.insert(message).inserted else { return }
        messages.append(message)
        memoryBytes &+= message.bytes
    }

    /// Forgets what came after `mark`.
    mutating func undo(to mark: Mark) {
        while actions.count > mark.actions { actions.removeLast() }
        while messages.count > mark.messages {
            if let last = messages.popLast() { known.remove(last) }
        }
        memoryBytes = mark.bytes
    }

    mutating func removeAll() {
        if isEmpty { return }
        self = PendingNotifications()
    }

    /// PostgreSQL's rules for a channel's name and a payload.
    static func check(_ message: Message) throws(SQLError) {
        if message.channel.isEmpty {
            throw SQLError(.invalidParameterValue, "channel name cannot be empty")
        }
        if message.channel.utf8.count >= 64 {
            throw SQLError(.invalidParameterValue, "channel name too long")
        }
        if message.payload.utf8.count >= 8000 {
            throw SQLError(.invalidParameterValue, "payload string too long")
        }
    }
}
