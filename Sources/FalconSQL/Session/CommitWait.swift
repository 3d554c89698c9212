import FalconStorage
import Synchronization

/// A commit on its way to being durable.
final class CommitWait: Sendable {
    private struct State {
        var result: Result<CommitReceipt, StorageError>?
        var callback: (@Sendable () -> Void)?
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

    func onReady(_ callback: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if state.result != nil { return true }
            state.callback = callback
            return false
        }
        if isOver { callback() }
    }
}
