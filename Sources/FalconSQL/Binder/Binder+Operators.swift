import FalconSchema

extension Binder {
    func unequalRows(_ location: Int) -> SQLError {
        SQLError(
            .syntaxError, "unequal number of entries in row expressions",
            byteOffset: location >= 0 ? location : nil)
    }

    /// `left op right`, also between row values.
    func bindOperator(
        _ name: AST.Name, _ left: AST.Expression?, _ right: AST.Expression, _ location: Int,
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        guard let left else {
            return try makePrefixOperator(name, try bind(right, scope), location)
        }
        if case .row(let lefts, _, _) = left {
            if case .row(let rights, _, _) = right {
                guard lefts.count == rights.count else { throw unequalRows(location) }
                return try compareRows(
                    name, try bindAll(lefts, scope), try bindAll(rights, scope), location)
            }
            if case .subquery(let subquery) = right, subquery.kind == .scalar {
                return try bindRowSubquery(name, lefts, subquery, location, scope)
            }
        }
        return try makeOperator(name, try bind(left, scope), try bind(right, scope), location)
    }

    /// Row comparison: = and <> field by field, < and friends lexicographically.
    func compareRows(
        _ name: AST.Name, _ left: [BoundExpression], _ right: [BoundExpression], _ location: Int
    ) throws(SQLError) -> BoundExpression {
        guard let comparison = Comparison(symbol: name.last) else {
            throw SQLError(
                .featureNotSupported,
                "could not determine interpretation of row comparison operator \(name.last)",
                byteOffset: location)
        }
        guard let first = left.first else {
            throw SQLError(
                .featureNotSupported, "cannot compare rows of zero length", byteOffset: location)
        }
        switch comparison {
        case .equal, .notEqual:
            var tests: [BoundExpression] = []
            for index in left.indices {
                tests.append(try makeOperator(name, left[index], right[index], location))
            }
            if tests.count == 1 { return tests[0] }
            return folded(
                LogicExpression(isAnd: comparison == .equal, tests, location: location))
        default:
            // (a, b) < (c, d): a < c or (a = c and (b < d)).
            if left.count == 1 { return try makeOperator(name, first, right[0], location) }
            let strict = comparison == .less || comparison == .lessOrEqual ? "<" : ">"
            let before = try makeOperator(AST.Name([strict]), first, right[0], location)
            let same = try makeOperator(AST.Name(["="]), first, right[0], location)
            let rest = try compareRows(
                name, Array(left.dropFirst()), Array(right.dropFirst()), location)
            return LogicExpression(
                isAnd: false,
                [before, LogicExpression(isAnd: true, [same, rest], location: location)],
                location: location)
        }
    }

    private func isBuiltIn(_ name: AST.Name) -> Bool {
        name.parts.count == 1 || (name.parts.count == 2 && name.parts[0] == "pg_catalog")
    }

    /// `left op right` over bound operands, converted as the chosen operator wants.
    func makeOperator(
        _ name: AST.Name, _ left: BoundExpression, _ right: BoundExpression, _ location: Int
    ) throws(SQLError) -> BoundExpression {
        folded(try makeOperatorUnfolded(name, left, right, location))
    }

    /// As `makeOperator`, keeping the operator even over constants, for callers that take it apart.
    func makeOperatorUnfolded(
        _ name: AST.Name, _ left: BoundExpression, _ right: BoundExpression, _ location: Int
    ) throws(SQLError) -> BoundExpression {
        let symbol = name.last
        if isBuiltIn(name),
            let result = try makeCommonOperator(symbol, left, right, location)
        {
            return result
        }
        guard
            let resolved = try resolve(
                location,
                { () throws(SQLError) in
                    try FunctionResolver.operator(
                        schema: name.schema, name: symbol, left: left.type.oid,
                        right: right.type.oid)
                })
        else {
            throw missingOperator(
                "\(TypeNames.text(left.type.oid)) \(symbol) \(TypeNames.text(right.type.oid))",
                location)
        }
        let a = try coerceOrFail(left, to: SQLType(resolved.left), .implicit, location: location)
        let b = try coerceOrFail(right, to: SQLType(resolved.right), .implicit, location: location)
        if resolved.left == resolved.right, DatumOrder.isOrdered(resolved.left),
            let comparison = Comparison(symbol: symbol), isBuiltIn(name)
        {
            return ComparisonExpression(
                comparison, a, b, operandType: resolved.left, location: location)
        }
        guard
            let call = FunctionExpression(
                resolved.function, [a, b], type: SQLType(resolved.resultType),
                operatorName: symbol, location: location)
        else {
            throw SQLError(.internalError, "operator \(symbol) has no code")
        }
        return call
    }

    /// Places a resolver's error at the construct it is about.
    func resolve<T>(
        _ location: Int, _ body: () throws(SQLError) -> T
    ) throws(SQLError) -> T {
        do throws(SQLError) {
            return try body()
        } catch {
            var error = error
            if error.byteOffset == nil, error.position == nil, location >= 0 {
                error.byteOffset = location
            }
            throw error
        }
    }

    private func missingOperator(
        _ signature: String, _ location: Int, isPrefix: Bool = false
    ) -> SQLError {
        SQLError(
            .undefinedFunction, "operator does not exist: \(signature)",
            hint: isPrefix
                ? "No operator matches the given name and argument type. "
                    + "You might need to add an explicit type cast."
                : "No operator matches the given name and argument types. "
                    + "You might need to add explicit type casts.",
            byteOffset: location >= 0 ? location : nil)
    }

    /// The operators OLTP statements are made of, without a search: comparisons of values of one
    /// ordered type, integer arithmetic.
    private func makeCommonOperator(
        _ symbol: String, _ left: BoundExpression, _ right: BoundExpression, _ location: Int
    ) throws(SQLError) -> BoundExpression? {
        var l = left.type.oid
        var r = right.type.oid
        if l == .unknown, r == .unknown { return nil }
        if let comparison = Comparison(symbol: symbol) {
            if l == .unknown { l = r } else if r == .unknown { r = l }
            return try makeComparison(comparison, left, l, right, r, location)
        }
        guard let operation = IntegerArithmetic.Operator(rawValue: symbol) else { return nil }
        if l == .unknown { l = r } else if r == .unknown { r = l }
        guard l.isInteger, r.isInteger else { return nil }
        guard let a = try coerce(left, to: SQLType(l), .implicit),
            let b = try coerce(right, to: SQLType(r), .implicit)
        else { return nil }
        let result: OID = l.integerWidth >= r.integerWidth ? l : r
        return IntegerArithmetic(operation, a, b, type: SQLType(result), location: location)
    }

    private func makeComparison(
        _ comparison: Comparison, _ left: BoundExpression, _ l: OID, _ right: BoundExpression,
        _ r: OID, _ location: Int
    ) throws(SQLError) -> BoundExpression? {
        if l.isInteger, r.isInteger {
            guard let a = try coerce(left, to: SQLType(l), .implicit),
                let b = try coerce(right, to: SQLType(r), .implicit)
            else { return nil }
            return IntegerComparison(comparison, a, b, operandType: .int8, location: location)
        }
        if l.isTextLike, r.isTextLike {
            let a = left.type.oid == .unknown ? try resolveUnknown(left) : left
            let b = right.type.oid == .unknown ? try resolveUnknown(right) : right
            return ComparisonExpression(comparison, a, b, operandType: .text, location: location)
        }
        guard l == r, DatumOrder.isOrdered(l), TypeRegistry.descriptor(l)?.kind == .base,
            TypeRegistry.physical(l) != .none
        else { return nil }
        guard let a = try coerce(left, to: SQLType(l), .implicit),
            let b = try coerce(right, to: SQLType(r), .implicit)
        else { return nil }
        switch l {
        case .date, .time, .timestamp, .timestamptz, .oid:
            return IntegerComparison(comparison, a, b, operandType: l, location: location)
        default:
            return ComparisonExpression(comparison, a, b, operandType: l, location: location)
        }
    }

    private func makePrefixOperator(
        _ name: AST.Name, _ operand: BoundExpression, _ location: Int
    ) throws(SQLError) -> BoundExpression {
        if isBuiltIn(name), operand.type.oid.isInteger {
            if name.last == "+" { return operand }
            if name.last == "-" {
                let zero = ConstantExpression(.int(0), type: operand.type, location: location)
                return folded(
                    IntegerArithmetic(
                        .subtract, zero, operand, type: SQLType(operand.type.oid),
                        location: location))
            }
        }
        guard
            let resolved = try resolve(
                location,
                { () throws(SQLError) in
                    try FunctionResolver.operator(
                        schema: name.schema, name: name.last, left: nil, right: operand.type.oid)
                })
        else {
            throw missingOperator(
                "\(name.last) \(TypeNames.text(operand.type.oid))", location, isPrefix: true)
        }
        let value = try coerceOrFail(
            operand, to: SQLType(resolved.right), .implicit, location: location)
        guard
            let call = FunctionExpression(
                resolved.function, [value], type: SQLType(resolved.resultType),
                operatorName: name.last, location: location)
        else { throw SQLError(.internalError, "operator \(name.last) has no code") }
        return folded(call)
    }

    // MARK: IN, ANY, BETWEEN

    func bindBetween(
        _ value: AST.Expression, _ lower: AST.Expression, _ upper: AST.Expression,
        isNegated: Bool, isSymmetric: Bool, _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        func range(
            _ low: AST.Expression, _ high: AST.Expression
        ) throws(SQLError) -> BoundExpression {
            let first = try makeOperator(
                AST.Name([isNegated ? "<" : ">="]), try bind(value, scope), try bind(low, scope),
                location)
            let second = try makeOperator(
                AST.Name([isNegated ? ">" : "<="]), try bind(value, scope), try bind(high, scope),
                location)
            return folded(
                LogicExpression(
                    isAnd: !isNegated,
                    [try coerceToBool(first, "AND"), try coerceToBool(second, "AND")],
                    location: location))
        }
        let straight = try range(lower, upper)
        if !isSymmetric { return straight }
        return LogicExpression(
            isAnd: isNegated, [straight, try range(upper, lower)], location: location)
    }

    func bindInList(
        _ left: AST.Expression, _ list: [AST.Expression], isNegated: Bool, _ location: Int,
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let symbol = AST.Name([isNegated ? "<>" : "="])
        if case .row(let fields, _, _) = left {
            let bound = try bindAll(fields, scope)
            var tests: [BoundExpression] = []
            for item in list {
                guard case .row(let values, _, _) = item, values.count == bound.count else {
                    throw unequalRows(location)
                }
                tests.append(
                    try compareRows(symbol, bound, try bindAll(values, scope), location))
            }
            return tests.count == 1
                ? tests[0] : LogicExpression(isAnd: isNegated, tests, location: location)
        }
        let value = try bind(left, scope)
        let items = try bindAll(list, scope)
        if items.count > 1, let fast = try hashedInList(value, items, isNegated, location) {
            return fast
        }
        var tests: [BoundExpression] = []
        for item in items {
            tests.append(
                try coerceToBool(try makeOperator(symbol, value, item, location), "IN"))
        }
        return tests.count == 1
            ? tests[0] : folded(LogicExpression(isAnd: isNegated, tests, location: location))
    }

    /// A list of constants compared within one type.
    private func hashedInList(
        _ value: BoundExpression, _ items: [BoundExpression], _ isNegated: Bool, _ location: Int
    ) throws(SQLError) -> BoundExpression? {
        guard items.allSatisfy({ $0 is ConstantExpression }), !(value is ConstantExpression) else {
            return nil
        }
        let common = try commonType([value] + items, "IN")
        guard let converted = try coerce(value, to: SQLType(common), .implicit) else { return nil }
        var values: [Datum] = []
        var hasNull = false
        var operandType: OID?
        var left = converted
        for item in items {
            guard let constant = try coerce(item, to: SQLType(common), .implicit),
                let literal = folded(constant) as? ConstantExpression
            else { return nil }
            if literal.value.isNull {
                hasNull = true
                continue
            }
            if operandType == nil {
                guard
                    let comparison = try makeOperator(
                        AST.Name(["="]), converted, literal, location) as? ComparisonExpression
                else { return nil }
                operandType = comparison.operandType
                left = comparison.left
            }
            values.append(literal.value)
        }
        guard let operandType else { return nil }
        return InListExpression(
            left, values: values, hasNull: hasNull, isNegated: isNegated, operandType: operandType,
            location: location)
    }

    func bindArrayComparison(
        _ name: AST.Name, _ left: AST.Expression, _ array: AST.Expression, isAll: Bool,
        _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let value = try bind(left, scope)
        var source = try bind(array, scope)
        if source.type.oid == .unknown {
            let element = value.type.oid == .unknown ? OID.text : value.type.oid
            let type = TypeRegistry.arrayType(of: element)
            if type != .invalid {
                source = try coerceOrFail(source, to: SQLType(type), .implicit, location: location)
            }
        }
        guard let element = TypeRegistry.elementType(of: source.type.oid) else {
            throw SQLError(
                .wrongObjectType, "op ANY/ALL (array) requires array on right side",
                byteOffset: location)
        }
        let leftSlot = newSlot(owner: nil)
        let elementSlot = newSlot(owner: nil)
        // The operator may convert the left side once for all elements: find out how, then put the
        // converted value into the slot.
        let probe = SlotReference(
            slot: elementSlot, name: "element", type: SQLType(element), location: location)
        let trial = try makeOperatorUnfolded(name, value, probe, location)
        let convertedLeft = trial.children.first ?? value
        let placeholder = SlotReference(
            slot: leftSlot, name: "left", type: convertedLeft.type, location: location)
        let comparison = try coerceToBool(
            try makeOperator(name, placeholder, probe, location), "ANY/ALL")
        return ArrayComparison(
            convertedLeft, array: source, isAll: isAll, leftSlot: leftSlot,
            elementSlot: elementSlot, comparison: comparison, location: location)
    }
}
