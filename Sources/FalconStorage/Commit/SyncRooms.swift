import CFalconPlatform

/// Where committers sleep until a sync of the log covers them, one room for each of a few syncs in
/// turn: those whom the running sync releases are woken together, by one system call, and those who
/// came since it began sleep on.
final class SyncRooms: @unchecked Sendable {
    typealias Room = UInt8
    private static let count = 4
    private static let stride = 64
    /// A word per room, raised by each waking.
    private let words: UnsafeMutableRawPointer

    init() {
        words = .allocate(byteCount: Self.count * Self.stride, alignment: Self.stride)
        for room in 0..<Self.count { falcon_store_release_u32(words + room * Self.stride, 0) }
    }

    deinit { words.deallocate() }

    /// The room of who waits for the sync after `syncsBegun`.
    @inline(__always)
    static func room(_ syncsBegun: UInt64) -> Room {
        UInt8(truncatingIfNeeded: syncsBegun) & UInt8(count - 1)
    }

    private func word(_ room: Room) -> UnsafeMutableRawPointer {
        words + Int(room) % Self.count * Self.stride
    }

    /// Sleeps until the room is woken, unless `isDone` already; may return for no reason.
    @inline(__always)
    func sleep(in room: Room, unless isDone: () -> Bool) {
        let word = word(room)
        let seen = falcon_load_acquire_u32(word)
        if isDone() { return }
        falcon_futex_wait(word.assumingMemoryBound(to: UInt32.self), seen, 1_000_000_000)
    }

    /// Wakes everybody in the rooms of `mask`.
    func wake(_ mask: UInt8) {
        for room in 0..<UInt8(Self.count) where mask & (1 << room) != 0 {
            let word = word(room)
            _ = falcon_fetch_add_u32(word, 1)
            falcon_futex_wake(word.assumingMemoryBound(to: UInt32.self), Int32.max)
        }
    }
}
