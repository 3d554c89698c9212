import FalconSchema

/// Turns the literals of a simple statement into parameters, so that statements that differ in their
/// values alone share one parse and one plan.
///
/// Not where a partial index may be read: which rows it has follows from constants only.
///
/// Works on the text, before the parser, and refuses whatever it does not know to be safe: positions
/// that count (ORDER BY 1), typed literals (date '…'), casts, comments, dollar signs, escapes.
struct LiteralStripper {
    /// The statement with `$1`, `$2` … in place of its literals.
    private(set) var text: [UInt8] = []
    /// What the literals said, and as which type the parser would have read them.
    private(set) var values: [[UInt8]] = []
    private(set) var types: [OID] = []

    private static let maximumLength = 4096
    private static let maximumLiterals = 64
    private static let statements: Set<String> = ["select", "insert", "update", "delete"]
    private static let refused: Set<String> = [
        "order", "group", "distinct", "interval", "date", "time", "timestamp", "timestamptz",
        "cast", "union", "intersect", "except", "with", "over", "window", "extract", "overlay",
        "array", "row", "at", "limit", "offset", "fetch", "collate", "numeric", "bit", "char",
        "varchar", "character", "float", "decimal", "double", "int", "text", "returning",
        "operator", "within", "filter", "grouping", "case", "substring", "position", "trim",
        "set_config", "pg_typeof",
    ]

    /// Nil when the statement is not one to share.
    init?(_ sql: String) {
        guard sql.utf8.count <= Self.maximumLength else { return nil }
        var sql = sql
        let isFine = sql.withUTF8 { strip($0) }
        guard isFine, !values.isEmpty else { return nil }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte == 0x5F || byte >= 0x80 || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private mutating func strip(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var end = bytes.count
        while end > 0, bytes[end - 1] <= 0x20 || bytes[end - 1] == 0x3B { end -= 1 }
        text.reserveCapacity(end + 16)
        var i = 0
        var isFirst = true
        // Constant expressions are left to the planner, which folds them: a literal, an operator and
        // perhaps brackets, a literal.
        var followsLiteral = false
        var followsOperator = false
        while i < end {
            let byte = bytes[i]
            switch byte {
            case 0x30...0x39, 0x27:
                if followsLiteral, followsOperator { return false }
                followsLiteral = true
                followsOperator = false
            case 0x28, 0x29: break
            case _ where byte <= 0x20: break
            case 0x21, 0x23, 0x25, 0x26, 0x2A, 0x2B, 0x2D, 0x2F, 0x3C...0x3F, 0x40, 0x5E, 0x60,
                0x7C, 0x7E:
                followsOperator = true
            default:
                followsLiteral = false
                followsOperator = false
            }
            switch byte {
            case 0x30...0x39:
                var stop = i
                while stop < end, (0x30...0x39).contains(bytes[stop]) { stop += 1 }
                var type = OID.int4
                if stop < end, bytes[stop] == 0x2E {
                    stop += 1
                    while stop < end, (0x30...0x39).contains(bytes[stop]) { stop += 1 }
                    type = .numeric
                }
                if stop < end, Self.isWord(bytes[stop]) || bytes[stop] == 0x2E { return false }
                let digits = Array(bytes[i..<stop])
                if type == .int4 {
                    guard digits.count <= 18 else { return false }
                    var value: Int64 = 0
                    for digit in digits { value = value &* 10 &+ Int64(digit &- 0x30) }
                    if value > Int64(Int32.max) { type = .int8 }
                    // The least integer is written with a minus, as one literal.
                    if value == -Int64(Int32.min) { return false }
                }
                guard append(digits, type) else { return false }
                i = stop
            case 0x27:
                var value: [UInt8] = []
                i += 1
                while true {
                    guard i < end else { return false }
                    if bytes[i] == 0x27 {
                        guard i + 1 < end, bytes[i + 1] == 0x27 else { break }
                        i += 1
                    }
                    if bytes[i] == 0x5C { return false }
                    value.append(bytes[i])
                    i += 1
                }
                i += 1
                guard append(value, .unknown) else { return false }
                // 'a' 'b' on two lines is one literal: leave it to the parser.
                var next = i
                while next < end, bytes[next] <= 0x20 { next += 1 }
                if next < end, bytes[next] == 0x27 { return false }
            case 0x22:
                text.append(byte)
                i += 1
                while i < end, bytes[i] != 0x22 {
                    text.append(bytes[i])
                    i += 1
                }
                guard i < end else { return false }
                text.append(0x22)
                i += 1
            case 0x24, 0x3B, 0x5B, 0x3A: return false
            case 0x2D where i + 1 < end && bytes[i + 1] == 0x2D: return false
            case 0x2F where i + 1 < end && bytes[i + 1] == 0x2A: return false
            case 0x2E where i + 1 < end && (0x30...0x39).contains(bytes[i + 1]): return false
            case _ where Self.isWord(byte):
                var stop = i
                var word = ""
                while stop < end, Self.isWord(bytes[stop]) {
                    let lower =
                        (0x41...0x5A).contains(bytes[stop]) ? bytes[stop] | 0x20 : bytes[stop]
                    word.unicodeScalars.append(Unicode.Scalar(lower))
                    stop += 1
                }
                // E'…', B'…', N'…', date'…'
                if stop < end, bytes[stop] == 0x27 || bytes[stop] == 0x26 { return false }
                if isFirst {
                    guard Self.statements.contains(word) else { return false }
                    isFirst = false
                } else if Self.refused.contains(word) {
                    return false
                }
                text.append(contentsOf: bytes[i..<stop])
                i = stop
            default:
                text.append(byte)
                i += 1
            }
        }
        return true
    }

    private mutating func append(_ value: [UInt8], _ type: OID) -> Bool {
        guard values.count < Self.maximumLiterals else { return false }
        values.append(value)
        types.append(type)
        text.append(0x24)
        text.append(contentsOf: Array(String(values.count).utf8))
        return true
    }
}

/// The shared plans of one session's simple statements.
struct SimplePlanCache {
    enum Entry {
        /// Seen once: worth sharing when it comes again.
        case seen
        case shared(PreparedStatement)
        /// Sharing does not work for it.
        case refused
    }
    struct Key: Hashable {
        var text: [UInt8]
        var types: [OID]
    }
    private static let capacity = 256
    private var entries: [Key: Entry] = [:]

    subscript(key: Key) -> Entry? {
        get { entries[key] }
        set {
            if entries.count >= Self.capacity, entries[key] == nil { entries.removeAll() }
            entries[key] = newValue
        }
    }
}

extension Session {
    /// The shared statement that `sql` is an instance of, with its parameters; nil: parse it.
    func sharedStatement(
        for sql: String
    ) -> (prepared: PreparedStatement, parameters: [Datum])? {
        guard let stripped = LiteralStripper(sql) else { return nil }
        let key = SimplePlanCache.Key(text: stripped.text, types: stripped.types)
        let prepared: PreparedStatement
        switch simplePlans[key] {
        case nil:
            simplePlans[key] = .seen
            return nil
        case .refused: return nil
        case .seen:
            let text = String(decoding: stripped.text, as: UTF8.self)
            guard let parsed = try? SQLParser.parse(text), parsed.count == 1 else {
                simplePlans[key] = .refused
                return nil
            }
            prepared = PreparedStatement(
                name: "", sql: text, parsed: parsed[0], declaredTypes: stripped.types)
            simplePlans[key] = .shared(prepared)
        case .shared(let known): prepared = known
        }
        do throws(SQLError) {
            try beginIfNeeded()
            try ensurePlan(prepared, mayWait: false)
            guard let plan = prepared.plan, !plan.mayUsePartialIndex,
                plan.parameterTypes.count == stripped.values.count
            else {
                simplePlans[key] = .refused
                return nil
            }
            let types = plan.parameterTypes
            var values: [Datum] = []
            values.reserveCapacity(types.count)
            let display = settings.display
            for (index, bytes) in stripped.values.enumerated() {
                let type = SQLType(types[index].oid)
                values.append(
                    try bytes.withRaw { raw throws(SQLError) in
                        try TypeIO.parseText(raw, type: type, settings: display)
                    })
            }
            return (prepared, values)
        } catch {
            // Whatever is wrong, the parser's own way says it best.
            simplePlans[key] = .refused
            return nil
        }
    }
}
