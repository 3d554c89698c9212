import FalconSchema

/// CREATE VIEW.
extension DefinitionRunner {
    func createView(_ create: AST.CreateView) throws(SQLError) {
        var literals: [Int: String] = [:]
        var names = NamedReferences()
        let plan = try session.lockedPlan { found throws(SQLError) in
            var planner = self.planner
            planner.found = found
            names = NamedReferences()
            planner.names = names
            let view = try planner.planView(create.query, columns: create.columns)
            literals = view.literals
            return view.plan
        }
        let checkOption = try checkOption(of: create)
        if checkOption != .none, let obstacle = try planner.updateObstacle(create.query) {
            throw SQLError(
                .featureNotSupported,
                "WITH CHECK OPTION is supported only on automatically updatable views",
                hint: obstacle)
        }
        var view = create.view
        if !view.isTemporary, plan.relations.contains(where: { session.isTemporary($0.table) }) {
            notice("view \"\(view.name)\" will be a temporary view")
            view.isTemporary = true
        }
        let schema = try creationSchema(of: view)
        try lockName(schema.oid, create.view.name)
        let query = try storedQuery(literals, names)
        var columns = plan.columns.map(\.name)
        if create.columns.count > columns.count {
            throw SQLError(
                .syntaxError, "CREATE VIEW specifies more column names than columns")
        }
        for (index, name) in create.columns.enumerated() { columns[index] = name }
        let old = try replacedView(create, in: schema.oid)
        try check(columns, plan.columns.map(\.type), replacing: old)
        var oid = old?.oid
        if oid == nil { oid = try store.allocateOID() }
        guard let oid else { return }
        try transaction.record(
            .putView(
                ViewEntry(
                    oid: oid, schemaOID: schema.oid, name: create.view.name, columns: columns,
                    query: query, checkOption: checkOption)))
    }

    /// The view's query as the catalog keeps it.
    private func storedQuery(
        _ literals: [Int: String], _ names: NamedReferences
    ) throws(SQLError) -> String {
        let bytes = Array(sql.utf8)
        var own: [Int: String] = [:]
        for (location, text) in literals { own[location - textOffset] = text }
        let constants = ViewText.edits(own, in: bytes)
        let settling = ViewText.edits(
            names, ViewText.Naming(table: ViewText.settled), in: bytes, shift: textOffset)
        let settled = ViewText.query(of: ViewText.applying(constants + settling, to: bytes))
        if let settled, try relations(of: settled) == names.relations { return settled }
        // What cannot be told in other words stays as it is written.
        guard let query = ViewText.query(of: ViewText.applying(constants, to: bytes)) else {
            throw SQLError(.syntaxError, "the view's query was not found")
        }
        return query
    }

    /// Nil: the text cannot be bound.
    private func relations(of query: String) throws(SQLError) -> Set<OID>? {
        do throws(SQLError) {
            guard case .select(let query)? = try SQLParser.parse(query).first?.statement else {
                return nil
            }
            return try planner.references(in: query).relations
        } catch {
            if error.state == .queryCanceled { throw error }
            return nil
        }
    }

    /// The view that CREATE OR REPLACE finds, locked; nil when the name is free.
    private func replacedView(
        _ create: AST.CreateView, in schema: OID
    ) throws(SQLError) -> ViewEntry? {
        let name = create.view.name
        while let found = transaction.catalog.relation(schema: schema, name: name) {
            guard create.replace else { throw Self.exists(name) }
            guard found.kind == .view else {
                throw SQLError(.wrongObjectType, "\"\(name)\" is not a view")
            }
            try transaction.lockRelation(found.oid, .accessExclusive)
            // It may have gone until the lock was ours.
            if let view = transaction.catalog.views[found.oid] { return view }
        }
        return nil
    }

    /// A view that is replaced keeps its columns, and may get others behind them.
    private func check(
        _ columns: [String], _ types: [SQLType], replacing old: ViewEntry?
    ) throws(SQLError) {
        guard let old else { return try checkDistinct(columns) }
        if columns.count < old.columns.count {
            throw SQLError(.invalidTableDefinition, "cannot drop columns from view")
        }
        let oldTypes = columnTypes(of: old)
        for (place, name) in old.columns.enumerated() {
            if columns[place] != name {
                throw SQLError(
                    .invalidTableDefinition,
                    "cannot change name of view column \"\(name)\" to \"\(columns[place])\"",
                    hint: "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column "
                        + "instead.")
            }
            guard oldTypes.indices.contains(place), types.indices.contains(place) else { continue }
            let (from, to) = (Self.shown(oldTypes[place]), Self.shown(types[place]))
            if from != to {
                throw SQLError(
                    .invalidTableDefinition,
                    "cannot change data type of view column \"\(name)\" from "
                        + "\(TypeNames.text(from)) to \(TypeNames.text(to))")
            }
        }
        for (place, name) in columns.enumerated().dropFirst(old.columns.count)
        where columns[..<place].contains(name) {
            throw SQLError(
                .duplicateColumn,
                "column \"\(name)\" of relation \"\(old.name)\" already exists")
        }
    }

    private func checkDistinct(_ columns: [String]) throws(SQLError) {
        var seen: Set<String> = []
        for name in columns where !seen.insert(name).inserted {
            throw SQLError(.duplicateColumn, "column \"\(name)\" specified more than once")
        }
    }

    /// A literal's type is text in a view.
    private static func shown(_ type: SQLType) -> SQLType {
        type.oid == .unknown ? .text : type
    }

    /// The types of a view's columns; none when its query cannot be bound any more.
    private func columnTypes(of view: ViewEntry) -> [SQLType] {
        do throws(SQLError) {
            guard let statement = try SQLParser.parse(view.query).first?.statement else {
                return []
            }
            return try planner.planView(statement).plan.columns.map(\.type)
        } catch {
            return []
        }
    }

    private func checkOption(
        of create: AST.CreateView
    ) throws(SQLError) -> ViewDefinition.CheckOption {
        var result = create.checkOption
        for option in create.options {
            switch option.name {
            case "check_option":
                switch option.stringValue {
                case "local": result = .local
                case "cascaded": result = .cascaded
                case let value:
                    throw SQLError(
                        .invalidParameterValue,
                        "invalid value for enum option \"check_option\": \(value ?? "")",
                        detail: "Valid values are \"local\" and \"cascaded\".")
                }
            case "security_barrier", "security_invoker":
                guard option.boolValue != nil else {
                    throw SQLError(
                        .invalidParameterValue,
                        "invalid value for boolean option \"\(option.name)\": "
                            + (option.stringValue ?? ""))
                }
            default:
                throw SQLError(
                    .invalidParameterValue, "unrecognized parameter \"\(option.name)\"")
            }
        }
        return result
    }
}
