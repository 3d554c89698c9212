import Synchronization

/// A flushed memtable's arena, kept for the next memtable: its pages are there already, and the writer
/// does not wait for the system to clear them (up to 5 ms for a huge page of a virtual machine whose
/// host gives memory as it is touched).
///
/// One arena at most, which the memory budget counts as one of the memtables there may be. Thread-safe.
final class ArenaPool: Sendable {
    private let isMemoryShort: @Sendable () -> Bool
    /// What an arena worth keeping has in use at most: a large batch's pages are not kept.
    private let usedLimit: Int
    private struct State {
        var spare: Arena?
        var isClosed = false
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - memtableBytes: where memtables are rotated.
    ///   - isMemoryShort: nothing is kept while it says so.
    init(memtableBytes: Int, isMemoryShort: @escaping @Sendable () -> Bool) {
        self.isMemoryShort = isMemoryShort
        usedLimit = memtableBytes + memtableBytes / 4
    }

    /// An empty arena of `capacityBytes` or more, with the pages of an earlier memtable if there is one.
    func take(capacityBytes: Int) throws(StorageError) -> Arena {
        let spare = state.withLock { state -> Arena? in
            guard let spare = state.spare, spare.capacity >= capacityBytes else { return nil }
            state.spare = nil
            return spare
        }
        guard let spare else { return try Arena(capacityBytes: capacityBytes, hugePages: true) }
        spare.reset()
        return spare
    }

    /// Takes the arena of a memtable that nobody reads any more.
    func give(_ arena: Arena) {
        guard arena.touchedBytes <= usedLimit, !isMemoryShort() else { return }
        state.withLock { if !$0.isClosed { $0.spare = arena } }
    }

    /// Takes a fresh arena, unless there is one of an earlier memtable.
    func prepare(_ arena: Arena) {
        guard !isMemoryShort() else { return }
        state.withLock { if !$0.isClosed, $0.spare == nil { $0.spare = arena } }
    }

    var isEmpty: Bool { state.withLock { $0.spare == nil } }

    /// Lets go what is kept, and keeps nothing more.
    func close() {
        state.withLock { $0 = State(spare: nil, isClosed: true) }
    }
}
