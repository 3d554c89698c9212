/// The text of a view's query, cut from its CREATE VIEW: what the catalog stores.
enum ViewText {
    /// The edits that put other text in the place of literals, by their offsets.
    static func edits(_ literals: [Int: String], in bytes: [UInt8]) -> [Edit] {
        literals.compactMap { offset, text in
            guard let end = literalEnd(bytes, offset) else { return nil }
            let quoted =
                "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "''") + "'"
            return (offset..<end, quoted)
        }
    }

    /// Where the plain or E'' literal at `offset` ends; nil for any other kind.
    private static func literalEnd(_ bytes: [UInt8], _ offset: Int) -> Int? {
        guard bytes.indices.contains(offset) else { return nil }
        var index = offset
        let escapes = bytes[index] | 0x20 == 0x65
        if escapes { index += 1 }
        guard index < bytes.count, bytes[index] == 0x27 else { return nil }
        index += 1
        while index < bytes.count {
            if escapes, bytes[index] == 0x5C {
                index += 2
            } else if bytes[index] != 0x27 {
                index += 1
            } else if index + 1 < bytes.count, bytes[index + 1] == 0x27 {
                index += 2
            } else {
                return index + 1
            }
        }
        return nil
    }

    /// Without blanks, semicolons and WITH … CHECK OPTION at its end.
    private static func withoutCheckOption(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            var rest = bytes
            while let last = rest.last, last <= 0x20 || last == 0x3B { rest.removeLast() }
            return rest
        }
        func without(_ word: String, _ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
            let rest = trimmed(bytes)
            guard rest.suffix(word.utf8.count).map({ $0 | 0x20 }) == Array(word.utf8) else {
                return nil
            }
            return rest.dropLast(word.utf8.count)
        }
        let all = trimmed(bytes)
        guard let option = without("option", all), let check = without("check", option) else {
            return all
        }
        let scope = without("cascaded", check) ?? without("local", check) ?? check
        return without("with", scope).map { trimmed($0) } ?? all
    }

    /// What follows the first AS outside parentheses and quotes, up to the statement's end.
    static func query(of bytes: [UInt8]) -> String? {
        var depth = 0
        var quote: UInt8?
        var word: [UInt8] = []
        var sawView = false
        for (index, byte) in bytes.enumerated() {
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            let isWord =
                byte == 0x5F || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte) || byte >= 0x80
            if isWord {
                word.append(byte | 0x20)
                continue
            }
            if depth == 0 {
                if word == Array("view".utf8) { sawView = true }
                if sawView, word == Array("as".utf8) {
                    return String(decoding: withoutCheckOption(bytes[index...]), as: UTF8.self)
                }
            }
            word = []
            switch byte {
            case 0x22, 0x27: quote = byte
            case 0x28: depth += 1
            case 0x29: depth -= 1
            default: break
            }
        }
        return nil
    }
}
