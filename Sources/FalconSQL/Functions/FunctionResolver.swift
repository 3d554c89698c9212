import FalconSchema

/// Chooses functions, operators and casts as PostgreSQL does (parse_func.c, parse_oper.c,
/// parse_coerce.c). `OID.unknown` stands for untyped literals and parameters.
public enum FunctionResolver {
    /// Nil: no such function for these arguments (42883 with the caller's location); throws 42725
    /// when ambiguous. `schema` is nil or as written. `isVariadic`: VARIADIC was written before the
    /// last argument. `names` parallel to `arguments` when any argument was named, else empty.
    public static func function(
        schema: String?, name: String, arguments: [OID], names: [String?] = [],
        isVariadic: Bool = false
    ) throws(SQLError) -> ResolvedFunction? {
        var resolved = try select(schema, name, arguments, names, isVariadic)
        if !names.isEmpty, let function = resolved?.function {
            resolved?.positions = positions(function, names)
        }
        return resolved
    }

    /// The declared argument of each actual one; nil when a name fits none, or one is given twice.
    private static func positions(_ function: FunctionDescriptor, _ names: [String?]) -> [Int]? {
        guard names.count <= function.argumentTypes.count else { return nil }
        var found: [Int] = []
        for (index, name) in names.enumerated() {
            var position = index
            if let name {
                guard let named = function.argumentNames.firstIndex(of: name) else { return nil }
                position = named
            }
            guard position < function.argumentTypes.count, !found.contains(position) else {
                return nil
            }
            found.append(position)
        }
        return found
    }

    private static func select(
        _ schema: String?, _ name: String, _ arguments: [OID], _ names: [String?],
        _ isVariadic: Bool
    ) throws(SQLError) -> ResolvedFunction? {
        guard let known = tableName(schema, name) else { return nil }
        let functions = FunctionTable.shared.functions(named: known)
        var candidates: [CandidateSelection.Candidate] = []
        for (index, function) in functions.enumerated() {
            if let types = parameterTypes(
                function, count: arguments.count, names: names, isVariadic: isVariadic)
            {
                candidates.append(CandidateSelection.Candidate(types: types, index: index))
            }
        }
        // An exact match needs no search; one without variadic expansion goes first.
        var exact: (candidate: CandidateSelection.Candidate, isExpanded: Bool)?
        for candidate in candidates where candidate.types == arguments {
            let isExpanded = isExpanded(functions[candidate.index], arguments.count, isVariadic)
            if exact == nil || (exact?.isExpanded == true && !isExpanded) {
                exact = (candidate, isExpanded)
            }
        }
        if let exact {
            return try resolved(
                functions[exact.candidate.index], exact.candidate.types, arguments, isVariadic)
        }
        // A type's name called like a function is a cast, when it costs no code or goes through text.
        if arguments.count == 1, names.isEmpty, !isVariadic, known == name,
            let cast = castCall(name, arguments[0])
        {
            return cast
        }
        let selection = CandidateSelection(actual: arguments)
        switch selection.select(preferPlain(candidates, functions, arguments, isVariadic)) {
        case .none: return nil
        case .one(let index):
            guard let candidate = candidates.first(where: { $0.index == index }) else { return nil }
            return try resolved(functions[index], candidate.types, arguments, isVariadic)
        case .ambiguous:
            // Of our own functions, what has no type yet takes the form that comes first.
            if known.hasPrefix("falcon."), let first = candidates.first {
                return try resolved(functions[first.index], first.types, arguments, isVariadic)
            }
            throw SQLError(
                .ambiguousFunction,
                "function \(signature(schema, name, arguments)) is not unique",
                hint:
                    "Could not choose a best candidate function. You might need to add explicit type casts."
            )
        }
    }

    /// Of candidates with the same parameter types, the one that needs no variadic expansion.
    private static func preferPlain(
        _ candidates: [CandidateSelection.Candidate], _ functions: [FunctionDescriptor],
        _ arguments: [OID], _ isVariadic: Bool
    ) -> [CandidateSelection.Candidate] {
        candidates.filter { candidate in
            guard isExpanded(functions[candidate.index], arguments.count, isVariadic) else {
                return true
            }
            return !candidates.contains {
                $0.index != candidate.index && $0.types == candidate.types
                    && !isExpanded(functions[$0.index], arguments.count, isVariadic)
            }
        }
    }

    private static func isExpanded(
        _ function: FunctionDescriptor, _ count: Int, _ isVariadic: Bool
    ) -> Bool {
        // With fewer arguments than are declared, the variadic one has its default.
        function.variadicElement != .invalid && !isVariadic
            && count >= function.argumentTypes.count
    }

    /// The parameter type of each actual argument; nil when the call's shape does not fit.
    private static func parameterTypes(
        _ function: FunctionDescriptor, count: Int, names: [String?], isVariadic: Bool
    ) -> [OID]? {
        let declared = function.argumentTypes
        if !names.isEmpty {
            guard names.count == count, let taken = positions(function, names) else { return nil }
            let required = declared.count - function.defaults.count
            for position in 0..<max(required, 0) where !taken.contains(position) { return nil }
            // By its name the variadic argument takes an array, and VARIADIC says so.
            let isArray = function.variadicElement != .invalid && taken.contains(declared.count - 1)
            return isArray == isVariadic ? taken.map { declared[$0] } : nil
        }
        if function.variadicElement != .invalid {
            if isVariadic { return count == declared.count ? declared : nil }
            guard count >= declared.count else {
                let required = declared.count - function.defaults.count
                return count >= required ? Array(declared[..<count]) : nil
            }
            let fixed = declared.count - 1
            return Array(declared[..<fixed])
                + [OID](repeating: function.variadicElement, count: count - fixed)
        }
        if isVariadic { return nil }
        if count == declared.count { return declared }
        guard count < declared.count, count >= declared.count - function.defaults.count else {
            return nil
        }
        return Array(declared[..<count])
    }

    private static func resolved(
        _ function: FunctionDescriptor, _ types: [OID], _ actual: [OID], _ isVariadic: Bool
    ) throws(SQLError) -> ResolvedFunction? {
        var argumentTypes = types
        var resultType = function.resultType
        let needsPolymorphism =
            types.contains(where: TypeCoercion.isPolymorphic)
            || TypeCoercion.isPolymorphic(resultType)
        var columns = function.resultColumns
        if needsPolymorphism {
            guard let polymorphism = TypeCoercion.Polymorphism(declared: types, actual: actual)
            else { return nil }
            if polymorphism.element == .invalid,
                types.contains(where: TypeCoercion.needsKnownElement),
                zip(types, actual).allSatisfy({
                    !TypeCoercion.needsKnownElement($0) || $1 == .unknown
                })
            {
                throw SQLError(
                    .datatypeMismatch,
                    "could not determine polymorphic type because input has type unknown")
            }
            for index in argumentTypes.indices {
                let type = polymorphism.actual(types[index])
                // Untold types (all arguments unknown) read as text.
                argumentTypes[index] =
                    type == .invalid ? fallback(types[index], actual[index]) : type
            }
            let type = polymorphism.actual(resultType)
            resultType = type == .invalid ? fallback(resultType, .unknown) : type
            for index in columns.indices {
                let type = polymorphism.actual(columns[index].type)
                columns[index].type = type == .invalid ? .text : type
            }
        }
        for index in argumentTypes.indices where argumentTypes[index] == .any {
            argumentTypes[index] = actual[index] == .unknown ? .text : actual[index]
        }
        var gather: (count: Int, element: OID)?
        if isExpanded(function, actual.count, isVariadic), function.variadicElement != .any {
            let count = actual.count - function.argumentTypes.count + 1
            gather = (count, argumentTypes.last ?? function.variadicElement)
        }
        return ResolvedFunction(
            function: function, argumentTypes: argumentTypes, resultType: resultType,
            resultColumns: columns, variadicGather: gather)
    }

    private static func fallback(_ declared: OID, _ actual: OID) -> OID {
        switch declared {
        case .anyarray, .anycompatiblearray: return actual == .unknown ? .textArray : actual
        default: return actual == .unknown ? .text : actual
        }
    }

    /// `float8('1')`, `text(5)`, `date('2020-01-01')`: a function made of the cast.
    private static func castCall(_ name: String, _ argument: OID) -> ResolvedFunction? {
        guard let target = TypeRegistry.descriptor(named: name), !target.isPseudo,
            target.oid != .unknown
        else { return nil }
        let isTextLike = TypeCoercion.category(target.oid) == UInt8(ascii: "S")
        if argument != .unknown {
            switch cast(from: argument, to: target.oid, context: .explicit) {
            case .relabel: break
            case .inOut: guard isTextLike else { return nil }
            default: return nil
            }
        }
        let type = target.oid
        let from = argument == .unknown ? .text : argument
        let isRelabel = argument != .unknown && TypeCoercion.isRelabel(argument, type)
        let function = FunctionDescriptor(
            oid: .invalid, name: name, argumentTypes: [from], resultType: type,
            volatility: .stable,
            body: .scalar(
                .unary { (value, context) throws(SQLError) in
                    if isRelabel { return value }
                    let text = TypeIO.text(value, type: from, settings: context.settings)
                    return try TypeIO.parseText(
                        text, type: SQLType(type), settings: context.settings)
                }))
        return ResolvedFunction(function: function, argumentTypes: [from], resultType: type)
    }

    /// The function with this OID.
    public static func function(oid: OID) -> FunctionDescriptor? {
        FunctionTable.shared.function(oid: oid)
    }

    /// Any function of this name exists.
    public static func functionExists(schema: String?, name: String) -> Bool {
        guard let known = tableName(schema, name) else { return false }
        return !FunctionTable.shared.functions(named: known).isEmpty
    }

    /// A function's name in the table: our own have their schema's before it. Nil: no such schema here.
    private static func tableName(_ schema: String?, _ name: String) -> String? {
        switch schema {
        case nil, "pg_catalog": name
        case "falcon": "falcon." + name
        default: nil
        }
    }

    /// The functions of this name, for reg* input.
    public static func functions(named name: String) -> [FunctionDescriptor] {
        FunctionTable.shared.functions(named: name)
    }

    /// Every function there is, for pg_proc.
    public static var allFunctions: [FunctionDescriptor] { FunctionTable.shared.all }

    // MARK: Operators

    /// `left` nil: prefix operator. Nil: none; throws 42725 when ambiguous.
    public static func `operator`(
        schema: String?, name: String, left: OID?, right: OID
    ) throws(SQLError) -> ResolvedOperator? {
        guard schema == nil || schema == "pg_catalog" else { return nil }
        let spelled = name == "!=" ? "<>" : name
        let wantsPrefix = left == nil
        let facts = FunctionTable.shared.operators(named: spelled).filter {
            ($0.left == .invalid) == wantsPrefix
        }
        let actual = left.map { [$0, right] } ?? [right]
        // Exact, an unknown side taken for the other's type.
        var assumed = actual
        if actual.count == 2 {
            if actual[0] == .unknown, actual[1] != .unknown {
                assumed[0] = actual[1]
            } else if actual[1] == .unknown, actual[0] != .unknown {
                assumed[1] = actual[0]
            }
        }
        if !assumed.contains(.unknown) {
            for fact in facts where types(of: fact) == assumed {
                return resolved(fact, assumed)
            }
        }
        var candidates: [CandidateSelection.Candidate] = []
        for (index, fact) in facts.enumerated() {
            candidates.append(CandidateSelection.Candidate(types: types(of: fact), index: index))
        }
        switch CandidateSelection(actual: actual).select(candidates) {
        case .none: return nil
        case .one(let index): return resolved(facts[index], actual)
        case .ambiguous:
            throw SQLError(
                .ambiguousFunction,
                "operator is not unique: \(operatorSignature(name, left, right))",
                hint:
                    "Could not choose a best candidate operator. You might need to add explicit type casts."
            )
        }
    }

    private static func types(of fact: FunctionTable.OperatorFact) -> [OID] {
        fact.left == .invalid ? [fact.right] : [fact.left, fact.right]
    }

    private static func resolved(
        _ fact: FunctionTable.OperatorFact, _ actual: [OID]
    ) -> ResolvedOperator? {
        guard let function = FunctionTable.shared.function(oid: fact.function) else { return nil }
        var declared = types(of: fact)
        var result = fact.result
        if declared.contains(where: TypeCoercion.isPolymorphic) {
            guard let polymorphism = TypeCoercion.Polymorphism(declared: declared, actual: actual)
            else { return nil }
            for index in declared.indices {
                let type = polymorphism.actual(declared[index])
                declared[index] = type == .invalid ? fallback(declared[index], actual[index]) : type
            }
            let type = polymorphism.actual(result)
            result = type == .invalid ? .text : type
        }
        return ResolvedOperator(
            oid: fact.oid, name: fact.name,
            left: declared.count == 2 ? declared[0] : .invalid,
            right: declared[declared.count - 1], resultType: result, function: function)
    }

    /// The operator that says the same with its sides exchanged (pg_operator.oprcom); nil when none.
    public static func commutator(of operator: OID) -> OID? {
        guard let fact = FunctionTable.shared.operators.first(where: { $0.oid == `operator` }),
            fact.commutator != .invalid
        else { return nil }
        return fact.commutator
    }

    /// The operator that is true where this one is false (pg_operator.oprnegate); nil when none.
    public static func negator(of operator: OID) -> OID? {
        guard let fact = FunctionTable.shared.operators.first(where: { $0.oid == `operator` }),
            fact.negator != .invalid
        else { return nil }
        return fact.negator
    }

    // MARK: Casts

    /// Nil: no way from `from` to `to` within `context`.
    public static func cast(from: OID, to: OID, context: CastContext) -> CastPath? {
        if from == to { return .relabel }
        if from == .unknown { return .inOut }
        if let fact = FunctionTable.shared.cast(from: from, to: to) {
            guard fact.context <= context else { return nil }
            switch fact.method {
            case .relabel: return .relabel
            case .inOut: return .inOut
            case .function(let oid):
                guard let function = FunctionTable.shared.function(oid: oid) else { return nil }
                return .function(function)
            }
        }
        if let source = TypeRegistry.elementType(of: from),
            let target = TypeRegistry.elementType(of: to),
            to != .oidvector, to != .int2vector
        {
            guard let element = cast(from: source, to: target, context: context) else { return nil }
            if case .relabel = element { return .relabel }
            return .array(CastPath.ArrayCast(element: element, from: source, to: target))
        }
        guard TypeRegistry.descriptor(to)?.isPseudo == false,
            TypeRegistry.descriptor(from)?.isPseudo == false
        else { return nil }
        if context >= .assignment, TypeCoercion.category(to) == UInt8(ascii: "S") { return .inOut }
        if context >= .explicit, TypeCoercion.category(from) == UInt8(ascii: "S") { return .inOut }
        return nil
    }

    /// The function that applies a type's modifier as a value function (varchar(n), numeric(p,s),
    /// timestamp(p)) is ``TypeIO/coerce(_:toModifierOf:explicit:)``; no cast entry is needed for it.
    ///
    /// The common type of UNION, CASE, COALESCE, VALUES, ARRAY branches (select_common_type); nil
    /// when there is none.
    public static func commonType(_ types: [OID]) -> OID? {
        var chosen: OID = .unknown
        for type in types where type != .unknown && type != chosen {
            if chosen == .unknown {
                chosen = type
                continue
            }
            if TypeCoercion.category(type) != TypeCoercion.category(chosen) { return nil }
            if !TypeCoercion.isPreferred(chosen), TypeCoercion.canCoerce(chosen, type),
                !TypeCoercion.canCoerce(type, chosen)
            {
                chosen = type
            }
        }
        return chosen == .unknown ? .text : chosen
    }

    // MARK: Messages

    static func signature(_ schema: String?, _ name: String, _ arguments: [OID]) -> String {
        let types = arguments.map { FalconSchema.TypeNames.format($0) }.joined(separator: ", ")
        return "\(schema.map { $0 + "." } ?? "")\(name)(\(types))"
    }

    static func operatorSignature(_ name: String, _ left: OID?, _ right: OID) -> String {
        (left.map { FalconSchema.TypeNames.format($0) + " " } ?? "") + name + " "
            + FalconSchema.TypeNames.format(right)
    }

    /// 42883 as PostgreSQL words it.
    public static func undefinedFunction(
        schema: String?, name: String, arguments: [OID]
    ) -> SQLError {
        SQLError(
            .undefinedFunction, "function \(signature(schema, name, arguments)) does not exist",
            hint:
                "No function matches the given name and argument types. You might need to add explicit type casts."
        )
    }

    public static func undefinedOperator(_ name: String, left: OID?, right: OID) -> SQLError {
        SQLError(
            .undefinedFunction,
            "operator does not exist: \(operatorSignature(name, left, right))",
            hint: left == nil
                ? "No operator matches the given name and argument type. You might need to add an explicit type cast."
                : "No operator matches the given name and argument types. You might need to add explicit type casts."
        )
    }
}
