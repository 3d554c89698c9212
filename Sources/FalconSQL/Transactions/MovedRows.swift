import FalconStorage
import Synchronization

/// Where rows went whose primary key a committed transaction changed.
///
/// A READ COMMITTED statement that finds a row gone at its key follows it here, as PostgreSQL follows
/// its chain of row versions. Only statements that began before the move need an entry, so none
/// outlives the oldest snapshot by more than one later move, and nothing of it is ever on disk. Entries are
/// charged to the memory budget; where it has no room for more, those so far are forgotten. A statement
/// that is still running since before then takes such a row for gone, or a new one for it.
final class MovedRows: Sendable {
    /// A point in the order of moves: the commit, then the place within its transaction.
    struct Place: Comparable, Sendable {
        var timestamp: Timestamp
        var ordinal: UInt32

        static func < (a: Place, b: Place) -> Bool {
            (a.timestamp, a.ordinal) < (b.timestamp, b.ordinal)
        }
    }

    /// One change of a row's key; `to` is empty when the row was deleted and its key given to a new one.
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
        var chargedBytes = 0
    }

    private let state = Mutex(State())
    private let budget: MemoryBudget?
    private let hopCount = Atomic<Int>(0)

    init(budget: MemoryBudget?) { self.budget = budget }

    deinit { budget?.charge(.transactions, -state.withLock { $0.chargedBytes }) }

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
                    guard kept.count < list.count else { continue }
                    for hop in list where hop.place.timestamp <= oldestSnapshot {
                        charge(-Self.bytes(key, hop.to), &state)
                    }
                    state.hops[key] = kept.isEmpty ? nil : kept
                }
            }
            if timestamp > oldestSnapshot {
                let bytes = moves.reduce(0) { $0 &+ Self.bytes($1.from, $1.to) }
                if let budget, !budget.tryCharge(.transactions, bytes) {
                    state.hops.removeAll()
                    charge(-state.chargedBytes, &state)
                    budget.charge(.transactions, bytes)
                }
                state.chargedBytes &+= bytes
                for move in moves {
                    let place = Place(timestamp: timestamp, ordinal: move.ordinal)
                    state.hops[move.from, default: []].append(Hop(place: place, to: move.to))
                }
            }
            hopCount.store(state.hops.count, ordering: .releasing)
        }
    }

    private func charge(_ bytes: Int, _ state: inout State) {
        state.chargedBytes &+= bytes
        budget?.charge(.transactions, bytes)
    }

    private static func bytes(_ from: [UInt8], _ to: [UInt8]) -> Int {
        from.count &+ to.count &+ 160
    }

    /// Where the row that was at `key` went first after `place`: nil when it was not moved, empty when it
    /// was deleted and the key used again.
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
