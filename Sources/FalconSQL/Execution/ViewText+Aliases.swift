import FalconSchema

/// Column aliases: a relation's columns keep the names that they had, whatever they are called now.
extension ViewText {
    /// The edits that give the columns of `relation`, wherever it is read, the names that they have there, or
    /// those that `columns` says (nil: left as it is); nil: the text has a form that this cannot be told
    /// in.
    static func keepingNames(
        of relation: OID, _ names: NamedReferences, in bytes: [UInt8],
        columns: (NamedReferences.Table) -> [String]? = { $0.columns }
    ) -> [Edit]? {
        var edits: [Edit] = []
        for table in names.tables where table.oid == relation {
            guard let columns = columns(table) else { continue }
            guard let path = pathRange(bytes, table.name.location),
                let end = aliasEnd(bytes, path, table.name.alias)
            else { return nil }
            let alias = table.name.alias?.name ?? table.name.name
            let list = columns.map { ExpressionDeparser.quoted($0) }.joined(separator: ", ")
            let written = String(decoding: bytes[path], as: UTF8.self)
            edits.append(
                (
                    path.lowerBound..<end,
                    written + Self.alias(alias) + (list.isEmpty ? "" : " (" + list + ")")
                ))
        }
        return edits
    }

    /// Where the alias of a relation, whose name is at `path`, ends, with its columns; nil: it is not found.
    private static func aliasEnd(
        _ bytes: [UInt8], _ path: Range<Int>, _ alias: AST.Alias?
    ) -> Int? {
        guard let alias else { return path.upperBound }
        var begin = afterSpaces(bytes, path.upperBound)
        guard var end = partEnd(bytes, begin) else { return nil }
        if bytes[begin..<end].map({ $0 | 0x20 }) == Array("as".utf8) {
            begin = afterSpaces(bytes, end)
            guard let following = partEnd(bytes, begin) else { return nil }
            end = following
        }
        if alias.columns.isEmpty { return end }
        let open = afterSpaces(bytes, end)
        guard open < bytes.count, bytes[open] == UInt8(ascii: "(") else { return nil }
        var index = open + 1
        var isQuoted = false
        while index < bytes.count {
            if bytes[index] == 0x22 { isQuoted.toggle() }
            if bytes[index] == UInt8(ascii: ")"), !isQuoted { return index + 1 }
            index += 1
        }
        return nil
    }

    /// The place of `word`, in small letters, right before the relation at `offset`, an ONLY aside.
    static func wordBefore(_ bytes: [UInt8], _ offset: Int, _ word: String) -> Range<Int>? {
        last(word, before: relationStart(bytes, offset), in: bytes)
    }

    /// Where the relation whose name is at `offset` begins: at its ONLY, if there is one.
    private static func relationStart(_ bytes: [UInt8], _ offset: Int) -> Int {
        let open = beforeSpaces(bytes, offset)
        let isOpen = open > 0 && bytes[open - 1] == UInt8(ascii: "(")
        return last("only", before: isOpen ? open - 1 : offset, in: bytes)?.lowerBound ?? offset
    }

    private static func beforeSpaces(_ bytes: [UInt8], _ offset: Int) -> Int {
        var end = min(max(offset, 0), bytes.count)
        while end > 0, bytes[end - 1] <= 0x20 { end -= 1 }
        return end
    }

    private static func last(
        _ word: String, before offset: Int, in bytes: [UInt8]
    ) -> Range<Int>? {
        let end = beforeSpaces(bytes, offset)
        let begin = end - word.utf8.count
        guard begin >= 0, bytes[begin..<end].map({ $0 | 0x20 }) == Array(word.utf8),
            begin == 0 || !isNamePart(bytes[begin - 1])
        else { return nil }
        return begin..<end
    }

    // MARK: NATURAL

    /// The edits that name the columns which a NATURAL join compares: others come to both sides later.
    static func settling(_ join: NamedReferences.Natural, in bytes: [UInt8], shift: Int) -> [Edit] {
        let offset = join.right.location - shift
        guard let path = pathRange(bytes, offset),
            let end = aliasEnd(bytes, path, join.right.alias),
            let word = naturalWord(bytes, before: relationStart(bytes, path.lowerBound))
        else { return [] }
        let names = join.columns.map { ExpressionDeparser.quoted($0) }
        let condition =
            names.isEmpty ? " ON true" : " USING (" + names.joined(separator: ", ") + ")"
        return [(word, ""), (end..<end, condition)]
    }

    private static func naturalWord(_ bytes: [UInt8], before offset: Int) -> Range<Int>? {
        guard var place = last("join", before: offset, in: bytes)?.lowerBound else { return nil }
        if let outer = last("outer", before: place, in: bytes) { place = outer.lowerBound }
        for kind in ["inner", "left", "right", "full"] {
            if let found = last(kind, before: place, in: bytes) {
                place = found.lowerBound
                break
            }
        }
        return last("natural", before: place, in: bytes)
    }
}
