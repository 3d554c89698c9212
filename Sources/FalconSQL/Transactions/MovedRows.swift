import FalconStorage
import Synchronization

/// Where rows went whose primary key a committed transaction changed.
///
/// A READ COMMITTED statement that finds a row gone at its key follows it here, as PostgreSQL follows
/// its chain of row versions. Only statements that began before the move need an entry, so none
/// outlives the oldest snapshot by more than one later move, and nothing of it is ever on disk.
final class MovedRows: Sendable {
    /// A point in the order of moves: the commit, then the place within its transaction.
    struct Place: Comparable, Sendable {
        var timestamp: Timestamp
        var ordinal: UInt32

        static func < (a: Place, b: Place) -> Bool {
            (a.timestamp, a.ordinal) < (b.timestamp, b.ordinal)
        }
    }

    /// One change of a row's key.
    struct Move: Sendable {
        var from: [UInt8]
        var to: [UInt8]
        var ordinal: UInt32
    }

    private struct Hop {
        var place: Place
        var to: [UInt8]
    }

    private struct State {
        var hops: [[UInt8]: [Hop]] = [:]
        /// Hops up to here are gone.
        var prunedTo = Timestamp.zero
    }

    private let state = Mutex(State())
    private let hopCount = Atomic<Int>(0)

    /// One load: most workloads never change a primary key.
    var isEmpty: Bool { hopCount.load(ordering: .acquiring) == 0 }

    /// Remembers a commit's moves for the snapshots older than it. Called before its row locks are
    /// released, so that whoever waited for them finds the entries.
    func record(_ moves: [Move], at timestamp: Timestamp, oldestSnapshot: Timestamp) {
        state.withLock { state in
            if oldestSnapshot > state.prunedTo {
                state.prunedTo = oldestSnapshot
                for (key, list) in state.hops {
                    let kept = list.filter { $0.place.timestamp > oldestSnapshot }
                    state.hops[key] = kept.isEmpty ? nil : kept
                }
            }
            if timestamp > oldestSnapshot {
                for move in moves {
                    let place = Place(timestamp: timestamp, ordinal: move.ordinal)
                    state.hops[move.from, default: []].append(Hop(place: place, to: move.to))
                }
            }
            hopCount.store(state.hops.count, ordering: .releasing)
        }
    }

    /// Where the row that was at `key` went first after `place`; nil when it was not moved.
    func next(
        from key: UnsafeRawBufferPointer, after place: Place
    ) -> (key: [UInt8], place: Place)? {
        state.withLock { state in
            guard let list = state.hops[Array(key)] else { return nil }
            let hop = list.filter { $0.place > place }.min { $0.place < $1.place }
            return hop.map { ($0.to, $0.place) }
        }
    }
}
