import FalconSchema

/// The numbers of roles that are not stored: there is the superuser, and whoever is connected.
enum RoleOID {
    static let superuser = OID(10)
    /// Of everybody that no role was made for.
    static let other = OID(16_383)
}

extension SQLDatabase {
    func isSuperuser(_ role: String) -> Bool { role == options.superuser }

    func role(named name: String) -> RoleEntry? {
        roles.withLock { $0[name] }.flatMap { $0.isDropped ? nil : $0 }
    }

    /// The role of the session's user as the others see it.
    func roleOID(_ role: String) -> OID {
        if isSuperuser(role) { return RoleOID.superuser }
        return self.role(named: role)?.oid ?? RoleOID.other
    }

    /// May use replication slots.
    func mayReplicate(_ role: String) -> Bool {
        isSuperuser(role) || self.role(named: role)?.attributes.contains(.replication) ?? false
    }

    /// Throws 28000 for a role that may not log in. Whoever no role was made for may, if the server lets them.
    func checkMayLogIn(_ user: String) throws(SQLError) {
        guard !isSuperuser(user), let role = roles.withLock({ $0[user] }) else { return }
        // A dropped one has no attributes.
        if role.attributes.contains(.login) { return }
        var error = SQLError(
            SQLState("28000"),
            "role \"\(user)\" \(role.isDropped ? "does not exist" : "is not permitted to log in")")
        error.severity = .fatal
        throw error
    }
}
