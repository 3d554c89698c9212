/// Keeps what became of transactions that are prepared first and decided later: whoever was cut off
/// between the two asks here.
///
///     prepared     key: transaction uid; value: ``TransactionOutcome/encoded()``
///     decided      key: transaction uid; value: the same
///     by time      key: decided micros u64 BE, transaction uid; value: empty
///     payload      key: transaction uid, part u32 BE; value: the preparer's bytes
///
/// A prepared transaction stays until it is decided, however long that takes; a decided one until
/// ``collect(olderThanMicros:limit:)``. Thread-safe. There should be one store per engine.
public final class TransactionOutcomeStore: Sendable {
    let engine: StorageEngine
    let claims = KeyClaims()

    /// A store over `engine`, which it keeps alive. Reads nothing yet.
    public init(_ engine: StorageEngine) { self.engine = engine }

    /// Notes that `transaction` is prepared, in one commit with what is in `batch`.
    /// - Parameters:
    ///   - participants: kept as it is, with the outcome too; 1 MiB at most.
    ///   - payload: kept until the decision, each part in a row of its own; see ``payload(of:)``.
    ///
    /// Throws `already-exists` when the transaction is known, `in-use` when another call is deciding
    /// about it, and what the commit throws. When it fails the batch is as it was.
    @discardableResult
    public func prepare(
        _ transaction: UID, participants: [UInt8], payload: [[UInt8]] = [],
        with batch: WriteBatch = WriteBatch(), _ options: CommitOptions = .init()
    ) throws(StorageError) -> CommitReceipt {
        try claiming(transaction, batch) { id throws(StorageError) in
            try self.stage(transaction, id, participants, payload, batch)
            return try self.engine.commitAndWait(batch, options)
        }
    }

    /// Decides a prepared transaction, in one commit with what is in `batch`. The same decision once
    /// more does nothing and returns nil: its first commit brought the batch.
    ///
    /// Throws `not-found` when the transaction was never prepared or its outcome was collected,
    /// `already-exists` when it was decided the other way, `in-use` when another call is deciding
    /// about it, and what the commit throws. When it fails the batch is as it was.
    @discardableResult
    public func decide(
        _ transaction: UID, commits: Bool, with batch: WriteBatch = WriteBatch(),
        _ options: CommitOptions = .init()
    ) throws(StorageError) -> CommitReceipt? {
        try claiming(transaction, batch) { id throws(StorageError) -> CommitReceipt? in
            guard try self.stageDecision(transaction, id, commits: commits, batch) else {
                return nil
            }
            return try self.engine.commitAndWait(batch, options)
        }
    }

    /// Adds what ``prepare(_:participants:payload:with:_:)`` commits to `batch`.
    func stage(
        _ transaction: UID, _ id: [UInt8], _ participants: [UInt8], _ payload: [[UInt8]],
        _ batch: WriteBatch
    ) throws(StorageError) {
        guard participants.count <= 1 << 20 else {
            throw .invalidArgument("A transaction's participants have 1 MiB at most.")
        }
        guard let parts = UInt32(exactly: payload.count) else {
            throw .invalidArgument(
                "A transaction's payload has \(payload.count) parts; \(UInt32.max) are possible.",
                hint: "Make the parts larger.")
        }
        if let known = try outcome(of: transaction) {
            throw StorageError(
                .alreadyExists, kind: .user,
                "The transaction \(transaction) is \(known.state) already.")
        }
        var outcome = TransactionOutcome(
            state: .prepared, participants: participants, preparedMicros: now())
        outcome.payloadParts = parts
        try batch.putSystem(SystemKey.make(.preparedTransactions, id), outcome.encoded())
        for (part, bytes) in payload.enumerated() {
            try batch.putSystem(Self.partKey(id, UInt32(truncatingIfNeeded: part)), bytes)
        }
    }

    /// Adds what ``decide(_:commits:with:_:)`` commits to `batch`; false when it was decided so before.
    func stageDecision(
        _ transaction: UID, _ id: [UInt8], commits: Bool, _ batch: WriteBatch
    ) throws(StorageError) -> Bool {
        let decision: TransactionOutcome.State = commits ? .committed : .aborted
        guard var outcome = try outcome(of: transaction) else {
            throw StorageError(
                .notFound, kind: .user, "The transaction \(transaction) is not prepared.",
                hint: "Its outcome may have been collected.")
        }
        if outcome.state == decision { return false }
        guard outcome.state == .prepared else {
            throw StorageError(
                .alreadyExists, kind: .user,
                "The transaction \(transaction) is \(outcome.state) already.")
        }
        try batch.deleteSystem(SystemKey.make(.preparedTransactions, id))
        for part in 0..<outcome.payloadParts { try batch.deleteSystem(Self.partKey(id, part)) }
        outcome.state = decision
        outcome.decidedMicros = now()
        outcome.payloadParts = 0
        try batch.putSystem(SystemKey.make(.decidedTransactions, id), outcome.encoded())
        try batch.putSystem(SystemKey.make(.decisionsByTime, outcome.decidedMicros, id), [])
        return true
    }

    /// The payload of a prepared transaction, its parts in one piece; empty when there is none.
    public func payload(of transaction: UID) throws(StorageError) -> [UInt8] {
        let id = Self.bytes(transaction)
        // Of one moment: a decision takes the parts away.
        let snapshot = engine.makeSnapshot(owner: "transaction payload")
        defer { snapshot.release() }
        let prepared = SystemKey.make(.preparedTransactions, id)
        guard let value = try engine.get(prepared, at: snapshot.timestamp) else { return [] }
        guard let outcome = TransactionOutcome(value) else { throw Self.damaged(transaction) }
        var payload: [UInt8] = []
        var parts: UInt32 = 0
        try engine.forEach(
            in: KeyRange(prefix: SystemKey.make(.preparedPayloads, id)),
            at: snapshot.timestamp
        ) { key, bytes throws(StorageError) in
            guard key.elementsEqual(Self.partKey(id, parts)) else {
                throw Self.damaged(transaction)
            }
            payload += bytes
            parts &+= 1
            return true
        }
        guard parts == outcome.payloadParts else { throw Self.damaged(transaction) }
        return payload
    }

    private static func partKey(_ id: [UInt8], _ part: UInt32) -> [UInt8] {
        var writer = KeyWriter(bytes: SystemKey.make(.preparedPayloads, id))
        writer.append(bigEndian: part)
        return writer.bytes
    }

    /// What is known of `transaction`; nil when it was never prepared, or its outcome was collected.
    public func outcome(of transaction: UID) throws(StorageError) -> TransactionOutcome? {
        let id = Self.bytes(transaction)
        // In this order: a decision moves the row from the first place to the second.
        let found = try engine.multiGet([
            SystemKey.make(.preparedTransactions, id), SystemKey.make(.decidedTransactions, id),
        ])
        guard let value = found.compactMap({ $0 }).first else { return nil }
        guard let outcome = TransactionOutcome(value) else { throw Self.damaged(transaction) }
        return outcome
    }

    /// The transactions that wait for their decision, at most `limit` of them.
    public func prepared(
        limit: Int = .max
    ) throws(StorageError) -> [(transaction: UID, outcome: TransactionOutcome)] {
        var found: [(transaction: UID, outcome: TransactionOutcome)] = []
        if limit <= 0 { return found }
        try engine.forEach(
            in: SystemKey.range(.preparedTransactions)
        ) { key, value throws(StorageError) in
            var reader = ByteReader(
                UnsafeRawBufferPointer(rebasing: key[SystemKey.prefixBytes...]))
            guard let transaction = reader.readUID() else { throw Self.damaged(.zero) }
            guard let outcome = TransactionOutcome(Array(value)) else {
                throw Self.damaged(transaction)
            }
            found.append((transaction, outcome))
            return found.count < limit
        }
        return found
    }

    /// Forgets what was decided longer ago, at most `limit` transactions; to be called now and then.
    /// - Returns: how many transactions were forgotten.
    @discardableResult
    public func collect(
        olderThanMicros age: UInt64, limit: Int = .max
    ) throws(StorageError) -> Int {
        let moment = now()
        let cutoff = moment &- min(age, moment)
        var batch = WriteBatch()
        var dropped = 0
        let options = CommitOptions(durability: .buffered)
        let rows = try engine.makeIterator(SystemKey.range(.decisionsByTime), at: .max)
        try rows.seekToFirst()
        while rows.isValid, dropped < limit {
            guard let (decided, id) = SystemKey.parse(rows.key) else { throw Self.damaged(.zero) }
            if decided >= cutoff { break }
            try batch.deleteSystem(rows.keyBytes)
            try batch.deleteSystem(SystemKey.make(.decidedTransactions, id))
            dropped += 1
            if batch.operationCount >= 1000 {
                try engine.commitAndWait(batch, options)
                batch = WriteBatch()
            }
            try rows.next()
        }
        if !batch.isEmpty { try engine.commitAndWait(batch, options) }
        return dropped
    }

    private func claiming<R>(
        _ transaction: UID, _ batch: WriteBatch, _ body: ([UInt8]) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let claim = try Claim(transaction, batch, claims)
        do throws(StorageError) {
            let result = try body(claim.id)
            claim.end(nil)
            return result
        } catch {
            claim.end(error)
            throw error
        }
    }

    /// One call's hold on a transaction, with what it has added to the caller's batch.
    struct Claim: Sendable {
        let id: [UInt8]
        private let batch: WriteBatch
        private let mark: UInt32
        private let claims: KeyClaims

        /// Throws `in-use` when another call is deciding about the transaction.
        init(
            _ transaction: UID, _ batch: WriteBatch, _ claims: KeyClaims
        ) throws(StorageError) {
            id = TransactionOutcomeStore.bytes(transaction)
            guard claims.claim(id) else { throw TransactionOutcomeStore.busy }
            self.batch = batch
            self.claims = claims
            mark = batch.nextOrdinal
        }

        /// After a failure the batch is as it was; one whose fate is unknown may be the engine's for good.
        func end(_ failure: StorageError?) {
            if let failure, failure.code != .commitOutcomeUnknown, failure.code != .poisoned {
                batch.rollback(toOrdinal: mark)
            }
            claims.release(id)
        }
    }

    private static let busy = StorageError(
        .inUse, kind: .retryable, "Another call is deciding about the transaction.",
        hint: "Ask for its outcome in a moment.")

    private func now() -> UInt64 { engine.storeMicros }

    static func bytes(_ transaction: UID) -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.append(transaction)
        return writer.bytes
    }

    private static func damaged(_ transaction: UID) -> StorageError {
        StorageError(
            .corruption, kind: .bug, "A row of the transaction outcomes makes no sense.",
            cause: "transaction \(transaction)")
    }
}
