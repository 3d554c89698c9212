import FalconSchema

/// The protocol's messages, each the beginning of a request or a question that is answered at once.
extension Session {
    /// A Query message: every statement of `sql`. The sink gets rows and command tags.
    public func simpleQuery(_ sql: String, _ sink: any ResultSink) -> SessionProgress {
        startRequest(sql)
        statements[""] = nil
        if !portals.isEmpty { dropPortal("") }
        do throws(SQLError) {
            if interrupt.isEnding { throw interrupt.error }
            if block != .failed, let shared = sharedStatement(for: sql),
                let parsed = shared.prepared.parsed
            {
                let simple = SimpleWork(sql: sql, statements: [parsed])
                simple.shared = shared
                work = .simple(simple)
                return drive(sink)
            }
            let sql = try parserText(sql, sink)
            let parsed = try SQLParser.parse(sql)
            if parsed.isEmpty {
                sink.emptyQuery()
                return finish(sink)
            }
            noticeLongIdentifiers(parsed, sink)
            work = .simple(SimpleWork(sql: sql, statements: parsed))
        } catch { return fail(error, sink) }
        return drive(sink)
    }

    /// A Parse message. `parameterTypes` may be shorter than the parameters, and hold 0 for unknown.
    public func parse(
        name: String, sql: String, parameterTypes: [OID], _ sink: any ResultSink
    ) -> SessionProgress {
        startRequest(sql)
        do throws(SQLError) {
            if !name.isEmpty, statements[name] != nil {
                throw SQLError(
                    .duplicatePreparedStatement,
                    "prepared statement \"\(name)\" already exists")
            }
            for type in parameterTypes
            where type != .invalid && TypeRegistry.descriptor(type) == nil {
                throw SQLError(
                    .internalError, "cache lookup failed for type \(type.rawValue)")
            }
            // A repeated text under the unnamed statement keeps its plan.
            if name.isEmpty, let old = statements[""], old.sql == sql,
                old.declaredTypes == parameterTypes, block != .failed, isCurrent(old),
                !(old.plan?.readsSurroundings ?? false)
            {
                try beginIfNeeded()
                return .finished
            }
            let sql = try parserText(sql, sink)
            let parsed = try SQLParser.parse(sql)
            if parsed.count > 1 {
                throw SQLError(
                    .syntaxError,
                    "cannot insert multiple commands into a prepared statement")
            }
            noticeLongIdentifiers(parsed, sink)
            if let statement = parsed.first { try checkNotFailed(statement.statement) }
            let prepared = PreparedStatement(
                name: name, sql: sql, parsed: parsed.first, declaredTypes: parameterTypes)
            var isAnalysed = prepared.isPlanned
            if case .declareCursor = prepared.statement { isAnalysed = true }
            guard isAnalysed else {
                statements[name] = prepared
                return .finished
            }
            work = .parse(prepared)
        } catch { return fail(error, sink) }
        return drive(sink)
    }

    public func describeStatement(_ name: String) throws(SQLError) -> StatementDescription {
        let prepared = try statement(named: name)
        if prepared.isPlanned, block != .failed {
            try beginIfNeeded()
            try ensurePlan(prepared, mayWait: false)
        } else if prepared.isPlanned, !(prepared.plan?.columns.isEmpty ?? true) {
            throw Self.failedTransaction
        }
        return StatementDescription(
            parameterTypes: prepared.plan.map { $0.parameterTypes.map(\.oid) }
                ?? prepared.declaredTypes,
            columns: try resultColumns(prepared))
    }

    public func describePortal(
        _ name: String
    ) throws(SQLError) -> (columns: [ResultColumn]?, formats: [Int16]) {
        guard let portal = portals[name] else { throw Self.noPortal(name) }
        guard let columns = try resultColumns(portal.prepared) else { return (nil, []) }
        return (columns, Self.expand(portal.formats, columns.count))
    }

    public func bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16],
        _ sink: any ResultSink
    ) -> SessionProgress {
        if idle.isOn { idle.end() }
        do throws(SQLError) {
            let prepared = try self.statement(named: statement)
            currentSQL = prepared.sql
            if let statement = prepared.statement { try checkNotFailed(statement) }
            if !portal.isEmpty, portals[portal] != nil {
                throw SQLError(.duplicateCursor, "cursor \"\(portal)\" already exists")
            }
            work = .bind(
                BindWork(
                    portal: portal, prepared: prepared, parameters: parameters,
                    resultFormats: resultFormats))
        } catch { return fail(error, sink) }
        return drive(sink)
    }

    func makePortal(_ bind: BindWork) throws(SQLError) {
        let prepared = bind.prepared
        let values = try decode(bind.parameters, for: prepared, portal: bind.portal)
        let columnCount = try resultColumns(prepared)?.count ?? 0
        if bind.resultFormats.count > 1, bind.resultFormats.count != columnCount {
            throw SQLError(
                .protocolViolation,
                "bind message has \(bind.resultFormats.count) result formats but query has "
                    + "\(columnCount) columns")
        }
        dropPortal(bind.portal)
        let portal = Portal(
            name: bind.portal, prepared: prepared, parameters: values,
            formats: bind.resultFormats, number: numberPortal())
        portal.isLarge =
            bind.parameters.contains { ($0.bytes?.count ?? 0) > Self.largeInput }
            || prepared.sql.utf8.count > Self.largeInput
        if !bind.portal.isEmpty { portal.creationTime = Self.nowMicros() }
        portals[bind.portal] = portal
    }

    /// An Execute message; `maxRows` 0 means all.
    public func execute(
        portal: String, maxRows: Int, _ sink: any ResultSink
    ) -> SessionProgress {
        guard let found = portals[portal] else { return fail(Self.noPortal(portal), sink) }
        startRequest(found.prepared.sql)
        if interrupt.isEnding { return fail(interrupt.error, sink) }
        work = .execute(
            ExecuteWork(
                portal: found, maxRows: max(0, maxRows),
                followsOthers: block == .implicit && hasExecuted))
        return drive(sink)
    }

    public func closeStatement(_ name: String) { statements[name] = nil }
    public func closePortal(_ name: String) { dropPortal(name) }

    /// A Sync message: ends the implicit transaction (its commit may wait).
    public func sync(_ sink: any ResultSink) -> SessionProgress {
        guard block == .implicit else {
            noteEnd()
            return .finished
        }
        work = .sync
        return drive(sink)
    }

    /// The server itself raised an error inside an extended batch: fails the transaction.
    public func protocolError() { abortAfterError() }

    private func noticeLongIdentifiers(
        _ statements: [AST.ParsedStatement], _ sink: any ResultSink
    ) {
        guard let names = statements.first?.longIdentifiers else { return }
        for name in names {
            send(
                SQLError(
                    SQLState("42622"),
                    "identifier \"\(name)\" will be truncated to \"\(TypeIO.clippedName(name))\"",
                    severity: .notice), sink)
        }
    }

    // MARK: Parameters

    func decode(
        _ parameters: [WireParameter], for prepared: PreparedStatement, portal: String
    ) throws(SQLError) -> [Datum] {
        let types =
            prepared.plan?.parameterTypes ?? prepared.declaredTypes.map { SQLType($0) }
        guard parameters.count == types.count else {
            throw SQLError(
                .protocolViolation,
                "bind message supplies \(parameters.count) parameters, but prepared statement "
                    + "\"\(prepared.name)\" requires \(types.count)")
        }
        var values: [Datum] = []
        values.reserveCapacity(types.count)
        for (index, parameter) in parameters.enumerated() {
            guard let bytes = parameter.bytes else {
                values.append(.null)
                continue
            }
            let type = types[index]
            let display = settings.display
            do throws(SQLError) {
                values.append(
                    try bytes.withRaw { raw throws(SQLError) in
                        switch parameter.format {
                        case 0: try TypeIO.parseText(raw, type: type, settings: display)
                        case 1: try TypeIO.decodeBinary(raw, type: type, settings: display)
                        default:
                            throw SQLError(
                                .invalidParameterValue,
                                "unsupported format code: \(parameter.format)")
                        }
                    })
            } catch {
                var error = error
                error.context =
                    (portal.isEmpty ? "unnamed portal" : "portal \"\(portal)\"")
                    + " parameter $\(index + 1)"
                    + (parameter.format == 0 && error.state != .characterNotInRepertoire
                        ? " = '...'" : "")
                throw error
            }
        }
        return values
    }
}
