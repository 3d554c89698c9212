/// What NOTIFY sends to those that listen on its channel.
public struct SessionNotification: Sendable, Equatable {
    /// The session that sent it.
    public let processID: Int32
    public let channel: String
    public let payload: String

    public init(processID: Int32, channel: String, payload: String) {
        self.processID = processID
        self.channel = channel
        self.payload = payload
    }

    /// What it takes of the queue, its place in a mailbox aside.
    var bytes: Int { channel.utf8.count &+ payload.utf8.count &+ 128 }
}
