import Synchronization

/// The records there are: numbers are given to inserts in turn, and count once every smaller one is in.
final class YCSBRecords: Sendable {
    private struct State {
        var next: UInt64
        var inserted: UInt64
        /// Inserted before a smaller number was.
        var early: Set<UInt64> = []
    }
    private let state: Mutex<State>
    private let published: Atomic<UInt64>

    init(_ count: UInt64) {
        state = Mutex(State(next: count, inserted: count))
        published = Atomic(count)
    }

    /// Records below this number are all there.
    var count: UInt64 { published.load(ordering: .acquiring) }

    func begin() -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    func end(_ number: UInt64) {
        state.withLock { state in
            state.early.insert(number)
            while state.early.remove(state.inserted) != nil { state.inserted += 1 }
            published.store(state.inserted, ordering: .releasing)
        }
    }
}
