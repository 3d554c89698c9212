/// A lexical pass over statement text that bounds how deep its parse can go, before any recursive
/// code sees it: libpg_query's stack checks are off, and deep nesting crashes it.
///
/// Every token since the last comma, at each open bracket level, may have made the tree one deeper;
/// the sum over the open levels therefore bounds the depth of the tree at that point.
struct ComplexityGuard {
    /// An upper bound on the depth of the parse tree.
    private(set) var depthBound = 0
    /// Deepest nesting of brackets.
    private(set) var nesting = 0
    /// Where identifiers are that are longer than names may be.
    private(set) var longIdentifiers: [Range<Int>] = []

    init(_ text: UnsafeBufferPointer<UInt8>) {
        var chains: [Int] = []
        var chain = 0
        var enclosing = 0
        var index = 0
        let count = text.count
        func isWord(_ byte: UInt8) -> Bool {
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F || byte >= 0x80
                || byte == 0x24
        }
        while index < count {
            let byte = text[index]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D, 0x0C:
                index += 1
            case 0x27:  // '…', with '' inside; E'' escapes are handled by the prefix below
                let escapes = index > 0 && (text[index - 1] | 0x20) == 0x65
                index = Self.skipQuoted(text, from: index + 1, quote: byte, escapes: escapes)
                chain += 1
            case 0x22:
                let start = index
                index = Self.skipQuoted(text, from: index + 1, quote: byte, escapes: false)
                if index - start > 65 { longIdentifiers.append(start..<index) }
                chain += 1
            case 0x2D where index + 1 < count && text[index + 1] == 0x2D:
                while index < count, text[index] != 0x0A, text[index] != 0x0D { index += 1 }
            case 0x2F where index + 1 < count && text[index + 1] == 0x2A:
                index = Self.skipComment(text, from: index + 2)
            case 0x24:
                if let end = Self.skipDollarQuoted(text, from: index) {
                    index = end
                } else {
                    index += 1
                }
                chain += 1
            case 0x28, 0x5B:
                chains.append(chain)
                enclosing += chain + 1
                chain = 0
                nesting = max(nesting, chains.count)
                index += 1
            case 0x29, 0x5D:
                if let outer = chains.popLast() {
                    enclosing -= outer + 1
                    chain = outer + 1
                }
                index += 1
            case 0x2C, 0x3B:
                if byte == 0x3B {
                    chains.removeAll(keepingCapacity: true)
                    enclosing = 0
                }
                chain = 0
                index += 1
            case _ where isWord(byte):
                let start = index
                while index < count, isWord(text[index]) { index += 1 }
                if index - start > 63, byte &- 0x30 >= 10 { longIdentifiers.append(start..<index) }
                chain += 1
            default:
                chain += 1
                index += 1
            }
            if enclosing + chain > depthBound { depthBound = enclosing + chain }
        }
    }

    private static func skipQuoted(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int, quote: UInt8, escapes: Bool
    ) -> Int {
        var index = start
        while index < text.count {
            if escapes, text[index] == 0x5C {
                index += 2
                continue
            }
            if text[index] == quote { return index + 1 }
            index += 1
        }
        return text.count
    }

    private static func skipComment(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        var depth = 1
        while index + 1 < text.count {
            if text[index] == 0x2A, text[index + 1] == 0x2F {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else if text[index] == 0x2F, text[index + 1] == 0x2A {
                depth += 1
                index += 2
            } else {
                index += 1
            }
        }
        return text.count
    }

    /// The end of a `$tag$…$tag$` that begins at `start`, nil when it is no dollar quote.
    private static func skipDollarQuoted(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int? {
        var tagEnd = start + 1
        while tagEnd < text.count, text[tagEnd] != 0x24 {
            let byte = text[tagEnd]
            let isTag =
                (byte | 0x20) &- 0x61 < 26 || byte == 0x5F || byte >= 0x80
                || (byte &- 0x30 < 10 && tagEnd > start + 1)
            guard isTag else { return nil }
            tagEnd += 1
        }
        guard tagEnd < text.count else { return nil }
        let length = tagEnd - start + 1
        var index = tagEnd + 1
        while index + length <= text.count {
            if text[index] == 0x24 {
                var same = true
                for offset in 0..<length where text[index + offset] != text[start + offset] {
                    same = false
                    break
                }
                if same { return index + length }
            }
            index += 1
        }
        return text.count
    }
}
