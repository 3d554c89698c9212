import FalconSchema
import FalconStorage

extension Session {
    /// EXPLAIN's rows: one per line of text, or one with the whole of the JSON.
    func explain(_ explain: AST.Explain, _ run: StatementRun) throws(SQLError) -> [[Datum]] {
        let options = try ExplainOptions(explain.options)
        var statement = explain.statement
        var parameters: [Datum] = []
        var types: [OID] = []
        switch statement {
        case .execute(let execute):
            let inner = try makeInner(execute)
            guard let prepared = inner.prepared.statement else { return [] }
            statement = prepared
            parameters = inner.parameters
            types = inner.prepared.plan?.parameterTypes.map(\.oid) ?? []
        case .declareCursor(let declare) where !options.isAnalyzed:
            statement = .select(declare.query)
        case .createTableAs(let create) where !options.isAnalyzed: statement = create.query
        case .createTableAs, .declareCursor:
            throw SQLError(
                .featureNotSupported, "EXPLAIN ANALYZE of this statement is not supported yet",
                hint: "Use it on the statement's query.")
        default: break
        }
        let start = PlanMeasurement.now()
        let plan = try lockedPlan { found throws(SQLError) in
            try explained(statement, types, isDeep: run.prepared.isDeep, found)
        }
        var report = ExplainReport()
        report.planning = PlanMeasurement.now() &- start
        if options.isAnalyzed {
            if transaction.isReadOnly { try checkReadOnly(plan, statement) }
            let begin = PlanMeasurement.now()
            report.measurement = try measure(plan, parameters, isTimed: options.isTimed)
            report.execution = PlanMeasurement.now() &- begin
        }
        var builder = ExplainBuilder(plan: plan, options: options, report: report)
        let tree = builder.tree()
        let text =
            options.isJSON
            ? [ExplainJSON(options: options, report: report).text(tree)]
            : ExplainText(options: options, report: report).lines(tree)
        return text.map { [.text($0)] }
    }

    private func explained(
        _ statement: AST.Statement, _ types: [OID], isDeep: Bool, _ found: FoundRelations
    ) throws(SQLError) -> PhysicalPlan {
        var planner = StatementPlanner(catalog: catalog, context: functions)
        planner.found = found
        let plan =
            isDeep
            ? try planner.planDeep(statement, parameterTypes: types)
            : try planner.plan(statement, parameterTypes: types)
        if let failure = plan.foldingFailure { throw failure }
        return plan
    }

    /// Runs the plan to its end, its rows thrown away.
    private func measure(
        _ plan: PhysicalPlan, _ parameters: [Datum], isTimed: Bool
    ) throws(SQLError) -> PlanMeasurement {
        let measurement = PlanMeasurement(isTimed: isTimed)
        let executor = PlanExecutor(plan: plan, transaction: transaction, functions: functions)
        executor.measurement = measurement
        defer { executor.end() }
        sleep = SleepState()
        try executor.begin(
            snapshot: try transaction.statementSnapshot(), parameters: parameters,
            functions: functions)
        while try executor.next() {}
        try executor.finish()
        try ForeignKeyRunner(session: self).fireImmediate()
        return measurement
    }
}
