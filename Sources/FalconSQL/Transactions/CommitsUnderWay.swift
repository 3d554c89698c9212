import FalconStorage
import Synchronization

/// Commits under way of transactions whose number a client knows, and those whose outcome is unknown
/// until a restart; of those that are through, the last ones.
final class CommitsUnderWay: Sendable {
    private struct State {
        var numbers: Set<UInt64> = []
        var ended: [(number: UInt64, timestamp: Timestamp)] = []
        /// What is kept of older ones: the lowest number and the last timestamp.
        var dropped: (lowest: UInt64, upTo: Timestamp)?
    }

    private static let keptCount = 8192
    private let state = Mutex(State())

    func begin(_ number: UInt64) { state.withLock { _ = $0.numbers.insert(number) } }

    func end(_ number: UInt64, _ result: Result<CommitReceipt, StorageError>) {
        if case .failure(let error) = result, error.code == .commitOutcomeUnknown { return }
        state.withLock { state in
            state.numbers.remove(number)
            guard case .success(let receipt) = result else { return }
            state.ended.append((number, receipt.timestamp))
            if state.ended.count > Self.keptCount { Self.drop(Self.keptCount / 2, of: &state) }
        }
    }

    private static func drop(_ count: Int, of state: inout State) {
        for (number, timestamp) in state.ended.prefix(count) {
            state.dropped = (
                lowest: min(state.dropped?.lowest ?? number, number),
                upTo: max(state.dropped?.upTo ?? timestamp, timestamp)
            )
        }
        state.ended.removeFirst(count)
    }

    func contains(_ number: UInt64) -> Bool { state.withLock { $0.numbers.contains(number) } }

    /// The numbers of commits that a snapshot of `timestamp` does not show. Of one so old that this is not
    /// known, also the number from which on nothing is.
    func unseen(at timestamp: Timestamp) -> (numbers: Set<UInt64>, unknownFrom: UInt64?) {
        state.withLock { state in
            var numbers = state.numbers
            for (number, committed) in state.ended where committed > timestamp {
                numbers.insert(number)
            }
            let isOlder = (state.dropped?.upTo).map { $0 > timestamp } ?? false
            return (numbers, isOlder ? state.dropped?.lowest : nil)
        }
    }
}
