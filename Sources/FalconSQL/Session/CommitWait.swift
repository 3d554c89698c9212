import FalconStorage
import Synchronization

/// A commit on its way to being durable.
final class CommitWait: Sendable {
    private struct State {
        var result: Result<CommitReceipt, StorageError>?
        var callback: (@Sendable () -> Void)?
        var ticket: CommitTicket?
        var isCancelled = false
    }
    private let state = Mutex(State())

    var result: Result<CommitReceipt, StorageError>? { state.withLock { $0.result } }

    func complete(_ result: Result<CommitReceipt, StorageError>) {
        let callback = state.withLock { state in
            state.result = result
            defer { state.callback = nil }
            return state.callback
        }
        callback?()
    }

    /// What takes the commit back while the engine holds it.
    func hold(_ ticket: CommitTicket) {
        let isCancelled = state.withLock { state in
            state.ticket = ticket
            return state.isCancelled
        }
        if isCancelled { ticket.cancel() }
    }

    /// Takes the commit back when it has no place in the log yet; else it goes its way.
    func cancel() {
        let ticket = state.withLock { state in
            state.isCancelled = true
            return state.ticket
        }
        ticket?.cancel()
    }

    func onReady(_ callback: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if state.result != nil { return true }
            state.callback = callback
            return false
        }
        if isOver { callback() }
    }
}
