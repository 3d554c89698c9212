import FalconSchema

/// NoticeResponses: those the client asks for, each once.
extension Session {
    /// What the current statement has told. One that had to wait runs again from its start, and would
    /// tell it again.
    struct ToldNotices {
        private var notices: [(message: String, detail: String?)] = []
        /// How many of them this run of the statement has come to again.
        private var place = 0

        var isEmpty: Bool { notices.isEmpty }

        /// The statement runs again.
        mutating func rewind() { place = 0 }

        /// Notes `notice`; false when an earlier run has told it.
        mutating func note(_ notice: SQLError) -> Bool {
            if place < notices.count, notices[place] == (notice.message, notice.detail) {
                place += 1
                return false
            }
            // What comes next was different before the wait.
            notices.removeSubrange(place...)
            notices.append((notice.message, notice.detail))
            place += 1
            return true
        }
    }

    /// Sends what a statement has to say besides its answer, once.
    func tell(_ notice: SQLError, _ sink: any ResultSink) {
        if told.note(notice) { send(notice, sink) }
    }

    /// Sends `notice` unless client_min_messages, as it is now, holds it back.
    func send(_ notice: SQLError, _ sink: any ResultSink) {
        let level = settings.value("client_min_messages") ?? ""
        if notice.severity.reachesClient(at: level) { sink.notice(notice) }
    }
}

extension SQLError.Severity {
    /// Whether a client with this client_min_messages is sent it. As in PostgreSQL INFO, which was asked
    /// for, always is.
    fileprivate func reachesClient(at level: String) -> Bool {
        switch self {
        case .debug: level.hasPrefix("debug")
        case .log: level.hasPrefix("debug") || level == "log"
        case .notice: level != "warning" && level != "error"
        case .warning: level != "error"
        case .info, .error, .fatal, .panic: true
        }
    }
}
