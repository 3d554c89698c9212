import FalconSQL
import FalconSchema
import Testing

/// Runs one vector through resolution, coercion and the function.
enum FunctionCall {
    static func context() -> FunctionContext {
        let s = DisplaySettings()
        return FunctionContext(
            settings: s, transactionTimestamp: 0, statementTimestamp: 0, session: nil)
    }
    static func run(_ f: [String]) -> String {
        let c = context()
        do throws(SQLError) {
            let kind = f[0], name = f[1]
            var types: [OID] = []
            for t in f[2].split(separator: ",") {
                types.append(
                    t == "unknown" ? .unknown : FalconSchema.TypeNames.parse(String(t)) ?? .text)
            }
            let raw = Array(f[3..<(f.count - 1)])
            if kind == "f" || kind == "s" {
                guard
                    let r = try FunctionResolver.function(schema: nil, name: name, arguments: types)
                else {
                    throw FunctionResolver.undefinedFunction(
                        schema: nil, name: name, arguments: types)
                }
                return try call(r, types, raw, c)
            }
            if kind == "o" || kind == "p" {
                let left: OID? = kind == "o" ? types[0] : nil
                let right = types[types.count - 1]
                guard
                    let r = try FunctionResolver.operator(
                        schema: nil, name: name, left: left, right: right)
                else { throw FunctionResolver.undefinedOperator(name, left: left, right: right) }
                let rf = ResolvedFunction(
                    function: r.function,
                    argumentTypes: kind == "o" ? [r.left, r.right] : [r.right],
                    resultType: r.resultType)
                return try call(rf, types, raw, c)
            }
            if kind == "c" {
                let to = FalconSchema.TypeNames.parse(name) ?? .text
                guard let path = FunctionResolver.cast(from: types[0], to: to, context: .explicit)
                else {
                    return
                        "!42846 cannot cast type \(FalconSchema.TypeNames.format(types[0])) to \(FalconSchema.TypeNames.format(to))"
                }
                let v = try TypeIO.parseText(raw[0], type: SQLType(types[0]), settings: c.settings)
                let d = try apply(path, v, types[0], to, c)
                return "=" + (d.isNull ? "NULL" : TypeIO.text(d, type: to, settings: c.settings))
            }
            if kind == "a" {
                guard
                    let r = try FunctionResolver.function(schema: nil, name: name, arguments: types)
                else {
                    throw FunctionResolver.undefinedFunction(
                        schema: nil, name: name, arguments: types)
                }
                guard case .aggregate(let make) = r.function.body else { return "not an aggregate" }
                let state = make(r.argumentTypes)
                for v in raw {
                    let d: Datum =
                        v == "\u{1}"
                        ? .null
                        : try TypeIO.parseText(
                            v, type: SQLType(r.argumentTypes[0]), settings: c.settings)
                    if r.function.isStrict && d.isNull { continue }
                    if types.count == 2 {
                        try state.add([d, .text(",")], c)
                    } else {
                        try state.add(d, c)
                    }
                }
                let d = try state.result(c)
                return d.isNull
                    ? "NULL"
                    : "=" + FalconSchema.TypeNames.format(r.resultType) + ":"
                        + TypeIO.text(d, type: r.resultType, settings: c.settings)
            }
            return "?"
        } catch { return "!\(error.state) \(error.message)" }
    }
    static func apply(_ p: CastPath, _ v: Datum, _ from: OID, _ to: OID, _ c: FunctionContext)
        throws(SQLError) -> Datum
    {
        switch p {
        case .relabel: return v
        case .inOut:
            return try TypeIO.parseText(
                TypeIO.text(v, type: from, settings: c.settings), type: SQLType(to),
                settings: c.settings)
        case .function(let f):
            guard case .scalar(let b) = f.body else { return .null }
            switch b {
            case .unary(let code): return try code(v, c)
            case .many(let code): return try code([v], c)
            case .typed(let code): return try code([v], [from], c)
            case .binary(let code): return try code(v, .int(-1), c)
            case .ternary(let code): return try code(v, .int(-1), .bool(true), c)
            default: return .null
            }
        case .array: return .null
        }
    }
    static func call(_ r: ResolvedFunction, _ types: [OID], _ raw: [String], _ c: FunctionContext)
        throws(SQLError) -> String
    {
        var args: [Datum] = []
        for (i, text) in raw.enumerated() {
            if text == "\u{1}" { args.append(.null); continue }
            var d: Datum
            let target = r.argumentTypes[i]
            if types[i] == .unknown || types[i] == target {
                d = try TypeIO.parseText(text, type: SQLType(target), settings: c.settings)
            } else {
                d = try TypeIO.parseText(text, type: SQLType(types[i]), settings: c.settings)
                guard let p = FunctionResolver.cast(from: types[i], to: target, context: .implicit)
                else { return "no cast \(types[i]) \(target)" }
                d = try apply(p, d, types[i], target, c)
            }
            args.append(d)
        }
        var argTypes = r.argumentTypes
        if let g = r.variadicGather {
            let tail = Array(args.suffix(g.count)); args.removeLast(g.count);
            argTypes.removeLast(g.count)
            args.append(.array(ArrayValue(elementType: g.element, tail)));
            argTypes.append(TypeRegistry.arrayType(of: g.element))
        }
        if args.count < r.function.argumentTypes.count, r.function.variadicElement == .invalid {
            args += r.function.defaults.suffix(r.function.argumentTypes.count - args.count)
        }
        if r.function.isStrict, args.contains(where: { $0.isNull }) { return "NULL" }
        let prefix = "=" + FalconSchema.TypeNames.format(r.resultType) + ":"
        switch r.function.body {
        case .scalar(let b):
            let d: Datum
            switch b {
            case .nullary(let code): d = try code(c)
            case .unary(let code): d = try code(args[0], c)
            case .binary(let code): d = try code(args[0], args[1], c)
            case .ternary(let code): d = try code(args[0], args[1], args[2], c)
            case .many(let code): d = try code(args, c)
            case .typed(let code): d = try code(args, argTypes, c)
            }
            return d.isNull
                ? "NULL" : prefix + TypeIO.text(d, type: r.resultType, settings: c.settings)
        case .set(let make):
            let s = try make(args, argTypes, c)
            var cols: [Datum] = [.null]; var out: [String] = []
            while out.count < 50, try s.next(into: &cols) {
                out.append(
                    cols[0].isNull
                        ? "NULL" : TypeIO.text(cols[0], type: r.resultType, settings: c.settings))
            }
            return prefix + out.joined(separator: ";")
        case .aggregate: return "aggregate"
        }
    }
}

@Suite struct FunctionVectorTests {
    static func unescape(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                switch character {
                case "t": result += "\t"
                case "n": result += "\n"
                case "p": result += "|"
                default: result.append(character)
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    @Test func functionsAnswerAsPostgreSQL() {
        var failures = 0
        for line in functionVectors.split(separator: "\n") {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
                .map(Self.unescape)
            guard fields.count >= 4, let expected = fields.last else {
                Issue.record("vector \(line)")
                continue
            }
            let actual = FunctionCall.run(fields)
            if actual != expected {
                failures += 1
                if failures < 50 { Issue.record("\(line): \(actual)") }
            }
        }
        #expect(failures == 0)
    }
}
