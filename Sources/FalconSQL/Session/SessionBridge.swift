import FalconSchema
import FalconStorage

/// The session as functions and the reg* types see it. The session owns it and unbinds it when it
/// goes; a weak reference would make every retain and release of the session slow.
final class SessionBridge: SessionFunctions, CatalogNames, @unchecked Sendable {
    unowned(unsafe) var session: Session?
    /// What nextval gave last, by sequence, and which sequence was last: currval and lastval.
    var lastValues: [OID: Int64] = [:]
    var lastSequence: OID?

    func setting(_ name: String) -> String? {
        guard let session else { return nil }
        return try? session.shown(name)
    }

    func setSetting(
        _ name: String, to value: String, isLocal: Bool
    ) throws(SQLError) -> String {
        guard let session else { throw SQLError(.internalError, "session is closed") }
        try session.setParameter(name, value, isLocal: isLocal)
        // What the statement evaluates next sees it.
        session.refreshSettings()
        return try session.shown(name)
    }

    var userName: String { session?.settings.user ?? "" }
    var sessionUserName: String { session?.settings.user ?? "" }
    var databaseName: String { session?.state.name ?? "" }

    func schemas(includingImplicit: Bool) -> [String] {
        guard let session else { return [] }
        let known = session.transaction.catalog.schemaNames
        let path = SessionSettings.parsePath(
            session.settings.value("search_path") ?? "", user: session.settings.user)
        var result = path.filter { known[$0] != nil }
        if includingImplicit {
            if !path.contains("pg_catalog") { result.insert("pg_catalog", at: 0) }
            if session.hasTemporarySchema { result.insert(session.temporarySchema, at: 0) }
        }
        return result
    }

    var processID: Int32 { session?.processID ?? 0 }

    var transactionID: UInt64 {
        guard let session else { return 0 }
        return session.database.locks.transactionNumber(of: session.owner)
    }

    var assignedTransactionID: UInt64? {
        guard let session else { return nil }
        return session.transaction.batch.isEmpty ? session.transactionNumber : transactionID
    }

    var isCanceled: Bool { session?.interrupt.isSet ?? true }

    func checkInterrupts() throws(SQLError) { try session?.interrupt.check() }

    // MARK: reg* types

    func text(of oid: OID, as type: OID) -> String? {
        guard let session else { return nil }
        let snapshot = session.transaction.catalog
        switch type {
        case .regclass:
            if let table = snapshot.tables[oid] {
                return qualified(table.schema, table.name, session)
            }
            if let owner = snapshot.indexOwners[oid], let table = snapshot.tables[owner],
                let index = table.indexes.first(where: { $0.oid == oid })
            {
                return qualified(table.schema, index.name, session)
            }
            if let view = snapshot.views[oid] {
                return qualified(snapshot.schemas[view.schemaOID]?.name ?? "", view.name, session)
            }
            if let sequence = snapshot.sequences[oid] {
                return qualified(
                    snapshot.schemas[sequence.schemaOID]?.name ?? "", sequence.name, session)
            }
            return VirtualTables.descriptor(oid: oid)?.name
        case .regproc: return FunctionResolver.function(oid: oid)?.name
        case .regprocedure:
            return FunctionResolver.function(oid: oid).map { function in
                let types = function.argumentTypes.map { TypeNames.text($0) }
                return "\(function.name)(\(types.joined(separator: ",")))"
            }
        case .regoperator:
            return FunctionTable.shared.operators.first { $0.oid == oid }.map { fact in
                let left = fact.left == .invalid ? "NONE" : TypeNames.text(fact.left)
                return "\(fact.name)(\(left),\(TypeNames.text(fact.right)))"
            }
        case .regnamespace: return snapshot.schemas[oid].map { Identifier.quoted($0.name) }
        case .regrole:
            switch oid {
            case RoleOID.superuser: return session.database.options.superuser
            case RoleOID.other where session.database.roleOID(session.settings.user) == oid:
                return session.settings.user
            default:
                return session.transaction.roles(in: session.database)
                    .first { $0.oid == oid }?.name
            }
        default: return nil
        }
    }

    private func qualified(_ schema: String, _ name: String, _ session: Session) -> String {
        let quoted = Identifier.quoted(name)
        if session.searchPath.contains(schema) { return quoted }
        return Identifier.quoted(schema) + "." + quoted
    }

    func lookup(_ text: String, as type: OID) throws(SQLError) -> OID {
        guard let session else { throw SQLError(.internalError, "session is closed") }
        switch type {
        case .regclass: return try relation(try parts(of: text), session)
        case .regnamespace:
            let name = try onlyPart(of: text)
            guard let oid = session.transaction.catalog.schemaNames[name] else {
                throw Self.noSchema(name)
            }
            return oid
        case .regrole:
            let name = try onlyPart(of: text)
            if let role = session.transaction.role(name, in: session.database) { return role.oid }
            if name == session.settings.user || session.database.isSuperuser(name) {
                return session.database.roleOID(name)
            }
            throw SQLError(.undefinedObject, "role \"\(name)\" does not exist")
        default:
            throw SQLError(.undefinedObject, "\"\(text)\" does not exist")
        }
    }

    private func parts(of text: String) throws(SQLError) -> [String] {
        guard let parts = Identifier.parse(text) else {
            throw SQLError(SQLState("42602"), "invalid name syntax")
        }
        return parts
    }

    private func onlyPart(of text: String) throws(SQLError) -> String {
        let parts = try parts(of: text)
        guard parts.count == 1, let name = parts.first else {
            throw SQLError(SQLState("42602"), "invalid name syntax")
        }
        return name
    }

    /// The relation of the name `parts`, which may begin with the database and the schema.
    private func relation(_ parts: [String], _ session: Session) throws(SQLError) -> OID {
        let shown = parts.joined(separator: ".")
        guard parts.count <= 3, let name = parts.last else {
            throw SQLError(
                .syntaxError, "improper relation name (too many dotted names): \(shown)")
        }
        if parts.count == 3, parts.first != session.state.name {
            throw SQLError(
                .featureNotSupported,
                "cross-database references are not implemented: \"\(shown)\"")
        }
        let catalog = session.catalog
        let schema = parts.dropLast().last
        if let schema, !hasSchema(schema, session) { throw Self.noSchema(schema) }
        if let found = try catalog.relation(schema: schema, name: name) { return found.oid }
        if let virtual = try catalog.table(schema: schema, name: name) { return virtual.oid }
        throw SQLError(
            .undefinedTable,
            "relation \"\(parts.suffix(2).joined(separator: "."))\" does not exist")
    }

    private func hasSchema(_ name: String, _ session: Session) -> Bool {
        if name == "pg_temp" { return session.hasTemporarySchema }
        // That of our own system relations is not among the catalog's.
        return session.transaction.catalog.schemaNames[name] != nil
            || CatalogSnapshot.builtInSchemas[name] != nil
    }

    private static func noSchema(_ name: String) -> SQLError {
        SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
    }
}

extension Session {
    /// SHOW's value, transaction state included.
    func shown(_ name: String) throws(SQLError) -> String {
        switch name.lowercased() {
        case "transaction_isolation", "transaction isolation level":
            return block == .none
                ? settings.defaultIsolation.rawValue : transaction.isolation.rawValue
        case "transaction_read_only":
            return
                (block == .none
                ? settings.isDefaultReadOnly || database.isReadOnly
                : transaction.isReadOnly)
                ? "on" : "off"
        case "transaction_deferrable":
            return (block == .none ? settings.isDefaultDeferrable : transaction.isDeferrable)
                ? "on" : "off"
        case "falcon.tde_status":
            return database.engine.encryptionStatus()?.summary ?? "off"
        default: return try settings.shown(name)
        }
    }
}
