import Synchronization

@testable import FalconStorage

/// One operation of a commit.
enum LedgerChange: Sendable, Hashable {
    case put(String, String)
    case delete(String)
    case deleteRange(String, String)
}

/// Rows as a number that does not depend on their order.
struct RowDigest: Hashable, Sendable {
    var count = 0
    var sum: UInt64 = 0

    static func row(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> UInt64 {
        Checksum.xxh3(value, seed: Checksum.xxh3(key) | 1)
    }

    static func row(_ key: String, _ value: String) -> UInt64 {
        Array(key.utf8).withUnsafeBytes { key in
            Array(value.utf8).withUnsafeBytes { row(key, $0) }
        }
    }

    mutating func add(_ row: UInt64) {
        count += 1
        sum &+= row
    }

    mutating func remove(_ row: UInt64) {
        count -= 1
        sum &-= row
    }
}

/// What was committed in which order, what each prefix of it adds up to, and how much of it must survive.
///
/// Every commit also puts its number under ``marker``: what a survivor holds says which prefix it claims
/// to be. Thread-safe.
final class CommitLedger: Sendable {
    static let marker = "~seq"

    struct Bounds: Sendable {
        /// Commits that were acknowledged as synced, or flushed, or closed over.
        var synced = 0
        /// Those acknowledged as written, too.
        var written = 0
        var attempted = 0
    }

    fileprivate struct State {
        var commits: [[LedgerChange]] = []
        var rows: [String: String] = [:]
        var digests = [RowDigest()]
        var bounds = Bounds()
    }
    private let state = Mutex(State())

    var bounds: Bounds { state.withLock { $0.bounds } }
    var count: Int { state.withLock { $0.commits.count } }
    func digest(after prefix: Int) -> RowDigest? {
        state.withLock { $0.digests.indices.contains(prefix) ? $0.digests[prefix] : nil }
    }
    func value(_ key: String) -> String? { state.withLock { $0.rows[key] } }
    var keys: [String] { state.withLock { $0.rows.keys.sorted() } }

    /// Notes a commit about to be made; returns its batch and its number. `between` is called after each change.
    func begin(
        _ changes: [LedgerChange], _ between: (WriteBatch) throws -> Void = { _ in }
    ) throws -> (batch: WriteBatch, index: Int) {
        let index = state.withLock { state in
            let index = state.commits.count
            state.commits.append(changes)
            state.apply(changes, index)
            state.bounds.attempted = index + 1
            return index
        }
        let batch = WriteBatch()
        for change in changes {
            switch change {
            case .put(let key, let value): try batch.put(key: bytes(key), value: bytes(value))
            case .delete(let key): try batch.delete(key: bytes(key))
            case .deleteRange(let lower, let upper):
                try batch.deleteRange(lower: bytes(lower), upper: bytes(upper))
            }
            try between(batch)
        }
        try batch.put(key: bytes(Self.marker), value: bytes("\(index)"))
        return (batch, index)
    }

    /// Commit `index` and all before it were told to be this durable.
    func acknowledge(_ index: Int, _ durability: Durability) {
        state.withLock { state in
            switch durability {
            case .buffered: break
            case .written: state.bounds.written = max(state.bounds.written, index + 1)
            case .synced:
                state.bounds.written = max(state.bounds.written, index + 1)
                state.bounds.synced = max(state.bounds.synced, index + 1)
            }
        }
    }

    /// Everything committed so far is durable: a flush or a clean close returned.
    func acknowledgeAll() {
        let count = count
        if count > 0 { acknowledge(count - 1, .synced) }
    }

    /// Forgets the commits from `prefix` on: they were refused, or did not survive.
    func truncate(to prefix: Int) {
        state.withLock { state in
            state.commits.removeLast(state.commits.count - prefix)
            state.rows = [:]
            state.digests = [RowDigest()]
            for (index, changes) in state.commits.enumerated() { state.apply(changes, index) }
            state.bounds.attempted = prefix
            state.bounds.written = min(state.bounds.written, prefix)
            state.bounds.synced = min(state.bounds.synced, prefix)
        }
    }

    /// The rows after `prefix` commits, sorted.
    func rows(after prefix: Int) -> [String] {
        state.withLock { state in
            var replay = State()
            for (index, changes) in state.commits.prefix(prefix).enumerated() {
                replay.apply(changes, index)
            }
            return replay.rows.map { $0.key + "=" + $0.value }.sorted()
        }
    }
}

extension CommitLedger.State {
    fileprivate mutating func apply(_ changes: [LedgerChange], _ index: Int) {
        var digest = digests.last ?? RowDigest()
        for change in changes {
            switch change {
            case .put(let key, let value): set(key, value, &digest)
            case .delete(let key): set(key, nil, &digest)
            case .deleteRange(let lower, let upper):
                for key in rows.keys where lower <= key && key < upper { set(key, nil, &digest) }
            }
        }
        set(CommitLedger.marker, "\(index)", &digest)
        digests.append(digest)
    }

    private mutating func set(_ key: String, _ value: String?, _ digest: inout RowDigest) {
        if let old = rows[key] { digest.remove(RowDigest.row(key, old)) }
        if let value { digest.add(RowDigest.row(key, value)) }
        rows[key] = value
    }
}
