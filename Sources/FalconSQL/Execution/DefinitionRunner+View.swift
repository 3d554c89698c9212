import FalconSchema

/// CREATE VIEW.
extension DefinitionRunner {
    func createView(_ create: AST.CreateView) throws(SQLError) {
        var literals: [Int: String] = [:]
        let plan = try session.lockedPlan { found throws(SQLError) in
            var planner = self.planner
            planner.found = found
            let view = try planner.planView(create.query)
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
        var oid: OID?
        if let found = transaction.catalog.relation(schema: schema.oid, name: create.view.name) {
            guard create.replace, found.kind == .view else { throw Self.exists(create.view.name) }
            oid = found.oid
        }
        var own: [Int: String] = [:]
        for (location, text) in literals { own[location - textOffset] = text }
        guard let query = ViewText.query(of: ViewText.replacing(own, in: Array(sql.utf8))) else {
            throw SQLError(.syntaxError, "the view's query was not found")
        }
        var columns = plan.columns.map(\.name)
        if create.columns.count > columns.count {
            throw SQLError(
                .syntaxError, "CREATE VIEW specifies more column names than columns")
        }
        for (index, name) in create.columns.enumerated() { columns[index] = name }
        if oid == nil { oid = try store.allocateOID() }
        guard let oid else { return }
        try transaction.record(
            .putView(
                ViewEntry(
                    oid: oid, schemaOID: schema.oid, name: create.view.name, columns: columns,
                    query: query, checkOption: checkOption)))
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
