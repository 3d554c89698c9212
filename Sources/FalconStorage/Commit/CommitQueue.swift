/// A commit that has its place, is in the log's buffer and in the memtable, and waits for its
/// durability and its turn.
struct PendingCommit {
    var end: LSN
    var timestamp: Timestamp
    var durability: Durability
    /// One of the two.
    var waiter: UnsafeMutablePointer<CommitWaiter>?
    var completion: (@Sendable (Result<CommitReceipt, StorageError>) -> Void)?

    /// The bit of the room that is to be woken, or 0.
    func finish() -> UInt8 { end(nil) }
    func fail(_ error: StorageError) -> UInt8 { end(error) }

    private func end(_ error: StorageError?) -> UInt8 {
        if let waiter { return CommitWaiter.finish(waiter, error).map { 1 << $0 } ?? 0 }
        if let error {
            completion?(.failure(error))
        } else {
            completion?(.success(CommitReceipt(timestamp: timestamp, lsn: end)))
        }
        return 0
    }
}

/// The commits between ordering and publication, first in, first out, in a ring that grows. Guarded
/// by its pipeline.
struct CommitQueue: ~Copyable {
    private var slots: UnsafeMutablePointer<PendingCommit>
    private var capacity: Int
    private var head = 0
    private(set) var count = 0

    init(capacity: Int = 1024) {
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<count {
            (slots + (head &+ index) & (capacity &- 1)).deinitialize(count: 1)
        }
        slots.deallocate()
    }

    mutating func append(_ commit: consuming PendingCommit) {
        if count == capacity { grow() }
        (slots + ((head &+ count) & (capacity &- 1))).initialize(to: commit)
        count &+= 1
    }

    /// The end and durability of the oldest; call with `count > 0`.
    var first: (end: LSN, durability: Durability) {
        (slots[head].end, slots[head].durability)
    }

    /// Call with `count > 0`.
    mutating func removeFirst() -> PendingCommit {
        let commit = (slots + head).move()
        head = (head &+ 1) & (capacity &- 1)
        count &-= 1
        return commit
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<PendingCommit>.allocate(capacity: capacity * 2)
        for index in 0..<count {
            (larger + index).initialize(to: (slots + ((head &+ index) & (capacity &- 1))).move())
        }
        slots.deallocate()
        slots = larger
        capacity *= 2
        head = 0
    }
}
