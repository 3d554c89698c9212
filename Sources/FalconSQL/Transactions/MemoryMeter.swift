import FalconSchema
import FalconStorage

/// What one user of the process's memory budget takes, charged in pieces: the budget hears of it every
/// 64 KiB, in between a charge is an addition. For one thread at a time. Given back with the meter.
///
/// The first 16 KiB are free, so that small transactions and queries never come to the budget's lock.
final class MemoryMeter {
    private static let freeBytes = 16 << 10
    private static let leastPiece = 64 << 10

    private let budget: MemoryBudget?
    private let account: MemoryBudget.Account
    /// Names the user in an error: "The transaction's writes".
    private let user: String
    private(set) var usedBytes = 0
    private var chargedBytes = 0
    /// Up to here nothing has to be charged.
    private var coveredBytes: Int

    init(_ budget: MemoryBudget?, _ account: MemoryBudget.Account, user: String) {
        self.budget = budget
        self.account = account
        self.user = user
        coveredBytes = budget == nil ? .max : Self.freeBytes
    }

    deinit { budget?.charge(account, -chargedBytes) }

    /// Takes `bytes` more, or throws 53200 and takes none.
    @inline(__always)
    func add(_ bytes: Int) throws(SQLError) {
        let used = usedBytes &+ bytes
        if used > coveredBytes { try cover(used) }
        usedBytes = used
    }

    /// Gives `bytes` back.
    func remove(_ bytes: Int) {
        usedBytes = max(0, usedBytes &- bytes)
        if chargedBytes == 0 { return }
        let isIdle = usedBytes <= Self.freeBytes
        if isIdle || chargedBytes &- usedBytes > 4 * Self.leastPiece &+ usedBytes / 4 { shrink() }
    }

    /// Takes `bytes` in all.
    func set(_ bytes: Int) throws(SQLError) {
        if bytes >= usedBytes { try add(bytes - usedBytes) } else { remove(usedBytes - bytes) }
    }

    func removeAll() {
        usedBytes = 0
        if chargedBytes > 0 { shrink() }
    }

    private func shrink() {
        let needed = usedBytes > Self.freeBytes ? usedBytes : 0
        budget?.charge(account, needed - chargedBytes)
        chargedBytes = needed
        coveredBytes = max(needed, Self.freeBytes)
    }

    @inline(never)
    private func cover(_ bytes: Int) throws(SQLError) {
        guard let budget else { return }
        let wanted = bytes &+ max(Self.leastPiece, bytes / 16)
        // Near the hard level the last piece may be too large where the bytes themselves are not.
        for total in [wanted, bytes] where budget.tryCharge(account, total - chargedBytes) {
            chargedBytes = total
            coveredBytes = total
            return
        }
        throw Self.exceeded(budget, "\(user) would take \(Self.shown(bytes))")
    }

    /// 53200 with who takes the memory.
    static func exceeded(_ budget: MemoryBudget, _ what: String) -> SQLError {
        let users = MemoryBudget.Account.allCases.map {
            "\($0.name) \(shown(budget.usedBytes($0)))"
        }
        return SQLError(
            .outOfMemory, "out of memory",
            detail: "\(what), and beside the block cache all may take "
                + "\(shown(budget.hardLevelBytes)) of the memory budget of "
                + "\(shown(budget.totalBytes)). Now taken: \(users.joined(separator: ", ")).",
            hint:
                "Work in smaller pieces, try again when other sessions have given memory back, or "
                + "raise memory_budget.")
    }

    private static func shown(_ bytes: Int) -> String {
        bytes < 10 << 20 ? "\((bytes + 1023) >> 10) KiB" : "\(bytes >> 20) MiB"
    }
}
