import CPgQuery
import FalconSchema
import Glibc

/// SQL text to syntax trees, by PostgreSQL's own grammar (libpg_query).
public enum SQLParser {
    /// Longest text parsed on the caller's own stack.
    private static let inlineBytes = 64 << 10
    /// Deepest possible tree parsed on the caller's own stack.
    private static let inlineDepth = 400
    /// Deepest expression the catalog stores: whoever reads its table binds it on their own stack.
    private static let greatestStoredDepth = 400
    /// Deepest possible tree (``ComplexityGuard/depthBound``) handed to the grammar at all.
    private static let greatestDepth = 120_000
    private static let cache = StatementCache(generationSize: 1024)
    private static let cachedBytes = 8 << 10

    /// All statements of `sql`; empty for blank text. Recently seen texts come from a cache.
    /// Errors: 42601 with PostgreSQL's message and position, 54001 beyond the nesting limit.
    public static func parse(_ sql: String) throws(SQLError) -> [AST.ParsedStatement] {
        let isCached = sql.utf8.count <= cachedBytes
        if isCached, let found = cache.lookup(sql) { return found }
        let statements = try parseUncached(sql)
        if isCached { cache.store(sql, statements) }
        return statements
    }

    static func parseUncached(_ sql: String) throws(SQLError) -> [AST.ParsedStatement] {
        var text = sql
        var result: Result<[AST.ParsedStatement], SQLError> = .success([])
        text.withUTF8 { bytes in
            let complexity = ComplexityGuard(bytes)
            if complexity.depthBound > greatestDepth {
                result = .failure(tooDeep)
                return
            }
            if bytes.contains(0) {
                result = .failure(
                    SQLError(
                        .characterNotInRepertoire,
                        "invalid byte sequence for encoding \"UTF8\": 0x00"))
                return
            }
            let isSmall = bytes.count <= inlineBytes && complexity.depthBound <= inlineDepth
            if isSmall, !LargeStack.isTransient {
                result = run(bytes)
            } else if !ParserThreads.shared.run({ result = run(bytes) }) {
                result = .failure(SQLError(.outOfMemory, "out of memory"))
            }
            if !complexity.longIdentifiers.isEmpty, case .success(var statements) = result,
                !statements.isEmpty
            {
                statements[0].longIdentifiers = complexity.longIdentifiers.map {
                    Self.identifier(bytes[$0])
                }
                result = .success(statements)
            }
        }
        return try result.get()
    }

    /// An identifier as its bytes in a statement say: folded to lower case unless it is quoted.
    private static func identifier(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        guard bytes.first == 0x22 else {
            return String(
                decoding: bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
        }
        var result: [UInt8] = []
        var wasQuote = false
        for byte in bytes.dropFirst().dropLast() {
            if byte == 0x22, !wasQuote {
                wasQuote = true
                continue
            }
            wasQuote = false
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    static var tooDeep: SQLError {
        SQLError(
            .statementTooComplex, "stack depth limit exceeded",
            hint: "The statement nests expressions or queries too deeply.")
    }

    private static func run(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Result<[AST.ParsedStatement], SQLError> {
        // The grammar wants a C string; a Swift string's bytes need not end in zero.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            guard let base = buffer.baseAddress else { return .failure(tooDeep) }
            if let source = bytes.baseAddress { memcpy(base, source, bytes.count) }
            base[bytes.count] = 0
            let parsed = pg_query_parse(base)
            defer { pg_query_free_parse_result(parsed) }
            if let error = parsed.error {
                return .failure(syntaxError(error.pointee, in: bytes))
            }
            guard let tree = parsed.parse_tree else { return .failure(malformed) }
            let length = strlen(tree)
            return tree.withMemoryRebound(to: UInt8.self, capacity: length) { json in
                guard let tape = JSONTape(bytes: json, count: length) else {
                    return .failure(malformed)
                }
                do throws(SQLError) {
                    var reader = TreeReader(source: bytes)
                    return .success(try reader.statements(tape.root))
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    static var malformed: SQLError {
        SQLError(.internalError, "the parser produced an unreadable tree")
    }

    private static func syntaxError(
        _ error: PgQueryError, in sql: UnsafeBufferPointer<UInt8>
    ) -> SQLError {
        var message = error.message.map { String(cString: $0) } ?? "syntax error"
        if message.hasPrefix(trailingJunk), error.cursorpos > 0 {
            // The parser stops at the first character of it; PostgreSQL shows the word.
            let text = String(decoding: sql, as: UTF8.self)
            let word = text.unicodeScalars.dropFirst(Int(error.cursorpos) - 1).prefix {
                $0 == "_" || $0 == "." || $0.value >= 0x80
                    || $0.properties.isAlphabetic || ("0"..."9").contains($0)
            }
            message = trailingJunk + " at or near \"\(String(word))\""
        }
        var result = SQLError(state(of: message), message)
        if message.hasSuffix("in FROM must have an alias") {
            let form = message.hasPrefix("VALUES") ? "VALUES" : "SELECT"
            result.hint = "For example, FROM (\(form) ...) [AS] foo."
        }
        if message.hasPrefix("memory exhausted") {
            return tooDeep
        }
        if error.cursorpos > 0 { result.position = Int(error.cursorpos) }
        if message == "invalid Unicode escape" {
            // The library keeps PostgreSQL's hint to itself; U& literals fail in another place.
            let isPlain = error.funcname.map { String(cString: $0) } == "core_yylex"
            result.hint =
                isPlain
                ? "Unicode escapes must be \\uXXXX or \\UXXXXXXXX."
                : "Unicode escapes must be \\XXXX or \\+XXXXXX."
            if !isPlain { result.state = .syntaxError }
        }
        return result
    }

    private static let trailingJunk = "trailing junk after numeric literal"

    /// libpg_query gives no SQLSTATE; nearly all of its errors are syntax errors.
    private static func state(of message: String) -> SQLState {
        if message.contains("not yet supported") || message.contains("not implemented")
            || message.contains("is not supported")
        {
            return .featureNotSupported
        }
        if message == "invalid Unicode escape" { return SQLState("22025") }
        if message.contains("invalid byte sequence") {
            return .characterNotInRepertoire
        }
        return .syntaxError
    }

    /// A lone expression, as the catalog stores defaults and checks.
    public static func parseExpression(_ sql: String) throws(SQLError) -> AST.Expression {
        let statements = try parse("SELECT " + sql)
        if statements.contains(where: { $0.depth > greatestStoredDepth }) { throw tooDeep }
        if case .select(let select)? = statements.first?.statement, statements.count == 1,
            case .core(let core) = select.body, let item = core.items.first, core.items.count == 1,
            core.from.isEmpty
        {
            return item.expression
        }
        throw SQLError(.syntaxError, "not an expression: \(sql)")
    }
}
