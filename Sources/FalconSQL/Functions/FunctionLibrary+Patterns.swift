import FalconSchema

/// LIKE, ILIKE, regular expression operators and functions.
extension FunctionLibrary {
    mutating func addPatterns() {
        binary("textlike", "namelike") { (a, b, c) throws(SQLError) in
            .bool(try LikeMatcher.matches(a.text, b.text, c))
        }
        binary("textnlike", "namenlike") { (a, b, c) throws(SQLError) in
            .bool(!(try LikeMatcher.matches(a.text, b.text, c)))
        }
        binary("texticlike", "nameiclike") { (a, b, c) throws(SQLError) in
            .bool(
                try LikeMatcher.matches(
                    try TextMath.lower(a.text, c), try TextMath.lower(b.text, c), c))
        }
        binary("texticnlike", "nameicnlike") { (a, b, c) throws(SQLError) in
            .bool(
                !(try LikeMatcher.matches(
                    try TextMath.lower(a.text, c), try TextMath.lower(b.text, c), c)))
        }
        binary("like_escape") { (a, b, _) throws(SQLError) in
            .text(try LikeMatcher.rewrite(a.text, escape: b.text))
        }
        binary("bytealike") { (a, b, c) throws(SQLError) in
            let text = a.bytes
            let pattern = b.bytes
            return .bool(
                try text.withRaw { x throws(SQLError) in
                    try pattern.withRaw { y throws(SQLError) in
                        try LikeMatcher.matches(x, y, c)
                    }
                })
        }
        for (names, flags, wanted) in [
            (["textregexeq", "nameregexeq"], "", true),
            (["textregexne", "nameregexne"], "", false),
            (["texticregexeq", "nameicregexeq"], "i", true),
            (["texticregexne", "nameicregexne"], "i", false),
        ] {
            for name in names {
                binary(name) { (a, b, c) throws(SQLError) in
                    let pattern = try RegexPattern.compile(b.text, flags: flags)
                    let text = try RegexPattern.scalars(a.text, c)
                    return .bool(try pattern.matches(text, c) == wanted)
                }
            }
        }
        binary("similar_to_escape_2", "similar_escape") { (a, b, _) throws(SQLError) in
            .text(try SimilarTo.regex(a.text, escape: b.isNull ? "\\" : b.text))
        }
        unary("similar_to_escape_1") { (a, _) throws(SQLError) in
            .text(try SimilarTo.regex(a.text, escape: "\\"))
        }
        addRegexFunctions()
    }

    private mutating func addRegexFunctions() {
        binary("textregexsubstr") { (a, b, c) throws(SQLError) in
            let text = try RegexPattern.scalars(a.text, c)
            guard let groups = try RegexPattern.compile(b.text).match(text, from: 0, c) else {
                return .null
            }
            return RegexSearch.piece(text, groups, groups.count > 2 ? 1 : 0)
        }
        many(
            "textregexreplace_noopt", "textregexreplace", "textregexreplace_extended",
            "textregexreplace_extended_no_flags", "textregexreplace_extended_no_n"
        ) { (a, c) throws(SQLError) in
            // (text, pattern, replacement[, flags]) or (…, start[, n[, flags]]).
            var flags = ""
            var start: Int64 = 1
            var count: Int64 = 1
            if a.count == 4, case .text(let value) = a[3] {
                flags = value
            } else if a.count >= 4 {
                start = a[3].int
                if a.count >= 5 { count = a[4].int }
                if a.count >= 6 { flags = a[5].text }
                if start <= 0 {
                    throw SQLError(
                        .invalidParameterValue,
                        "invalid value for parameter \"start\": \(start)")
                }
                if count < 0 {
                    throw SQLError(
                        .invalidParameterValue, "invalid value for parameter \"n\": \(count)")
                }
            }
            let isGlobal = flags.contains("g")
            return .text(
                try RegexSearch.replace(
                    c, a[0].text, a[1].text, a[2].text, flags: flags, start: Int(start - 1),
                    occurrence: isGlobal && a.count < 5 ? 0 : Int(count)))
        }
        many("regexp_match", "regexp_match_no_flags") { (a, c) throws(SQLError) in
            let flags = a.count > 2 ? a[2].text : ""
            if flags.contains("g") {
                throw SQLError(
                    .invalidParameterValue,
                    "regexp_match() does not support the \"global\" option",
                    hint: "Use the regexp_matches function instead.")
            }
            let text = try RegexPattern.scalars(a[0].text, c)
            let pattern = try RegexPattern.compile(a[1].text, flags: flags)
            guard let groups = try pattern.match(text, from: 0, c) else { return .null }
            return RegexSearch.groupArray(text, groups)
        }
        rows("regexp_matches", "regexp_matches_no_flags") { (a, _, c) throws(SQLError) in
            let flags = a.count > 2 ? a[2].text : ""
            let text = try RegexPattern.scalars(a[0].text, c)
            let all = try RegexSearch.all(
                c, text, a[1].text, flags: flags, limit: flags.contains("g") ? nil : 1)
            return ListSource(all.map { RegexSearch.groupArray(text, $0) })
        }
        many("regexp_like", "regexp_like_no_flags") { (a, c) throws(SQLError) in
            let pattern = try RegexPattern.compile(a[1].text, flags: a.count > 2 ? a[2].text : "")
            return .bool(try pattern.matches(RegexPattern.scalars(a[0].text, c), c))
        }
        many("regexp_count", "regexp_count_no_start", "regexp_count_no_flags") {
            (a, c) throws(SQLError) in
            let text = try RegexPattern.scalars(a[0].text, c)
            let all = try RegexSearch.all(
                c, text, a[1].text, flags: a.count > 3 ? a[3].text : "", limit: nil,
                start: a.count > 2 ? Int(a[2].int - 1) : 0)
            return .int(Int64(all.count))
        }
        many(
            "regexp_instr", "regexp_instr_no_start", "regexp_instr_no_n",
            "regexp_instr_no_endoption", "regexp_instr_no_flags", "regexp_instr_no_subexpr"
        ) { (a, c) throws(SQLError) in
            let text = try RegexPattern.scalars(a[0].text, c)
            let nth = a.count > 3 ? Int(a[3].int) : 1
            let all = try RegexSearch.all(
                c, text, a[1].text, flags: a.count > 5 ? a[5].text : "", limit: nth,
                start: a.count > 2 ? Int(a[2].int - 1) : 0)
            let group = a.count > 6 ? Int(a[6].int) : 0
            guard nth >= 1, all.count >= nth, group >= 0, all[nth - 1].count > group * 2 + 1 else {
                return .int(0)
            }
            let wantsEnd = a.count > 4 && a[4].int == 1
            return .int(Int64(all[nth - 1][group * 2 + (wantsEnd ? 1 : 0)] + 1))
        }
        many(
            "regexp_substr", "regexp_substr_no_start", "regexp_substr_no_n",
            "regexp_substr_no_flags", "regexp_substr_no_subexpr"
        ) { (a, c) throws(SQLError) in
            let text = try RegexPattern.scalars(a[0].text, c)
            let nth = a.count > 3 ? Int(a[3].int) : 1
            let all = try RegexSearch.all(
                c, text, a[1].text, flags: a.count > 4 ? a[4].text : "", limit: nth,
                start: a.count > 2 ? Int(a[2].int - 1) : 0)
            let group = a.count > 5 ? Int(a[5].int) : 0
            guard nth >= 1, all.count >= nth, group >= 0, all[nth - 1].count > group * 2 + 1 else {
                return .null
            }
            return RegexSearch.piece(text, all[nth - 1], group)
        }
        many("regexp_split_to_array", "regexp_split_to_array_no_flags") {
            (a, c) throws(SQLError) in
            let parts = try RegexSearch.split(
                c, a[0].text, a[1].text, flags: a.count > 2 ? a[2].text : "")
            return .array(ArrayValue(elementType: .text, parts.map { .text($0) }))
        }
        rows("regexp_split_to_table", "regexp_split_to_table_no_flags") {
            (a, _, c) throws(SQLError) in
            ListSource(
                try RegexSearch.split(c, a[0].text, a[1].text, flags: a.count > 2 ? a[2].text : "")
                    .map { .text($0) })
        }
    }
}

/// What the regexp_* functions share.
enum RegexSearch {
    static func string(_ scalars: ArraySlice<UInt32>) -> String {
        String(String.UnicodeScalarView(scalars.compactMap(Unicode.Scalar.init)))
    }

    static func piece(_ text: [UInt32], _ groups: [Int], _ group: Int) -> Datum {
        let from = groups[group * 2]
        let to = groups[group * 2 + 1]
        return from < 0 || to < from ? .null : .text(string(text[from..<to]))
    }

    /// The groups as text[]; the whole match when the pattern has none.
    static func groupArray(_ text: [UInt32], _ groups: [Int]) -> Datum {
        let count = groups.count / 2
        let elements =
            count == 1 ? [piece(text, groups, 0)] : (1..<count).map { piece(text, groups, $0) }
        return .array(ArrayValue(elementType: .text, elements))
    }

    /// Successive matches; an empty one moves on by a character.
    static func all(
        _ context: FunctionContext, _ text: [UInt32], _ pattern: String, flags: String, limit: Int?,
        start: Int = 0
    ) throws(SQLError) -> [[Int]] {
        let compiled = try RegexPattern.compile(pattern, flags: flags)
        var found: [[Int]] = []
        var position = max(0, start)
        while limit.map({ found.count < $0 }) ?? true, position <= text.count,
            let groups = try compiled.match(text, from: position, context)
        {
            found.append(groups)
            position = groups[1] > groups[0] ? groups[1] : groups[1] + 1
        }
        return found
    }

    static func split(
        _ context: FunctionContext, _ text: String, _ pattern: String, flags: String
    ) throws(SQLError) -> [String] {
        let scalars = try RegexPattern.scalars(text, context)
        var parts: [String] = []
        var start = 0
        for groups in try all(context, scalars, pattern, flags: flags, limit: nil) {
            // Empty matches at the ends and right after a match do not split.
            if groups[1] == groups[0], groups[0] == start || groups[0] >= scalars.count {
                if groups[0] >= scalars.count || groups[0] == 0 { continue }
                if groups[0] == start { continue }
            }
            parts.append(string(scalars[start..<groups[0]]))
            start = groups[1]
        }
        parts.append(string(scalars[start...]))
        return parts
    }

    /// `occurrence` 0 replaces all.
    static func replace(
        _ context: FunctionContext, _ text: String, _ pattern: String, _ replacement: String,
        flags: String, start: Int,
        occurrence: Int
    ) throws(SQLError) -> String {
        let scalars = try RegexPattern.scalars(text, context)
        let template = try RegexPattern.scalars(replacement, context)
        let found = try all(
            context, scalars, pattern, flags: flags, limit: occurrence == 0 ? nil : occurrence,
            start: start)
        if found.isEmpty || (occurrence > 0 && found.count < occurrence) { return text }
        var result: [UInt32] = []
        var position = 0
        for groups in occurrence == 0 ? found[...] : found[(occurrence - 1)...] {
            result += scalars[position..<groups[0]]
            // Four bytes each at most: refused before they are all there.
            try ValueLimit.checkGrowth(result.count, by: template.count)
            var index = 0
            while index < template.count {
                let scalar = template[index]
                index += 1
                guard scalar == 0x5C, index < template.count else {
                    result.append(scalar)
                    continue
                }
                let next = template[index]
                index += 1
                if next == 0x26 {
                    result += scalars[groups[0]..<groups[1]]
                } else if next >= 0x31, next <= 0x39 {
                    let group = Int(next - 0x30)
                    if group * 2 + 1 < groups.count, groups[group * 2] >= 0 {
                        result += scalars[groups[group * 2]..<groups[group * 2 + 1]]
                    }
                } else if next == 0x5C {
                    result.append(next)
                } else {
                    result.append(scalar)
                    result.append(next)
                }
            }
            position = groups[1]
        }
        result += scalars[position...]
        return string(result[...])
    }
}

/// SIMILAR TO patterns as regular expressions.
enum SimilarTo {
    static func regex(_ pattern: String, escape: String) throws(SQLError) -> String {
        let escapes = Array(escape.unicodeScalars)
        guard escapes.count <= 1 else {
            throw SQLError(
                SQLState("22025"), "invalid escape string",
                hint: "Escape string must be empty or one character.")
        }
        var result = "^(?:"
        var isEscaped = false
        var inBracket = false
        for scalar in pattern.unicodeScalars {
            let piece = String(Character(scalar))
            if isEscaped {
                result += "\\" + piece
                isEscaped = false
            } else if let mark = escapes.first, scalar == mark {
                isEscaped = true
            } else if inBracket {
                if scalar == "\\" { result += "\\" }
                result += piece
                if scalar == "]" { inBracket = false }
            } else {
                switch scalar {
                case "[":
                    inBracket = true
                    result += piece
                case "%": result += ".*"
                case "_": result += "."
                case "(": result += "(?:"
                case "\\", ".", "^", "$": result += "\\" + piece
                default: result += piece
                }
            }
        }
        return result + ")$"
    }
}

/// Rows from a list of values, one column.
final class ListSource: RowSource {
    private let values: [Datum]
    private var next = 0
    init(_ values: [Datum]) { self.values = values }
    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        guard next < values.count else { return false }
        columns[0] = values[next]
        next += 1
        return true
    }
}
