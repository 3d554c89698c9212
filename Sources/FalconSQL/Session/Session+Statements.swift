import FalconSchema
import FalconStorage

extension Session {
    /// The catalog for a statement that begins now.
    var catalog: SessionCatalog {
        SessionCatalog(
            snapshot: transaction.catalog, searchPath: searchPath, database: state,
            temporarySchema: temporarySchema,
            reach: SnapshotReach(
                timestamp: transaction.timestampBeforeIndexes,
                ownStorage: transaction.kept == nil ? [] : transaction.createdStorage),
            engine: database.engine, own: transaction.batch)
    }

    // MARK: Plans

    private var catalogVersion: UInt64 {
        transaction.hasCatalogChanges ? transaction.catalog.version : state.catalogVersion
    }

    func isCurrent(_ prepared: PreparedStatement) -> Bool {
        prepared.plan != nil && prepared.planCatalogVersion == catalogVersion
            && prepared.planPathGeneration == settings.pathGeneration
            && prepared.planTimestamp == transaction.timestampBeforeIndexes
    }

    /// Analyses a statement. As in PostgreSQL, that is done under the locks of the relations it names: what is
    /// wrong is so only when nobody holds them against it, who may be changing them.
    /// - Parameter mayWait: false: where no lock can be waited for, a failure is told at once.
    func analysing<T>(
        mayWait: Bool = true, _ body: (FoundRelations) throws(SQLError) -> T
    ) throws(SQLError) -> T {
        while true {
            let found = FoundRelations()
            let version = catalogVersion
            do throws(SQLError) { return try body(found) } catch {
                if error.isLockWait || !mayWait { throw error }
                try takeLocks(of: found.relations)
                if catalogVersion == version { throw error }
            }
        }
    }

    /// Gives `prepared` a plan that agrees with the catalog as it is now; its relations' locks are waited for
    /// if there is none.
    func ensurePlan(_ prepared: PreparedStatement, mayWait: Bool = true) throws(SQLError) {
        if isCurrent(prepared), database.engine.publishedEnd <= prepared.estimatesEnd,
            prepared.estimatesGeneration == state.rowEstimates.generation
        {
            return
        }
        try analysing(mayWait: mayWait) { found throws(SQLError) in try plan(prepared, found) }
    }

    private func plan(
        _ prepared: PreparedStatement, _ found: FoundRelations
    ) throws(SQLError) {
        guard let statement = prepared.statement else { return }
        let catalog = catalog
        let timestamp = transaction.timestampBeforeIndexes
        let generation = state.rowEstimates.generation
        if let plan = prepared.plan, prepared.planPathGeneration == settings.pathGeneration,
            prepared.planCatalogVersion < CatalogSnapshot.firstUncommittedVersion,
            prepared.planTimestamp == transaction.timestampBeforeIndexes
        {
            // Other tables may have changed; these have not. A view has no version to know it by.
            func areSame() -> Bool {
                plan.relations.allSatisfy { relation in
                    VirtualTables.isVirtual(relation.table)
                        || catalog.snapshot.tables[relation.table.oid].map {
                            $0.version == relation.table.version
                                && $0.storageID == relation.table.storageID
                                && $0.name == relation.table.name
                        } ?? false
                }
            }
            // A temporary table may have come before a table of the same name.
            let isSame =
                prepared.planCatalogVersion == catalog.snapshot.version
                || (!plan.relations.isEmpty && !usesTemporary && areSame())
            let end = database.engine.publishedEnd
            if isSame, prepared.estimates.allSatisfy({ $0.isAlike(in: state, database.engine) }) {
                prepared.planCatalogVersion = catalog.snapshot.version
                prepared.estimatesEnd = RowEstimates.end(of: prepared.estimates, from: end)
                prepared.estimatesGeneration = generation
                return
            }
        }
        // Literals are read as the settings are now, whatever ran last.
        refreshFunctions()
        var planner = StatementPlanner(catalog: catalog, context: functions)
        planner.keepsRowKeys = prepared.isCursor
        planner.found = found
        let types = prepared.plan?.parameterTypes.map(\.oid) ?? prepared.declaredTypes
        let plan =
            prepared.isDeep
            ? try planner.planDeep(statement, parameterTypes: types)
            : try planner.plan(statement, parameterTypes: types)
        if let described = prepared.describedColumns {
            let isSame =
                described.count == plan.columns.count
                && zip(described, plan.columns).allSatisfy {
                    $0.type == $1.type && $0.name == $1.name
                }
            if !isSame {
                var error = SQLError(
                    .featureNotSupported, "cached plan must not change result type")
                // Drivers prepare the statement anew when they see this.
                error.routine = "RevalidateCachedQuery"
                throw error
            }
        }
        prepared.plan = plan
        prepared.estimates = catalog.estimates
        prepared.estimatesGeneration = generation
        prepared.estimatesEnd = RowEstimates.end(
            of: prepared.estimates, from: database.engine.publishedEnd)
        prepared.planCatalogVersion = catalog.snapshot.version
        prepared.planPathGeneration = settings.pathGeneration
        prepared.planTimestamp = timestamp
        prepared.idleExecutor = nil
    }

    /// What Describe answers; nil for no rows.
    func resultColumns(_ prepared: PreparedStatement) throws(SQLError) -> [ResultColumn]? {
        guard let statement = prepared.statement else { return nil }
        if prepared.isPlanned {
            let columns = prepared.plan?.columns ?? []
            return prepared.plan?.command == .select || !columns.isEmpty ? columns : nil
        }
        return try utilityColumns(statement)
    }

    static func tag(_ prepared: PreparedStatement, affected: Int64, emitted: Int64) -> String {
        switch prepared.statement {
        case .insert: "INSERT 0 \(affected)"
        case .update: "UPDATE \(affected)"
        case .delete: "DELETE \(affected)"
        case .merge: "MERGE \(affected)"
        default: "SELECT \(emitted)"
        }
    }

    /// The tag for no rows.
    static func zeroed(_ tag: String) -> String {
        guard let last = tag.split(separator: " ").last, Int64(last) != nil else { return tag }
        return String(tag.dropLast(last.count)) + "0"
    }

    static func lockMode(_ lock: RelationLock) -> LockMode {
        switch lock {
        case .accessShare: .accessShare
        case .rowShare: .rowShare
        case .rowExclusive: .rowExclusive
        case .shareUpdateExclusive: .shareUpdateExclusive
        case .share: .share
        case .shareRowExclusive: .shareRowExclusive
        case .exclusive: .exclusive
        case .accessExclusive: .accessExclusive
        }
    }

    // MARK: Running

    /// Works on a statement until it is complete, its row limit is reached, or it must wait: on a
    /// large stack if it nests deeply.
    func advance(
        _ run: StatementRun, maxRows: Int, describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        guard run.prepared.isDeep, !LargeStack.isCurrent else {
            return try advanceHere(run, maxRows: maxRows, describes: describes, sink)
        }
        if !isOnWorker { return .blocked(needsWorker()) }
        var result: Result<StatementStep, SQLError> = .failure(
            SQLError(.outOfMemory, "out of memory"))
        _ = LargeStack.run {
            do throws(SQLError) {
                result = .success(
                    try advanceHere(run, maxRows: maxRows, describes: describes, sink))
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    private func advanceHere(
        _ run: StatementRun, maxRows: Int, describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        do throws(SQLError) {
            if let inner = run.inner {
                return try advance(inner, maxRows: maxRows, describes: describes, sink)
            }
            if run.prepared.isPlanned {
                return try advancePlanned(run, maxRows: maxRows, describes: describes, sink)
            }
            return try advanceUtility(run, maxRows: maxRows, describes: describes, sink)
        } catch {
            guard error.isLockWait || error.isDiskWait else { throw error }
            if run.stage != .start || !run.prepared.isPlanned {
                transaction.rollbackStatement(
                    to: run.firstOrdinal, changeCount: run.changeCount)
                transaction.notifications.undo(to: run.notifications)
                transaction.progress.restore(run.workBefore)
            }
            run.startOver()
            run.forgetRows()
            advisoryLog.rewind()
            told.rewind()
            guard error.isDiskWait else { return .blocked(beginLockWait()) }
            run.needsWorker = true
            return .blocked(needsWorker())
        }
    }

    /// Plans `prepared` and takes its relations' locks, until both are of one catalog.
    func lockRelations(of prepared: PreparedStatement) throws(SQLError) {
        // Nobody may have to wait for the locks of a transaction that waits for its snapshot.
        if transaction.isDeferrable, transaction.isReadOnly,
            transaction.isolation == .serializable
        {
            _ = try transaction.statementSnapshot()
        }
        repeat {
            try ensurePlan(prepared)
            guard let plan = prepared.plan else {
                throw SQLError(.internalError, "statement has no plan")
            }
            try takeLocks(of: plan.relations)
        } while !isCurrent(prepared)
    }

    /// The plan that `body` makes, its locks taken, of the catalog as it then is.
    func lockedPlan(
        _ body: (FoundRelations) throws(SQLError) -> PhysicalPlan
    ) throws(SQLError) -> PhysicalPlan {
        while true {
            let version = catalogVersion
            let plan = try analysing(body)
            try takeLocks(of: plan.relations)
            if catalogVersion == version { return plan }
        }
    }

    /// Views come last, as they do for who gives a table another name: no two wait for each other.
    private func takeLocks(of relations: [PlanRelation]) throws(SQLError) {
        for relation in relations
        where !relation.isView && !VirtualTables.isVirtual(relation.table) {
            try transaction.lockRelation(relation.table.oid, Self.lockMode(relation.lock))
        }
        for relation in relations where relation.isView {
            try transaction.lockRelation(relation.table.oid, Self.lockMode(relation.lock))
        }
    }

    /// Fixes what the statement sees: what is committed by now, and the transaction's writes so far.
    func open(_ run: StatementRun, _ plan: PhysicalPlan) throws(SQLError) {
        let prepared = run.prepared
        if transaction.isReadOnly { try checkReadOnly(plan, prepared.statement) }
        run.snapshot = try transaction.statementSnapshot()
        if !transaction.isolation.keepsSnapshot { functions.shownSnapshot = nil }
        run.readOrdinal = transaction.batch.nextOrdinal
        if run.keepsKeys { run.keySlots = plan.lockedKeySlots }
        run.columns = plan.columns
        run.formats = Self.expand(run.formats, plan.columns.count)
        run.rowValues = Array(repeating: .null, count: plan.resultSlots.count)
        if let idle = prepared.idleExecutor, idle.plan === plan {
            prepared.idleExecutor = nil
            run.executor = idle
        } else {
            run.executor = PlanExecutor(
                plan: plan, transaction: transaction, functions: functions)
        }
        run.stage = .restart
    }

    /// READ ONLY refuses what writes or locks rows of other than temporary tables.
    func checkReadOnly(
        _ plan: PhysicalPlan, _ statement: AST.Statement?
    ) throws(SQLError) {
        guard
            plan.relations.contains(where: { $0.lock > .accessShare && !isTemporary($0.table) })
        else { return }
        let name: String
        switch statement {
        case .insert: name = "INSERT"
        case .update: name = "UPDATE"
        case .delete: name = "DELETE"
        case .merge: name = "MERGE"
        case .select(let select):
            name = "SELECT" + (select.locking.first.map { " " + $0.strength.clause } ?? "")
        default: name = "SELECT"
        }
        throw readOnlyRefusal(name)
    }

    /// Why a read-only transaction does not execute `what`.
    func readOnlyRefusal(_ what: String) -> SQLError {
        SQLError(
            .readOnlySQLTransaction, "cannot execute \(what) in a read-only transaction",
            hint: database.isReadOnly ? database.engine.openedReadOnly.hint : nil)
    }

    private func advancePlanned(
        _ run: StatementRun, maxRows: Int, describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        let prepared = run.prepared
        if run.stage == .start { try lockRelations(of: prepared) }
        if run.stage == .start, let failure = prepared.plan?.foldingFailure { throw failure }
        // An open cursor's own, whatever has been planned since.
        guard let plan = run.executor?.plan ?? prepared.plan else {
            throw SQLError(.internalError, "statement has no plan")
        }
        let isBounded = plan.isBounded && !run.needsWorker && !transaction.batch.hasSpilled
        if !isBounded, !isOnWorker, run.stage != .emitting {
            return .blocked(needsWorker())
        }
        if run.stage == .start { try open(run, plan) }
        guard let executor = run.executor else {
            throw SQLError(.internalError, "statement has no executor")
        }
        // A cursor's is not the newest.
        if functions.readTimestamp != run.snapshot?.timestamp {
            functions.readTimestamp = run.snapshot?.timestamp
            functions.shownSnapshot = nil
        }
        run.firstOrdinal = transaction.batch.nextOrdinal
        run.workBefore = transaction.progress.work
        run.changeCount = transaction.changes.count
        run.notifications = transaction.notifications.mark
        // An event loop does not wait for the disk: the statement then runs again on a worker.
        transaction.mayWait = isOnWorker
        defer { transaction.mayWait = true }
        if run.stage == .restart, let snapshot = run.snapshot {
            refreshFunctions()
            run.stage = .running
            sleep.calls = 0
            sleep.parks = !plan.isBounded && Self.mayPark(plan)
            try executor.begin(
                snapshot: snapshot, parameters: run.parameters, functions: functions,
                ordinal: run.readOrdinal)
        }
        if run.stage == .running, plan.isPureRead {
            return try stream(run, executor, plan, maxRows: maxRows, describes: describes, sink)
        }
        if run.stage == .running {
            let returnsRows = !plan.resultSlots.isEmpty
            while try executor.next() {
                if returnsRows {
                    try run.keep(plan.resultSlots.map { executor.row.slots[$0] }, executor)
                    if !run.keySlots.isEmpty { try run.keepKeys(executor) }
                } else if plan.command == .select {
                    run.buffer.append([])
                }
            }
            try executor.finish()
            try ForeignKeyRunner(session: self).fireImmediate()
            run.affected = executor.affectedRows
            run.stage = .emitting
            run.bufferPlace = 0
        }
        let hasRows = plan.command == .select || !plan.resultSlots.isEmpty
        if describes, !run.isDescribed, hasRows {
            run.isDescribed = true
            sink.rowDescription(plan.columns)
        }
        if !functionNotices.isEmpty { sendFunctionNotices(sink) }
        if let step = try emitBuffer(run, maxRows: maxRows, sink) { return step }
        // As in PostgreSQL, the tag of rows that are returned counts those of the last Execute.
        let affected = plan.resultSlots.isEmpty ? run.affected : run.emitted
        return .done(tag: Self.tag(prepared, affected: affected, emitted: run.emitted))
    }

    /// A read's rows, as they come.
    private func stream(
        _ run: StatementRun, _ executor: PlanExecutor, _ plan: PhysicalPlan, maxRows: Int,
        describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        if describes, !run.isDescribed {
            run.isDescribed = true
            sink.rowDescription(plan.columns)
        }
        // After a wait this Execute has sent some already.
        var sent = run.emitted
        let limit = maxRows == 0 ? Int64.max : Int64(maxRows)
        let slots = plan.resultSlots
        while sent < limit {
            guard try executor.next() else {
                try executor.finish()
                return .done(tag: "SELECT \(run.emitted)")
            }
            if run.toPassOver > 0 {
                run.toPassOver -= 1
                continue
            }
            if !functionNotices.isEmpty { sendFunctionNotices(sink) }
            for index in slots.indices { run.rowValues[index] = executor.row.slots[slots[index]] }
            try sink.row(run.rowValues, run.columns, formats: run.formats)
            sent += 1
            run.streamed += 1
            run.emitted += 1
            if sent & 63 == 0 {
                try interrupt.check()
                if sink.wantsPause, maxRows == 0 { return .blocked(.paused) }
            }
        }
        // The next tag counts the next Execute's rows, as PostgreSQL's does.
        run.emitted = 0
        return .suspended
    }

    /// Sends buffered rows. Nil when there are none left.
    func emitBuffer(
        _ run: StatementRun, maxRows: Int, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep? {
        var sent = 0
        while run.bufferPlace < run.buffer.count {
            if maxRows > 0, sent == maxRows { break }
            try sink.row(run.buffer[run.bufferPlace], run.columns, formats: run.formats)
            run.bufferPlace += 1
            run.emitted += 1
            sent += 1
            if sent & 63 == 0, maxRows == 0, sink.wantsPause { return .blocked(.paused) }
        }
        // PostgreSQL suspends also when the limit met the last row exactly.
        if maxRows > 0, sent == maxRows {
            run.emitted = 0
            return .suspended
        }
        return nil
    }
}
