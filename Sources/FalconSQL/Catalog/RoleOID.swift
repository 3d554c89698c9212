import FalconSchema

/// The numbers of roles. Roles are not stored: there is the superuser, and whoever is connected.
enum RoleOID {
    static let superuser = OID(10)
    /// Everybody else's.
    static let other = OID(16_383)
}

extension SQLDatabase {
    func isSuperuser(_ role: String) -> Bool { role == options.superuser }

    func roleOID(_ role: String) -> OID { isSuperuser(role) ? RoleOID.superuser : RoleOID.other }
}
