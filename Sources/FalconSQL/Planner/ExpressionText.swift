import FalconSchema

/// Bound expressions as EXPLAIN shows them.
struct ExpressionText {
    /// Columns are written `t.a` rather than `a`.
    let isQualified: Bool
    /// As in a definition, not in a plan: what the planner has made of it is undone.
    var isDefinition = false

    func text(_ expression: BoundExpression) -> String {
        switch expression {
        case let reference as SlotReference: return name(reference.name)
        case let constant as ConstantExpression: return literal(constant.value, constant.type)
        case let parameter as ParameterExpression: return "$\(parameter.index + 1)"
        case let comparison as ComparisonExpression:
            return "(\(side(comparison.left, comparison)) \(comparison.comparison.symbol) "
                + "\(side(comparison.right, comparison)))"
        case let arithmetic as IntegerArithmetic:
            return "(\(text(arithmetic.left)) \(arithmetic.operation.rawValue) "
                + "\(text(arithmetic.right)))"
        case let logic as LogicExpression:
            let parts = logic.operands.map { text($0) }
            return "(" + parts.joined(separator: logic.isAnd ? " AND " : " OR ") + ")"
        case let not as NotExpression: return "(NOT \(text(not.operand)))"
        case let test as NullTestExpression:
            return "(\(text(test.operand)) IS \(test.isNotNull ? "NOT " : "")NULL)"
        case let call as FunctionExpression: return callText(call)
        case let cast as RelabelExpression: return castText(cast.operand, cast.type)
        case let cast as TextConversionExpression: return castText(cast.operand, cast.type)
        case let cast as ModifierExpression: return castText(cast.operand, cast.type)
        case let cast as IntegerCast: return castText(cast.operand, cast.type)
        default: return rareText(expression)
        }
    }

    private func rareText(_ expression: BoundExpression) -> String {
        switch expression {
        case let test as BooleanTestExpression:
            return "(\(text(test.operand)) \(words(test.test)))"
        case let test as DistinctTestExpression:
            return "(\(text(test.left)) IS \(test.isNegated ? "NOT " : "")DISTINCT FROM "
                + "\(text(test.right)))"
        case let list as InListExpression where isDefinition && !list.hasNull:
            let type = list.left.type.oid.isInteger ? list.left.type : SQLType(list.operandType)
            let items = list.values.map { literal($0, type) }.joined(separator: ", ")
            return "(\(text(list.left)) \(list.isNegated ? "<> ALL" : "= ANY") "
                + "(ARRAY[\(items)]))"
        case let list as InListExpression:
            var items = list.values.map { elementText($0, list.operandType) }
            if list.hasNull { items.append("NULL") }
            let array = "'{\(items.joined(separator: ","))}'::\(TypeNames.text(list.operandType))[]"
            return "(\(text(list.left)) \(list.isNegated ? "<> ALL" : "= ANY") (\(array)))"
        case let any as ArrayComparison:
            let symbol =
                (any.comparison as? ComparisonExpression)?.comparison.symbol
                ?? (any.comparison as? FunctionExpression)?.operatorName ?? "="
            return "(\(text(any.left)) \(symbol) \(any.isAll ? "ALL" : "ANY") (\(text(any.array))))"
        case let array as ArrayConstructor:
            return "ARRAY[\(array.elements.map { text($0) }.joined(separator: ", "))]"
        case let subquery as SubqueryExpression:
            let plan = "SubPlan \(subquery.index + 1)"
            switch subquery.kind {
            case .exists, .scalar, .array:
                return subquery.correlatedSlots.isEmpty
                    ? "$\(subquery.index)" : "(\(plan))"
            case .any, .all: return "(hashed \(plan))"
            }
        case let choice as ChoiceExpression:
            let function =
                choice.kind == .coalesce
                ? "COALESCE" : choice.kind == .greatest ? "GREATEST" : "LEAST"
            return "\(function)(\(choice.operands.map { text($0) }.joined(separator: ", ")))"
        case let choice as CaseExpression:
            var parts = "CASE"
            for (condition, result) in zip(choice.conditions, choice.results) {
                parts += " WHEN \(text(condition)) THEN \(text(result))"
            }
            if let otherwise = choice.otherwise { parts += " ELSE \(text(otherwise))" }
            return parts + " END"
        case let clock as ClockExpression:
            switch clock.function {
            case .currentDate: return "CURRENT_DATE"
            case .currentTimestamp: return "CURRENT_TIMESTAMP"
            case .localTimestamp: return "LOCALTIMESTAMP"
            default: return "LOCALTIME"
            }
        case let subscripted as SubscriptExpression:
            return text(subscripted.array)
                + subscripted.subscripts.map { "[\(text($0))]" }.joined()
        case let nullIf as NullIfExpression:
            let other = nullIf.condition.children.last ?? nullIf.value
            return "NULLIF(\(text(nullIf.value)), \(text(other)))"
        default: return "(...)"
        }
    }

    /// Without the brackets that nothing needs, as psql asks for it.
    func prettyText(_ expression: BoundExpression) -> String {
        if let logic = expression as? LogicExpression, logic.isAnd {
            let parts = logic.operands.map { operand in
                operand is LogicExpression ? text(operand) : prettyText(operand)
            }
            return parts.joined(separator: " AND ")
        }
        let whole = text(expression)
        let isBracketed =
            expression is ComparisonExpression || expression is NullTestExpression
            || expression is NotExpression || expression is LogicExpression
            || (expression as? FunctionExpression)?.operatorName != nil
        return isBracketed && whole.hasPrefix("(") && whole.hasSuffix(")")
            ? String(whole.dropFirst().dropLast()) : whole
    }

    /// varchar is compared as text.
    private func side(_ side: BoundExpression, _ comparison: ComparisonExpression) -> String {
        guard isDefinition, comparison.operandType == .text, side.type.oid == .varchar,
            side is SlotReference
        else { return text(side) }
        return castText(side, .text)
    }

    private func name(_ qualified: String) -> String {
        guard !isQualified, let dot = qualified.firstIndex(of: ".") else { return qualified }
        return String(qualified[qualified.index(after: dot)...])
    }

    private func words(_ test: AST.BooleanTest) -> String {
        switch test {
        case .isTrue: return "IS TRUE"
        case .isNotTrue: return "IS NOT TRUE"
        case .isFalse: return "IS FALSE"
        case .isNotFalse: return "IS NOT FALSE"
        case .isUnknown: return "IS UNKNOWN"
        case .isNotUnknown: return "IS NOT UNKNOWN"
        }
    }

    private func callText(_ call: FunctionExpression) -> String {
        if let symbol = call.operatorName {
            if call.arguments.count == 1 { return "(\(symbol) \(text(call.arguments[0])))" }
            if call.arguments.count == 2 {
                return "(\(text(call.arguments[0])) \(symbol) \(text(call.arguments[1])))"
            }
        }
        let arguments = call.arguments.map { text($0) }.joined(separator: ", ")
        return "\(call.function.name)(\(arguments))"
    }

    private func castText(_ operand: BoundExpression, _ type: SQLType) -> String {
        let inner = text(operand)
        return (operand is SlotReference ? "(\(inner))" : inner) + "::" + TypeNames.text(type)
    }

    private func elementText(_ value: Datum, _ type: OID) -> String {
        TypeIO.text(value, type: type, settings: DisplaySettings())
    }

    func literal(_ value: Datum, _ type: SQLType) -> String {
        switch value {
        case .null: return "NULL::\(TypeNames.text(type))"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number) where type.oid == .int4:
            return number < 0 ? "'\(number)'::integer" : "\(number)"
        default:
            let text = TypeIO.text(value, type: type.oid, settings: DisplaySettings())
            if type.oid == .numeric, text.utf8.first != 0x2D { return text }
            var escaped = ""
            for character in text {
                escaped.append(character)
                if character == "'" { escaped.append("'") }
            }
            return "'\(escaped)'::\(TypeNames.text(type))"
        }
    }
}
