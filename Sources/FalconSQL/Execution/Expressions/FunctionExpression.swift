import FalconSchema

extension BoundExpression {
    /// A volatile function is called somewhere in it: each evaluation may give another value.
    var isVolatile: Bool {
        var found = false
        walk { node in
            if let call = node as? FunctionExpression, call.function.volatility == .volatile {
                found = true
            }
        }
        return found
    }
}

/// A call of a built-in function, or the function behind an operator.
public final class FunctionExpression: BoundExpression, @unchecked Sendable {
    public let function: FunctionDescriptor
    public let arguments: [BoundExpression]
    /// The operator it was written as, for EXPLAIN; nil for a call.
    public let operatorName: String?
    private let body: ScalarBody
    private let isStrict: Bool
    /// Its result has no fixed size, and what it is made of may be large.
    private let hasLongResult: Bool

    /// Nil when `function` is no scalar function or its body wants another number of arguments.
    public init?(
        _ function: FunctionDescriptor, _ arguments: [BoundExpression], type: SQLType,
        operatorName: String? = nil, location: Int
    ) {
        guard case .scalar(let body) = function.body else { return nil }
        switch body {
        case .nullary: guard arguments.isEmpty else { return nil }
        case .unary: guard arguments.count == 1 else { return nil }
        case .binary: guard arguments.count == 2 else { return nil }
        case .ternary: guard arguments.count == 3 else { return nil }
        case .many, .typed: break
        }
        self.function = function
        self.arguments = arguments
        self.operatorName = operatorName
        self.body = body
        isStrict = function.isStrict
        hasLongResult = (TypeRegistry.descriptor(type.oid)?.length ?? -1) < 0
        super.init(type: type, location: location)
    }

    private init(_ original: FunctionExpression, _ arguments: [BoundExpression]) {
        function = original.function
        self.arguments = arguments
        operatorName = original.operatorName
        body = original.body
        isStrict = original.isStrict
        hasLongResult = original.hasLongResult
        super.init(type: original.type, location: original.location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let result = try call(row)
        if hasLongResult { try ValueLimit.check(result) }
        return result
    }

    @inline(__always)
    private func call(_ row: RowContext) throws(SQLError) -> Datum {
        switch body {
        case .nullary(let code): return try code(row.functions)
        case .unary(let code):
            let a = try arguments[0].evaluate(row)
            if isStrict, a.isNull { return .null }
            return try code(a, row.functions)
        case .binary(let code):
            let a = try arguments[0].evaluate(row)
            if isStrict, a.isNull { return .null }
            let b = try arguments[1].evaluate(row)
            if isStrict, b.isNull { return .null }
            return try code(a, b, row.functions)
        case .ternary(let code):
            let a = try arguments[0].evaluate(row)
            if isStrict, a.isNull { return .null }
            let b = try arguments[1].evaluate(row)
            if isStrict, b.isNull { return .null }
            let c = try arguments[2].evaluate(row)
            if isStrict, c.isNull { return .null }
            return try code(a, b, c, row.functions)
        case .many(let code):
            guard let values = try values(row) else { return .null }
            return try code(values, row.functions)
        case .typed(let code):
            guard let values = try values(row) else { return .null }
            return try code(values, arguments.map(\.type.oid), row.functions)
        }
    }

    private func values(_ row: RowContext) throws(SQLError) -> [Datum]? {
        var values: [Datum] = []
        values.reserveCapacity(arguments.count)
        for argument in arguments {
            let value = try argument.evaluate(row)
            if isStrict, value.isNull { return nil }
            values.append(value)
        }
        return values
    }

    public override var children: [BoundExpression] { arguments }
    public override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        FunctionExpression(self, children)
    }
    public override func hasSameForm(as other: BoundExpression) -> Bool {
        guard let other = other as? FunctionExpression else { return false }
        return other.function.oid == function.oid && function.volatility != .volatile
            && other.function.name == function.name
    }
}

/// current_date, localtime and the like, of the transaction's start.
public final class ClockExpression: BoundExpression, @unchecked Sendable {
    public let function: AST.ValueFunction

    public init(_ function: AST.ValueFunction, type: SQLType, location: Int) {
        self.function = function
        super.init(type: type, location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        let now = row.functions.transactionTimestamp
        let day: Int64 = 86_400_000_000
        func local() -> Int64 {
            now + Int64(row.functions.settings.timeZone.offset(atUTC: now)) * 1_000_000
        }
        func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
            let quotient = a / b
            return a % b < 0 ? quotient - 1 : quotient
        }
        func rounded(_ value: Int64) -> Int64 {
            let digits = type.modifier
            guard digits >= 0, digits < 6 else { return value }
            var unit: Int64 = 1
            for _ in digits..<6 { unit *= 10 }
            return floorDivide(value + unit / 2, unit) * unit
        }
        switch function {
        case .currentTimestamp: return .int(rounded(now))
        case .localTimestamp: return .int(rounded(local()))
        case .currentDate: return .int(floorDivide(local(), day))
        default:
            let value = local()
            return .int(rounded(value - floorDivide(value, day) * day))
        }
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? ClockExpression)?.function == function
    }
}

/// current_user and the like.
public final class SessionNameExpression: BoundExpression, @unchecked Sendable {
    public let function: AST.ValueFunction

    public init(_ function: AST.ValueFunction, location: Int) {
        self.function = function
        super.init(type: SQLType(.name), location: location)
    }

    public override func evaluate(_ row: RowContext) throws(SQLError) -> Datum {
        guard let session = row.functions.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        switch function {
        case .currentCatalog: return .text(session.databaseName)
        case .currentSchema:
            return session.schemas(includingImplicit: false).first.map { .text($0) } ?? .null
        case .sessionUser: return .text(session.sessionUserName)
        default: return .text(session.userName)
        }
    }

    public override func hasSameForm(as other: BoundExpression) -> Bool {
        (other as? SessionNameExpression)?.function == function
    }
}
