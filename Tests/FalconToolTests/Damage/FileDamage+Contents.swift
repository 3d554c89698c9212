import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// What is wrong although every checksum and seal is right, as after a defect of a writer or of memory. Without the
    /// key of an encrypted table nothing of it can be seen.
    static let contents: [FileDamage] = [
        content("a key that sorts before its predecessor", "SST004", also: ["SST007"]) { forge in
            let entries = try forge.neighbours()
            try forge.rewrite(entries[1].block, .data) { $0[entries[1].suffix.lowerBound] = 0x7F }
        },
        content("a version that is as new as the one before", "SST005") { forge in
            let entries = try forge.neighbours()
            try forge.rewrite(entries[1].block, .data) {
                $0[entries[1].suffix.lowerBound] = $0[entries[0].suffix.upperBound - 1]
            }
        },
        content("a row that became a tombstone", "SST008", says: ["Property tombstones"]) {
            forge in
            let entry = try forge.entry(.put)
            try forge.rewrite(entry.block, .data) {
                $0[entry.kindPlace] = OperationKind.delete.rawValue
            }
        },
        content("an entry of the future", "SST015", also: ["SST008"]) { forge in
            let entry = try forge.entry(.put)
            try forge.rewrite(entry.block, .data) { bytes in
                // The least byte of the time that is not its counter.
                bytes[entry.timestampPlaces.upperBound - 1] &+= 1
            }
        },
        content("a value that calls itself a reference", "BLB006") { forge in
            let entry = try forge.entry(.put)
            try forge.rewrite(entry.block, .data) {
                $0[entry.kindPlace] = OperationKind.valueReference.rawValue
            }
        },
        content(
            "a reference into another record", "BLB007", says: ["A value cannot be read"]
        ) { forge in
            let entry = try forge.entry(.valueReference)
            try forge.rewrite(entry.block, .data) { $0[entry.value.lowerBound + 8] ^= 8 }
        },
        content(
            "a reference to another blob file", "BLB007", says: ["is not in MANIFEST"],
            also: ["SST010"]
        ) { forge in
            let entry = try forge.entry(.valueReference)
            try forge.rewrite(entry.block, .data) { $0[entry.value.lowerBound + 1] ^= 0x40 }
        },
        content(
            "a reference to a value of another size", "BLB007"
        ) { forge in
            let entry = try forge.entry(.valueReference)
            try forge.rewrite(entry.block, .data) { $0[entry.value.lowerBound + 20] ^= 1 }
        },
        content("a separator before its block's end", "SST006", says: ["ends beyond"]) { forge in
            let last = try Self.endOfFirstSeparator(forge)
            try forge.rewrite(forge.footer.index, .index) { $0[last] = 0 }
        },
        content(
            "a separator behind the next block's begin", "SST006",
            says: ["begins at or before the separator"]
        ) { forge in
            let last = try Self.endOfFirstSeparator(forge)
            try forge.rewrite(forge.footer.index, .index) {
                $0[last - 1] &+= 1
                $0[last] = 0xFF
            }
        },
        content(
            "two blocks have changed places in the index", "SST006", also: ["SST004", "SST008"]
        ) { forge in
            let count = try forge.dataBlocks().count
            try forge.rewrite(forge.footer.index, .index) { index in
                for (column, width) in [(24 + 8 * count, 8), (24 + 16 * count, 4)] {
                    for byte in column..<(column + width) { index.swapAt(byte, byte + width) }
                }
            }
        },
        content(
            "an index that leads to one block twice", "SST009",
            also: ["SST004", "SST005", "SST006", "SST008", "SST010"]
        ) { forge in
            let count = try forge.dataBlocks().count
            try forge.rewrite(forge.footer.index, .index) { index in
                for (column, width) in [(24 + 8 * count, 8), (24 + 16 * count, 4)] {
                    for byte in column..<(column + width) { index[byte + width] = index[byte] }
                }
            }
        },
        content("timestamps of a block that end too late", "SST015") { forge in
            let count = try forge.dataBlocks().count
            try forge.rewrite(forge.footer.index, .index) { $0[24 + 26 * count] ^= 1 }
        },
        content("timestamps of a block that begin too late", "SST015") { forge in
            let count = try forge.dataBlocks().count
            try forge.rewrite(forge.footer.index, .index) { $0[24 + 24 * count] ^= 1 }
        },
        content("timestamps in other steps", "SST015") {
            try $0.rewrite($0.footer.index, .index) { $0[13] ^= 1 }
        },
        content("timestamps that begin elsewhere", "SST015") {
            try $0.rewrite($0.footer.index, .index) { $0[16] ^= 1 }
        },
        content("a filter that denies its keys", "SST007", says: ["denies a key"]) {
            try $0.rewrite($0.footer.filter, .filter) {
                for byte in 64..<$0.count { $0[byte] = 0 }
            }
        },
        content("a filter that lets everything through: the hash alone tells", "SST011") {
            try $0.rewrite($0.footer.filter, .filter) {
                for byte in 64..<$0.count { $0[byte] = 0xFF }
            }
        },
        content(
            "a range tombstone that ends before it begins", "SST004",
            says: ["bounds are not ascending"]
        ) {
            try $0.rewrite($0.footer.rangeTombstones, .rangeTombstones) { block in
                let (lower, upper) = (Array(block[1..<17]), Array(block[18..<34]))
                block.replaceSubrange(1..<17, with: upper)
                block.replaceSubrange(18..<34, with: lower)
            }
        },
        content("a range tombstone of the future", "SST008", says: ["greatest timestamp"]) {
            try $0.rewrite($0.footer.rangeTombstones, .rangeTombstones) { $0[40] &+= 1 }
        },
        content("a range tombstone that reaches beyond the table", "SST008", says: ["key bounds"]) {
            try $0.rewrite($0.footer.rangeTombstones, .rangeTombstones) { $0[18 + 8] = 0x7A }
        },
        property("entries", also: ["SST010"]) { $0.entryCount ^= 1 },
        property("tombstones", also: ["SST010"]) { $0.tombstoneCount ^= 1 },
        property("range tombstones", also: ["SST010"]) { $0.rangeTombstoneCount ^= 2 },
        property("data blocks") { $0.dataBlockCount ^= 1 },
        property("raw key bytes") { $0.rawKeyBytes ^= 1 },
        property("raw value bytes") { $0.rawValueBytes ^= 1 },
        property("least timestamp", also: ["SST010"]) {
            $0.minTimestamp = Timestamp($0.minTimestamp.rawValue ^ 1)
        },
        property("greatest timestamp", also: ["SST010"]) {
            $0.maxTimestamp = Timestamp($0.maxTimestamp.rawValue ^ 1)
        },
        content("the least key in the properties", "SST008", says: ["bounds"], also: ["SST010"]) {
            try $0.rewriteProperties { $0.smallestKey[15] ^= 1 }
        },
        content("the greatest key in the properties", "SST008", also: ["SST010"]) {
            try $0.rewriteProperties { $0.largestKey[15] ^= 1 }
        },
        content("the counts of a storage id", "SST008", says: ["per storage id"]) {
            try $0.rewriteProperties { $0.storageCounts[0].prefix ^= 1 }
        },
    ]

    private static func content(
        _ name: String, _ code: String, says: [String] = [], also: Set<String> = [],
        _ mutilate: @escaping @Sendable (inout TableForge) throws -> Void
    ) -> FileDamage {
        table(name, code, says: says, also: also, withoutKey: .nothing, mutilate)
    }

    private static func property(
        _ name: String, also: Set<String> = [],
        _ change: @escaping @Sendable (inout TableProperties) -> Void
    ) -> FileDamage {
        content("a wrong property: \(name)", "SST008", says: ["Property \(name)"], also: also) {
            try $0.rewriteProperties(change)
        }
    }

    /// Where the last byte of the first separator lies in the index.
    private static func endOfFirstSeparator(_ forge: TableForge) throws -> Int {
        try forge.content(forge.footer.index, .index).withUnsafeBytes { bytes in
            let block = IndexBlock(validated: bytes)
            let start = 24 + IndexBlock.columnBytes(bytes[12]) * block.count
            return start + block.key(0).count - 1
        }
    }
}
