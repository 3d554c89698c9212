import FalconSchema
import FalconStorage

extension DefinitionRunner {
    // MARK: ALTER SEQUENCE

    /// As in PostgreSQL, it keeps nextval waiting until its transaction ends, and is undone with it:
    /// the sequence gets another running state.
    func alterSequence(_ alter: AST.AlterSequence) throws(SQLError) {
        guard
            var entry = try lockedSequence(
                alter.sequence, .shareRowExclusive, ifExists: alter.ifExists)
        else { return }
        let options = try SequenceOptions(alter.options)
        if options.changesValues { try change(&entry, options) }
        if let owner = options.ownedBy { try setOwner(of: &entry, to: owner) }
        try transaction.record(.putSequence(entry))
    }

    private func change(
        _ entry: inout SequenceEntry, _ options: SequenceOptions
    ) throws(SQLError) {
        let state = try session.state.sequenceState(entry, engine: session.database.engine)
        var position = state.position
        try options.apply(to: &entry, at: &position, isNew: false)
        try renewState(of: &entry, at: position)
    }

    /// Another running state, which begins at `position`.
    private func renewState(
        of entry: inout SequenceEntry, at position: SequencePosition
    ) throws(SQLError) {
        try transaction.deleteState(of: entry)
        entry.state = try store.allocateOID()
        entry.first = position
    }

    /// TRUNCATE … RESTART IDENTITY: the sequences of the table's columns begin anew.
    func restartSequences(of table: TableDescriptor) throws(SQLError) {
        let owned = transaction.catalog.sequences.values.filter { $0.ownerTable == table.oid }
        for oid in owned.map(\.oid).sorted() {
            try transaction.lockRelation(oid, .accessExclusive)
            guard var entry = transaction.catalog.sequences[oid] else { continue }
            try renewState(
                of: &entry, at: SequencePosition(last: entry.start, isCalled: false))
            try transaction.record(.putSequence(entry))
        }
    }

    /// The sequence under `mode`, as it is once the lock is ours; nil when it is not there and need
    /// not be.
    private func lockedSequence(
        _ name: AST.TableName, _ mode: LockMode, ifExists: Bool = false
    ) throws(SQLError) -> SequenceEntry? {
        guard let before = try catalog.relation(schema: name.schema, name: name.name) else {
            if ifExists {
                notice("relation \"\(name.name)\" does not exist, skipping")
                return nil
            }
            throw Session.noRelation(name)
        }
        guard before.kind == .sequence else { throw Self.notSequence(name) }
        try transaction.lockRelation(before.oid, mode)
        guard let found = try catalog.relation(schema: name.schema, name: name.name) else {
            throw Session.noRelation(name)
        }
        guard let entry = transaction.catalog.sequences[found.oid] else {
            throw Self.notSequence(name)
        }
        return entry
    }

    private static func notSequence(_ name: AST.TableName) -> SQLError {
        SQLError(.wrongObjectType, "\"\(name.name)\" is not a sequence")
    }

    // MARK: OWNED BY

    /// The sequence goes with the column from now on.
    func setOwner(of entry: inout SequenceEntry, to names: [String]) throws(SQLError) {
        guard names.count > 1 else {
            guard names.first == "none" else {
                throw SQLError(
                    .syntaxError, "invalid OWNED BY option",
                    hint: "Specify OWNED BY table.column or OWNED BY NONE.")
            }
            entry.ownerTable = .invalid
            entry.ownerAttribute = 0
            return
        }
        let (column, path) = (names[names.count - 1], names.dropLast())
        let schema = path.count > 1 ? path[path.count - 2] : nil
        let name = path[path.count - 1]
        guard let found = try catalog.relation(schema: schema, name: name) else {
            throw SQLError(
                .undefinedTable,
                "relation \"\(path.suffix(2).joined(separator: "."))\" does not exist")
        }
        guard found.kind == .table else {
            throw SQLError(
                .wrongObjectType, "sequence cannot be owned by relation \"\(name)\"")
        }
        try transaction.lockRelation(found.oid, .accessShare)
        guard let table = transaction.catalog.tables[found.oid] else {
            throw SQLError(.undefinedTable, "relation \"\(name)\" does not exist")
        }
        if table.schemaOID != entry.schemaOID {
            throw SQLError(
                .objectNotInPrerequisiteState,
                "sequence must be in same schema as table it is linked to")
        }
        let place = try self.column(column, of: table)
        entry.ownerTable = table.oid
        entry.ownerAttribute = table.columns[place].attribute
    }

    // MARK: Its name

    /// The sequence, locked with the tables whose defaults name it: these first, as INSERT does.
    private func renamableSequence(
        _ name: AST.TableName, ifExists: Bool
    ) throws(SQLError) -> SequenceEntry? {
        if let found = try catalog.relation(schema: name.schema, name: name.name),
            found.kind == .sequence
        {
            try lockUsers(of: [found.oid])
        }
        return try lockedSequence(name, .accessExclusive, ifExists: ifExists)
    }

    func renameSequence(_ rename: AST.Rename, _ name: AST.TableName) throws(SQLError) {
        guard var entry = try renamableSequence(name, ifExists: rename.ifExists) else { return }
        try lockName(entry.schemaOID, rename.newName)
        if transaction.catalog.relation(schema: entry.schemaOID, name: rename.newName) != nil {
            throw Self.exists(rename.newName)
        }
        let schema = transaction.catalog.schemas[entry.schemaOID]?.name ?? ""
        try renameInDefaults([entry.oid: [schema, rename.newName]])
        let views = try viewsNaming([entry.oid])
        entry.name = rename.newName
        try transaction.record(.putSequence(entry))
        try renameInViews(views, paths: [entry.oid: (schema, entry.name)])
    }

    func setSchema(_ move: AST.SetSchema) throws(SQLError) {
        if try isOfView(move.relation, named: move.kind) { return try moveView(move) }
        guard move.kind == .sequence else {
            throw SQLError(
                .featureNotSupported,
                "ALTER \(move.kind.rawValue.uppercased()) SET SCHEMA is not supported yet")
        }
        guard var entry = try renamableSequence(move.relation, ifExists: move.ifExists)
        else { return }
        if let table = transaction.catalog.tables[entry.ownerTable] {
            throw SQLError(
                .featureNotSupported, "cannot move an owned sequence into another schema",
                detail: "Sequence \"\(entry.name)\" is linked to table \"\(table.name)\".")
        }
        guard let schema = try target(of: move, entry.name, from: entry.schemaOID) else { return }
        try renameInDefaults([entry.oid: [schema.name, entry.name]])
        let views = try viewsNaming([entry.oid])
        entry.schemaOID = schema.oid
        try transaction.record(.putSequence(entry))
        try renameInViews(views, paths: [entry.oid: (schema.name, entry.name)])
    }

    /// Where SET SCHEMA brings the relation `name`, that name locked there; nil: where it is.
    func target(
        of move: AST.SetSchema, _ name: String, from source: OID
    ) throws(SQLError) -> SchemaEntry? {
        let schema = try catalog.creationSchema(move.schema)
        if schema.oid == source { return nil }
        let old = transaction.catalog.schemas[source]?.name ?? ""
        if [old, schema.name].contains(where: { $0.hasPrefix(SessionCatalog.temporaryPrefix) }) {
            throw SQLError(
                .featureNotSupported, "cannot move objects into or out of temporary schemas")
        }
        try lockName(schema.oid, name)
        if transaction.catalog.relation(schema: schema.oid, name: name) != nil {
            throw SQLError(
                .duplicateTable,
                "relation \"\(name)\" already exists in schema \"\(schema.name)\"")
        }
        return schema
    }

    /// ALTER SEQUENCE … OWNER TO.
    func alterSequenceOwner(_ alter: AST.AlterTable) throws(SQLError) {
        guard
            try lockedSequence(alter.table, .accessExclusive, ifExists: alter.ifExists) != nil
        else { return }
        for action in alter.actions {
            // All of them are.
            if case .unsupported("AT_SetLogged") = action { continue }
            guard case .owner(let role) = action else {
                throw SQLError(.featureNotSupported, "this ALTER is not supported yet")
            }
            try checkMayOwn(role)
        }
    }
}
