import FalconSchema

/// The names in the text of a view's query.
extension ViewText {
    /// Other text for a part of a text.
    typealias Edit = (range: Range<Int>, text: String)

    /// What becomes of the names.
    struct Naming {
        /// The path of a relation, and the alias that it needs when it has none; nil: left as it is.
        var table: (NamedReferences.Table) -> String?
        /// The new name of a table's column; nil: the one it has.
        var column: (RangeColumn) -> String? = { _ in nil }
    }

    /// Relations with their schemas, columns with their relations, stars as the columns they stand for: so
    /// the text means the same under any search path, and when columns and relations are added.
    static func settled(_ table: NamedReferences.Table) -> String? {
        table.isSystem ? nil : path(table.schema, table.name.name)
    }

    /// A relation's name with its schema.
    static func path(_ schema: String, _ name: String) -> String {
        ExpressionDeparser.quoted(schema) + "." + ExpressionDeparser.quoted(name)
    }

    /// `bytes` with the edits, which do not overlap.
    static func applying(_ edits: [Edit], to bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            result.replaceSubrange(edit.range, with: Array(edit.text.utf8))
        }
        return result
    }

    /// The edits that give `names`, found in `bytes` with locations greater by `shift`, their new text.
    static func edits(
        _ names: NamedReferences, _ naming: Naming, in bytes: [UInt8], shift: Int = 0
    ) -> [Edit] {
        var edits: [Int: Edit] = [:]
        func put(_ text: String, at location: Int) {
            if let range = pathRange(bytes, location - shift) {
                edits[range.lowerBound] = (range, text)
            }
        }
        for table in names.tables {
            if let text = naming.table(table) { put(text, at: table.name.location) }
        }
        for (location, column) in names.columns where names.stars[location] == nil {
            let new = naming.column(column.column)
            guard let text = reference(column, new) else { continue }
            let keepsName = new != nil && names.namingItems.contains(location)
            put(keepsName ? text + alias(column.column.name) : text, at: location)
        }
        for (location, columns) in names.stars {
            if let text = list(columns, naming) { put(text, at: location) }
        }
        for (location, columns) in names.tableCommands {
            guard let text = list(columns, naming),
                let word = wordBefore(bytes, location - shift, "table")
            else { continue }
            edits[word.lowerBound] = (word, "SELECT \(text) FROM")
        }
        return Array(edits.values)
            + names.naturals.flatMap { settling($0, in: bytes, shift: shift) }
    }

    static func alias(_ name: String) -> String { " AS " + ExpressionDeparser.quoted(name) }

    /// Nil: it is left as it is written.
    private static func reference(_ column: NamedReferences.Column, _ new: String?) -> String? {
        let name = ExpressionDeparser.quoted(new ?? column.column.name)
        guard let qualifier = column.qualifier else { return new == nil ? nil : name }
        return ExpressionDeparser.quoted(qualifier) + "." + name
    }

    /// What a star stands for; nil when its columns cannot be told apart by their names.
    private static func list(_ columns: [NamedReferences.Column], _ naming: Naming) -> String? {
        var texts: [String] = []
        for column in columns {
            let new = naming.column(column.column)
            let text = reference(column, new) ?? ExpressionDeparser.quoted(column.column.name)
            if texts.contains(text) { return nil }
            texts.append(new == nil ? text : text + alias(column.column.name))
        }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    /// The names joined by dots that begin at `offset`, a star among them; nil when none does.
    static func pathRange(_ bytes: [UInt8], _ offset: Int) -> Range<Int>? {
        guard offset >= 0, var end = partEnd(bytes, offset) else { return nil }
        while true {
            var next = afterSpaces(bytes, end)
            guard next < bytes.count, bytes[next] == UInt8(ascii: ".") else { return offset..<end }
            next = afterSpaces(bytes, next + 1)
            guard let following = partEnd(bytes, next) else { return offset..<end }
            end = following
        }
    }

    static func afterSpaces(_ bytes: [UInt8], _ offset: Int) -> Int {
        var index = offset
        while index < bytes.count, bytes[index] == 0x20 || (0x09...0x0D).contains(bytes[index]) {
            index += 1
        }
        return index
    }

    /// Where the identifier or star at `offset` ends.
    static func partEnd(_ bytes: [UInt8], _ offset: Int) -> Int? {
        guard offset < bytes.count else { return nil }
        if bytes[offset] == UInt8(ascii: "*") { return offset + 1 }
        var index = offset
        if bytes[index] == 0x22 {
            index += 1
            while index < bytes.count {
                guard bytes[index] == 0x22 else {
                    index += 1
                    continue
                }
                if index + 1 < bytes.count, bytes[index + 1] == 0x22 {
                    index += 2
                } else {
                    return index + 1
                }
            }
            return nil
        }
        while index < bytes.count, isNamePart(bytes[index]) { index += 1 }
        // The quote of U&"…": an identifier written with escapes.
        let isEscaped =
            index == offset + 1 && bytes[offset] | 0x20 == UInt8(ascii: "u") && index < bytes.count
            && bytes[index] == UInt8(ascii: "&")
        return index > offset && !isEscaped ? index : nil
    }

    static func isNamePart(_ byte: UInt8) -> Bool {
        byte == 0x5F || byte == 0x24 || byte >= 0x80 || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
