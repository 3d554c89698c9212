import FalconSchema

/// A FunctionCall message: one call of a function by its OID, outside any SELECT.
extension Session {
    /// The sink gets one row of one column, in place of which the client gets a FunctionCallResponse.
    public func callFunction(
        _ oid: OID, _ arguments: [WireParameter], _ sink: any ResultSink
    ) -> SessionProgress {
        startRequest("<FunctionCall \(oid)>")
        do throws(SQLError) {
            if interrupt.isEnding { throw interrupt.error }
            if block == .failed { throw Self.failedTransaction }
            let function = try callable(oid)
            guard arguments.count == function.argumentTypes.count else {
                throw SQLError(
                    .protocolViolation,
                    "function call message contains \(arguments.count) arguments but function "
                        + "requires \(function.argumentTypes.count)")
            }
            let parsed = try SQLParser.parse(Self.selectCalling(function))
            guard let statement = parsed.first else {
                throw SQLError(.internalError, "a function call has no statement")
            }
            let prepared = PreparedStatement(
                name: "", sql: currentSQL, parsed: statement,
                declaredTypes: function.argumentTypes)
            let simple = SimpleWork(sql: currentSQL, statements: parsed)
            simple.shared = (prepared, try values(arguments, for: prepared))
            work = .simple(simple)
        } catch { return fail(error, sink) }
        return drive(sink)
    }

    private func callable(_ oid: OID) throws(SQLError) -> FunctionDescriptor {
        guard let function = FunctionTable.shared.function(oid: oid) else {
            throw SQLError(.undefinedFunction, "function with OID \(oid) does not exist")
        }
        if function.isDeclaredSet || function.isAggregate {
            throw SQLError(
                .featureNotSupported,
                "cannot call function \"\(function.name)\" via fastpath interface")
        }
        for type in function.argumentTypes
        where TypeRegistry.descriptor(type)?.kind == .pseudo {
            throw SQLError(
                .featureNotSupported, "cannot accept a value of type \(TypeNames.text(type))")
        }
        return function
    }

    /// The one SELECT that calls just this function, whatever the search path is.
    private static func selectCalling(_ function: FunctionDescriptor) -> String {
        var parameters = function.argumentTypes.indices.map { "$\($0 + 1)" }
        if function.variadicElement != .invalid, let last = parameters.popLast() {
            parameters.append("VARIADIC " + last)
        }
        return "SELECT pg_catalog.\(Identifier.quoted(function.name))"
            + "(\(parameters.joined(separator: ", ")))"
    }

    private func values(
        _ arguments: [WireParameter], for prepared: PreparedStatement
    ) throws(SQLError) -> [Datum] {
        do throws(SQLError) { return try decode(arguments, for: prepared, portal: "") } catch {
            var error = error
            // There is no portal to name.
            error.context = nil
            throw error
        }
    }
}
