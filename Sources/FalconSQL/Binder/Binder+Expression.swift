import FalconSchema

extension Binder {
    /// Binds an expression; its type may still be `unknown` (a literal, an undecided parameter).
    func bind(_ expression: AST.Expression, _ scope: Scope) throws(SQLError) -> BoundExpression {
        try descending { () throws(SQLError) in try bindNode(expression, scope) }
    }

    private func bindNode(
        _ expression: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        switch expression {
        case .column(let reference): return try bindColumn(reference, scope)
        case .constant(let constant, let location): return try bindConstant(constant, location)
        case .parameter(let number, let location): return try bindParameter(number, location)
        case .binary(let name, let left, let right, let location):
            return try bindOperator(name, left, right, location, scope)
        case .and(let operands, let location):
            return try bindLogic(isAnd: true, operands, location, scope)
        case .or(let operands, let location):
            return try bindLogic(isAnd: false, operands, location, scope)
        case .not(let operand, let location):
            let bound = try coerceToBool(try bind(operand, scope), "NOT")
            return folded(NotExpression(bound, location: location))
        case .function(let call): return try bindFunction(call, scope)
        case .cast(let operand, let type, let location):
            return try bindCast(operand, type, location, scope)
        case .subquery(let subquery): return try bindSubquery(subquery, scope)
        default: return try bindOther(expression, scope)
        }
    }

    private func bindOther(
        _ expression: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        switch expression {
        case .arrayComparison(let name, let left, let array, let isAll, let location):
            return try bindArrayComparison(name, left, array, isAll: isAll, location, scope)
        case .inList(let left, let list, let isNegated, let location):
            return try bindInList(left, list, isNegated: isNegated, location, scope)
        case .between(let value, let lower, let upper, let isNegated, let isSymmetric, let place):
            return try bindBetween(
                value, lower, upper, isNegated: isNegated, isSymmetric: isSymmetric, place, scope)
        case .like(let name, let left, let pattern, let location):
            return try bindOperator(name, left, pattern, location, scope)
        case .isDistinct(let left, let right, let isNegated, let location):
            return try bindDistinct(left, right, isNegated: isNegated, location, scope)
        case .nullIf(let left, let right, let location):
            return try bindNullIf(left, right, location, scope)
        case .nullTest(let operand, let isNotNull, let location):
            return try bindNullTest(operand, isNotNull: isNotNull, location, scope)
        case .booleanTest(let operand, let test, let location):
            let bound = try coerceToBool(try bind(operand, scope), Self.name(of: test))
            return folded(BooleanTestExpression(bound, test, location: location))
        case .caseWhen(let operand, let branches, let otherwise, let location):
            return try bindCase(operand, branches, otherwise, location, scope)
        case .coalesce(let operands, let location):
            return try bindChoice(.coalesce, "COALESCE", operands, location, scope)
        case .minMax(let isGreatest, let operands, let location):
            return try bindChoice(
                isGreatest ? .greatest : .least, isGreatest ? "GREATEST" : "LEAST", operands,
                location, scope)
        case .array(let elements, let location): return try bindArray(elements, location, scope)
        case .indirection(let base, let path): return try bindIndirection(base, path, scope)
        case .valueFunction(let function, let modifier, let location):
            return bindValueFunction(function, modifier, location)
        case .collate(let operand, let name, let location):
            return try bindCollate(operand, name, location, scope)
        default: return try refuse(expression)
        }
    }

    private func refuse(_ expression: AST.Expression) throws(SQLError) -> BoundExpression {
        let location = expression.location
        let offset = location >= 0 ? location : nil
        switch expression {
        case .setToDefault:
            throw SQLError(
                .syntaxError, "DEFAULT is not allowed in this context", byteOffset: offset)
        case .row:
            throw SQLError(
                .featureNotSupported, "row values are supported only in comparisons",
                byteOffset: offset)
        case .grouping:
            throw SQLError(
                .featureNotSupported, "GROUPING is not supported", byteOffset: offset)
        case .currentOf:
            throw SQLError(
                .featureNotSupported, "WHERE CURRENT OF is not supported", byteOffset: offset)
        default:
            throw SQLError(
                .featureNotSupported, "this expression is not supported", byteOffset: offset)
        }
    }

    private static func name(of test: AST.BooleanTest) -> String {
        switch test {
        case .isTrue: return "IS TRUE"
        case .isNotTrue: return "IS NOT TRUE"
        case .isFalse: return "IS FALSE"
        case .isNotFalse: return "IS NOT FALSE"
        case .isUnknown: return "IS UNKNOWN"
        case .isNotUnknown: return "IS NOT UNKNOWN"
        }
    }

    func bindAll(
        _ expressions: [AST.Expression], _ scope: Scope
    ) throws(SQLError) -> [BoundExpression] {
        var result: [BoundExpression] = []
        result.reserveCapacity(expressions.count)
        for expression in expressions { result.append(try bind(expression, scope)) }
        return result
    }

    /// A condition of WHERE, HAVING, ON.
    func bindCondition(
        _ expression: AST.Expression, _ scope: Scope, _ construct: String
    ) throws(SQLError) -> BoundExpression {
        try coerceToBool(try bind(expression, scope), construct)
    }

    // MARK: Leaves

    private func bindConstant(
        _ constant: AST.Constant, _ location: Int
    ) throws(SQLError) -> BoundExpression {
        switch constant {
        case .null: return ConstantExpression(.null, type: .unknown, location: location)
        case .bool(let value):
            return ConstantExpression(.bool(value), type: .bool, location: location)
        case .integer(let value):
            return ConstantExpression(.int(Int64(value)), type: .int4, location: location)
        case .number(let text):
            if let value = Int64(text) {
                let type: SQLType = Int32(exactly: value) == nil ? .int8 : .int4
                return ConstantExpression(.int(value), type: type, location: location)
            }
            let value = try TypeIO.parseText(text, type: .numeric, settings: context.settings)
            return ConstantExpression(value, type: .numeric, location: location)
        case .string(let text):
            return ConstantExpression(.text(text), type: .unknown, location: location)
        case .bits(let text):
            guard TypeRegistry.physical(.bit) != .none else {
                throw SQLError(
                    .featureNotSupported, "bit strings are not supported", byteOffset: location)
            }
            let value = try TypeIO.parseText(
                text, type: SQLType(.bit), settings: context.settings)
            return ConstantExpression(value, type: SQLType(.bit), location: location)
        }
    }

    private func bindParameter(_ number: Int, _ location: Int) throws(SQLError) -> BoundExpression {
        guard number >= 1, number <= 65_535 else {
            throw SQLError(
                .undefinedParameter, "there is no parameter $\(number)", byteOffset: location)
        }
        if number > parameterTypes.count {
            guard allowsNewParameters else {
                throw SQLError(
                    .undefinedParameter, "there is no parameter $\(number)", byteOffset: location)
            }
            while parameterTypes.count < number { parameterTypes.append(.unknown) }
        }
        return ParameterExpression(
            index: number - 1, type: SQLType(parameterTypes[number - 1]), location: location)
    }

    private func bindValueFunction(
        _ function: AST.ValueFunction, _ modifier: Int32, _ location: Int
    ) -> BoundExpression {
        switch function {
        case .currentDate: return ClockExpression(function, type: .date, location: location)
        case .currentTime:
            // PostgreSQL's is timetz; without that type a local time is the nearest.
            return ClockExpression(
                .localTime, type: SQLType(.time, modifier: modifier), location: location)
        case .localTime:
            return ClockExpression(
                function, type: SQLType(.time, modifier: modifier), location: location)
        case .currentTimestamp:
            return ClockExpression(
                function, type: SQLType(.timestamptz, modifier: modifier), location: location)
        case .localTimestamp:
            return ClockExpression(
                function, type: SQLType(.timestamp, modifier: modifier), location: location)
        default: return SessionNameExpression(function, location: location)
        }
    }

    // MARK: Logic

    private func bindLogic(
        isAnd: Bool, _ operands: [AST.Expression], _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        var bound: [BoundExpression] = []
        for operand in operands {
            bound.append(try coerceToBool(try bind(operand, scope), isAnd ? "AND" : "OR"))
        }
        // A constant that decides makes what follows it of no account, even what would fail.
        let decisive = bound.firstIndex {
            if case .bool(let value)? = ($0 as? ConstantExpression)?.value { return value != isAnd }
            return false
        }
        if let decisive {
            if decisive == 0 || !hasFoldingFailures { return bound[decisive] }
            bound.removeSubrange((decisive + 1)...)
        }
        return folded(LogicExpression(isAnd: isAnd, bound, location: location))
    }

    private func bindNullTest(
        _ operand: AST.Expression, isNotNull: Bool, _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        if case .row(let fields, _, _) = operand {
            let tests = try bindAll(fields, scope).map {
                NullTestExpression($0, isNotNull: isNotNull, location: location) as BoundExpression
            }
            return LogicExpression.all(tests)
                ?? ConstantExpression(.bool(true), type: .bool, location: location)
        }
        // An undecided parameter stays undecided: another use may decide it.
        let bound = try bind(operand, scope)
        return folded(NullTestExpression(bound, isNotNull: isNotNull, location: location))
    }

    private func bindDistinct(
        _ left: AST.Expression, _ right: AST.Expression, isNegated: Bool, _ location: Int,
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        if case .row(let lefts, _, _) = left, case .row(let rights, _, _) = right {
            guard lefts.count == rights.count else { throw unequalRows(location) }
            var tests: [BoundExpression] = []
            for index in lefts.indices {
                tests.append(
                    try bindDistinct(
                        lefts[index], rights[index], isNegated: isNegated, location, scope))
            }
            return LogicExpression(isAnd: isNegated, tests, location: location)
        }
        let equality = try makeOperatorUnfolded(
            AST.Name(["="]), try bind(left, scope), try bind(right, scope), location)
        if let comparison = equality as? ComparisonExpression {
            return folded(
                DistinctTestExpression(
                    comparison.left, comparison.right, isNegated: isNegated,
                    operandType: comparison.operandType, location: location))
        }
        let sides = equality.children
        guard sides.count == 2 else { return equality }
        // not (a = b) when both are known; otherwise whether exactly one is NULL.
        let oneNull = NotExpression(
            ComparisonExpression(
                .equal, NullTestExpression(sides[0], isNotNull: false),
                NullTestExpression(sides[1], isNotNull: false), operandType: .bool,
                location: location))
        let bothKnown = LogicExpression(
            isAnd: true,
            [
                NullTestExpression(sides[0], isNotNull: true),
                NullTestExpression(sides[1], isNotNull: true),
            ])
        let distinct = CaseExpression(
            conditions: [bothKnown], results: [NotExpression(equality)], otherwise: oneNull,
            type: .bool, location: location)
        return isNegated ? NotExpression(distinct) : distinct
    }

    private func bindNullIf(
        _ left: AST.Expression, _ right: AST.Expression, _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let value = try bind(left, scope)
        let other = try bind(right, scope)
        let condition = try makeOperatorUnfolded(AST.Name(["="]), value, other, location)
        var result = value.type.oid == .unknown ? condition.children.first ?? value : value
        // The answer has the type in which the comparison is made.
        if let equality = try FunctionResolver.operator(
            schema: nil, name: "=", left: value.type.oid, right: other.type.oid),
            !TypeCoercion.isPolymorphic(equality.left), equality.left != result.type.oid,
            let converted = try coerce(result, to: SQLType(equality.left), .implicit)
        {
            result = converted
        }
        return folded(
            NullIfExpression(
                try resolveUnknown(result), condition: try coerceToBool(condition, "NULLIF"),
                location: location))
    }

    private func bindCase(
        _ operand: AST.Expression?, _ branches: [AST.CaseBranch], _ otherwise: AST.Expression?,
        _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        var subject: BoundExpression?
        if let operand { subject = try resolveUnknown(try bind(operand, scope)) }
        var conditions: [BoundExpression] = []
        var results: [BoundExpression] = []
        for branch in branches {
            let condition = try bind(branch.condition, scope)
            if let subject {
                let equality = try makeOperator(
                    AST.Name(["="]), subject, condition, branch.condition.location)
                conditions.append(try coerceToBool(equality, "CASE/WHEN"))
            } else {
                conditions.append(try coerceToBool(condition, "CASE/WHEN"))
            }
            results.append(try bind(branch.result, scope))
        }
        let count = results.count
        if let otherwise { results.append(try bind(otherwise, scope)) }
        try refuseSetReturning(
            (subject.map { [$0] } ?? []) + conditions, scope, .datatypeMismatch,
            "argument of CASE/WHEN must not return a set")
        try refuseSetReturning(
            results, scope, .featureNotSupported,
            "set-returning functions are not allowed in CASE", hint: Self.lateralHint)
        let (unified, type) = try unify(results, "CASE")
        return CaseExpression(
            conditions: conditions, results: Array(unified[0..<count]),
            otherwise: unified.count > count ? unified[count] : nil, type: type,
            location: location)
    }

    private func bindChoice(
        _ kind: ChoiceExpression.Kind, _ name: String, _ operands: [AST.Expression],
        _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let bound = try bindAll(operands, scope)
        if case .coalesce = kind {
            try refuseSetReturning(
                bound, scope, .featureNotSupported,
                "set-returning functions are not allowed in COALESCE", hint: Self.lateralHint)
        }
        let (unified, type) = try unify(bound, name)
        return folded(ChoiceExpression(kind, unified, type: type, location: location))
    }

    // MARK: Casts and structures

    private func bindCast(
        _ operand: AST.Expression, _ typeName: AST.TypeName, _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let type = try TypeNames.resolve(typeName)
        if case .array(let elements, let place) = operand,
            let element = TypeRegistry.elementType(of: type.oid)
        {
            return try bindArray(elements, place, scope, elementType: element)
        }
        let bound = try bind(operand, scope)
        return try coerceOrFail(
            bound, to: type, .explicit, location: location >= 0 ? location : bound.location)
    }

    private func bindCollate(
        _ operand: AST.Expression, _ name: AST.Name, _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        switch name.last {
        case "C", "POSIX", "default", "ucs_basic": break
        default:
            throw SQLError(
                .undefinedObject,
                "collation \"\(name.last)\" for encoding \"UTF8\" does not exist",
                byteOffset: location)
        }
        let bound = try resolveUnknown(try bind(operand, scope))
        guard TypeRegistry.descriptor(bound.type.oid)?.collation ?? .invalid != .invalid else {
            throw SQLError(
                .datatypeMismatch,
                "collations are not supported by type \(TypeNames.text(bound.type.oid))",
                byteOffset: location)
        }
        return bound
    }

    private func bindArray(
        _ elements: [AST.Expression], _ location: Int, _ scope: Scope, elementType: OID? = nil
    ) throws(SQLError) -> BoundExpression {
        var bound: [BoundExpression] = []
        for element in elements {
            if case .array(let inner, let place) = element {
                bound.append(
                    try descending { () throws(SQLError) in
                        try bindArray(inner, place, scope, elementType: elementType)
                    })
            } else {
                bound.append(try bind(element, scope))
            }
        }
        var element = elementType ?? .invalid
        let isNested = bound.contains { TypeRegistry.descriptor($0.type.oid)?.isArray == true }
        if elementType == nil {
            if bound.isEmpty {
                throw SQLError(
                    .indeterminateDatatype, "cannot determine type of empty array",
                    hint: "Explicitly cast to the desired type, for example ARRAY[]::integer[].",
                    byteOffset: location)
            }
            let (unified, type) = try unify(bound, "ARRAY")
            bound = unified
            element = isNested ? TypeRegistry.elementType(of: type.oid) ?? .text : type.oid
        } else if !isNested {
            var converted: [BoundExpression] = []
            for expression in bound {
                converted.append(
                    try coerceOrFail(
                        expression, to: SQLType(element), .explicit,
                        location: expression.location))
            }
            bound = converted
        }
        let array = TypeRegistry.arrayType(of: element)
        guard array != .invalid else {
            throw SQLError(
                .undefinedObject,
                "could not find array type for data type \(TypeNames.text(element))",
                byteOffset: location)
        }
        return folded(
            ArrayConstructor(
                bound, elementType: element, isNested: isNested, type: SQLType(array),
                location: location))
    }

    private func bindIndirection(
        _ base: AST.Expression, _ path: [AST.Indirection], _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        var subscripts: [AST.Expression] = []
        for step in path {
            switch step {
            case .element(let index): subscripts.append(index)
            case .slice(let lower, let upper):
                guard path.count == 1 else {
                    throw SQLError(
                        .featureNotSupported, "multidimensional slices are not supported")
                }
                return try bindSlice(base, lower, upper, scope)
            case .field(let name):
                guard path.count == 1 else {
                    throw SQLError(
                        .wrongObjectType,
                        "column notation .\(name) applied to a non-composite type",
                        byteOffset: base.location >= 0 ? base.location : nil)
                }
                return try bindField(name, of: base, scope)
            case .star:
                throw SQLError(
                    .featureNotSupported, "row expansion via \"*\" is not supported here")
            }
        }
        let array = try bind(base, scope)
        guard let element = TypeRegistry.elementType(of: array.type.oid) else {
            throw SQLError(
                .datatypeMismatch,
                "cannot subscript type \(TypeNames.text(array.type.oid)) because it does not "
                    + "support subscripting",
                byteOffset: array.location >= 0 ? array.location : nil)
        }
        var indexes: [BoundExpression] = []
        for subscript_ in subscripts { indexes.append(try bindSubscript(subscript_, scope)) }
        return SubscriptExpression(array, indexes, type: SQLType(element))
    }

    private func bindSubscript(
        _ expression: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let bound = try bind(expression, scope)
        if let result = try coerce(bound, to: .int4, .assignment) { return result }
        throw SQLError(
            .datatypeMismatch, "array subscript must have type integer",
            byteOffset: bound.location >= 0 ? bound.location : nil)
    }

    private func bindSlice(
        _ base: AST.Expression, _ lower: AST.Expression?, _ upper: AST.Expression?, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let array = try bind(base, scope)
        guard TypeRegistry.descriptor(array.type.oid)?.isArray == true else {
            throw SQLError(
                .datatypeMismatch,
                "cannot subscript type \(TypeNames.text(array.type.oid)) because it does not "
                    + "support subscripting")
        }
        var low: BoundExpression?
        var high: BoundExpression?
        if let lower { low = try bindSubscript(lower, scope) }
        if let upper { high = try bindSubscript(upper, scope) }
        return SliceExpression(array, lower: low, upper: high)
    }
}
