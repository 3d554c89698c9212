import FalconSchema
import FalconStorage

/// CREATE, ALTER and DROP ROLE.
extension DefinitionRunner {
    func changeRoles(_ statement: AST.RoleStatement) throws(SQLError) {
        let names = statement.names.map { $0.isEmpty ? session.settings.user : $0 }
        // Before anything changes: whoever has to wait begins again.
        for name in names { try lockSharedName(name, in: CatalogKeys.roles) }
        for name in names {
            switch statement.action {
            case .create: try createRole(name, statement)
            case .alter: try alterRole(name, statement)
            case .drop: try dropRole(name, statement)
            }
        }
    }

    private var cluster: SQLDatabase { session.database }

    /// The role as the transaction has it.
    private func role(named name: String) -> RoleEntry? { transaction.role(name, in: cluster) }

    private func checkMay(_ refusal: String) throws(SQLError) {
        guard cluster.isSuperuser(session.settings.user) else {
            throw SQLError(.insufficientPrivilege, refusal)
        }
    }

    private func createRole(
        _ name: String, _ statement: AST.RoleStatement
    ) throws(SQLError) {
        var role = RoleEntry(
            oid: .invalid, name: name, attributes: statement.isUser ? [.login] : [])
        try apply(statement.options, to: &role)
        try checkMay(
            role.attributes.contains(.replication)
                ? "must be superuser to create replication users"
                : "permission denied to create role")
        if name.hasPrefix("pg_") {
            throw SQLError(
                SQLState("42939"), "role name \"\(name)\" is reserved",
                detail: "Role names starting with \"pg_\" are reserved.")
        }
        if cluster.isSuperuser(name) || self.role(named: name) != nil {
            throw SQLError(.duplicateObject, "role \"\(name)\" already exists")
        }
        // One of this name that is dropped has a row.
        if let dropped = transaction.knownRole(name, in: cluster) { try delete(dropped) }
        role.oid = try store.allocateOID()
        try put(role)
    }

    private func alterRole(_ name: String, _ statement: AST.RoleStatement) throws(SQLError) {
        if cluster.isSuperuser(name) {
            throw SQLError(
                .featureNotSupported, "the attributes of the superuser cannot be changed",
                detail: "The server's configuration names the superuser.")
        }
        guard var role = self.role(named: name) else { throw Self.noRole(name) }
        let before = role.attributes
        try apply(statement.options, to: &role)
        let isReplication = before.symmetricDifference(role.attributes).contains(.replication)
        try checkMay(
            isReplication || before.contains(.replication)
                ? "must be superuser to alter replication roles or change replication attribute"
                : "permission denied")
        try put(role)
    }

    private func dropRole(_ name: String, _ statement: AST.RoleStatement) throws(SQLError) {
        try checkMay("permission denied to drop role")
        if name == session.settings.user {
            throw SQLError(.objectInUse, "current user cannot be dropped")
        }
        if cluster.isSuperuser(name) {
            throw SQLError(
                .dependentObjectsStillExist,
                "cannot drop role \(name) because it is required by the database system")
        }
        guard var role = self.role(named: name) else {
            guard statement.ifExists else { throw Self.noRole(name) }
            return notice("role \"\(name)\" does not exist, skipping")
        }
        try transaction.dropComments(on: role.oid, isShared: true)
        role.attributes = .dropped
        try put(role)
    }

    private func delete(_ role: RoleEntry) throws(SQLError) {
        let (key, batch) = (role.key, transaction.batch)
        try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                try batch.delete(key: key, class: .catalog)
            }
        }
    }

    private func put(_ role: RoleEntry) throws(SQLError) {
        try put(role.key, role.encoded, .catalog)
        transaction.note(.putRole(role))
    }

    /// The role's OID, as the transaction has it; throws 42704.
    func existingRole(_ name: String) throws(SQLError) -> OID {
        if cluster.isSuperuser(name) { return RoleOID.superuser }
        guard let role = role(named: name) else { throw Self.noRole(name) }
        return role.oid
    }

    private static func noRole(_ name: String) -> SQLError {
        SQLError(.undefinedObject, "role \"\(name)\" does not exist")
    }

    /// Throws 42704 unless there is such a role to own something. Owners are not stored: one is as good as another.
    /// - Parameter name: empty: CURRENT_USER and its kin.
    func checkMayOwn(_ name: String) throws(SQLError) {
        let isThere =
            name.isEmpty || name == session.settings.user || cluster.isSuperuser(name)
            || self.role(named: name) != nil
        if !isThere { throw Self.noRole(name) }
    }

    /// ALTER SCHEMA … OWNER TO; as in PostgreSQL the role is looked for first.
    func alterSchemaOwner(_ alter: AST.SchemaOwner) throws(SQLError) {
        try checkMayOwn(alter.role)
        if transaction.catalog.schemaNames[alter.schema] == nil {
            throw SQLError(.invalidSchemaName, "schema \"\(alter.schema)\" does not exist")
        }
    }

    // MARK: Options

    private static let attributes: [String: (attribute: RoleEntry.Attributes, isOn: Bool)] = [
        "canlogin": (.login, true), "isreplication": (.replication, true),
        "createdb": (.createsDatabases, true), "createrole": (.createsRoles, true),
        "inherit": (.noInheritance, false), "bypassrls": (.bypassesRowSecurity, true),
    ]

    private func apply(
        _ options: [AST.Option], to role: inout RoleEntry
    ) throws(SQLError) {
        var seen: Set<String> = []
        for option in options {
            guard seen.insert(option.name).inserted else {
                throw SQLError(
                    .syntaxError, "conflicting or redundant options",
                    byteOffset: option.location >= 0 ? option.location : nil)
            }
            let isOn = option.boolValue ?? false
            if let (attribute, means) = Self.attributes[option.name] {
                if isOn == means {
                    role.attributes.insert(attribute)
                } else {
                    role.attributes.remove(attribute)
                }
                continue
            }
            try checkIsNothing(option, isOn)
        }
    }

    /// What a role may be told though it is not supported: that it has none of it.
    private func checkIsNothing(_ option: AST.Option, _ isOn: Bool) throws(SQLError) {
        switch option.name {
        case "superuser" where !isOn: return
        case "password" where option.stringValue == nil: return
        case "connectionlimit" where option.stringValue == "-1": return
        case "superuser":
            throw SQLError(
                .featureNotSupported, "roles with the attribute SUPERUSER are not supported yet",
                detail: "The server's configuration names the superuser.")
        case "password":
            throw SQLError(
                .featureNotSupported, "passwords of roles are not supported yet",
                detail: "Who may log in how is for the server's configuration.")
        default:
            throw SQLError(
                .featureNotSupported,
                "the option \"\(option.name)\" of a role is not supported yet")
        }
    }
}
