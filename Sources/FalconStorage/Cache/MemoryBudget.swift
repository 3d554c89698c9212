import CFalconPlatform
import Synchronization

/// One process's memory, shared by its engines and by the program that runs transactions and queries on
/// them: what memtables, table metadata, the log, transactions, locks and queries take, and a block cache
/// that gets the rest.
///
/// Memory comes from the cache first: it shrinks as the others grow. When the others alone come near
/// the whole, memtables are flushed early (``Pressure/soft``). At the hard level what can be refused is
/// refused (``tryCharge(_:_:)``); what the engine cannot refuse goes beyond, and writers are held back
/// until flushes have made room (``Pressure/hard``, reason `memory`). Thread-safe.
///
/// The process stays within a tenth above ``totalBytes``, beside what it takes idle: the allocator's
/// own losses are provided for by ``allocatorShare``.
public final class MemoryBudget: @unchecked Sendable {
    /// Whom memory is charged to. Raw values are indexes, and may change between versions.
    public enum Account: Int, CaseIterable, Sendable {
        /// Memtables, active and waiting for their flush.
        case memtables
        /// Indexes, filters and properties of open tables.
        case tables
        /// Buffers of the log, of flushes and of compactions.
        case background
        /// Private writes of transactions. These and the following are for the program that runs them
        /// to charge: the engine does not see them.
        case transactions
        /// The lock table.
        case locks
        /// Rows that queries keep: sorts, hash tables, results, COPY.
        case queries
        /// What NOTIFY has sent and nobody has taken yet.
        case notifications

        /// What metrics and error messages call it.
        public var name: String {
            switch self {
            case .memtables: "memtables"
            case .tables: "tables"
            case .background: "background"
            case .transactions: "transactions"
            case .locks: "locks"
            case .queries: "queries"
            case .notifications: "notifications"
            }
        }
    }
    /// How near the accounts, without the cache, are to ``totalBytes``.
    public enum Pressure: Int, Comparable, Sendable {
        /// Up to 60 % of it; up to 80 %: memtables are flushed early; above: what can be refused is.
        case none, soft, hard
        public static func < (a: Pressure, b: Pressure) -> Bool { a.rawValue < b.rawValue }
    }

    /// Bytes for all accounts and the cache together, as given to ``init(totalBytes:)``.
    public let totalBytes: Int
    /// The cache to open engines with: see ``EngineOptions/memoryBudget``.
    public let cache: BlockCache

    /// The least the cache keeps: without it every read would go to the disk.
    static let cacheFloorShare = 0.05
    static let softShare = 0.6
    static let hardShare = 0.8
    /// What the allocator loses on blocks of many sizes, measured by `scripts/soak memory`.
    static let allocatorShare = 0.18
    private static let trimmedBytes = 8 << 20
    /// The heap is given back to the system no more often.
    private static let trimNanos: UInt64 = 2_000_000_000

    private let accounts = Mutex([Int](repeating: 0, count: Account.allCases.count))
    private let level = Atomic<Int>(0)
    /// When the heap was last trimmed.
    private let trimmed = Atomic<UInt64>(0)

    /// - Parameter totalBytes: from 64 MiB on; the promise above is kept from 512 MiB on.
    public init(totalBytes: Int) throws(StorageError) {
        guard totalBytes >= 64 << 20 else {
            throw .invalidArgument("A memory budget must be at least 64 MiB.")
        }
        self.totalBytes = totalBytes
        cache = BlockCache(
            capacityBytes: MemoryBudget.cacheShare(total: totalBytes, others: 0),
            maximumBytes: totalBytes)
    }

    private static func cacheShare(total: Int, others: Int) -> Int {
        let usable = Int(Double(total) * (1 - allocatorShare))
        return max(usable - others, Int(Double(total) * cacheFloorShare))
    }

    /// Charges `bytes` more, or fewer when negative, and gives the cache what is left.
    public func charge(_ account: Account, _ bytes: Int) {
        if bytes == 0 { return }
        // A query's rows were many small blocks: what others are to have must go back to the system, and
        // not only to the allocator. It walks the whole heap under the allocator's locks.
        if account == .queries, bytes <= -MemoryBudget.trimmedBytes { trimHeap() }
        accounts.withLock { accounts in
            accounts[account.rawValue] += bytes
            settle(accounts.reduce(0, +))
        }
    }

    /// Has all threads of the process share `count` heaps of the C library's allocator; nothing where it has no
    /// such setting. To be called once, before threads begin, by a program that means its budget to bound the
    /// whole process.
    ///
    /// What one thread frees into its own heap no other can use: with a heap for every thread a server
    /// whose transactions spilled grew to 1.5 times a budget of 256 MiB, with two to 0.96 times, with one to
    /// 0.64 times.
    public static func shareHeaps(_ count: Int) { falcon_limit_heaps(Int32(clamping: count)) }

    /// At most one in a while, whatever many queries end.
    private func trimHeap() {
        let now = falcon_monotonic_nanos()
        let last = trimmed.load(ordering: .relaxed)
        guard last == 0 || now &- last >= MemoryBudget.trimNanos,
            trimmed.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        falcon_trim_heap()
    }

    /// Charges `bytes` more unless all accounts together would then take more than ``hardLevelBytes``:
    /// for memory that its owner can do without, by failing a statement. False: nothing was charged.
    ///
    /// Takes a lock and may evict blocks: charge in pieces of 64 KiB and more, not by the row.
    public func tryCharge(_ account: Account, _ bytes: Int) -> Bool {
        accounts.withLock { accounts in
            let others = accounts.reduce(bytes, +)
            if bytes > 0, others > hardLevelBytes { return false }
            accounts[account.rawValue] += bytes
            settle(others)
            return true
        }
    }

    /// What the accounts may take together before ``tryCharge(_:_:)`` refuses.
    public var hardLevelBytes: Int { Int(Double(totalBytes) * MemoryBudget.hardShare) }

    /// With the accounts' lock held: gives the cache what `others` leave.
    private func settle(_ others: Int) {
        cache.setCapacity(MemoryBudget.cacheShare(total: totalBytes, others: others))
        let share = Double(others) / Double(totalBytes)
        let pressure: Pressure =
            share > MemoryBudget.hardShare
            ? .hard : share > MemoryBudget.softShare ? .soft : .none
        level.store(pressure.rawValue, ordering: .releasing)
    }

    /// As of the last charge. One load, without the lock.
    public var pressure: Pressure {
        Pressure(rawValue: level.load(ordering: .acquiring)) ?? .none
    }
    /// What the accounts take and where that holds writers up, for a report.
    var measure: EngineStatistics.DelayMeasure {
        let others = accounts.withLock { $0.reduce(0, +) }
        return .init(
            value: UInt64(clamping: others),
            softLimit: UInt64(clamping: hardLevelBytes),
            hardLimit: UInt64(clamping: totalBytes))
    }
    /// Bytes that are charged to the account now.
    public func usedBytes(_ account: Account) -> Int {
        accounts.withLock { $0[account.rawValue] }
    }
    /// All accounts and the cache.
    public var usedBytes: Int { accounts.withLock { $0.reduce(0, +) } + cache.usedBytes }
}

/// What one owner has charged to an account; given back when it goes.
final class MemoryCharge: @unchecked Sendable {
    private let budget: MemoryBudget?
    private let account: MemoryBudget.Account
    private let bytes = Mutex(0)

    init(_ budget: MemoryBudget?, _ account: MemoryBudget.Account, bytes: Int = 0) {
        self.budget = budget
        self.account = account
        set(bytes)
    }

    deinit { set(0) }

    /// Replaces what was charged before.
    func set(_ fresh: Int) {
        guard let budget else { return }
        bytes.withLock { charged in
            budget.charge(account, fresh - charged)
            charged = fresh
        }
    }
}
