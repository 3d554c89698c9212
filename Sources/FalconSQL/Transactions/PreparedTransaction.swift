import FalconSchema
import FalconStorage

/// A transaction between PREPARE TRANSACTION and COMMIT or ROLLBACK PREPARED: what its session held of
/// it, which belongs to no session now. Nothing of it is visible, and its locks are held.
///
/// Only whoever has claimed it in ``PreparedTransactions`` may touch the batch.
final class PreparedTransaction: @unchecked Sendable {
    /// Its identity in the outcome store.
    let uid: UID
    let header: PreparedTransactionHeader
    let database: DatabaseState
    /// Holds its locks: the session's until PREPARE, which has another one since.
    let owner: LockOwner
    let batch: WriteBatch
    let changes: [CatalogChange]
    let moves: [MovedRows.Move]
    /// What the tracker of serializable transactions knows of it: it counts as committed.
    let node: SerializableNode?
    private let budget: MemoryBudget?
    private let chargedBytes: Int

    init(
        uid: UID, header: PreparedTransactionHeader, database: DatabaseState, owner: LockOwner,
        batch: WriteBatch, changes: [CatalogChange], moves: [MovedRows.Move],
        node: SerializableNode?, budget: MemoryBudget?
    ) {
        self.uid = uid
        self.header = header
        self.database = database
        self.owner = owner
        self.batch = batch
        self.changes = changes
        self.moves = moves
        self.node = node
        self.budget = budget
        // What it takes is taken already: not to be refused.
        chargedBytes = budget == nil ? 0 : batch.memoryBytes
        budget?.charge(.transactions, chargedBytes)
    }

    deinit { budget?.charge(.transactions, -chargedBytes) }

    /// Whom its end concerns.
    var effects: CommitEffects {
        CommitEffects(node: node, changes: changes, moves: moves, database: database, owner: owner)
    }

    /// COMMIT PREPARED is visible from `timestamp` on.
    func committed(at timestamp: Timestamp, in cluster: SQLDatabase) {
        effects.published(at: timestamp, in: cluster)
        cluster.locks.unregister(owner)
    }

    /// It was rolled back, or PREPARE failed.
    func abandoned(in cluster: SQLDatabase) {
        let database = effects.database
        database.forgetSequences(ofUndone: effects.changes, now: database.committed)
        effects.abandoned(in: cluster)
        cluster.locks.unregister(owner)
    }
}
