import FalconSchema
import FalconStorage

/// Runs DDL: ordinary writes on the catalog and on storage, in the session's transaction. When it
/// must wait for a lock it throws, and runs again from the start.
struct DefinitionRunner {
    let session: Session
    /// The statement's own text, and where in the submitted text it begins.
    let sql: String
    var textOffset = 0
    let sink: any ResultSink

    var transaction: Transaction { session.transaction }
    var store: CatalogStore { session.database.store }
    var catalog: SessionCatalog { session.catalog }
    var planner: StatementPlanner {
        StatementPlanner(catalog: catalog, context: session.functions)
    }

    static func tag(_ statement: AST.Statement) -> String {
        switch statement {
        case .createTable: "CREATE TABLE"
        case .createTableAs: "CREATE TABLE AS"
        case .createIndex: "CREATE INDEX"
        case .createSchema: "CREATE SCHEMA"
        case .createView: "CREATE VIEW"
        case .createSequence: "CREATE SEQUENCE"
        case .alterSequence: "ALTER SEQUENCE"
        case .setSchema(let move):
            switch move.kind {
            case .sequence: "ALTER SEQUENCE"
            case .view: "ALTER VIEW"
            default: "ALTER TABLE"
            }
        case .reindex: "REINDEX"
        case .createDatabase: "CREATE DATABASE"
        case .dropDatabase: "DROP DATABASE"
        case .role(let role): role.action.rawValue
        case .schemaOwner: "ALTER SCHEMA"
        case .alterTable(let alter):
            switch alter.kind {
            case .index: "ALTER INDEX"
            case .view: "ALTER VIEW"
            case .sequence: "ALTER SEQUENCE"
            default: "ALTER TABLE"
            }
        case .rename(let rename):
            switch rename.kind == .column ? rename.relationKind : rename.kind {
            case .index: "ALTER INDEX"
            case .view: "ALTER VIEW"
            case .schema: "ALTER SCHEMA"
            case .sequence: "ALTER SEQUENCE"
            default: "ALTER TABLE"
            }
        case .drop(let drop): drop.tag
        case .truncate: "TRUNCATE TABLE"
        case .comment: "COMMENT"
        default: "DDL"
        }
    }

    func run(_ statement: AST.Statement) throws(SQLError) -> String {
        switch statement {
        case .createTable(let create): try createTable(create)
        case .createTableAs(let create): return try createTableAs(create)
        case .createIndex(let create): try createIndex(create)
        case .createSchema(let create): try createSchema(create)
        case .createView(let create): try createView(create)
        case .createSequence(let create): try createSequence(create)
        case .alterSequence(let alter): try alterSequence(alter)
        case .alterTable(let alter) where alter.kind == .sequence: try alterSequenceOwner(alter)
        case .alterTable(let alter): try alterTable(alter)
        case .setSchema(let move): try setSchema(move)
        case .reindex(let reindex): try self.reindex(reindex)
        case .createDatabase(let create): try createDatabase(create)
        case .dropDatabase(let drop): try dropDatabase(drop)
        case .role(let role): try changeRoles(role)
        case .schemaOwner(let alter): try alterSchemaOwner(alter)
        case .rename(let rename): try self.rename(rename)
        case .drop(let drop): try self.drop(drop)
        case .truncate(let truncate): try self.truncate(truncate)
        case .comment(let comment): try self.comment(comment)
        default:
            throw SQLError(
                .featureNotSupported, "\(Self.tag(statement)) is not supported yet")
        }
        return Self.tag(statement)
    }

    func notice(_ message: String, _ state: SQLState = SQLState("00000")) {
        session.tell(SQLError(state, message, severity: .notice), sink)
    }

    // MARK: Names

    /// Keeps others from making the same relation name until this transaction ends.
    func lockName(_ schema: OID, _ name: String) throws(SQLError) {
        let hash = Array(name.utf8).withRaw { Checksum.xxh3($0, seed: UInt64(schema.rawValue)) }
        try transaction.lock(
            hash: LockTable.mix(hash, UInt64(session.state.id.rawValue)), .accessExclusive)
    }

    /// A name `table_column_suffix` that is free in the schema.
    func freeName(
        _ schema: OID, _ parts: [String], _ suffix: String, taken: Set<String> = []
    ) -> String {
        let stem = parts.joined(separator: "_")
        let catalog = transaction.catalog
        var number = 0
        while true {
            let end = "_" + suffix + (number == 0 ? "" : String(number))
            let name =
                String(decoding: Array(stem.utf8).prefix(63 - end.utf8.count), as: UTF8.self)
                + end
            if catalog.relation(schema: schema, name: name) == nil, !taken.contains(name) {
                return name
            }
            number += 1
        }
    }

    static func exists(_ name: String) -> SQLError {
        SQLError(.duplicateTable, "relation \"\(name)\" already exists")
    }

    /// A user table under `mode`, as it is once the lock is ours.
    func lockedTable(
        _ name: AST.TableName, _ mode: LockMode
    ) throws(SQLError) -> TableDescriptor {
        let before = try session.resolveTable(name)
        if VirtualTables.isVirtual(before) {
            throw SQLError(
                .insufficientPrivilege,
                "permission denied: \"\(before.name)\" is a system catalog")
        }
        try transaction.lockRelation(before.oid, mode)
        return try session.resolveTable(name)
    }

    // MARK: CREATE TABLE

    func createTable(_ create: AST.CreateTable) throws(SQLError) {
        if !create.inherits.isEmpty || create.isPartitioned || create.isPartition {
            throw SQLError(
                .featureNotSupported, "inheritance and partitioning are not supported yet")
        }
        let schema = try creationSchema(of: create.table)
        try checkOnCommit(create.onCommit, schema)
        try lockName(schema.oid, create.table.name)
        if transaction.catalog.relation(schema: schema.oid, name: create.table.name) != nil {
            if create.ifNotExists {
                notice(
                    "relation \"\(create.table.name)\" already exists, skipping", .duplicateTable)
                return
            }
            throw Self.exists(create.table.name)
        }
        var table = TableDescriptor(
            oid: try store.allocateOID(), database: session.state.id, schemaOID: schema.oid,
            schema: schema.name, name: create.table.name, version: 1,
            storageID: try store.allocateStorageID(), columns: [])
        var constraints: [AST.Constraint] = []
        for element in create.elements {
            switch element {
            case .column(let definition):
                let (column, extra) = try makeColumn(definition, in: table)
                table.columns.append(column)
                constraints += extra
            case .constraint(let constraint): constraints.append(constraint)
            case .like(let source):
                let other = try session.resolveTable(source, placed: true)
                for column in other.columns where !column.isDropped {
                    var copy = column
                    copy.attribute = Int16(table.columns.count + 1)
                    copy.defaultExpression = nil
                    copy.missingValue = .null
                    table.columns.append(copy)
                }
            }
        }
        if table.columns.count > 1600 {
            throw SQLError(.tooManyColumns, "tables can have at most 1600 columns")
        }
        transaction.noteCreated(table.storageID)
        // The primary key first: other indexes point to rows by it.
        for constraint in constraints {
            if case .primaryKey = constraint.kind { try addKey(constraint, to: &table) }
        }
        for constraint in constraints {
            switch constraint.kind {
            case .unique: try addKey(constraint, to: &table)
            default: continue
            }
        }
        for case .column(let definition) in create.elements {
            try validateDefault(of: definition, in: table)
        }
        for constraint in constraints {
            switch constraint.kind {
            case .primaryKey, .unique, .foreignKey: continue
            default: try addConstraint(constraint, to: &table)
            }
        }
        for constraint in constraints {
            guard case .foreignKey(let key) = constraint.kind else { continue }
            try addForeignKey(constraint, key, to: &table, isNew: true)
        }
        try transaction.record(.putTable(table))
        session.noteTemporary(table, onCommit: create.onCommit)
    }

    /// A column, and the constraints written with it that concern the table.
    /// - Parameter placesDefaults: errors of a default have their position, as in CREATE TABLE.
    func makeColumn(
        _ definition: AST.ColumnDefinition, in table: TableDescriptor, placesDefaults: Bool = true
    ) throws(SQLError) -> (ColumnDescriptor, [AST.Constraint]) {
        guard let typeName = definition.type else {
            throw SQLError(.featureNotSupported, "column without a type")
        }
        if table.columns.contains(where: { $0.name == definition.name && !$0.isDropped }) {
            throw SQLError(
                .duplicateColumn, "column \"\(definition.name)\" specified more than once")
        }
        try SystemColumn.check(newName: definition.name)
        let serial = Self.serialType(typeName)
        let type: SQLType
        if let serial {
            type = SQLType(serial)
        } else {
            type = try StatementPlanner(
                catalog: catalog, context: session.functions
            ).resolveType(typeName)
        }
        if TypeRegistry.descriptor(type.oid)?.isPseudo ?? true {
            throw SQLError(
                .invalidTableDefinition,
                "column \"\(definition.name)\" has pseudo-type \(typeName.name.last)")
        }
        var column = ColumnDescriptor(
            name: definition.name, attribute: Int16(table.columns.count + 1), type: type)
        var extra: [AST.Constraint] = []
        var attributes = ConstraintAttributes()
        if serial != nil { try makeSerial(&column, table, options: []) }
        for constraint in definition.constraints {
            try attributes.take(constraint, of: &extra)
            switch constraint.kind {
            case .identity(_, let options): try makeSerial(&column, table, options: options)
            case .null: continue
            case .deferrable, .initiallyDeferred: continue
            case .notNull: column.isNotNull = true
            case .defaultValue(let expression):
                let (type, name) = (column.type, column.name)
                func stored() throws(SQLError) -> String {
                    try keptDefault(expression, type: type, column: name)
                }
                column.defaultExpression =
                    placesDefaults ? try stored() : try SQLError.unplaced(stored)
            case .primaryKey(_, let including, let index):
                column.isNotNull = true
                var copy = constraint
                copy.kind = .primaryKey(
                    columns: [definition.name], including: including, index: index)
                extra.append(copy)
            case .unique(_, let including, let index, let distinct):
                var copy = constraint
                copy.kind = .unique(
                    columns: [definition.name], including: including, index: index,
                    nullsNotDistinct: distinct)
                extra.append(copy)
            case .check:
                var copy = constraint
                if copy.name == nil {
                    copy.name = freeCheckName(table, definition.name)
                }
                extra.append(copy)
            case .foreignKey(var key):
                key.columns = [definition.name]
                var copy = constraint
                copy.kind = .foreignKey(key)
                extra.append(copy)
            case .generated, .exclusion: extra.append(constraint)
            }
        }
        return (column, extra)
    }

    private func freeCheckName(_ table: TableDescriptor, _ column: String?) -> String {
        let stem = column.map { "\(table.name)_\($0)_check" } ?? "\(table.name)_check"
        var name = stem
        var number = 0
        while table.checks.contains(where: { $0.name == name }) {
            number += 1
            name = stem + String(number)
        }
        return name
    }

    /// Binds the default a definition gives, as it is written there.
    func validateDefault(
        of definition: AST.ColumnDefinition, in table: TableDescriptor
    ) throws(SQLError) {
        guard
            let column = table.columns.last(where: {
                $0.name == definition.name && !$0.isDropped
            })
        else { return }
        for constraint in definition.constraints {
            guard case .defaultValue(let expression) = constraint.kind else { continue }
            try validateDefault(expression, of: column)
        }
    }

    func validateDefault(
        _ expression: AST.Expression, of column: ColumnDescriptor
    ) throws(SQLError) {
        _ = try StatementPlanner(catalog: catalog, context: session.functions).bindDefault(
            expression, type: column.type, column: column.name)
    }

    /// Binds every default once, so that a bad one fails its DDL and not the first INSERT.
    func validateDefaults(_ table: TableDescriptor) throws(SQLError) {
        for column in table.columns where !column.isDropped {
            guard let text = column.defaultExpression else { continue }
            try SQLError.unplaced { () throws(SQLError) in
                try validateDefault(try SQLParser.parseExpression(text), of: column)
            }
        }
    }

    func column(
        _ name: String, of table: TableDescriptor
    ) throws(SQLError) -> Int {
        guard let index = table.columns.firstIndex(where: { $0.name == name && !$0.isDropped })
        else {
            throw SQLError(
                .undefinedColumn,
                "column \"\(name)\" of relation \"\(table.name)\" does not exist")
        }
        return index
    }

    /// PRIMARY KEY and UNIQUE of a table whose storage is empty or will be filled later.
    func addKey(_ constraint: AST.Constraint, to table: inout TableDescriptor) throws(SQLError) {
        let names: [String]
        let includedNames: [String]
        let isPrimary: Bool
        switch constraint.kind {
        case .primaryKey(let columns, let including, let index):
            if index != nil {
                throw SQLError(.featureNotSupported, "USING INDEX is not supported yet")
            }
            if table.indexes.contains(where: \.isPrimaryKey) {
                throw SQLError(
                    .invalidTableDefinition,
                    "multiple primary keys for table \"\(table.name)\" are not allowed",
                    byteOffset: constraint.place)
            }
            names = columns
            includedNames = including
            isPrimary = true
        case .unique(let columns, let including, let index, let nullsNotDistinct):
            if index != nil || nullsNotDistinct {
                throw SQLError(
                    .featureNotSupported,
                    "USING INDEX and NULLS NOT DISTINCT are not supported yet")
            }
            names = columns
            includedNames = including
            isPrimary = false
        default: return
        }
        var keys: [KeyColumn] = []
        for name in names {
            guard
                let index = table.columns.firstIndex(where: { $0.name == name && !$0.isDropped })
            else {
                throw SQLError(
                    .undefinedColumn, "column \"\(name)\" named in key does not exist",
                    byteOffset: constraint.place)
            }
            let attribute = table.columns[index].attribute
            if keys.contains(where: { $0.attribute == attribute }) {
                throw SQLError(
                    .duplicateColumn,
                    "column \"\(name)\" appears twice in \(isPrimary ? "primary key" : "unique") "
                        + "constraint", byteOffset: constraint.place)
            }
            try checkKeyable(table.columns[index])
            if isPrimary { table.columns[index].isNotNull = true }
            keys.append(KeyColumn(attribute: attribute))
        }
        let included = try included(includedNames, of: table, at: constraint.place)
        let taken = Set(table.indexes.map(\.name))
        let name: String
        if let given = constraint.name {
            name = given
            try lockName(table.schemaOID, name)
            if transaction.catalog.relation(schema: table.schemaOID, name: name) != nil
                || taken.contains(name)
            {
                throw Self.exists(name)
            }
        } else {
            name = freeName(
                table.schemaOID,
                isPrimary ? [table.name] : [table.name] + Self.distinct(names + includedNames),
                isPrimary ? "pkey" : "key", taken: taken)
        }
        let deferral = constraint.deferral
        // A body cannot hold two rows of one key, not even for a while.
        let isBody = isPrimary && deferral == nil
        let storageID = isBody ? table.storageID : try store.allocateStorageID()
        if !isBody { transaction.noteCreated(storageID) }
        var index = IndexDescriptor(
            oid: try store.allocateOID(), name: name, storageID: storageID,
            isUnique: deferral == nil, isPrimary: isBody, isConstraint: true, columns: keys,
            deferral: deferral, isPrimaryKey: isPrimary)
        index.included = included
        table.indexes.append(index)
        if isBody { table.primaryKey = keys }
    }

    func checkKeyable(_ column: ColumnDescriptor) throws(SQLError) {
        guard KeyCodec.isKeyable(column.type.oid) else {
            let name = TypeRegistry.descriptor(column.type.oid)?.name ?? ""
            throw SQLError(
                .undefinedObject,
                "data type \(name) has no default operator class for access method \"btree\"",
                hint: "You must specify an operator class for the index or define a default "
                    + "operator class for the data type.")
        }
    }

    func addConstraint(
        _ constraint: AST.Constraint, to table: inout TableDescriptor
    ) throws(SQLError) {
        switch constraint.kind {
        case .primaryKey, .unique: try addKey(constraint, to: &table)
        case .check(let expression):
            let name: String
            if let given = constraint.name {
                name = given
            } else {
                name = freeCheckName(
                    table, try planner.onlyColumn(of: expression, in: table))
            }
            if table.checks.contains(where: { $0.name == name }) {
                throw SQLError(
                    .duplicateObject,
                    "check constraint \"\(name)\" already exists")
            }
            let text = try planner.storedCheck(expression, table: table)
            table.checks.append(
                CheckDescriptor(oid: try store.allocateOID(), name: name, expression: text))
        case .foreignKey(let key):
            try addForeignKey(constraint, key, to: &table, isNew: false)
        case .identity:
            throw SQLError(.featureNotSupported, "identity columns are not supported yet")
        case .generated:
            throw SQLError(.featureNotSupported, "generated columns are not supported yet")
        case .exclusion:
            throw SQLError(.featureNotSupported, "exclusion constraints are not supported yet")
        case .null, .notNull, .defaultValue, .deferrable, .initiallyDeferred: return
        }
    }

    // MARK: CREATE SCHEMA, VIEW, TABLE AS

    func createSchema(_ create: AST.CreateSchema) throws(SQLError) {
        let name = create.name ?? create.owner ?? session.settings.user
        if name.hasPrefix("pg_") {
            throw SQLError(
                SQLState("42939"), "unacceptable schema name \"\(name)\"",
                detail: "The prefix \"pg_\" is reserved for system schemas.")
        }
        if create.elementCount > 0 {
            throw SQLError(.featureNotSupported, "CREATE SCHEMA with elements is not supported yet")
        }
        try lockName(OID(0), name)
        if transaction.catalog.schemaNames[name] != nil {
            if create.ifNotExists {
                notice("schema \"\(name)\" already exists, skipping", SQLState("42P06"))
                return
            }
            throw SQLError(SQLState("42P06"), "schema \"\(name)\" already exists")
        }
        try transaction.record(
            .putSchema(
                SchemaEntry(oid: try store.allocateOID(), name: name, ownerOID: RoleOID.superuser)))
    }

    func createTableAs(_ create: AST.CreateTableAs) throws(SQLError) -> String {
        if create.isMaterializedView {
            throw SQLError(.featureNotSupported, "materialized views are not supported yet")
        }
        let schema = try creationSchema(of: create.table)
        try checkOnCommit(create.onCommit, schema)
        try lockName(schema.oid, create.table.name)
        if transaction.catalog.relation(schema: schema.oid, name: create.table.name) != nil {
            if create.ifNotExists {
                notice(
                    "relation \"\(create.table.name)\" already exists, skipping", .duplicateTable)
                return "CREATE TABLE AS"
            }
            throw Self.exists(create.table.name)
        }
        let plan = try session.lockedPlan { found throws(SQLError) in
            var planner = self.planner
            planner.found = found
            return try planner.planTable(create.query, columns: create.columns)
        }
        if let failure = plan.foldingFailure { throw failure }
        var table = TableDescriptor(
            oid: try store.allocateOID(), database: session.state.id, schemaOID: schema.oid,
            schema: schema.name, name: create.table.name, version: 1,
            storageID: try store.allocateStorageID(), columns: [])
        for (index, column) in plan.columns.enumerated() {
            let type = column.type.oid == .unknown ? SQLType.text : column.type
            let name = index < create.columns.count ? create.columns[index] : column.name
            try SystemColumn.check(newName: name)
            if table.columns.contains(where: { $0.name == name }) {
                throw SQLError(
                    .duplicateColumn, "column \"\(name)\" specified more than once")
            }
            table.columns.append(
                ColumnDescriptor(name: name, attribute: Int16(index + 1), type: type))
        }
        transaction.noteCreated(table.storageID)
        try transaction.record(.putTable(table))
        session.noteTemporary(table, onCommit: create.onCommit)
        var count = 0
        if !create.withNoData {
            let executor = PlanExecutor(
                plan: plan, transaction: transaction, functions: session.functions)
            try executor.begin(
                snapshot: try transaction.statementSnapshot(), parameters: [],
                functions: session.functions)
            let writer = RowWriter(table: table, transaction: transaction)
            while try executor.next() {
                _ = try writer.insert(plan.resultSlots.map { executor.row.slots[$0] })
                count += 1
            }
            executor.end()
        }
        return "SELECT \(count)"
    }
}
