import FalconSchema
import FalconStorage

/// COPY FROM STDIN between its first and its last message.
final class CopyInState {
    let run: StatementRun
    let table: TableDescriptor
    let plan: CopyPlan
    let executor: PlanExecutor
    let columns: [ColumnDescriptor]
    // One request at a time touches it; run-time checks would find nothing.
    @exclusivity(unchecked) var reader: CopyLineReader
    /// In place of `reader`, of the binary format.
    @exclusivity(unchecked) var binary: CopyBinaryReader?
    /// The column of a field that was no good.
    @exclusivity(unchecked) var column: Int?
    @exclusivity(unchecked) var isFinal = false
    @exclusivity(unchecked) var needsHeader: Bool
    @exclusivity(unchecked) var rows: Int64 = 0
    /// The current line has been cut but its row could not be written yet: it waits for a lock.
    @exclusivity(unchecked) var hasPendingRow = false
    /// What the reader's buffers are charged with.
    @exclusivity(unchecked) private var heldBytes = 0

    init(
        run: StatementRun, table: TableDescriptor, plan: CopyPlan, executor: PlanExecutor,
        columns: [ColumnDescriptor], options: CopyOptions
    ) {
        self.run = run
        self.table = table
        self.plan = plan
        self.executor = executor
        self.columns = columns
        reader = CopyLineReader(options: options)
        if options.isBinary { binary = CopyBinaryReader(columnCount: columns.count) }
        needsHeader = options.hasHeader
    }

    /// Lines of text, rows of the binary format.
    var lineNumber: Int64 { binary?.lineNumber ?? reader.lineNumber }

    func append(_ data: [UInt8]) {
        if binary == nil { reader.append(data) } else { binary?.append(data) }
    }

    /// Cuts the next row into fields; false: there is none yet, or no more.
    func next() throws(SQLError) -> Bool {
        if binary == nil { return try reader.next(isFinal: isFinal) }
        return try binary?.next(isFinal: isFinal, column: &column) ?? false
    }

    /// The line, without what is in it.
    var place: String? { lineNumber > 0 ? "COPY \(table.name), line \(lineNumber)" : nil }

    /// Where `error` arose, as PostgreSQL says it.
    func context(of error: SQLError) -> String? {
        guard let line = place else { return nil }
        if binary != nil {
            return column.map { line + ", column \(columns[$0].name)" } ?? line
        }
        // A duplicate shows when rows are written, and PostgreSQL writes many at once: it no longer has the
        // line.
        let showsLine = reader.hasLine && error.state != .uniqueViolation
        return line + (showsLine ? ": \"\(reader.lineText)\"" : "")
    }

    /// Charges what the reader's buffers take by now: a line may be long.
    func chargeBuffers() throws(SQLError) {
        let bytes = binary?.memoryBytes ?? reader.memoryBytes
        if bytes > heldBytes {
            try executor.hold(bytes - heldBytes)
        } else {
            executor.release(heldBytes - bytes)
        }
        heldBytes = bytes
    }
}

/// COPY FROM is complete: its row count waits for the statement to be taken up again.
private final class CopyResult {
    let rows: Int64
    init(_ rows: Int64) { self.rows = rows }
}

/// COPY TO under way.
private final class CopyOutState {
    let inner: StatementRun
    let options: CopyOptions
    var rows: Int64 = 0
    init(inner: StatementRun, options: CopyOptions) {
        self.inner = inner
        self.options = options
    }
}

extension Session {
    func advanceCopy(
        _ copy: AST.Copy, _ run: StatementRun, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        if let result = run.utilityState as? CopyResult {
            return .done(tag: "COPY \(result.rows)")
        }
        if copy.fileName != nil || copy.isProgram {
            throw SQLError(
                .featureNotSupported, "COPY to or from a server file is not supported",
                hint: "Use COPY ... FROM STDIN or psql's \\copy.")
        }
        return copy.isFrom
            ? try beginCopyIn(copy, run, sink) : try advanceCopyOut(copy, run, sink)
    }

    // MARK: COPY FROM

    private func beginCopyIn(
        _ copy: AST.Copy, _ run: StatementRun, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        guard let name = copy.table else { throw SQLError(.syntaxError, "COPY needs a table") }
        if copy.filter != nil {
            throw SQLError(.featureNotSupported, "COPY FROM ... WHERE is not supported yet")
        }
        let options = try CopyOptions(copy.options, isFrom: true)
        try refuseTarget(copy, name, options, sink)
        try transaction.lockRelation(try resolveTable(name).oid, .rowExclusive)
        let table = try resolveTable(name)
        if transaction.isReadOnly, !isTemporary(table) { throw readOnlyRefusal("COPY FROM") }
        if VirtualTables.isVirtual(table) {
            throw SQLError(.wrongObjectType, "cannot copy to system table \"\(table.name)\"")
        }
        let plan = try StatementPlanner(catalog: catalog, context: functions).planCopyFrom(
            table: table, columns: copy.columns)
        try Self.checkNamed(options, table.columns.filter { !$0.isDropped }.map(\.name), table.name)
        var columns: [ColumnDescriptor] = []
        if copy.columns.isEmpty {
            columns = table.columns.filter { !$0.isDropped }
        } else {
            for name in copy.columns {
                if let column = table.columns.first(where: { $0.name == name && !$0.isDropped }) {
                    columns.append(column)
                }
            }
        }
        if options.isFrozen, let refusal = freezeRefusal(of: table) {
            // As in PostgreSQL the client is asked for the data first: it drops what it has at hand and does not
            // take it for statements.
            sink.copyInResponse(options.format, columnCount: columns.count)
            throw refusal
        }
        let physical = PhysicalPlan(
            command: .insert, root: PlanNode(.insert(plan.insert), outputSlots: []), columns: [],
            resultSlots: [], slotCount: plan.slotCount, subplans: [], commonTables: [],
            parameterTypes: [], relations: [], isBounded: true)
        let executor = PlanExecutor(
            plan: physical, transaction: transaction, functions: functions)
        try executor.begin(
            snapshot: try transaction.statementSnapshot(), parameters: [], functions: functions)
        copyIn = CopyInState(
            run: run, table: table, plan: plan, executor: executor, columns: columns,
            options: options)
        sink.copyInResponse(options.format, columnCount: columns.count)
        return .blocked(.copyIn)
    }

    /// One CopyData message of COPY FROM STDIN; boundaries may be anywhere.
    public func copyData(_ bytes: [UInt8], _ sink: any ResultSink) -> SessionProgress {
        guard let copyIn else { return .finished }
        copyIn.append(bytes)
        isOnWorker = false
        return continueCopy(sink)
    }

    /// The client has sent everything.
    public func copyDone(_ sink: any ResultSink) -> SessionProgress {
        guard let copyIn else { return .finished }
        copyIn.isFinal = true
        isOnWorker = false
        return continueCopy(sink)
    }

    /// The client gave up.
    public func copyFail(_ message: String, _ sink: any ResultSink) -> SessionProgress {
        guard let copyIn else { return .finished }
        var error = SQLError(.queryCanceled, "COPY from stdin failed: \(message)")
        // A row of the binary format counts from where its reading begins.
        let line = copyIn.lineNumber + (copyIn.binary == nil ? 1 : 0)
        if line > 0 { error.context = "COPY \(copyIn.table.name), line \(line)" }
        copyIn.executor.end()
        return fail(error, sink)
    }

    /// Writes the rows that have arrived.
    func continueCopy(_ sink: any ResultSink) -> SessionProgress {
        guard let copyIn else { return .finished }
        transaction.mayWait = isOnWorker
        defer { transaction.mayWait = true }
        do throws(SQLError) {
            try copyIn.chargeBuffers()
            while true {
                if !copyIn.hasPendingRow {
                    guard try copyIn.next() else { break }
                    if copyIn.needsHeader {
                        copyIn.needsHeader = false
                        try checkHeader(copyIn)
                        continue
                    }
                }
                try interrupt.check()
                try writeRow(copyIn)
                copyIn.hasPendingRow = false
                copyIn.rows += 1
            }
        } catch {
            if error.isLockWait { return beginLockWait() }
            if error.isDiskWait { return needsWorker() }
            var error = error
            if error.context == nil { error.context = copyIn.context(of: error) }
            copyIn.executor.end()
            return fail(error, sink)
        }
        guard copyIn.isFinal else { return .finished }
        do throws(SQLError) {
            try ForeignKeyRunner(session: self).fireImmediate()
        } catch {
            if error.isLockWait { return beginLockWait() }
            if error.isDiskWait { return needsWorker() }
            copyIn.executor.end()
            return fail(error, sink)
        }
        copyIn.executor.end()
        copyIn.run.utilityState = CopyResult(copyIn.rows)
        self.copyIn = nil
        transaction.mayWait = true
        return drive(sink)
    }

    private func checkHeader(_ copyIn: CopyInState) throws(SQLError) {
        guard copyIn.reader.options.matchesHeader else { return }
        let fields = copyIn.reader.fields
        if fields.count != copyIn.columns.count {
            throw SQLError(
                .badCopyFileFormat,
                "wrong number of fields in header line: got \(fields.count), expected "
                    + "\(copyIn.columns.count)")
        }
        for (index, column) in copyIn.columns.enumerated() {
            let name = index < fields.count ? fields[index].map { copyIn.reader.text($0) } : nil
            if name != column.name {
                throw SQLError(
                    .badCopyFileFormat,
                    "column name mismatch in header line field \(index + 1): got "
                        + "\"\(name ?? "")\", expected \"\(column.name)\"")
            }
        }
    }

    private func writeRow(_ copyIn: CopyInState) throws(SQLError) {
        if let binary = copyIn.binary {
            try readBinary(binary, copyIn)
        } else {
            try readText(copyIn)
        }
        let ordinal = transaction.batch.nextOrdinal
        do throws(SQLError) {
            try copyIn.executor.insertCurrentRow()
        } catch {
            if error.isLockWait || error.isDiskWait {
                transaction.rollbackStatement(
                    to: ordinal, changeCount: transaction.changes.count)
                copyIn.hasPendingRow = true
            }
            throw error
        }
    }

    private func readBinary(
        _ reader: CopyBinaryReader, _ copyIn: CopyInState
    ) throws(SQLError) {
        let row = copyIn.executor.row
        let display = settings.display
        for (index, slot) in copyIn.plan.sourceSlots.enumerated() {
            guard index < reader.fields.count, let field = reader.fields[index] else {
                row.slots[slot] = .null
                continue
            }
            let type = copyIn.plan.sourceTypes[index]
            copyIn.column = index
            let value = try reader.bytes.withRaw { raw throws(SQLError) in
                try TypeIO.decodeBinary(
                    UnsafeRawBufferPointer(rebasing: raw[field]), type: type, settings: display)
            }
            row.slots[slot] = try TypeIO.coerce(value, toModifierOf: type, explicit: false)
        }
        copyIn.column = nil
    }

    private func readText(_ copyIn: CopyInState) throws(SQLError) {
        let row = copyIn.executor.row
        let fields = copyIn.reader.fields
        let options = copyIn.reader.options
        let display = settings.display
        let isEmptyLine =
            fields.count == 1 && fields[0].map { $0.isEmpty } ?? true && copyIn.columns.isEmpty
        if fields.count > copyIn.columns.count, !isEmptyLine {
            throw SQLError(.badCopyFileFormat, "extra data after last expected column")
        }
        for (index, column) in copyIn.columns.enumerated() {
            guard index < fields.count else {
                throw SQLError(
                    .badCopyFileFormat, "missing data for column \"\(column.name)\"")
            }
            let slot = copyIn.plan.sourceSlots[index]
            var found = fields[index]
            if found == nil, options.forceNotNull.contains(column.name) { found = 0..<0 }
            guard let field = found else {
                row.slots[slot] = .null
                continue
            }
            if options.forceNull.contains(column.name),
                copyIn.reader.bytes[field].elementsEqual(options.null)
            {
                row.slots[slot] = .null
                continue
            }
            let type = copyIn.plan.sourceTypes[index]
            do throws(SQLError) {
                row.slots[slot] = try copyIn.reader.bytes.withRaw { raw throws(SQLError) in
                    try TypeIO.parseText(
                        UnsafeRawBufferPointer(rebasing: raw[field]), type: type,
                        settings: display)
                }
            } catch {
                var error = error
                error.context =
                    "COPY \(copyIn.table.name), line \(copyIn.reader.lineNumber), column "
                    + "\(column.name): \"\(copyIn.reader.shown(field))\""
                throw error
            }
        }
    }

    /// FORCE_… may name columns that are copied alone.
    private static func checkNamed(
        _ options: CopyOptions, _ columns: [String], _ table: String
    ) throws(SQLError) {
        let named = options.forcesQuote.union(options.forceNotNull).union(options.forceNull)
        guard let name = named.first(where: { !columns.contains($0) }) else { return }
        throw SQLError(
            .undefinedColumn, "column \"\(name)\" of relation \"\(table)\" does not exist")
    }

    // MARK: COPY TO

    private func advanceCopyOut(
        _ copy: AST.Copy, _ run: StatementRun, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        let state: CopyOutState
        if let current = run.utilityState as? CopyOutState {
            state = current
        } else {
            let options = try CopyOptions(copy.options, isFrom: false)
            let prepared: PreparedStatement
            if let query = copy.query {
                if case .merge = query {
                    throw SQLError(.featureNotSupported, "MERGE not supported in COPY")
                }
                prepared = PreparedStatement(
                    name: "", sql: currentSQL,
                    parsed: .init(
                        statement: query, textOffset: 0, textLength: currentSQL.utf8.count,
                        depth: run.prepared.depth),
                    declaredTypes: [])
            } else if let name = copy.table {
                if let refusal = try copyRefusal(of: name, isFrom: false) { throw refusal }
                let found = try resolveTable(name)
                if !VirtualTables.isVirtual(found) {
                    try transaction.lockRelation(found.oid, .accessShare)
                }
                let table = try resolveTable(name)
                let columns =
                    copy.columns.isEmpty
                    ? table.columns.filter { !$0.isDropped }.map(\.name) : copy.columns
                for (index, name) in columns.enumerated() {
                    guard table.columns.contains(where: { $0.name == name && !$0.isDropped }) else {
                        throw SQLError(
                            .undefinedColumn,
                            "column \"\(name)\" of relation \"\(table.name)\" does not exist")
                    }
                    if columns[..<index].contains(name) {
                        throw SQLError(
                            .duplicateColumn, "column \"\(name)\" specified more than once")
                    }
                }
                try Self.checkNamed(options, columns, table.name)
                let list = columns.map { Identifier.quoted($0) }.joined(separator: ", ")
                let text =
                    "SELECT \(list) FROM \(Identifier.quoted(table.schema))."
                    + Identifier.quoted(table.name)
                prepared = PreparedStatement(
                    name: "", sql: text, parsed: try SQLParser.parse(text).first,
                    declaredTypes: [])
            } else {
                throw SQLError(.syntaxError, "COPY needs a table or a query")
            }
            state = CopyOutState(
                inner: StatementRun(prepared: prepared, parameters: []), options: options)
            run.utilityState = state
            run.inner = nil
        }
        let target: any CopyTarget =
            state.options.isBinary
            ? CopyBinarySink(inner: sink, rowsSent: state.rows)
            : CopySink(inner: sink, options: state.options, settings: settings.display)
        target.isStarted = state.rows > 0 || run.isDescribed
        let step = try advance(state.inner, maxRows: 0, describes: true, target)
        run.isDescribed = run.isDescribed || target.isStarted
        state.rows += target.rows
        switch step {
        case .blocked, .suspended: return step
        case .done:
            state.inner.finish()
            target.end()
            sink.copyDone()
            return .done(tag: "COPY \(state.rows)")
        }
    }
}
