import FalconSchema

extension Binder {
    func bindFunction(
        _ call: AST.FunctionCall, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let offset = call.location >= 0 ? call.location : nil
        if call.window != nil {
            if !clause.allowsWindows {
                throw SQLError(
                    .windowingError, "window functions are not allowed in \(clause.rawValue)",
                    byteOffset: offset)
            }
            throw SQLError(
                .featureNotSupported, "window functions are not supported", byteOffset: offset)
        }
        if call.isWithinGroup {
            throw SQLError(
                .featureNotSupported, "ordered-set aggregates are not supported",
                byteOffset: offset)
        }
        let arguments = try bindAll(call.arguments, scope)
        let resolved = try resolveFunction(call, arguments)
        let converted = try convertArguments(arguments, for: resolved, call.location)
        switch resolved.function.body {
        case .aggregate: return try bindAggregate(call, resolved, converted, scope)
        case .set:
            if let record = resolved.function.asRecord,
                let expression = FunctionExpression(
                    record, converted, type: SQLType(record.resultType), location: call.location)
            {
                return expression
            }
            return try bindSetReturning(call, resolved, converted, scope)
        case .scalar:
            if call.isDistinct || call.isStar || call.filter != nil || !call.order.isEmpty {
                let what =
                    call.isStar
                    ? "(*)"
                    : call.isDistinct
                        ? "DISTINCT"
                        : call.filter != nil
                            ? "FILTER" : "ORDER BY"
                throw SQLError(
                    .wrongObjectType,
                    "\(what) specified, but \(call.name.last) is not an aggregate function",
                    byteOffset: offset)
            }
            guard
                let expression = FunctionExpression(
                    resolved.function, converted, type: SQLType(resolved.resultType),
                    location: call.location)
            else {
                throw SQLError(
                    .internalError, "function \(call.name.last) has no code for this call")
            }
            return folded(expression)
        }
    }

    func resolveFunction(
        _ call: AST.FunctionCall, _ arguments: [BoundExpression]
    ) throws(SQLError) -> ResolvedFunction {
        let types = arguments.map(\.type.oid)
        let found = try resolve(
            call.location,
            { () throws(SQLError) in
                try FunctionResolver.function(
                    schema: call.name.schema, name: call.name.last, arguments: types,
                    names: call.argumentNames, isVariadic: call.isVariadic)
            })
        if let found { return found }
        let signature = types.map { TypeNames.text($0) }.joined(separator: ", ")
        throw SQLError(
            .undefinedFunction, "function \(call.name.text)(\(signature)) does not exist",
            hint: "No function matches the given name and argument types. "
                + "You might need to add explicit type casts.",
            byteOffset: call.location >= 0 ? call.location : nil)
    }

    func convertArguments(
        _ arguments: [BoundExpression], for resolved: ResolvedFunction, _ location: Int
    ) throws(SQLError) -> [BoundExpression] {
        var result: [BoundExpression] = []
        for (index, argument) in arguments.enumerated() {
            if argument.type.oid == .unknown, argument is ConstantExpression,
                resolved.function.name == "pg_typeof"
            {
                result.append(argument)
                continue
            }
            let target =
                index < resolved.argumentTypes.count
                ? resolved.argumentTypes[index] : argument.type.oid
            var converted = try coerceOrFail(
                argument, to: SQLType(target), .implicit, location: location)
            // "any" and polymorphic arguments must still have some type.
            if converted.type.oid == .unknown { converted = try resolveUnknown(converted) }
            result.append(converted)
        }
        if let gather = resolved.variadicGather {
            let start = max(0, result.count - gather.count)
            let elements = Array(result[start...])
            result.removeSubrange(start...)
            result.append(
                folded(
                    ArrayConstructor(
                        elements, elementType: gather.element, isNested: false,
                        type: SQLType(TypeRegistry.arrayType(of: gather.element)),
                        location: location)))
        }
        if let positions = resolved.positions {
            return try ordered(result, positions, resolved.function, location)
        }
        let declared = resolved.function.argumentTypes.count
        let defaults = resolved.function.defaults
        while result.count < declared, declared - result.count <= defaults.count {
            let index = defaults.count - (declared - result.count)
            result.append(
                ConstantExpression(
                    defaults[index], type: SQLType(resolved.function.argumentTypes[result.count])))
        }
        return result
    }

    /// Arguments of a call with names, as they are declared, defaults between them.
    private func ordered(
        _ arguments: [BoundExpression], _ positions: [Int], _ function: FunctionDescriptor,
        _ location: Int
    ) throws(SQLError) -> [BoundExpression] {
        let required = function.argumentTypes.count - function.defaults.count
        var result: [BoundExpression] = []
        for (position, type) in function.argumentTypes.enumerated() {
            if let given = positions.firstIndex(of: position), given < arguments.count {
                result.append(arguments[given])
            } else if position >= required {
                result.append(
                    ConstantExpression(function.defaults[position - required], type: SQLType(type)))
            } else {
                throw SQLError(
                    .internalError, "argument \(position + 1) of \(function.name) is missing",
                    byteOffset: location >= 0 ? location : nil)
            }
        }
        return result
    }

    private func bindAggregate(
        _ call: AST.FunctionCall, _ resolved: ResolvedFunction, _ arguments: [BoundExpression],
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let offset = call.location >= 0 ? call.location : nil
        let query = scope.query
        try refuseSetReturning(
            arguments, scope, .featureNotSupported,
            "aggregate function calls cannot contain set-returning function calls",
            hint: Self.lateralHint)
        for argument in arguments {
            var nested: Int?
            argument.walk { node in
                if let slot = (node as? SlotReference)?.slot, query.aggregateSlots.contains(slot) {
                    nested = node.location
                }
            }
            if let nested {
                throw SQLError(
                    .groupingError, "aggregate function calls cannot be nested",
                    byteOffset: nested >= 0 ? nested : offset)
            }
        }
        guard clause.allowsAggregates else {
            throw SQLError(
                .groupingError, "aggregate functions are not allowed in \(clause.rawValue)",
                byteOffset: offset)
        }
        var filter: BoundExpression?
        if let condition = call.filter {
            filter = try within(.aggregateFilter) { () throws(SQLError) in
                try bindCondition(condition, scope, "FILTER")
            }
        }
        var order: [SortKey] = []
        for item in call.order {
            let key = try within(.aggregate) { () throws(SQLError) in
                try resolveUnknown(try bind(item.expression, scope))
            }
            order.append(
                SortKey(
                    key, isDescending: item.isDescending,
                    nullsFirst: item.nullsFirst ?? item.isDescending))
        }
        if call.isDistinct, let argument = arguments.first,
            !DatumOrder.isOrdered(argument.type.oid)
        {
            throw SQLError(
                .undefinedFunction,
                "could not identify an equality operator for type "
                    + TypeNames.text(argument.type.oid), byteOffset: offset)
        }
        if let same = query.calls.first(where: { existing in
            existing.function.oid == resolved.function.oid
                && existing.isDistinct == call.isDistinct && existing.order.isEmpty
                && order.isEmpty && existing.arguments.count == arguments.count
                && zip(existing.arguments, arguments).allSatisfy { $0.matches($1) }
                && (existing.filter == nil) == (filter == nil)
                && (filter.map { existing.filter?.matches($0) ?? false } ?? true)
        }) {
            return SlotReference(
                slot: same.slot, name: call.name.last, type: same.resultType,
                location: call.location)
        }
        let slot = newSlot(owner: query)
        slotNames[slot] = call.name.last
        query.aggregateSlots.insert(slot)
        let aggregate = AggregateCall(
            function: resolved.function, arguments: arguments, isDistinct: call.isDistinct,
            filter: filter, order: order, resultType: SQLType(resolved.resultType), slot: slot)
        query.calls.append(aggregate)
        return SlotReference(
            slot: slot, name: call.name.last, type: aggregate.resultType, location: call.location)
    }

    static let lateralHint =
        "You might be able to move the set-returning function into a LATERAL FROM item."

    /// Throws when one of `expressions` calls a set-returning function of this query.
    func refuseSetReturning(
        _ expressions: [BoundExpression], _ scope: Scope, _ state: SQLState, _ message: String,
        hint: String? = nil
    ) throws(SQLError) {
        let slots = scope.query.setReturningSlots
        if slots.isEmpty { return }
        for expression in expressions {
            var found: Int?
            expression.walk { node in
                if let slot = (node as? SlotReference)?.slot, slots.contains(slot), found == nil {
                    found = node.location
                }
            }
            if let found {
                throw SQLError(state, message, hint: hint, byteOffset: found >= 0 ? found : nil)
            }
        }
    }

    private func bindSetReturning(
        _ call: AST.FunctionCall, _ resolved: ResolvedFunction, _ arguments: [BoundExpression],
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let offset = call.location >= 0 ? call.location : nil
        guard clause.allowsSetReturning, clause != .from else {
            throw SQLError(
                .featureNotSupported,
                clause == .from
                    ? "set-returning functions must appear at top level of FROM"
                    : "set-returning functions are not allowed in \(clause.rawValue)",
                byteOffset: offset)
        }
        if resolved.resultColumns.count > 1 {
            return try bindRecordSet(call, resolved, arguments, scope)
        }
        let query = scope.query
        let slot = newSlot(owner: query)
        slotNames[slot] = call.name.last
        query.setReturningSlots.insert(slot)
        let type = SQLType(resolved.resultType)
        query.setReturning.append(
            SetReturningCall(
                function: resolved.function, arguments: arguments, scalar: nil, slots: [slot],
                types: [type]))
        return SlotReference(
            slot: slot, name: call.name.last, type: type, location: call.location)
    }
}
