import FalconSchema

/// Identifiers as SQL text.
enum Identifier {
    /// With double quotes where PostgreSQL's quote_ident puts them (keywords aside).
    static func quoted(_ name: String) -> String {
        let isPlain =
            name.utf8.first.map { $0 == 0x5F || (0x61...0x7A).contains($0) } ?? false
        let rest = name.utf8.allSatisfy {
            $0 == 0x5F || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
        }
        if isPlain, rest { return name }
        var text = "\""
        for character in name {
            if character == "\"" { text.append("\"") }
            text.append(character)
        }
        return text + "\""
    }

    /// The parts of a possibly qualified, possibly quoted name, unquoted ones in lower case; nil when it is
    /// no name. Between the parts there may be spaces.
    static func parse(_ text: String) -> [String]? {
        var rest = Array(text.utf8)[...]
        var parts: [String] = []
        repeat {
            skipSpaces(&rest)
            guard let part = rest.first == quote ? quotedPart(&rest) : plainPart(&rest) else {
                return nil
            }
            parts.append(TypeIO.clippedName(String(decoding: part, as: UTF8.self)))
            skipSpaces(&rest)
        } while rest.popFirst(dot)
        return rest.isEmpty ? parts : nil
    }

    private static let quote = UInt8(ascii: "\"")
    private static let dot = UInt8(ascii: ".")

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0A).contains(byte) || (0x0C...0x0D).contains(byte)
    }

    private static func skipSpaces(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop(while: isSpace)
    }

    /// What is between the quotes, doubled ones once; nil without an end.
    private static func quotedPart(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var part: [UInt8] = []
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == quote, !rest.popFirst(quote) { return part }
            part.append(byte)
        }
        return nil
    }

    private static func plainPart(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let part = rest.prefix { $0 != dot && !isSpace($0) }
        rest = rest.dropFirst(part.count)
        return part.isEmpty ? nil : part.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}

extension ArraySlice<UInt8> {
    /// Takes the first byte when it is `byte`; whether it was.
    fileprivate mutating func popFirst(_ byte: UInt8) -> Bool {
        guard first == byte else { return false }
        removeFirst()
        return true
    }
}
