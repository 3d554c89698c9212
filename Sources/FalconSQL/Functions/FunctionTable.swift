import FalconSchema

/// Every built-in function and operator: PostgreSQL's facts joined with our code. Functions without
/// code resolve, and say when called that they are not built (0A000).
final class FunctionTable: Sendable {
    static let shared = FunctionTable()

    let all: [FunctionDescriptor]
    private let byOID: [UInt32: FunctionDescriptor]
    private let byName: [String: [FunctionDescriptor]]
    let operators: [OperatorFact]
    private let operatorsByName: [String: [OperatorFact]]
    private let casts: [CastKey: CastFact]

    struct OperatorFact: Sendable {
        var oid: OID
        var name: String
        var left: OID
        var right: OID
        var result: OID
        var commutator: OID
        var negator: OID
        var function: OID
    }
    struct CastKey: Hashable { var source: UInt32, target: UInt32 }
    struct CastFact: Sendable {
        enum Method: Sendable { case function(OID), relabel, inOut }
        var context: CastContext
        var method: Method
    }

    func function(oid: OID) -> FunctionDescriptor? { byOID[oid.rawValue] }
    func functions(named name: String) -> [FunctionDescriptor] { byName[name] ?? [] }
    func operators(named name: String) -> [OperatorFact] { operatorsByName[name] ?? [] }
    func cast(from source: OID, to target: OID) -> CastFact? {
        casts[CastKey(source: source.rawValue, target: target.rawValue)]
    }

    /// Every cast by its source and target, for pg_cast.
    var allCasts: [(source: OID, target: OID, fact: CastFact)] {
        casts.map { (OID($0.key.source), OID($0.key.target), $0.value) }
    }

    private init() {
        let library = FunctionLibrary.complete()
        var all: [FunctionDescriptor] = []
        var byOID: [UInt32: FunctionDescriptor] = [:]
        var byName: [String: [FunctionDescriptor]] = [:]
        let facts = builtInFunctionFacts + "\n" + falconFunctionFacts
        for line in facts.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let function = Self.parse(Substring(line), library) else { continue }
            all.append(function)
            byOID[function.oid.rawValue] = function
            byName[function.name, default: []].append(function)
        }
        self.all = all
        self.byOID = byOID
        self.byName = byName

        var operators: [OperatorFact] = []
        var operatorsByName: [String: [OperatorFact]] = [:]
        for line in builtInOperatorFacts.utf8.split(separator: UInt8(ascii: "\n")) {
            let f = line.split(separator: UInt8(ascii: " ")).map { Substring($0) }
            guard f.count == 9 else { continue }
            func oid(_ index: Int) -> OID { OID(UInt32(f[index]) ?? 0) }
            let fact = OperatorFact(
                oid: oid(0), name: String(f[1]), left: oid(2), right: oid(3), result: oid(4),
                commutator: oid(5), negator: oid(6), function: oid(7))
            operators.append(fact)
            operatorsByName[fact.name, default: []].append(fact)
        }
        self.operators = operators
        self.operatorsByName = operatorsByName

        var casts: [CastKey: CastFact] = [:]
        for entry in builtInCastFacts.split(whereSeparator: { $0 == ";" || $0 == "\n" }) {
            let f = entry.split(separator: " ")
            guard f.count == 5, let source = UInt32(f[0]), let target = UInt32(f[1]),
                let function = UInt32(f[2]), source != target
            else { continue }
            let context: CastContext =
                f[3] == "i" ? .implicit : (f[3] == "a" ? .assignment : .explicit)
            let method: CastFact.Method =
                f[4] == "b" ? .relabel : (f[4] == "i" ? .inOut : .function(OID(function)))
            casts[CastKey(source: source, target: target)] = CastFact(
                context: context, method: method)
        }
        self.casts = casts
    }

    private static func parse(
        _ line: Substring, _ library: FunctionLibrary
    ) -> FunctionDescriptor? {
        let f = line.split(separator: "|", omittingEmptySubsequences: false)
        guard f.count == 10 else { return nil }
        var index = f[0].startIndex
        while index < f[0].endIndex, f[0][index] == " " { index = f[0].index(after: index) }
        let flags = Array(f[3].utf8)
        guard let oid = UInt32(f[0][index...]), flags.count == 4 else { return nil }
        // Window functions are the planner's.
        if flags[0] == UInt8(ascii: "w") { return nil }
        let name = String(f[1])
        let source = f[2].isEmpty ? name : String(f[2])
        let arguments = f[7].isEmpty ? [] : f[7].split(separator: ",").map { OID(UInt32($0) ?? 0) }
        let names =
            f[8].isEmpty
            ? [] : f[8].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var columns: [(name: String, type: OID)] = []
        if !f[9].isEmpty {
            for column in f[9].split(separator: ";") {
                guard let colon = column.lastIndex(of: ":") else { continue }
                columns.append(
                    (
                        String(column[..<colon]),
                        OID(UInt32(column[column.index(after: colon)...]) ?? 0)
                    ))
            }
        }
        let isAggregate = flags[0] == UInt8(ascii: "a")
        let returnsSet = flags[2] == UInt8(ascii: "t")
        var body = library.bodies["#\(oid)"] ?? library.bodies[isAggregate ? "agg:" + name : source]
        if let found = body, !fits(found, argumentCount: arguments.count, f[5] != "0") {
            body = nil
        }
        let defaultCount = Int(f[4]) ?? 0
        return FunctionDescriptor(
            oid: OID(oid), name: name, argumentTypes: arguments, argumentNames: names,
            variadicElement: OID(UInt32(f[5]) ?? 0),
            defaults: defaultCount > 0 ? defaults(oid, defaultCount) : [],
            resultType: OID(UInt32(f[6]) ?? 0), resultColumns: columns,
            isStrict: flags[1] == UInt8(ascii: "t")
                || (isAggregate && strictAggregates.contains(name)),
            volatility: flags[3] == UInt8(ascii: "i")
                ? .immutable : (flags[3] == UInt8(ascii: "s") ? .stable : .volatile),
            body: body ?? missing(name, isAggregate: isAggregate, returnsSet: returnsSet),
            isDeclaredSet: returnsSet)
    }

    private static func fits(
        _ body: FunctionBody, argumentCount: Int, _ isVariadic: Bool
    ) -> Bool {
        guard case .scalar(let scalar) = body else { return true }
        switch scalar {
        case .nullary: return argumentCount == 0
        case .unary: return argumentCount == 1
        case .binary: return argumentCount == 2
        case .ternary: return argumentCount == 3
        case .many, .typed: return true
        }
    }

    /// Aggregates that skip rows with a NULL argument (their transition function is strict).
    private static let strictAggregates: Set<String> = [
        "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "bit_and", "bit_or",
        "bit_xor", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp",
        "corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count",
        "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy",
    ]

    private static func missing(
        _ name: String, isAggregate: Bool, returnsSet: Bool
    ) -> FunctionBody {
        if isAggregate { return .aggregate { _ in MissingAggregate(name) } }
        if returnsSet {
            return .set { (_, _, _) throws(SQLError) in throw notBuilt(name) }
        }
        return .scalar(.many { (_, _) throws(SQLError) in throw notBuilt(name) })
    }

    static func notBuilt(_ name: String) -> SQLError {
        SQLError(.featureNotSupported, "function \(name) is not supported")
    }

    /// Defaults of the few functions that have them; NULL where it is the default or unknown.
    private static func defaults(_ oid: UInt32, _ count: Int) -> [Datum] {
        switch oid {
        case 3464:  // make_interval(years, months, weeks, days, hours, mins, secs)
            return [.int(0), .int(0), .int(0), .int(0), .int(0), .int(0), .float(0)]
        case 1268: return [.bool(true)]  // parse_ident(strict)
        case 2096: return [.int(0)]  // pg_terminate_backend(timeout)
        case 3782...3785:  // pg_logical_slot_…_changes(options)
            return [.array(ArrayValue(elementType: .text, dimensions: [], elements: []))]
        case 3779: return [.bool(false), .bool(false)]  // pg_create_physical_replication_slot
        case 3786: return [.bool(false), .bool(false)]  // pg_create_logical_replication_slot
        case 3305: return [.bool(true)]  // jsonb_set(create_if_missing)
        case 3579: return [.bool(false)]  // jsonb_insert(insert_after)
        case 5054: return [.bool(true), .text("use_json_null")].suffix(count).map { $0 }
        default: return [Datum](repeating: .null, count: count)
        }
    }
}

private final class MissingAggregate: AggregateState {
    let name: String
    init(_ name: String) { self.name = name }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        throw FunctionTable.notBuilt(name)
    }
}
