import FalconSchema

/// Syntax trees back to SQL text: how defaults and checks are stored.
public struct ExpressionDeparser {
    /// String literals to write otherwise, by location.
    private let literals: [Int: String]
    /// Columns are written without their tables.
    private var dropsQualifiers = false
    /// Columns to write under other names.
    private var newNames: [String: String] = [:]
    /// Another name for a relation that a regclass names; nil: the same.
    private var relationName: ((String) -> String?)?

    /// `literals` says which string literals stand for other text, by location.
    public static func text(
        of expression: AST.Expression, literals: [Int: String] = [:]
    ) -> String {
        ExpressionDeparser(literals: literals).deparse(expression)
    }

    /// The same with other names in place of those of some relations, as text that is read as regclass.
    static func text(
        of expression: AST.Expression, renamingRelations relationName: @escaping (String) -> String?
    ) -> String {
        var deparser = ExpressionDeparser(literals: [:])
        deparser.relationName = relationName
        return deparser.deparse(expression)
    }

    /// The same of an expression over one table alone: its columns by their names only, those in
    /// `renaming` by their new ones.
    static func unqualifiedText(
        of expression: AST.Expression, literals: [Int: String] = [:],
        renaming newNames: [String: String] = [:]
    ) -> String {
        var deparser = ExpressionDeparser(literals: literals)
        deparser.dropsQualifiers = true
        deparser.newNames = newNames
        return deparser.deparse(expression)
    }

    private func deparse(_ expression: AST.Expression) -> String {
        switch expression {
        case .column(let reference) where dropsQualifiers && !reference.isStar:
            let name = reference.parts.last ?? ""
            return Self.quoted(newNames[name] ?? name)
        case .column(let reference):
            let parts = reference.parts.map { Self.quoted($0) } + (reference.isStar ? ["*"] : [])
            return parts.joined(separator: ".")
        case .constant(.string(let text), let location):
            return Self.literal(.string(literals[location] ?? text))
        case .constant(let constant, _): return Self.literal(constant)
        case .parameter(let number, _): return "$\(number)"
        case .binary(let name, let left, let right, _):
            let symbol = Self.operatorText(name)
            guard let left else { return "(\(symbol) \(deparse(right)))" }
            return "(\(deparse(left)) \(symbol) \(deparse(right)))"
        case .arrayComparison(let name, let left, let array, let isAll, _):
            return "(\(deparse(left)) \(Self.operatorText(name)) \(isAll ? "ALL" : "ANY") "
                + "(\(deparse(array))))"
        case .inList(let left, let list, let isNegated, _):
            return "(\(deparse(left)) \(isNegated ? "NOT " : "")IN (\(joined(list))))"
        case .between(let value, let lower, let upper, let isNegated, let isSymmetric, _):
            return "(\(deparse(value)) \(isNegated ? "NOT " : "")BETWEEN "
                + "\(isSymmetric ? "SYMMETRIC " : "")\(deparse(lower)) AND \(deparse(upper)))"
        case .like(let name, let left, let pattern, _):
            return "(\(deparse(left)) \(Self.operatorText(name)) \(deparse(pattern)))"
        case .isDistinct(let left, let right, let isNegated, _):
            return "(\(deparse(left)) IS \(isNegated ? "NOT " : "")DISTINCT FROM "
                + "\(deparse(right)))"
        case .and(let operands, _):
            return "(" + operands.map { deparse($0) }.joined(separator: " AND ") + ")"
        case .or(let operands, _):
            return "(" + operands.map { deparse($0) }.joined(separator: " OR ") + ")"
        case .not(let operand, _): return "(NOT \(deparse(operand)))"
        case .nullTest(let operand, let isNotNull, _):
            return "(\(deparse(operand)) IS \(isNotNull ? "NOT " : "")NULL)"
        case .cast(.constant(.string(let name), _), let type, _)
        where relationName != nil && type.name.last == "regclass":
            return Self.literal(.string(relationName?(name) ?? name)) + "::regclass"
        case .cast(let operand, let type, _):
            let inner = deparse(operand)
            return
                "\(Self.needsParentheses(operand) ? "(\(inner))" : inner)::\(Self.typeText(type))"
        case .function(let call): return functionText(call)
        default: return rare(expression)
        }
    }

    private func rare(_ expression: AST.Expression) -> String {
        switch expression {
        case .nullIf(let left, let right, _):
            return "NULLIF(\(deparse(left)), \(deparse(right)))"
        case .booleanTest(let operand, let test, _):
            let words: String
            switch test {
            case .isTrue: words = "IS TRUE"
            case .isNotTrue: words = "IS NOT TRUE"
            case .isFalse: words = "IS FALSE"
            case .isNotFalse: words = "IS NOT FALSE"
            case .isUnknown: words = "IS UNKNOWN"
            case .isNotUnknown: words = "IS NOT UNKNOWN"
            }
            return "(\(deparse(operand)) \(words))"
        case .collate(let operand, let name, _):
            return
                "(\(deparse(operand)) COLLATE \(name.parts.map { Self.quoted($0) }.joined(separator: ".")))"
        case .caseWhen(let operand, let branches, let otherwise, _):
            var text = "CASE"
            if let operand { text += " " + deparse(operand) }
            for branch in branches {
                text += " WHEN \(deparse(branch.condition)) THEN \(deparse(branch.result))"
            }
            if let otherwise { text += " ELSE " + deparse(otherwise) }
            return text + " END"
        case .coalesce(let operands, _): return "COALESCE(\(joined(operands)))"
        case .minMax(let isGreatest, let operands, _):
            return "\(isGreatest ? "GREATEST" : "LEAST")(\(joined(operands)))"
        case .row(let fields, _, _): return "ROW(\(joined(fields)))"
        case .array(let elements, _): return "ARRAY[\(joined(elements))]"
        case .indirection(let base, let path):
            var text = "(\(deparse(base)))"
            for step in path {
                switch step {
                case .field(let name): text += "." + Self.quoted(name)
                case .star: text += ".*"
                case .element(let index): text += "[\(deparse(index))]"
                case .slice(let lower, let upper):
                    text +=
                        "[\(lower.map { deparse($0) } ?? ""):\(upper.map { deparse($0) } ?? "")]"
                }
            }
            return text
        case .valueFunction(let function, let modifier, _):
            return Self.valueFunction(function) + (modifier >= 0 ? "(\(modifier))" : "")
        case .setToDefault: return "DEFAULT"
        default: return "NULL"
        }
    }

    private static func needsParentheses(_ expression: AST.Expression) -> Bool {
        switch expression {
        case .constant(.integer(let value), _): return value < 0
        case .constant(.number(let text), _): return text.utf8.first == 0x2D
        case .constant, .column, .function, .cast, .parameter: return false
        default: return true
        }
    }

    private func joined(_ expressions: [AST.Expression]) -> String {
        expressions.map { deparse($0) }.joined(separator: ", ")
    }

    private func functionText(_ call: AST.FunctionCall) -> String {
        let name = call.name.parts.map { Self.quoted($0) }.joined(separator: ".")
        if call.isStar { return "\(name)(*)" }
        var arguments: [String] = []
        for (index, argument) in call.arguments.enumerated() {
            var text = deparse(argument)
            if index == 0, let relationName, Self.sequenceFunctions.contains(call.name.last),
                case .constant(.string(let name), _) = argument
            {
                text = Self.literal(.string(relationName(name) ?? name))
            }
            if index < call.argumentNames.count, let label = call.argumentNames[index] {
                text = "\(Self.quoted(label)) => \(text)"
            }
            if call.isVariadic, index == call.arguments.count - 1 { text = "VARIADIC " + text }
            arguments.append(text)
        }
        return "\(name)(\(arguments.joined(separator: ", ")))"
    }

    private static let sequenceFunctions = ["nextval", "currval", "setval"]

    private static func operatorText(_ name: AST.Name) -> String {
        name.parts.count > 1
            ? "OPERATOR(\(name.parts.dropLast().map { Self.quoted($0) }.joined(separator: ".")).\(name.last))"
            : name.last
    }

    private static func typeText(_ type: AST.TypeName) -> String {
        if let resolved = try? TypeNames.resolve(type) { return TypeNames.text(resolved) }
        return type.name.parts.map { Self.quoted($0) }.joined(separator: ".")
    }

    private static func valueFunction(_ function: AST.ValueFunction) -> String {
        switch function {
        case .currentDate: return "CURRENT_DATE"
        case .currentTime: return "CURRENT_TIME"
        case .currentTimestamp: return "CURRENT_TIMESTAMP"
        case .localTime: return "LOCALTIME"
        case .localTimestamp: return "LOCALTIMESTAMP"
        case .currentRole: return "CURRENT_ROLE"
        case .currentUser: return "CURRENT_USER"
        case .user: return "USER"
        case .sessionUser: return "SESSION_USER"
        case .currentCatalog: return "CURRENT_CATALOG"
        case .currentSchema: return "CURRENT_SCHEMA"
        }
    }

    private static func literal(_ constant: AST.Constant) -> String {
        switch constant {
        case .null: return "NULL"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return value < 0 ? "(\(value))" : String(value)
        case .number(let text): return text
        case .string(let text):
            var out = "'"
            var hasBackslash = false
            for scalar in text.unicodeScalars {
                if scalar == "'" {
                    out += "''"
                } else if scalar == "\\" {
                    out += "\\\\"
                    hasBackslash = true
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
            return (hasBackslash ? "E" : "") + out + "'"
        case .bits(let text): return "\(text.prefix(1))'\(text.dropFirst())'"
        }
    }

    /// An identifier, quoted unless it is plain lower case.
    static func quoted(_ name: String) -> String {
        var isPlain = !name.isEmpty
        for (index, byte) in name.utf8.enumerated() {
            let isLetter = byte &- 0x61 < 26 || byte == 0x5F
            if !isLetter, index == 0 || byte &- 0x30 >= 10 { isPlain = false }
        }
        if isPlain, !reserved.contains(name) { return name }
        var out = "\""
        for character in name {
            out.append(character)
            if character == "\"" { out.append("\"") }
        }
        return out + "\""
    }

    /// Words that cannot name a column without quotes.
    private static let reserved: Set<String> = [
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both",
        "case", "cast", "check", "collate", "column", "constraint", "create", "current_date",
        "current_role", "current_time", "current_timestamp", "current_user", "default",
        "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for",
        "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
        "lateral", "leading", "limit", "localtime", "localtimestamp", "not", "null", "offset",
        "on", "only", "or", "order", "placing", "primary", "references", "returning", "select",
        "session_user", "some", "symmetric", "table", "then", "to", "trailing", "true", "union",
        "unique", "user", "using", "variadic", "when", "where", "window", "with",
    ]
}
