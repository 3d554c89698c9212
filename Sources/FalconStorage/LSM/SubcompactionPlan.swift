/// Cuts a large compaction into key ranges with about equal shares of its input, so that several
/// threads merge it side by side.
enum SubcompactionPlan {
    /// Keys looked at per table.
    private static let anchorsPerTable = 32

    /// Disjoint ranges that cover all keys, in order: at most `limit`, each with about `leastBytes`
    /// of input or more.
    static func ranges(
        of compaction: Compaction, limit: Int, leastBytes: UInt64
    ) throws(StorageError) -> [KeyRange] {
        let parts = min(UInt64(max(limit, 1)), compaction.inputBytes / max(leastBytes, 1))
        guard parts > 1 else { return [.all] }
        var anchors: [TableReader.Anchor] = []
        for file in compaction.allInputs {
            anchors += try file.reader().anchors(anchorsPerTable)
        }
        return cut(anchors, parts: parts)
    }

    static func cut(_ anchors: [TableReader.Anchor], parts: UInt64) -> [KeyRange] {
        let sorted = anchors.sorted { KeyOrder.less($0.key, $1.key) }
        let total = sorted.reduce(UInt64(0)) { $0 + $1.bytes }
        var ranges: [KeyRange] = []
        var lower: [UInt8]?
        var passed: UInt64 = 0
        // The last anchor ends the keys: nothing would be left for a part beyond it.
        for anchor in sorted.dropLast() where UInt64(ranges.count) + 1 < parts {
            passed += anchor.bytes
            guard passed >= total / parts * (UInt64(ranges.count) + 1),
                lower.map({ KeyOrder.less($0, anchor.key) }) ?? true
            else { continue }
            ranges.append(KeyRange(lower: lower, upper: anchor.key))
            lower = anchor.key
        }
        ranges.append(KeyRange(lower: lower, upper: nil))
        return ranges
    }
}

extension TableReader {
    /// A key, and about how many bytes of the table lie between its predecessor and it.
    struct Anchor {
        var key: [UInt8]
        var bytes: UInt64
    }

    /// About `count` keys that cut the table into equal pieces.
    func anchors(_ count: Int) -> [Anchor] {
        guard let index, index.count > 0 else { return [] }
        let step = max(index.count / max(count, 1), 1)
        let share = fileBytes / UInt64(index.count)
        var anchors: [Anchor] = []
        var place = 0
        while place < index.count {
            let last = min(place + step, index.count)
            anchors.append(
                Anchor(key: Array(index.key(last - 1)), bytes: share * UInt64(last - place)))
            place = last
        }
        return anchors
    }
}
