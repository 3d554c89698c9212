import Synchronization

/// The live snapshots, oldest first, and with them the safepoint: the oldest moment a reader may
/// still ask for. Versions shadowed at the safepoint may die.
final class SnapshotTracker: @unchecked Sendable {
    private struct List {
        var oldest: Unmanaged<Snapshot>?
        var newest: Unmanaged<Snapshot>?
        var count = 0
    }
    private let list = Mutex(List())
    private let published = Atomic<UInt64>(0)

    var publishedTimestamp: Timestamp { Timestamp(published.load(ordering: .acquiring)) }

    /// Called by the publisher alone, with rising timestamps.
    func publish(_ timestamp: Timestamp) {
        published.store(timestamp.rawValue, ordering: .releasing)
    }

    var count: Int { list.withLock { $0.count } }

    func makeSnapshot(owner: String) -> Snapshot {
        list.withLock { list in
            let snapshot = Snapshot(
                timestamp: publishedTimestamp, owner: owner, tracker: self)
            let node = Unmanaged.passUnretained(snapshot)
            snapshot.older = list.newest
            if let newest = list.newest {
                newest._withUnsafeGuaranteedRef { $0.newer = node }
            } else {
                list.oldest = node
            }
            list.newest = node
            list.count += 1
            return snapshot
        }
    }

    /// Another one of the same moment; nil when that has been released.
    func makeSnapshot(like other: Snapshot, owner: String) -> Snapshot? {
        list.withLock { list in
            guard other.isHeld else { return nil }
            let snapshot = Snapshot(timestamp: other.timestamp, owner: owner, tracker: self)
            let node = Unmanaged.passUnretained(snapshot)
            snapshot.older = Unmanaged.passUnretained(other)
            snapshot.newer = other.newer
            if let newer = other.newer {
                newer._withUnsafeGuaranteedRef { $0.older = node }
            } else {
                list.newest = node
            }
            other.newer = node
            list.count += 1
            return snapshot
        }
    }

    func release(_ snapshot: Snapshot) {
        list.withLock { list in
            guard snapshot.isHeld else { return }
            snapshot.isHeld = false
            if let older = snapshot.older {
                older._withUnsafeGuaranteedRef { $0.newer = snapshot.newer }
            } else {
                list.oldest = snapshot.newer
            }
            if let newer = snapshot.newer {
                newer._withUnsafeGuaranteedRef { $0.older = snapshot.older }
            } else {
                list.newest = snapshot.older
            }
            snapshot.older = nil
            snapshot.newer = nil
            list.count -= 1
        }
    }

    /// The oldest snapshot's timestamp and owner, if there is one, and how many there are.
    func oldest() -> (timestamp: Timestamp, owner: String, count: Int)? {
        list.withLock { list in
            list.oldest?._withUnsafeGuaranteedRef { ($0.timestamp, $0.owner, list.count) }
        }
    }

    /// The oldest snapshot's timestamp, or what is published when there is none.
    func safepoint() -> Timestamp {
        list.withLock { list in
            list.oldest?._withUnsafeGuaranteedRef { $0.timestamp } ?? publishedTimestamp
        }
    }
}
