import FalconSchema
import FalconStorage

/// FOREIGN KEY constraints: making and validating them.
extension DefinitionRunner {
    /// Adds a foreign key to `table`, whose rows are not looked at, and tells the referenced table's plans
    /// of it.
    /// - Parameter isNew: In CREATE TABLE, where NOT VALID means nothing.
    func addForeignKey(
        _ constraint: AST.Constraint, _ definition: AST.ForeignKey,
        to table: inout TableDescriptor, isNew: Bool
    ) throws(SQLError) {
        if let name = constraint.name { try checkFree(name, in: table) }
        let parent = try referencedTable(definition.table, from: table)
        try checkPersistence(table, parent)
        let columns = try attributes(definition.columns, of: table)
        let (index, referenced) = try referencedKey(definition, parent)
        guard columns.count == referenced.count else {
            throw SQLError(
                .invalidForeignKey,
                "number of referencing and referenced columns for foreign key disagree")
        }
        let name = constraint.name ?? freeForeignKeyName(definition.columns, table)
        try checkTypes(name, columns, table, referenced, parent)
        guard let onUpdate = ForeignKeyDescriptor.Action(letter: definition.onUpdate),
            let onDelete = ForeignKeyDescriptor.Action(letter: definition.onDelete)
        else { throw SQLError(.syntaxError, "unrecognized foreign key action") }
        if definition.match == "p" {
            throw SQLError(.featureNotSupported, "MATCH PARTIAL not yet implemented")
        }
        let deleteColumns = try attributes(definition.deleteColumns, of: table)
        for (attribute, column) in zip(deleteColumns, definition.deleteColumns)
        where !columns.contains(attribute) {
            throw SQLError(
                .invalidColumnReference,
                "column \"\(column)\" referenced in ON DELETE SET action must be part of foreign "
                    + "key")
        }
        table.foreignKeys.append(
            ForeignKeyDescriptor(
                oid: try store.allocateOID(), name: name, columns: columns,
                referencedTable: parent.oid, referencedColumns: referenced,
                referencedIndex: index, onUpdate: onUpdate, onDelete: onDelete,
                deleteColumns: deleteColumns, isMatchFull: definition.match == "f",
                isDeferrable: constraint.isDeferrable || constraint.isInitiallyDeferred,
                isInitiallyDeferred: constraint.isInitiallyDeferred,
                isValidated: isNew || !constraint.isNotValid))
        if parent.oid != table.oid { try renew(parent) }
    }

    /// Raises a table's version, so that its plans are made again.
    private func renew(_ table: TableDescriptor) throws(SQLError) {
        var table = table
        table.version += 1
        try transaction.record(.putTable(table))
    }

    /// The same for the tables that keys which go away reference.
    func renewReferenced(
        by keys: [ForeignKeyDescriptor], except own: OID
    ) throws(SQLError) {
        for oid in Set(keys.map(\.referencedTable)).sorted(by: { $0 < $1 }) where oid != own {
            try transaction.lockRelation(oid, .accessExclusive)
            if let table = transaction.catalog.tables[oid] { try renew(table) }
        }
    }

    private func checkFree(_ name: String, in table: TableDescriptor) throws(SQLError) {
        if table.foreignKeys.contains(where: { $0.name == name })
            || table.checks.contains(where: { $0.name == name })
            || table.indexes.contains(where: { $0.isConstraint && $0.name == name })
        {
            throw SQLError(
                .duplicateObject,
                "constraint \"\(name)\" for relation \"\(table.name)\" already exists")
        }
    }

    /// `table_columns_fkey`, with a number where another constraint of the schema has that name.
    private func freeForeignKeyName(_ columns: [String], _ table: TableDescriptor) -> String {
        var taken = Set(table.foreignKeys.map(\.name) + table.checks.map(\.name))
        for other in transaction.catalog.tables.values where other.schemaOID == table.schemaOID {
            taken.formUnion(other.foreignKeys.map(\.name))
            taken.formUnion(other.checks.map(\.name))
            taken.formUnion(other.indexes.filter(\.isConstraint).map(\.name))
        }
        var number = 0
        while true {
            let label = "_fkey" + (number == 0 ? "" : String(number))
            var first = Array(table.name.utf8)
            var second = Array(columns.joined(separator: "_").utf8)
            // Of the two parts the longer one is cut.
            while first.count + second.count + 1 + label.utf8.count > 63 {
                if first.count > second.count { first.removeLast() } else { second.removeLast() }
            }
            let name = TypeIO.clippedName(
                String(decoding: first, as: UTF8.self) + "_"
                    + String(decoding: second, as: UTF8.self) + label)
            if !taken.contains(name) { return name }
            number += 1
        }
    }

    /// The table that a key of `table`, which may be only being made, references: locked against writers.
    private func referencedTable(
        _ name: AST.TableName, from table: TableDescriptor
    ) throws(SQLError) -> TableDescriptor {
        if refersToItself(name, table) { return table }
        guard let found = try catalog.relation(schema: name.schema, name: name.name) else {
            return try lockedTable(name, .shareRowExclusive)
        }
        if found.oid == table.oid { return table }
        guard found.kind == .table else {
            throw SQLError(
                .wrongObjectType, "referenced relation \"\(name.name)\" is not a table")
        }
        return try lockedTable(name, .shareRowExclusive)
    }

    private func refersToItself(_ name: AST.TableName, _ table: TableDescriptor) -> Bool {
        guard name.name == table.name, transaction.catalog.tables[table.oid] == nil else {
            return false
        }
        if let schema = name.schema {
            return (schema == "pg_temp" ? session.temporarySchema : schema) == table.schema
        }
        for schema in catalog.searchPath {
            if schema == table.schema { return true }
            if let oid = transaction.catalog.schemaNames[schema],
                transaction.catalog.relation(schema: oid, name: name.name) != nil
            {
                return false
            }
        }
        return true
    }

    private func checkPersistence(
        _ child: TableDescriptor, _ parent: TableDescriptor
    ) throws(SQLError) {
        let isTemporary = child.schema.hasPrefix(SessionCatalog.temporaryPrefix)
        guard isTemporary != parent.schema.hasPrefix(SessionCatalog.temporaryPrefix) else { return }
        let kind = isTemporary ? "temporary" : "permanent"
        throw SQLError(
            .invalidTableDefinition,
            "constraints on \(kind) tables may reference only \(kind) tables")
    }

    private func attributes(
        _ names: [String], of table: TableDescriptor
    ) throws(SQLError) -> [Int16] {
        var result: [Int16] = []
        for name in names {
            guard let column = table.columns.first(where: { $0.name == name && !$0.isDropped })
            else {
                throw SQLError(
                    .undefinedColumn,
                    "column \"\(name)\" referenced in foreign key constraint does not exist")
            }
            result.append(column.attribute)
        }
        return result
    }

    /// The unique index over exactly the referenced columns, and these.
    private func referencedKey(
        _ definition: AST.ForeignKey, _ parent: TableDescriptor
    ) throws(SQLError) -> (index: OID, columns: [Int16]) {
        if definition.referencedColumns.isEmpty {
            guard let primary = parent.indexes.first(where: \.isPrimaryKey) else {
                throw SQLError(
                    .undefinedObject,
                    "there is no primary key for referenced table \"\(parent.name)\"")
            }
            if primary.deferral != nil { throw Self.deferrable("primary key", parent) }
            return (primary.oid, primary.columns.map(\.attribute))
        }
        let columns = try attributes(definition.referencedColumns, of: parent)
        let wanted = Set(columns)
        if wanted.count < columns.count {
            throw SQLError(
                .invalidForeignKey,
                "foreign key referenced-columns list must not contain duplicates")
        }
        let matching = parent.indexes.filter {
            $0.isKey && $0.columns.count == columns.count
                && Set($0.columns.map(\.attribute)) == wanted
        }
        guard let index = matching.first(where: { $0.deferral == nil }) else {
            if !matching.isEmpty { throw Self.deferrable("unique constraint", parent) }
            throw SQLError(
                .invalidForeignKey,
                "there is no unique constraint matching given keys for referenced table "
                    + "\"\(parent.name)\"")
        }
        return (index.oid, columns)
    }

    private static func deferrable(_ what: String, _ parent: TableDescriptor) -> SQLError {
        SQLError(
            .objectNotInPrerequisiteState,
            "cannot use a deferrable \(what) for referenced table \"\(parent.name)\"")
    }

    private func checkTypes(
        _ name: String, _ columns: [Int16], _ child: TableDescriptor, _ referenced: [Int16],
        _ parent: TableDescriptor
    ) throws(SQLError) {
        for (own, other) in zip(columns, referenced) {
            let (from, to) = (child.column(own), parent.column(other))
            if ForeignKeyProbe.isCompatible(from.type.oid, to.type.oid) { continue }
            throw SQLError(
                .datatypeMismatch, "foreign key constraint \"\(name)\" cannot be implemented",
                detail: "Key columns \"\(from.name)\" and \"\(to.name)\" are of incompatible "
                    + "types: \(TypeNames.text(from.type.oid)) and \(TypeNames.text(to.type.oid)).")
        }
    }

    // MARK: Rows that there are

    /// Holds the rows of `source` against keys of `child`, which is `source` as it is going to be.
    func validate(
        _ keys: [ForeignKeyDescriptor], of child: TableDescriptor, rowsOf source: TableDescriptor,
        parent changed: TableDescriptor? = nil
    ) throws(SQLError) {
        for key in keys {
            let known = changed?.oid == key.referencedTable ? changed : nil
            let parent =
                key.referencedTable == child.oid
                ? child : known ?? transaction.catalog.tables[key.referencedTable]
            guard let parent else { continue }
            let probe = try ForeignKeyProbe(
                child: child, key: key, parent: parent,
                catalogVersion: transaction.catalog.version, planner: planner)
            try forEachRow(source) { _, row throws(SQLError) in
                var row = row
                for column in child.columns.dropFirst(row.count) { row.append(column.missingValue) }
                try check(probe.values(ofRow: row), probe)
            }
        }
    }

    /// Holds the rows against foreign keys that `old` has not.
    func validateNewKeys(
        _ old: TableDescriptor, _ table: TableDescriptor
    ) throws(SQLError) {
        let keys = table.foreignKeys.dropFirst(old.foreignKeys.count).filter(\.isValidated)
        try validate(
            Array(keys), of: table, rowsOf: table.storageID == old.storageID ? old : table)
    }

    private func check(_ values: [Datum], _ probe: ForeignKeyProbe) throws(SQLError) {
        let nulls = values.reduce(0) { $0 + ($1.isNull ? 1 : 0) }
        if nulls == values.count || nulls > 0 && !probe.key.isMatchFull { return }
        if nulls > 0 { throw probe.mixedNulls }
        if let converted = try probe.converted(values, session.functions),
            try probe.isThere(try probe.indexKey(converted), transaction)
        {
            return
        }
        throw probe.missing(values, session.functions.settings)
    }

    /// ALTER COLUMN TYPE of a column that foreign keys have or reference.
    func revalidate(
        _ attribute: Int16, _ table: TableDescriptor
    ) throws(SQLError) {
        for key in table.foreignKeys
        where key.columns.contains(attribute)
            || key.referencedTable == table.oid && key.referencedColumns.contains(attribute)
        {
            let parent =
                key.referencedTable == table.oid
                ? table : transaction.catalog.tables[key.referencedTable]
            guard let parent else { continue }
            try checkTypes(key.name, key.columns, table, key.referencedColumns, parent)
            try validate([key], of: table, rowsOf: table)
        }
        for reference in transaction.catalog.references[table.oid] ?? []
        where reference.table != table.oid {
            try transaction.lockRelation(reference.table, .shareRowExclusive)
            guard let (child, key) = transaction.catalog.foreignKey(reference),
                key.referencedColumns.contains(attribute)
            else { continue }
            try checkTypes(key.name, key.columns, child, key.referencedColumns, table)
            try validate([key], of: child, rowsOf: child, parent: table)
        }
    }

    // MARK: ALTER CONSTRAINT, VALIDATE CONSTRAINT

    func alterConstraint(
        _ name: String, isDeferrable: Bool, isInitiallyDeferred: Bool,
        _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        guard let index = table.foreignKeys.firstIndex(where: { $0.name == name }) else {
            throw noConstraint(name, table, "is not a foreign key constraint")
        }
        table.foreignKeys[index].isDeferrable = isDeferrable || isInitiallyDeferred
        table.foreignKeys[index].isInitiallyDeferred = isInitiallyDeferred
        let key = table.foreignKeys[index]
        // The referenced table's plans know the key as it was.
        if key.referencedTable != table.oid {
            try renewReferenced(by: [key], except: table.oid)
        }
        return true
    }

    func validateConstraint(
        _ name: String, _ old: TableDescriptor, _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        guard let index = table.foreignKeys.firstIndex(where: { $0.name == name }) else {
            if table.checks.contains(where: { $0.name == name }) { return false }
            throw noConstraint(
                name, table, "is not a foreign key or check constraint")
        }
        if table.foreignKeys[index].isValidated { return false }
        try transaction.lockRelation(table.foreignKeys[index].referencedTable, .rowShare)
        try validate([table.foreignKeys[index]], of: table, rowsOf: old)
        table.foreignKeys[index].isValidated = true
        return true
    }

    private func noConstraint(
        _ name: String, _ table: TableDescriptor, _ wrongKind: String
    ) -> SQLError {
        let isOther =
            table.indexes.contains { $0.isConstraint && $0.name == name }
            || table.checks.contains { $0.name == name }
        return SQLError(
            isOther ? .wrongObjectType : .undefinedObject,
            "constraint \"\(name)\" of relation \"\(table.name)\" "
                + (isOther ? wrongKind : "does not exist"))
    }
}
