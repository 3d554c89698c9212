import FalconSchema
import FalconStorage

extension DefinitionRunner {
    func alterTable(_ alter: AST.AlterTable) throws(SQLError) {
        try checkTakesReplicaIdentity(alter)
        if try isOfView(alter.table, named: alter.kind) { return try alterView(alter) }
        guard alter.kind == .table else {
            throw SQLError(.featureNotSupported, "this ALTER is not supported yet")
        }
        if alter.ifExists,
            try catalog.table(schema: alter.table.schema, name: alter.table.name) == nil
        {
            notice("relation \"\(alter.table.name)\" does not exist, skipping")
            return
        }
        for action in alter.actions {
            let old = try lockedTable(alter.table, Self.lockMode(of: alter))
            try session.checkUnused(old, "ALTER TABLE")
            try checkNotInUse(old, "ALTER TABLE")
            var table = old
            table.version += 1
            let change = columnChange(action, of: old)
            let views = try viewsMinding(change, of: old.oid)
            guard try apply(action, old, &table) else { continue }
            try transaction.record(.putTable(table))
            try keepColumns(in: views, change, of: old.oid)
        }
    }

    /// Adding foreign keys keeps writers out, not readers.
    private static func lockMode(of alter: AST.AlterTable) -> LockMode {
        let isWeaker = alter.actions.allSatisfy { action in
            if case .addConstraint(let constraint) = action, case .foreignKey = constraint.kind {
                return true
            }
            return false
        }
        return isWeaker ? .shareRowExclusive : .accessExclusive
    }

    /// False: nothing changed.
    private func apply(
        _ action: AST.AlterTableAction, _ old: TableDescriptor, _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        switch action {
        case .addColumn(let definition, let ifNotExists):
            return try addColumn(definition, ifNotExists, old, &table)
        case .dropColumn(let name, let ifExists, let isCascade):
            return try dropColumn(name, ifExists, isCascade, old, &table)
        case .addConstraint(let constraint):
            return try addConstraint(constraint, old, &table)
        case .dropConstraint(let name, let ifExists, let isCascade):
            return try dropConstraint(name, ifExists, isCascade, old, &table)
        case .setNotNull(let name):
            let index = try column(name, of: table)
            if table.columns[index].isNotNull { return false }
            let column = table.columns[index]
            try forEachRow(old) { _, row throws(SQLError) in
                if row[index].isNull { throw self.containsNulls(old, column) }
            }
            table.columns[index].isNotNull = true
            return true
        case .dropNotNull(let name):
            let index = try column(name, of: table)
            let attribute = table.columns[index].attribute
            let primary = table.indexes.first(where: \.isPrimaryKey)
            if primary?.columns.contains(where: { $0.attribute == attribute }) ?? false {
                throw SQLError(
                    .invalidTableDefinition, "column \"\(name)\" is in a primary key")
            }
            try checkNotInIdentity(attribute, of: table)
            table.columns[index].isNotNull = false
            return true
        case .setDefault(let name, let expression):
            let index = try column(name, of: table)
            let column = table.columns[index]
            if let expression {
                table.columns[index].defaultExpression = try SQLError.unplaced {
                    () throws(SQLError) in
                    try keptDefault(expression, type: column.type, column: column.name)
                }
            } else {
                table.columns[index].defaultExpression = nil
            }
            return true
        case .validateConstraint(let name): return try validateConstraint(name, old, &table)
        case .alterConstraint(let name, let isDeferrable, let isInitiallyDeferred):
            return try alterConstraint(
                name, isDeferrable: isDeferrable, isInitiallyDeferred: isInitiallyDeferred, &table)
        case .owner(let role):
            try checkMayOwn(role)
            return false
        case .setOptions, .resetOptions, .clusterOn: return false
        case .replicaIdentity(let requested): return try setReplicaIdentity(requested, &table)
        case .alterType(let name, let definition):
            return try alterType(name, definition, old, &table)
        case .unsupported(let what):
            throw SQLError(.featureNotSupported, "ALTER TABLE \(what) is not supported yet")
        }
    }

    private func addColumn(
        _ definition: AST.ColumnDefinition, _ ifNotExists: Bool, _ old: TableDescriptor,
        _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        if table.columns.contains(where: { $0.name == definition.name && !$0.isDropped }) {
            if ifNotExists {
                notice(
                    "column \"\(definition.name)\" of relation \"\(table.name)\" already exists, "
                        + "skipping", .duplicateColumn)
                return false
            }
            throw SQLError(
                .duplicateColumn,
                "column \"\(definition.name)\" of relation \"\(table.name)\" already exists")
        }
        var (column, extra) = try makeColumn(definition, in: table, placesDefaults: false)
        var perRow: (expression: BoundExpression, slotCount: Int)?
        if let text = column.defaultExpression {
            let bound = try SQLError.unplaced { () throws(SQLError) in
                try StatementPlanner(catalog: catalog, context: session.functions).bindDefault(
                    try SQLParser.parseExpression(text), type: column.type, column: column.name)
            }
            if bound.expression.isVolatile {
                perRow = bound
            } else {
                let row = RowContext(
                    slotCount: bound.slotCount, parameters: [], functions: session.functions)
                column.missingValue = try bound.expression.evaluate(row)
            }
        }
        if let perRow {
            table.columns.append(column)
            try fillNewColumn(perRow.expression, perRow.slotCount, extra, old, &table)
            return true
        }
        if column.isNotNull, column.missingValue.isNull, try !isEmpty(old) {
            throw containsNulls(old, column)
        }
        table.columns.append(column)
        for constraint in extra {
            if case .primaryKey = constraint.kind {
                try SQLError.unplaced { () throws(SQLError) in
                    try addKey(constraint, to: &table)
                }
                try fillPrimaryKey(old, &table)
                continue
            }
            let before = table.indexes.count
            try SQLError.unplaced { () throws(SQLError) in
                try addConstraint(constraint, to: &table)
            }
            for index in table.indexes[before...] { try fillIndex(index, of: table) }
            if case .check = constraint.kind, let check = table.checks.last {
                try verify(check, old, table)
            }
        }
        if !column.missingValue.isNull { try validateNewKeys(old, table) }
        return true
    }

    /// A volatile default has another value for each row there is: the table is rewritten with them,
    /// and its new constraints are held against the new rows.
    private func fillNewColumn(
        _ expression: BoundExpression, _ slotCount: Int, _ constraints: [AST.Constraint],
        _ old: TableDescriptor, _ table: inout TableDescriptor
    ) throws(SQLError) {
        let checkCount = table.checks.count
        for constraint in constraints {
            switch constraint.kind {
            case .primaryKey, .unique: try addKey(constraint, to: &table)
            default: try addConstraint(constraint, to: &table)
            }
        }
        let row = RowContext(
            slotCount: slotCount, parameters: [], functions: session.functions)
        var verifiers: [RowVerifier] = []
        for check in table.checks[checkCount...] {
            verifiers.append(try verifier(of: check, table))
        }
        let place = table.columns.count - 1
        try rewrite(old, as: &table) { values throws(SQLError) in
            values[place] = try expression.evaluate(row)
            for verify in verifiers { try verify(values) }
        }
        try validateNewKeys(old, table)
    }

    private func dropColumn(
        _ name: String, _ ifExists: Bool, _ isCascade: Bool, _ old: TableDescriptor,
        _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        guard let index = table.columns.firstIndex(where: { $0.name == name && !$0.isDropped })
        else {
            if ifExists {
                notice(
                    "column \"\(name)\" of relation \"\(table.name)\" does not exist, skipping")
                return false
            }
            throw SQLError(
                .undefinedColumn,
                "column \"\(name)\" of relation \"\(table.name)\" does not exist")
        }
        let attribute = table.columns[index].attribute
        try dropKeys(of: attribute, isCascade, &table)
        let wasPrimary = table.indexes.contains { $0.isPrimary && $0.mentions(attribute) }
        for index in table.indexes where !index.isPrimary && index.mentions(attribute) {
            try transaction.deleteStorage(index.storageID)
        }
        table.indexes.removeAll { $0.mentions(attribute) }
        try dropSequences(ownedBy: table.oid, attribute)
        // Checks that name the column go with it: what cannot be bound any more did.
        table.columns[index].isDropped = true
        table.columns[index].isNotNull = false
        table.columns[index].defaultExpression = nil
        table.columns[index].name = "........pg.dropped.\(attribute)........"
        var kept: [CheckDescriptor] = []
        for check in table.checks {
            let expression = try SQLParser.parseExpression(check.expression)
            do throws(SQLError) {
                _ = try StatementPlanner(catalog: catalog, context: session.functions).bindCheck(
                    expression, table: table)
                kept.append(check)
            } catch {
                if error.state != .undefinedColumn { throw error }
            }
        }
        table.checks = kept
        if wasPrimary {
            table.primaryKey = []
            try rewrite(old, as: &table)
        }
        return true
    }

    private func addConstraint(
        _ constraint: AST.Constraint, _ old: TableDescriptor, _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        switch constraint.kind {
        case .primaryKey(let columns, _, _):
            for name in columns { _ = try column(name, of: table) }
            try SQLError.unplaced { () throws(SQLError) in
                try addKey(constraint, to: &table)
            }
            try fillPrimaryKey(old, &table)
        case .unique:
            try SQLError.unplaced { () throws(SQLError) in
                try addKey(constraint, to: &table)
            }
            if let index = table.indexes.last { try fillIndex(index, of: table) }
        case .check:
            try SQLError.unplaced { () throws(SQLError) in
                try addConstraint(constraint, to: &table)
            }
            if let check = table.checks.last, !constraint.isNotValid {
                try verify(check, old, table)
            }
        case .foreignKey:
            try addConstraint(constraint, to: &table)
            try validateNewKeys(old, table)
        default: try addConstraint(constraint, to: &table)
        }
        return true
    }

    /// The rows there are get their place in a new primary key: a DEFERRABLE one is an index beside them.
    private func fillPrimaryKey(
        _ old: TableDescriptor, _ table: inout TableDescriptor
    ) throws(SQLError) {
        guard let index = table.indexes.last, index.deferral != nil else {
            return try rewrite(old, as: &table)
        }
        let new = table
        try forEachRow(old) { _, row throws(SQLError) in
            for column in index.columns {
                let place = Int(column.attribute) - 1
                let value = place < row.count ? row[place] : new.columns[place].missingValue
                if value.isNull { throw self.containsNulls(new, new.columns[place]) }
            }
        }
        try fillIndex(index, of: table)
    }

    /// Holds a new check against the rows there are.
    private func verify(
        _ check: CheckDescriptor, _ old: TableDescriptor, _ table: TableDescriptor
    ) throws(SQLError) {
        let verify = try verifier(of: check, table)
        try forEachRow(old) { _, values throws(SQLError) in try verify(values) }
    }

    private typealias RowVerifier = ([Datum]) throws(SQLError) -> Void

    /// Throws 23514 for a row that breaks `check`.
    private func verifier(
        of check: CheckDescriptor, _ table: TableDescriptor
    ) throws(SQLError) -> RowVerifier {
        let bound = try StatementPlanner(catalog: catalog, context: session.functions).bindCheck(
            try SQLParser.parseExpression(check.expression), table: table)
        let row = RowContext(
            slotCount: max(bound.slotCount, table.columns.count), parameters: [],
            functions: session.functions)
        return { values throws(SQLError) in
            for index in table.columns.indices {
                row.slots[index] =
                    index < values.count ? values[index] : table.columns[index].missingValue
            }
            if case .bool(false) = try bound.expression.evaluate(row) {
                var error = SQLError(
                    .checkViolation,
                    "check constraint \"\(check.name)\" of relation \"\(table.name)\" is "
                        + "violated by some row")
                error.schema = table.schema
                error.table = table.name
                error.constraint = check.name
                throw error
            }
        }
    }

    private func dropConstraint(
        _ name: String, _ ifExists: Bool, _ isCascade: Bool, _ old: TableDescriptor,
        _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        if let index = table.foreignKeys.firstIndex(where: { $0.name == name }) {
            let key = table.foreignKeys.remove(at: index)
            try renewReferenced(by: [key], except: table.oid)
            return true
        }
        if let index = table.checks.firstIndex(where: { $0.name == name }) {
            table.checks.remove(at: index)
            return true
        }
        if let index = table.indexes.firstIndex(where: { $0.name == name && $0.isConstraint }) {
            let place = table.indexes[index].oid
            let dependents = (transaction.catalog.references[table.oid] ?? []).filter {
                transaction.catalog.foreignKey($0)?.key.referencedIndex == place
            }
            try dropDependents(
                dependents.map { (.foreignKey($0), "index \(Identifier.quoted(name))") },
                of: "constraint \(Identifier.quoted(name)) on table \(described(table))",
                isCascade: isCascade, from: &table)
            let removed = table.indexes.remove(at: index)
            if removed.isPrimary {
                table.primaryKey = []
                try rewrite(old, as: &table)
            } else {
                try transaction.deleteStorage(removed.storageID)
            }
            return true
        }
        if ifExists {
            notice(
                "constraint \"\(name)\" of relation \"\(table.name)\" does not exist, skipping")
            return false
        }
        throw SQLError(
            .undefinedObject,
            "constraint \"\(name)\" of relation \"\(table.name)\" does not exist")
    }

    private func alterType(
        _ name: String, _ definition: AST.ColumnDefinition, _ old: TableDescriptor,
        _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        guard let typeName = definition.type else { return false }
        let index = try column(name, of: table)
        let planner = StatementPlanner(catalog: catalog, context: session.functions)
        let type = try planner.resolveType(typeName)
        if type == table.columns[index].type, definition.using == nil {
            try checkUnread(table.columns[index], of: table)
            return false
        }
        let expression: AST.Expression
        if let using = definition.using {
            expression = using
        } else {
            expression = try SQLParser.parseExpression(Identifier.quoted(name))
            let from = table.columns[index].type.oid
            guard
                from == type.oid
                    || FunctionResolver.cast(from: from, to: type.oid, context: .assignment) != nil
            else {
                throw SQLError(
                    .datatypeMismatch,
                    "column \"\(name)\" cannot be cast automatically to type "
                        + TypeText.sqlName(type.oid),
                    hint: "You might need to specify \"USING \(name)::\(typeName.name.last)\".")
            }
        }
        let bound = try planner.bindConversion(expression, table: old, type: type, column: name)
        try checkUnread(table.columns[index], of: table)
        table.columns[index].type = type
        table.columns[index].missingValue = .null
        try validateDefaults(table)
        let row = RowContext(
            slotCount: max(bound.slotCount, old.columns.count), parameters: [],
            functions: session.functions)
        try rewrite(old, as: &table) { values throws(SQLError) in
            for place in old.columns.indices { row.slots[place] = values[place] }
            values[index] = try bound.expression.evaluate(row)
        }
        try revalidate(table.columns[index].attribute, table)
        return true
    }

    // MARK: RENAME

    func rename(_ rename: AST.Rename) throws(SQLError) {
        if rename.kind == .schema { return try renameSchema(rename) }
        guard let relation = rename.relation else {
            throw SQLError(.featureNotSupported, "this RENAME is not supported yet")
        }
        guard let found = try catalog.relation(schema: relation.schema, name: relation.name) else {
            if rename.ifExists {
                notice("relation \"\(relation.name)\" does not exist, skipping")
                return
            }
            throw Session.noRelation(relation)
        }
        if found.kind == .view { return try renameView(rename, relation) }
        if rename.kind == .view {
            throw SQLError(.wrongObjectType, "\"\(relation.name)\" is not a view")
        }
        if found.kind == .sequence, rename.kind == .sequence || rename.kind == .table {
            return try renameSequence(rename, relation)
        }
        if rename.kind == .sequence {
            throw SQLError(.wrongObjectType, "\"\(relation.name)\" is not a sequence")
        }
        let owner = found.kind == .index ? transaction.catalog.indexOwners[found.oid] : found.oid
        guard let owner, found.kind == .table || found.kind == .index else {
            throw SQLError(.featureNotSupported, "this RENAME is not supported yet")
        }
        try transaction.lockRelation(owner, .accessExclusive)
        // Until the lock was ours the name may have become another one's.
        let now = try catalog.relation(schema: relation.schema, name: relation.name)
        if now?.oid != found.oid { return try self.rename(rename) }
        guard var table = transaction.catalog.tables[owner] else {
            throw Session.noRelation(relation)
        }
        table.version += 1
        var renameInViews: (() throws(SQLError) -> Void)?
        switch rename.kind {
        case .column:
            let oldName = rename.oldName ?? ""
            guard
                let index = table.columns.firstIndex(where: { $0.name == oldName && !$0.isDropped })
            else { throw SQLError(.undefinedColumn, "column \"\(oldName)\" does not exist") }
            try SystemColumn.check(newName: rename.newName)
            if table.columns.contains(where: { $0.name == rename.newName && !$0.isDropped }) {
                throw SQLError(
                    .duplicateColumn,
                    "column \"\(rename.newName)\" of relation \"\(table.name)\" already exists")
            }
            if !table.checks.isEmpty {
                throw SQLError(
                    .featureNotSupported,
                    "renaming a column of a table with check constraints is not supported yet")
            }
            let renaming = [table.columns[index].name: rename.newName]
            table.columns[index].name = rename.newName
            let (views, renamed) = (try viewsNaming([owner]), table.columns[index])
            renameInViews = { () throws(SQLError) in
                try self.renameInViews(views, renamed, of: owner)
            }
            for place in table.indexes.indices {
                guard let text = table.indexes[place].predicate?.expression else { continue }
                table.indexes[place].predicate?.expression = ExpressionDeparser.unqualifiedText(
                    of: try SQLParser.parseExpression(text), renaming: renaming)
            }
        case .constraint:
            let name = rename.oldName ?? ""
            if let index = table.checks.firstIndex(where: { $0.name == name }) {
                table.checks[index].name = rename.newName
            } else if let index = table.foreignKeys.firstIndex(where: { $0.name == name }) {
                table.foreignKeys[index].name = rename.newName
            } else if let index = table.indexes.firstIndex(where: {
                $0.name == name && $0.isConstraint
            }) {
                table.indexes[index].name = rename.newName
            } else {
                throw SQLError(
                    .undefinedObject,
                    "constraint \"\(name)\" for table \"\(table.name)\" does not exist")
            }
        case .table, .index:
            try lockName(table.schemaOID, rename.newName)
            if transaction.catalog.relation(schema: table.schemaOID, name: rename.newName) != nil {
                throw Self.exists(rename.newName)
            }
            if found.kind == .index {
                for index in table.indexes.indices where table.indexes[index].oid == found.oid {
                    table.indexes[index].name = rename.newName
                }
            } else {
                let views = try viewsNaming([owner])
                table.name = rename.newName
                let path = (schema: table.schema, name: table.name)
                renameInViews = { () throws(SQLError) in
                    try self.renameInViews(views, paths: [owner: path])
                }
            }
        default: throw SQLError(.featureNotSupported, "this RENAME is not supported yet")
        }
        try transaction.record(.putTable(table))
        try renameInViews?()
    }
}
