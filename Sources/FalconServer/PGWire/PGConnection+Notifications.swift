import FalconSQL

/// NotificationResponse: between two requests as soon as it comes, or before the ReadyForQuery that ends
/// the transaction it came in.
extension PGConnection {
    /// At most so much between two flushes: a client that reads slowly leaves the rest in the queue, which is
    /// bounded.
    private static let turnBytes = 256 << 10

    /// On the event loop, with no request under way: nobody else writes into the sink then.
    func appendNotifications() {
        guard let session, session.hasNotifications, isWritable, !workerHoldsSink else { return }
        for notification in session.takeNotifications(maximumBytes: Self.turnBytes) {
            sink.out.appendNotification(notification)
        }
        sink.needsFlush = true
    }

    /// After a flush: the rest has its turn when others on the loop have had theirs, or once the client has
    /// read what it was sent.
    func continueNotifications() {
        guard let session, session.hasNotifications, isWritable else { return }
        eventLoop.execute { [self] in drive() }
    }
}
