import FalconSchema
import FalconStorage

/// A statement of the database's own on referencing rows: a search for them, or what ON DELETE and ON
/// UPDATE do to them. Kept with its session, planned anew when a table has changed.
final class ForeignKeyQuery {
    enum Kind: Hashable {
        case find, delete, update
        case setNull(isDelete: Bool)
        case setDefault(isDelete: Bool)
    }
    struct Identity: Hashable {
        var constraint: OID
        var kind: Kind
    }

    private let statement: AST.Statement
    private let parameterTypes: [OID]
    /// PostgreSQL's statement for the same, where errors say they come from.
    private let context: String
    private var plan: PhysicalPlan?
    private var executor: PlanExecutor?

    /// The old key's values are the first parameters, the new key's those after them.
    init(_ kind: Kind, _ probe: ForeignKeyProbe) throws(SQLError) {
        let key = probe.key
        let names = key.columns.map { Self.quoted(probe.child.column($0).name) }
        let table = Self.quoted(probe.child.schema) + "." + Self.quoted(probe.child.name)
        let condition = names.enumerated().map { "\($1) = $\($0 + 1)" }
            .joined(separator: " AND ")
        var types = names.indices.map { probe.searchType($0) }
        func assigned(_ value: String, _ isDelete: Bool) -> String {
            let columns = isDelete && !key.deleteColumns.isEmpty ? key.deleteColumns : key.columns
            return columns.map { "\(Self.quoted(probe.child.column($0).name)) = \(value)" }
                .joined(separator: ", ")
        }
        let text: String
        switch kind {
        case .find: text = "SELECT 1 FROM \(table) WHERE \(condition) FOR KEY SHARE"
        case .delete: text = "DELETE FROM \(table) WHERE \(condition)"
        case .update:
            let list = names.enumerated().map { "\($1) = $\($0 + 1 + names.count)" }
            text = "UPDATE \(table) SET \(list.joined(separator: ", ")) WHERE \(condition)"
            types += key.referencedColumns.map { probe.parent.column($0).type.oid }
        case .setNull(let isDelete):
            text = "UPDATE \(table) SET \(assigned("NULL", isDelete)) WHERE \(condition)"
        case .setDefault(let isDelete):
            text =
                "UPDATE \(table) SET \(assigned("DEFAULT", isDelete)) WHERE \(condition)"
        }
        guard let parsed = try SQLParser.parse(text).first else {
            throw SQLError(.internalError, "a foreign key's query is empty")
        }
        statement = parsed.statement
        parameterTypes = types
        context = Self.context(kind, table, names, assigned: assigned)
    }

    private static func context(
        _ kind: Kind, _ table: String, _ names: [String],
        assigned: (_ value: String, _ isDelete: Bool) -> String
    ) -> String {
        func condition(from first: Int) -> String {
            names.enumerated().map { "$\($0 + first) OPERATOR(pg_catalog.=) \($1)" }
                .joined(separator: " AND ")
        }
        let text: String
        switch kind {
        case .find:
            text = "SELECT 1 FROM ONLY \(table) x WHERE \(condition(from: 1)) FOR KEY SHARE OF x"
        case .delete: text = "DELETE FROM ONLY \(table) WHERE \(condition(from: 1))"
        case .update:
            let list = names.enumerated().map { "\($1) = $\($0 + 1)" }.joined(separator: ", ")
            text = "UPDATE ONLY \(table) SET \(list) WHERE \(condition(from: names.count + 1))"
        case .setNull(let isDelete):
            text =
                "UPDATE ONLY \(table) SET \(assigned("NULL", isDelete)) "
                + "WHERE \(condition(from: 1))"
        case .setDefault(let isDelete):
            text =
                "UPDATE ONLY \(table) SET \(assigned("DEFAULT", isDelete)) "
                + "WHERE \(condition(from: 1))"
        }
        return "SQL statement \"\(text)\""
    }

    private static func quoted(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    /// Runs to the first row (of a search) or to its end. True when there was a row.
    func run(
        _ parameters: [Datum], _ snapshot: Snapshot, in session: Session
    ) throws(SQLError) -> Bool {
        let plan = try lockedPlan(session)
        let executor: PlanExecutor
        if let known = self.executor, known.plan === plan {
            executor = known
        } else {
            executor = PlanExecutor(
                plan: plan, transaction: session.transaction, functions: session.functions)
            self.executor = executor
        }
        defer { executor.end() }
        do throws(SQLError) {
            try executor.begin(
                snapshot: snapshot, parameters: parameters, functions: session.functions)
            if plan.command == .select { return try executor.next() }
            while try executor.next() {}
            try executor.finish()
            return executor.affectedRows > 0
        } catch {
            var error = error
            if !error.isLockWait, !error.isDiskWait, error.context == nil {
                error.context = context
            }
            throw error
        }
    }

    /// A plan that agrees with the catalog once its relations are locked.
    private func lockedPlan(_ session: Session) throws(SQLError) -> PhysicalPlan {
        while true {
            let catalog = session.catalog
            let plan: PhysicalPlan
            if let known = self.plan, Self.isCurrent(known, catalog) {
                plan = known
            } else {
                plan = try SQLError.unplaced { () throws(SQLError) in
                    try StatementPlanner(catalog: catalog, context: session.functions).plan(
                        statement, parameterTypes: parameterTypes)
                }
                self.plan = plan
                executor = nil
            }
            for relation in plan.relations where !VirtualTables.isVirtual(relation.table) {
                try session.transaction.lockRelation(
                    relation.table.oid, Session.lockMode(relation.lock))
            }
            if Self.isCurrent(plan, session.catalog) { return plan }
        }
    }

    private static func isCurrent(_ plan: PhysicalPlan, _ catalog: SessionCatalog) -> Bool {
        plan.relations.allSatisfy { relation in
            catalog.snapshot.tables[relation.table.oid].map {
                $0.version == relation.table.version && $0.storageID == relation.table.storageID
            } ?? VirtualTables.isVirtual(relation.table)
        }
    }
}
