/// A committing transaction's part in the ``NotificationQueue``, which guards its state.
final class NotificationCommit: @unchecked Sendable {
    enum Fate { case open, committed, aborted }

    let listener: NotificationListener?
    let actions: [PendingNotifications.Action]
    let database: UInt32
    let messages: [SessionNotification]
    let bytes: Int
    /// It has its place among the commits.
    var isOrdered = false
    var fate = Fate.open

    init(
        listener: NotificationListener?, actions: [PendingNotifications.Action], database: UInt32,
        messages: [SessionNotification]
    ) {
        self.listener = listener
        self.actions = actions
        self.database = database
        self.messages = messages
        bytes = messages.reduce(0) { $0 &+ $1.bytes }
    }
}
