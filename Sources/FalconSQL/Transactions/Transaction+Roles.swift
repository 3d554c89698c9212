import FalconSchema
import FalconStorage

/// The cluster's roles as the transaction has them.
extension Transaction {
    /// Keeps a change of the cluster, whose rows are written, for the commit.
    func note(_ change: DatabaseChange) {
        databaseChanges.append((change, batch.nextOrdinal))
    }

    /// The role of this name, be it a dropped one; nil: nobody has heard of it.
    func knownRole(_ name: String, in cluster: SQLDatabase) -> RoleEntry? {
        for change in databaseChanges.reversed() {
            if case .putRole(let role) = change.change, role.name == name { return role }
        }
        return cluster.roles.withLock { $0[name] }
    }

    func role(_ name: String, in cluster: SQLDatabase) -> RoleEntry? {
        knownRole(name, in: cluster).flatMap { $0.isDropped ? nil : $0 }
    }

    /// All that there are, by their OIDs.
    func roles(in cluster: SQLDatabase) -> [RoleEntry] {
        var roles = cluster.roles.withLock { $0 }
        for case (.putRole(let role), _) in databaseChanges { roles[role.name] = role }
        return roles.values.filter { !$0.isDropped }.sorted { $0.oid < $1.oid }
    }
}
