import Synchronization

/// What a session's transaction has done so far. Its session alone writes it, any thread reads it.
final class TransactionProgress: Sendable {
    private let statements = Atomic<Int64>(0)
    private let reads = Atomic<Int64>(0)
    private let inserts = Atomic<Int64>(0)
    private let updates = Atomic<Int64>(0)
    private let deletes = Atomic<Int64>(0)
    private let writtenBytes = Atomic<Int64>(0)

    @inline(__always)
    private static func raise(_ counter: borrowing Atomic<Int64>) {
        // There is one writer: no locked instruction is needed.
        counter.store(counter.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// A statement is complete, and the transaction's private writes are so many bytes.
    func endedStatement(writtenBytes bytes: Int) {
        Self.raise(statements)
        writtenBytes.store(Int64(bytes), ordering: .relaxed)
    }

    @inline(__always) func read() { Self.raise(reads) }
    func inserted() { Self.raise(inserts) }
    func updated() { Self.raise(updates) }
    func deleted() { Self.raise(deletes) }

    var work: TransactionWork {
        TransactionWork(
            statements: statements.load(ordering: .relaxed), reads: reads.load(ordering: .relaxed),
            inserts: inserts.load(ordering: .relaxed), updates: updates.load(ordering: .relaxed),
            deletes: deletes.load(ordering: .relaxed),
            writtenBytes: writtenBytes.load(ordering: .relaxed))
    }

    /// Goes back to an earlier state: a statement's first run came to nothing, or all ends.
    func restore(_ work: TransactionWork) {
        statements.store(work.statements, ordering: .relaxed)
        reads.store(work.reads, ordering: .relaxed)
        inserts.store(work.inserts, ordering: .relaxed)
        updates.store(work.updates, ordering: .relaxed)
        deletes.store(work.deletes, ordering: .relaxed)
        writtenBytes.store(work.writtenBytes, ordering: .relaxed)
    }
}

/// Rows and statements of a transaction, or of many.
struct TransactionWork: Sendable, Equatable {
    var statements: Int64 = 0
    /// Rows that scans read, whether or not a condition kept them.
    var reads: Int64 = 0
    var inserts: Int64 = 0
    var updates: Int64 = 0
    var deletes: Int64 = 0
    var writtenBytes: Int64 = 0

    static func += (sum: inout Self, more: Self) {
        sum.statements &+= more.statements
        sum.reads &+= more.reads
        sum.inserts &+= more.inserts
        sum.updates &+= more.updates
        sum.deletes &+= more.deletes
        sum.writtenBytes &+= more.writtenBytes
    }
}
