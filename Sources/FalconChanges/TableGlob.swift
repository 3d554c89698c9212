import FalconSchema

/// A pattern of table names: `*` for any run of characters, `?` for one. With a dot it is matched
/// against `schema.table`, without one against the table's name in any schema.
package struct TableGlob: Sendable {
    let pattern: String

    package init(_ pattern: String) { self.pattern = pattern }

    package func matches(_ table: TableDescriptor) -> Bool {
        let name = pattern.utf8.contains(0x2E) ? table.schema + "." + table.name : table.name
        return Self.matches(Array(pattern.unicodeScalars), Array(name.unicodeScalars))
    }

    package func matches(_ name: String) -> Bool {
        Self.matches(Array(pattern.unicodeScalars), Array(name.unicodeScalars))
    }

    // Greedy with one point of return: linear in practice, never worse than the product of lengths.
    static func matches(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        var p = 0
        var t = 0
        var star: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let back = star {
                p = back.p + 1
                t = back.t + 1
                star = (back.p, t)
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }
}
