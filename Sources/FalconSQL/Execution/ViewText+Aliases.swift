import FalconSchema

/// Column aliases: a relation's columns keep the names that they had, whatever they are called now.
extension ViewText {
    /// The edits that give the columns of `relation`, wherever it is read, the names that they have there; nil:
    /// the text has a form that this cannot be told in.
    static func keepingNames(
        of relation: OID, _ names: NamedReferences, in bytes: [UInt8]
    ) -> [Edit]? {
        var edits: [Edit] = []
        for table in names.tables where table.oid == relation {
            guard let path = pathRange(bytes, table.name.location),
                let end = aliasEnd(bytes, path, table.name.alias)
            else { return nil }
            let alias = table.name.alias?.name ?? table.name.name
            let columns = table.columns.map { ExpressionDeparser.quoted($0) }
            let written = String(decoding: bytes[path], as: UTF8.self)
            edits.append(
                (
                    path.lowerBound..<end,
                    written + Self.alias(alias) + " (" + columns.joined(separator: ", ") + ")"
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

    /// The place of `word`, in small letters, right before the name at `offset`, an ONLY aside.
    static func wordBefore(_ bytes: [UInt8], _ offset: Int, _ word: String) -> Range<Int>? {
        func last(_ word: String, before offset: Int) -> Range<Int>? {
            var end = offset
            while end > 0, bytes[end - 1] <= 0x20 || bytes[end - 1] == UInt8(ascii: "(") { end -= 1 }
            let begin = end - word.utf8.count
            guard begin >= 0, bytes[begin..<end].map({ $0 | 0x20 }) == Array(word.utf8),
                begin == 0 || !isNamePart(bytes[begin - 1])
            else { return nil }
            return begin..<end
        }
        guard offset >= 0, offset <= bytes.count else { return nil }
        if word != "only", let only = last("only", before: offset) {
            return last(word, before: only.lowerBound)
        }
        return last(word, before: offset)
    }
}
