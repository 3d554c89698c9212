import Synchronization

/// A session that has listened at some time, as the ``NotificationQueue`` knows it.
final class NotificationListener: Sendable {
    let id: UInt64
    let database: UInt32
    /// Of the session, for the warning of a queue that fills.
    let processID: Int32
    /// Something has come that it has not taken yet.
    let hasMail = Atomic<Bool>(false)
    private let wake: @Sendable () -> Void

    init(
        id: UInt64, database: UInt32, processID: Int32, wake: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.database = database
        self.processID = processID
        self.wake = wake
    }

    /// Tells whoever serves the session, on any thread.
    func notify() { wake() }
}
