import FalconStorage

/// What others are told when a transaction's commit is visible, or has failed: the end of a session's
/// COMMIT and of COMMIT PREPARED alike.
struct CommitEffects: Sendable {
    let node: SerializableNode?
    let changes: [CatalogChange]
    let moves: [MovedRows.Move]
    let database: DatabaseState
    let owner: LockOwner

    /// Called where the commit gets its place, before anybody can see it.
    func ordered(at timestamp: Timestamp) { node?.point.timestamp = timestamp }

    /// The commit is visible from `timestamp` on: everybody is told, then the locks go.
    func published(at timestamp: Timestamp, in cluster: SQLDatabase) {
        if let node { cluster.serializables.published(node, at: timestamp) }
        if !changes.isEmpty { database.publish(changes) }
        if !moves.isEmpty {
            database.movedRows.record(
                moves, at: timestamp, oldestSnapshot: cluster.engine.oldestSnapshotTimestamp)
        }
        cluster.locks.releaseAll(owner)
    }

    /// Nothing of it will ever be visible.
    func abandoned(in cluster: SQLDatabase) {
        if let node { cluster.serializables.abandon(node) }
        cluster.locks.releaseAll(owner)
    }
}
