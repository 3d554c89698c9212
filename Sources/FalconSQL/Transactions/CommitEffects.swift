import FalconStorage

/// What others are told when a transaction's commit is visible, or has failed: the end of a session's
/// COMMIT and of COMMIT PREPARED alike.
struct CommitEffects: Sendable {
    let node: SerializableNode?
    let changes: [CatalogChange]
    let moves: [MovedRows.Move]
    let database: DatabaseState
    let owner: LockOwner
    var notifications: NotificationCommit?
    var databases: [DatabaseChange] = []

    /// ``ordered(at:in:)`` has something to do.
    var needsOrder: Bool { node != nil || !(notifications?.messages.isEmpty ?? true) }

    /// Called where the commit gets its place, before anybody can see it.
    func ordered(at timestamp: Timestamp, in cluster: SQLDatabase) {
        node?.point.timestamp = timestamp
        if let notifications { cluster.notifications.ordered(notifications) }
    }

    /// The commit is visible from `timestamp` on: everybody is told, then the locks go.
    func published(at timestamp: Timestamp, in cluster: SQLDatabase) {
        if let node { cluster.serializables.published(node, at: timestamp) }
        if !changes.isEmpty { database.publish(changes, at: timestamp) }
        for change in databases { cluster.apply(change) }
        if !moves.isEmpty {
            database.movedRows.record(
                moves, at: timestamp, oldestSnapshot: cluster.engine.oldestSnapshotTimestamp)
        }
        if let notifications { cluster.notifications.published(notifications) }
        cluster.locks.releaseAll(owner)
    }

    /// Nothing of it will ever be visible.
    func abandoned(in cluster: SQLDatabase) {
        if let node { cluster.serializables.abandon(node) }
        if let notifications { cluster.notifications.abandoned(notifications) }
        cluster.locks.releaseAll(owner)
    }
}
