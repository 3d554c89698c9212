import FalconSchema

/// libpg_query's JSON tree to ``AST``.
struct TreeReader {
    /// The statement's text: libpg_query's JSON has no negative integers (they print as absent, like
    /// zero), so those are read from where they stand.
    let source: UnsafeBufferPointer<UInt8>
    var textLength: Int { source.count }
    private var depth = 0
    /// The deepest level there was in the current statement.
    private var reachedDepth = 0
    private var greatestDepth = Self.greatestPlannedDepth
    /// Deepest tree of what runs on a large stack.
    private static let greatestPlannedDepth = 10_000
    /// Deepest tree of any other statement: what DDL stores is read by others on their own stacks.
    private static let greatestOtherDepth = 400
    private static let plannedTags: Set<String> = [
        "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "ExplainStmt", "PrepareStmt",
        "MergeStmt", "DeclareCursorStmt", "CopyStmt", "CreateTableAsStmt",
    ]

    init(source: UnsafeBufferPointer<UInt8>) { self.source = source }

    /// The value of an integer node that the tree shows as absent: 0, or negative when the text at
    /// `location` (past option words) begins with a minus.
    func absentInteger(at location: Int, skippingWords: Bool = false) -> Int {
        var index = location
        var isNegative = false
        guard index >= 0 else { return 0 }
        while index < source.count {
            let byte = source[index]
            let next = index + 1 < source.count ? source[index + 1] : 0
            if byte == 0x2D, next == 0x2D {
                while index < source.count, source[index] != 0x0A { index += 1 }
            } else if byte == 0x2F, next == 0x2A {
                index += 2
                while index + 1 < source.count,
                    !(source[index] == 0x2A && source[index + 1] == 0x2F)
                {
                    index += 1
                }
                index += 2
            } else if byte == 0x2D {
                isNegative = true
                index += 1
            } else if byte <= 0x20 || byte == 0x28 || byte == 0x3D {
                index += 1
            } else if skippingWords, !isNegative, (byte | 0x20) &- 0x61 < 26 || byte == 0x5F {
                index += 1
            } else {
                break
            }
        }
        guard isNegative else { return 0 }
        var magnitude = 0
        while index < source.count, source[index] &- 0x30 <= 9, magnitude < 1 << 40 {
            magnitude = magnitude * 10 + Int(source[index] &- 0x30)
            index += 1
        }
        return -magnitude
    }

    /// Bounds recursion: call around each level.
    mutating func nested<T>(_ body: (inout TreeReader) throws(SQLError) -> T) throws(SQLError) -> T
    {
        guard depth < greatestDepth else { throw SQLParser.tooDeep }
        depth += 1
        reachedDepth = max(reachedDepth, depth)
        defer { depth -= 1 }
        return try body(&self)
    }

    mutating func statements(_ root: JSONNode) throws(SQLError) -> [AST.ParsedStatement] {
        var result: [AST.ParsedStatement] = []
        guard let list = root["stmts"] else { return result }
        for raw in list.elements {
            guard let node = raw["stmt"] else { continue }
            let offset = raw["stmt_location"]?.int ?? 0
            let length = raw["stmt_len"]?.int ?? 0
            let isPlanned = node.tagged.map { Self.plannedTags.contains($0.tag) } ?? false
            greatestDepth = isPlanned ? Self.greatestPlannedDepth : Self.greatestOtherDepth
            reachedDepth = 0
            let tree = try statement(node)
            result.append(
                AST.ParsedStatement(
                    statement: tree, textOffset: offset,
                    textLength: length > 0 ? length : max(0, textLength - offset),
                    depth: reachedDepth))
        }
        return result
    }

    // MARK: Small parts

    func location(_ node: JSONNode) -> Int { node["location"]?.int ?? 0 }

    func string(_ node: JSONNode, _ name: StaticString) -> String? { node[name]?.string }

    func flag(_ node: JSONNode, _ name: StaticString) -> Bool { node[name]?.bool ?? false }

    /// The text of a `{"String": {"sval": …}}`.
    func stringValue(_ node: JSONNode) -> String? {
        guard let inner = node.tagged, inner.hasTag("String") else { return nil }
        return inner["sval"]?.string ?? ""
    }

    func strings(_ node: JSONNode?) -> [String] {
        guard let node else { return [] }
        var result: [String] = []
        for element in node.elements {
            if let text = stringValue(element) { result.append(text) }
        }
        return result
    }

    func name(_ node: JSONNode?) -> AST.Name { AST.Name(strings(node)) }

    /// The items of a `{"List": {"items": […]}}`, or of a bare array.
    func items(_ node: JSONNode) -> JSONNode.Elements {
        if let inner = node.tagged, inner.hasTag("List") {
            if let items = inner["items"] { return items.elements }
            return inner.elements
        }
        return node.elements
    }

    func alias(_ node: JSONNode?) -> AST.Alias? {
        guard let node, let name = string(node, "aliasname") else { return nil }
        return AST.Alias(name: name, columns: strings(node["colnames"]))
    }

    /// A bare RangeVar (not wrapped in its tag).
    func tableName(_ node: JSONNode) -> AST.TableName {
        let persistence = node["relpersistence"]
        return AST.TableName(
            catalog: string(node, "catalogname"), schema: string(node, "schemaname"),
            name: string(node, "relname") ?? "", alias: alias(node["alias"]),
            isOnly: !flag(node, "inh"), isTemporary: persistence?.equals("t") ?? false,
            isUnlogged: persistence?.equals("u") ?? false, location: location(node))
    }

    /// A list of wrapped RangeVars.
    func tableNames(_ node: JSONNode?) -> [AST.TableName] {
        guard let node else { return [] }
        var result: [AST.TableName] = []
        for element in node.elements {
            if let inner = element.tagged, inner.hasTag("RangeVar") {
                result.append(tableName(inner))
            }
        }
        return result
    }

    mutating func typeName(_ node: JSONNode) throws(SQLError) -> AST.TypeName {
        var modifiers: [AST.Expression] = []
        if let list = node["typmods"] {
            for element in list.elements { modifiers.append(try expression(element)) }
        }
        var dimensions = 0
        if let bounds = node["arrayBounds"] {
            for _ in bounds.elements { dimensions += 1 }
        }
        if flag(node, "pct_type") { throw unsupported("%TYPE references") }
        return AST.TypeName(
            name: name(node["names"]), modifiers: modifiers, arrayDimensions: dimensions,
            isSetOf: flag(node, "setof"), location: location(node))
    }

    mutating func options(_ node: JSONNode?) throws(SQLError) -> [AST.Option] {
        guard let node else { return [] }
        var result: [AST.Option] = []
        for element in node.elements {
            guard let inner = element.tagged, inner.hasTag("DefElem") else { continue }
            result.append(
                AST.Option(
                    namespace: string(inner, "defnamespace"),
                    name: string(inner, "defname") ?? "",
                    value: try inner["arg"].flatMapThrowing(&self, location(inner)),
                    location: location(inner)))
        }
        return result
    }

    mutating func optionValue(
        _ node: JSONNode, _ location: Int
    ) throws(SQLError) -> AST.Option.Value? {
        guard let inner = node.tagged else { return nil }
        if inner.hasTag("String") { return .string(inner["sval"]?.string ?? "") }
        if inner.hasTag("Integer") {
            let value = inner["ival"]?.int ?? absentInteger(at: location, skippingWords: true)
            return .integer(Int64(value))
        }
        if inner.hasTag("Float") { return .number(inner["fval"]?.string ?? "0") }
        if inner.hasTag("Boolean") { return .bool(flag(inner, "boolval")) }
        if inner.hasTag("A_Star") { return .star }
        if inner.hasTag("TypeName") { return .type(try typeName(inner)) }
        if inner.hasTag("List") { return .names(strings(inner["items"])) }
        if inner.hasTag("A_Const") {
            switch constant(inner) {
            case .integer(let value): return .integer(Int64(value))
            case .number(let text): return .number(text)
            case .string(let text), .bits(let text): return .string(text)
            case .bool(let flag): return .bool(flag)
            case .null: return nil
            }
        }
        return nil
    }

    func unsupported(_ what: String) -> SQLError {
        SQLError(.featureNotSupported, "\(what) is not supported")
    }
}

extension Optional where Wrapped == JSONNode {
    fileprivate func flatMapThrowing(
        _ reader: inout TreeReader, _ location: Int
    ) throws(SQLError) -> AST.Option.Value? {
        guard let self else { return nil }
        return try reader.optionValue(self, location)
    }
}
