import FalconSchema

extension OID {
    /// int2, int4, int8.
    var isInteger: Bool { self == .int4 || self == .int8 || self == .int2 }
    /// text, varchar, name, and untyped: compared as text.
    var isTextLike: Bool { self == .text || self == .varchar || self == .name }
    var integerWidth: Int { self == .int2 ? 2 : self == .int4 ? 4 : 8 }
}

extension Binder {
    /// `expression` as a value of `target`, or nil when `context` offers no way. Untyped literals
    /// are read, undecided parameters decided.
    func coerce(
        _ expression: BoundExpression, to target: SQLType, _ context: CastContext,
        location: Int? = nil
    ) throws(SQLError) -> BoundExpression? {
        guard let converted = try coerceType(expression, to: target.oid, context, location) else {
            return nil
        }
        return applyModifier(converted, target, context)
    }

    /// As `coerce`, with PostgreSQL's 42846 when there is no way.
    func coerceOrFail(
        _ expression: BoundExpression, to target: SQLType, _ context: CastContext, location: Int
    ) throws(SQLError) -> BoundExpression {
        if let result = try coerce(expression, to: target, context, location: location) {
            return result
        }
        throw SQLError(
            .cannotCoerce,
            "cannot cast type \(TypeNames.text(expression.type.oid)) to "
                + TypeNames.text(target.oid),
            byteOffset: location >= 0 ? location : nil)
    }

    private func applyModifier(
        _ expression: BoundExpression, _ target: SQLType, _ context: CastContext
    ) -> BoundExpression {
        guard target.modifier >= 0, expression.type != target else {
            return expression
        }
        if let constant = expression as? ConstantExpression, constant.value.isNull {
            return ConstantExpression(.null, type: target, location: expression.location)
        }
        return folded(
            ModifierExpression(
                expression, to: target, isExplicit: context == .explicit,
                location: expression.location))
    }

    private func coerceType(
        _ expression: BoundExpression, to target: OID, _ context: CastContext, _ location: Int?
    ) throws(SQLError) -> BoundExpression? {
        let source = expression.type.oid
        if source == target { return expression }
        if isAcceptedAsIs(target) { return expression }
        if source == .unknown {
            if let constant = expression as? ConstantExpression {
                return try readLiteral(constant, as: target)
            }
            if let parameter = expression as? ParameterExpression {
                return try decide(parameter, as: target)
            }
            return TextConversionExpression(
                expression, to: SQLType(target), location: expression.location)
        }
        if source.isInteger, target.isInteger {
            if target.integerWidth > source.integerWidth {
                return folded(
                    RelabelExpression(
                        expression, to: SQLType(target), location: expression.location))
            }
            guard context >= .assignment else { return nil }
            return folded(
                IntegerCast(
                    expression, to: SQLType(target), isImplicit: context != .explicit,
                    location: location ?? expression.location))
        }
        guard let path = FunctionResolver.cast(from: source, to: target, context: context) else {
            return nil
        }
        return try apply(path, expression, to: target, isExplicit: context == .explicit)
    }

    private func isAcceptedAsIs(_ target: OID) -> Bool {
        switch target {
        case .any, .anyelement, .anyarray, .anynonarray, .anyenum, .anyrange, .anycompatible,
            .anycompatiblearray, .anycompatiblenonarray, .anycompatiblerange, .unknown:
            return true
        default: return false
        }
    }

    private func apply(
        _ path: CastPath, _ expression: BoundExpression, to target: OID, isExplicit: Bool
    ) throws(SQLError) -> BoundExpression? {
        let type = SQLType(target)
        let place = expression.location
        switch path {
        case .relabel:
            return folded(RelabelExpression(expression, to: type, location: place))
        case .inOut:
            return TextConversionExpression(expression, to: type, location: place)
        case .function(let function):
            var arguments = [expression]
            // Casts with a modifier argument get "none" and whether the cast is explicit.
            if function.argumentTypes.count >= 2 {
                arguments.append(ConstantExpression(.int(-1), type: .int4))
            }
            if function.argumentTypes.count >= 3 {
                arguments.append(ConstantExpression(.bool(isExplicit), type: .bool))
            }
            guard let call = FunctionExpression(function, arguments, type: type, location: place)
            else { return nil }
            return folded(call)
        case .array(let cast):
            let slot = newSlot(owner: nil)
            let element = SlotReference(
                slot: slot, name: "element", type: SQLType(cast.from), location: place)
            guard
                let convert = try apply(
                    cast.element, element, to: cast.to, isExplicit: isExplicit)
            else { return nil }
            return ArrayCastExpression(
                expression, elementSlot: slot, convert: convert, to: type, location: place)
        }
    }

    /// Types whose input reads TimeZone, DateStyle, IntervalStyle, the clock or the catalog.
    private static func dependsOnSurroundings(_ type: OID) -> Bool {
        switch type {
        case .bool, .int2, .int4, .int8, .float4, .float8, .numeric, .text, .varchar, .bpchar,
            .name,
            .bytea, .uuid, .json, .jsonb, .unknown:
            false
        default: true
        }
    }

    /// Reads an untyped literal as `target`.
    private func readLiteral(
        _ literal: ConstantExpression, as target: OID
    ) throws(SQLError) -> BoundExpression {
        guard case .text(let text) = literal.value else {
            return ConstantExpression(.null, type: SQLType(target), location: literal.location)
        }
        if Self.dependsOnSurroundings(target) { readsSurroundings = true }
        do throws(SQLError) {
            let value = try TypeIO.parseText(
                text, type: SQLType(target), settings: context.settings)
            noteLiteral(value, target, at: literal.location)
            return ConstantExpression(value, type: SQLType(target), location: literal.location)
        } catch {
            var error = error
            if error.byteOffset == nil, error.position == nil, literal.location >= 0 {
                error.byteOffset = literal.location
            }
            throw error
        }
    }

    private func decide(
        _ parameter: ParameterExpression, as target: OID
    ) throws(SQLError) -> BoundExpression {
        let index = parameter.index
        let known = parameterTypes[index]
        if known == .unknown {
            parameterTypes[index] = target
        } else if known != target {
            throw SQLError(
                SQLState("42P08"), "inconsistent types deduced for parameter $\(index + 1)",
                detail: "\(TypeNames.text(known)) versus \(TypeNames.text(target))",
                byteOffset: parameter.location >= 0 ? parameter.location : nil)
        }
        return ParameterExpression(
            index: index, type: SQLType(target), location: parameter.location)
    }

    /// Untyped output becomes text.
    func resolveUnknown(_ expression: BoundExpression) throws(SQLError) -> BoundExpression {
        guard expression.type.oid == .unknown else { return expression }
        return try coerceOrFail(expression, to: .text, .implicit, location: expression.location)
    }

    /// A condition: boolean or an error naming the construct.
    func coerceToBool(
        _ expression: BoundExpression, _ construct: String
    ) throws(SQLError) -> BoundExpression {
        if expression.type.oid == .bool { return expression }
        if let result = try coerce(expression, to: .bool, .assignment) { return result }
        throw SQLError(
            .datatypeMismatch,
            "argument of \(construct) must be type boolean, not type "
                + TypeNames.text(expression.type.oid), byteOffset: expression.start)
    }

    /// The common type of expressions that must agree (CASE, COALESCE, UNION…).
    func commonType(
        _ expressions: [BoundExpression], _ construct: String
    ) throws(SQLError) -> OID {
        var types: [OID] = []
        var allSame = true
        for expression in expressions {
            let type = expression.type.oid
            if let first = types.first, first != type { allSame = false }
            types.append(type)
        }
        guard let first = types.first else { return .text }
        if allSame { return first == .unknown ? .text : first }
        let known = types.filter { $0 != .unknown }
        if let only = known.first, known.allSatisfy({ $0 == only }) { return only }
        if known.allSatisfy({ $0.isInteger }) {
            return known.contains(.int8) ? .int8 : .int4
        }
        if let common = FunctionResolver.commonType(types) { return common }
        let second = known.first { $0 != known.first } ?? first
        let culprit = expressions.first { $0.type.oid == second }
        throw SQLError(
            .datatypeMismatch,
            "\(construct) types \(TypeNames.text(known.first ?? first)) and "
                + "\(TypeNames.text(second)) cannot be matched",
            byteOffset: culprit.flatMap { $0.location >= 0 ? $0.location : nil })
    }

    /// Each expression in the common type.
    func unify(
        _ expressions: [BoundExpression], _ construct: String
    ) throws(SQLError) -> (expressions: [BoundExpression], type: SQLType) {
        let common = try commonType(expressions, construct)
        var modifier: Int32?
        for expression in expressions where expression.type.oid == common {
            if let known = modifier, known != expression.type.modifier {
                modifier = -1
            } else if modifier == nil {
                modifier = expression.type.modifier
            }
        }
        let isUniform = expressions.allSatisfy { $0.type.oid == common }
        let type = SQLType(common, modifier: isUniform ? modifier ?? -1 : -1)
        var result: [BoundExpression] = []
        for expression in expressions {
            guard let converted = try coerce(expression, to: SQLType(common), .implicit) else {
                throw SQLError(
                    .cannotCoerce,
                    "\(construct) could not convert type \(TypeNames.text(expression.type.oid)) to "
                        + TypeNames.text(common),
                    byteOffset: expression.location >= 0 ? expression.location : nil)
            }
            result.append(converted)
        }
        return (result, type)
    }

    /// The value for a table column, by assignment.
    func coerceForAssignment(
        _ expression: BoundExpression, to type: SQLType, column: String
    ) throws(SQLError) -> BoundExpression {
        if let result = try coerce(expression, to: type, .assignment) { return result }
        let isDefault = clause == .defaultValue
        throw SQLError(
            .datatypeMismatch,
            "column \"\(column)\" is of type \(TypeNames.text(type.oid)) but "
                + (isDefault ? "default expression" : "expression")
                + " is of type \(TypeNames.text(expression.type.oid))",
            hint: "You will need to rewrite or cast the expression.",
            byteOffset: isDefault ? nil : expression.start)
    }
}
