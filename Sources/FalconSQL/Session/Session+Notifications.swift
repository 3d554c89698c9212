import FalconSchema

/// LISTEN, NOTIFY, UNLISTEN: what they come to when the transaction commits.
extension Session {
    // MARK: For whoever serves the session

    /// Has `callback` called, on any thread, when a notification has come. To be set before the first
    /// request.
    public func whenNotified(_ callback: @escaping @Sendable () -> Void) {
        notified = callback
    }

    /// There is something to take. Not while a request is running.
    public var hasNotifications: Bool {
        guard let listener, block == .none else { return false }
        return listener.hasMail.load(ordering: .acquiring)
    }

    /// The oldest notifications, of `maximumBytes` or a little more; none within a transaction. Not while a
    /// request is running.
    public func takeNotifications(maximumBytes: Int) -> [SessionNotification] {
        guard hasNotifications, let listener else { return [] }
        return database.notifications.take(listener, maximumBytes: maximumBytes)
    }

    // MARK: Statements

    func listen(_ channel: String) { transaction.notifications.append(.listen(channel)) }

    /// Nil: UNLISTEN *.
    func unlisten(_ channel: String?) {
        // Who never listened has nothing to end, and may still PREPARE.
        if listener == nil, transaction.notifications.actions.isEmpty { return }
        transaction.notifications.append(channel.map { .unlisten($0) } ?? .unlistenAll)
    }

    func notify(_ channel: String, _ payload: String) throws(SQLError) {
        let message = PendingNotifications.Message(channel: channel, payload: payload)
        try PendingNotifications.check(message)
        try transaction.notify(message)
    }

    /// pg_listening_channels: what has been committed.
    var listeningChannels: [String] {
        listener.map { database.notifications.channels(of: $0) } ?? []
    }

    // MARK: Commit

    /// The last step before a commit that can fail it. Nil: the transaction had to do with no channel.
    func reserveNotifications() throws(SQLError) -> NotificationCommit? {
        if transaction.notifications.isEmpty { return nil }
        let pending = transaction.notifications
        if listener == nil, pending.listens {
            listener = database.notifications.makeListener(
                database: state.oid.rawValue, processID: processID, wake: notified)
        }
        let commit = NotificationCommit(
            listener: listener, actions: pending.actions, database: state.oid.rawValue,
            messages: pending.messages.map {
                SessionNotification(
                    processID: processID, channel: $0.channel, payload: $0.payload)
            })
        if let warning = try database.notifications.reserve(commit) {
            functionNotices.append(warning)
        }
        return commit
    }

    func endListening() {
        guard let listener else { return }
        self.listener = nil
        database.notifications.remove(listener)
    }
}
