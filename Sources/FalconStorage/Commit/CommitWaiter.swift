import CFalconPlatform

/// Where a blocked committer learns its outcome. Lives on its stack; the publisher touches it last
/// with the exchange that sets ``done``.
///
/// Who waits for a sync sleeps on the word of its ``SyncRoom``, so that all whom one sync releases are
/// woken by one system call; others sleep on their own.
struct CommitWaiter {
    static let pending: UInt32 = 0
    static let sleeping: UInt32 = 1
    static let done: UInt32 = 2

    var word: UInt64 = 0
    var error: StorageError?
    /// Set before the commit is queued.
    var room: SyncRooms.Room?

    init() {}

    /// Publisher: hands the outcome over. The waiter may be gone when this returns. The room that is
    /// to be woken, when it sleeps in one.
    static func finish(
        _ waiter: UnsafeMutablePointer<CommitWaiter>, _ error: StorageError?
    ) -> SyncRooms.Room? {
        if let error { waiter.pointee.error = error }
        let room = waiter.pointee.room
        let word = UnsafeMutableRawPointer(waiter) + wordOffset
        guard falcon_exchange_u64(word, UInt64(done)) == UInt64(sleeping) else { return nil }
        if let room { return room }
        falcon_futex_wake(word.assumingMemoryBound(to: UInt32.self), 1)
        return nil
    }

    static func isDone(_ waiter: UnsafeMutablePointer<CommitWaiter>) -> Bool {
        falcon_load_acquire_u64(UnsafeRawPointer(waiter) + wordOffset) == UInt64(done)
    }

    /// Waits for ``finish(_:_:)``: a short spin, since the flusher is often about to be done, then
    /// sleep.
    static func wait(
        _ waiter: UnsafeMutablePointer<CommitWaiter>, spins: Int, _ rooms: SyncRooms
    ) {
        for _ in 0..<spins where isDone(waiter) { return }
        let word = UnsafeMutableRawPointer(waiter) + wordOffset
        var expected = UInt64(pending)
        if !falcon_cas_u64(word, &expected, UInt64(sleeping)), expected == UInt64(done) { return }
        while !isDone(waiter) {
            if let room = waiter.pointee.room {
                rooms.sleep(in: room) { isDone(waiter) }
            } else {
                // Little-endian: the low half of the word holds the state.
                falcon_futex_wait(
                    word.assumingMemoryBound(to: UInt32.self), sleeping, 1_000_000_000)
            }
        }
    }

    private static var wordOffset: Int { MemoryLayout<CommitWaiter>.offset(of: \.word) ?? 0 }
}
