import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// Blocks whose bytes changed, or are none of their kind, under right checksums, too.
    static let blocks: [FileDamage] = [
        .table("a bit of the first data block", "SST003", says: ["fails its checksum"]) {
            $0.flip(try $0.dataBlocks()[0])
        },
        .table("a bit of a data block in the middle", "SST003") {
            let blocks = try $0.dataBlocks()
            $0.flip(blocks[blocks.count / 2])
        },
        .table("a bit of the last data block", "SST003") {
            let blocks = try $0.dataBlocks()
            $0.flip(blocks[blocks.count - 1])
        },
        .table("every data block", "SST003") {
            for block in try $0.dataBlocks() { $0.flip(block) }
        },
        .table("a sector of zeros over data blocks", "SST003") {
            $0.bytes.replaceSubrange(1024..<1536, with: [UInt8](repeating: 0, count: 512))
        },
        .table("a data block over another", "SST003") {
            let blocks = try $0.dataBlocks()
            let (from, to) = (Int(blocks[1].offset), Int(blocks[4].offset))
            let count = min(blocks[1].payloadBytes, blocks[4].payloadBytes) + 16
            let other = Array($0.bytes[from..<(from + Int(count))])
            $0.bytes.replaceSubrange(to..<(to + other.count), with: other)
        },
        .table("a bit of a data block's checksum", "SST003") {
            let block = try $0.dataBlocks()[2]
            $0.flip($0.trailer(block) + 11)
        },
        .table("a data block that says it is another kind", "SST003") {
            $0.retrail(try $0.dataBlocks()[2], .data, 2, TableFormat.BlockKind.index.rawValue)
        },
        .table("a data block of an unknown codec", "SST003", says: ["unknown codec 9"]) {
            $0.retrail(try $0.dataBlocks()[2], .data, 0, 9)
        },
        .table("a data block with a dictionary flag", "SST003", says: ["unknown codec"]) {
            $0.retrail(try $0.dataBlocks()[2], .data, 3, 1)
        },
        .table(
            "an encrypted block in a plain table", "SST003", says: ["is encrypted"],
            onlyEncrypted: false
        ) { $0.retrail(try $0.dataBlocks()[2], .data, 1, 1) },
        .table(
            "a plain block in an encrypted table", "SST003", says: ["is plain"],
            onlyEncrypted: true
        ) { $0.retrail(try $0.dataBlocks()[2], .data, 1, 0) },
        .table(
            "another ciphertext under a right checksum", "SST003",
            says: ["fails its authentication"], withoutKey: .nothing, onlyEncrypted: true
        ) {
            let block = try $0.dataBlocks()[2]
            $0.flip(block)
            $0.refit(block, .data)
        },
        .table("a data block of another size", "SST003", withoutKey: .nothing) {
            let block = try $0.dataBlocks()[2]
            let raw = $0.bytes[$0.trailer(block) + 4]
            $0.retrail(block, .data, 4, raw ^ 1)
        },
        .table(
            "a data block with too many restart points", "SST003", says: ["restart points"],
            withoutKey: .nothing
        ) {
            try $0.rewrite(try $0.dataBlocks()[2], .data) { $0[$0.count - 1] = 0x7F }
        },
        .table(
            "an entry of an unknown kind", "SST003", says: ["has kind 200"],
            withoutKey: .nothing
        ) {
            let entry = try $0.entries()[2][1]
            try $0.rewrite(entry.block, .data) { $0[entry.kindPlace] = 200 }
        },
        .table(
            "a restart point that shares a key", "SST003", says: ["wrong length at 0"],
            withoutKey: .nothing
        ) { try $0.rewrite(try $0.dataBlocks()[2], .data) { $0[0] = 5 } },
        .table(
            "a restart point that is no entry", "SST003", withoutKey: .nothing
        ) { forge in
            try forge.rewrite(try forge.dataBlocks()[2], .data) { block in
                // The offset of the last restart point.
                block[block.count - 12] ^= 1
            }
        },
        .table("a bit of the index", "SST003", says: ["index block fails its checksum"]) {
            $0.flip($0.footer.index)
        },
        .table("an index of an unknown codec", "SST003", says: ["unknown codec 9"]) {
            $0.retrail($0.footer.index, .index, 0, 9)
        },
        .table(
            "an index of more blocks", "SST003", says: ["wrong size for"], withoutKey: .nothing
        ) { try $0.rewrite($0.footer.index, .index) { $0[0] += 1 } },
        .table(
            "an index with unknown columns", "SST003", says: ["unknown columns 2"],
            withoutKey: .nothing
        ) { try $0.rewrite($0.footer.index, .index) { $0[12] = 2 } },
        .table(
            "an index with a wrong width", "SST003", says: ["wrong header"], withoutKey: .nothing
        ) { try $0.rewrite($0.footer.index, .index) { $0[14] ^= 1 } },
        .table("a bit of the filter", "SST003", says: ["filter block fails its checksum"]) {
            $0.flip($0.footer.filter, at: 70)
        },
        .table(
            "a filter of more lines", "SST003", says: ["wrong size for"], withoutKey: .nothing
        ) { try $0.rewrite($0.footer.filter, .filter) { $0[0] += 1 } },
        .table("a filter of 99 probes", "SST003", says: ["99 probes"], withoutKey: .nothing) {
            try $0.rewrite($0.footer.filter, .filter) { $0[4] = 99 }
        },
        .table("a bit of the range tombstones", "SST003", says: ["rangeTombstones"]) {
            $0.flip($0.footer.rangeTombstones)
        },
        .table(
            "range tombstones that cannot be decoded", "SST003", says: ["cannot be decoded"],
            withoutKey: .nothing
        ) { try $0.rewrite($0.footer.rangeTombstones, .rangeTombstones) { $0[0] = 100 } },
        .table("a bit of the properties", "SST003", says: ["properties block"]) {
            $0.flip($0.footer.properties)
        },
        .table(
            "properties that cannot be decoded", "SST003", says: ["cannot be decoded"],
            withoutKey: .nothing
        ) {
            // The second property has the first's tag.
            try $0.rewrite($0.footer.properties, .properties) { $0[2 + Int($0[1])] = 1 }
        },
    ]

    /// The same of a compressed table whose index and filter are in partitions.
    static let partitions: [FileDamage] = [
        .bottom("a bit of a compressed data block", "SST003", says: ["fails its checksum"]) {
            $0.flip(try $0.dataBlocks()[3])
        },
        .bottom(
            "a compressed block of another size", "SST003", withoutKey: .nothing
        ) {
            let block = try $0.dataBlocks()[3]
            let raw = $0.bytes[$0.trailer(block) + 4]
            $0.retrail(block, .data, 4, raw ^ 1)
        },
        .bottom(
            "a block that was compressed with the dictionary and says it was not", "SST003",
            withoutKey: .nothing
        ) { forge in
            let sound = forge
            let found = try forge.dataBlocks().first {
                sound.bytes[sound.trailer($0) + 3] == 1
            }
            let block = try #require(found)
            forge.retrail(block, .data, 3, 0)
        },
        .bottom(
            "a bit of a compressed block under a right checksum", "SST003", withoutKey: .nothing
        ) {
            // The magic number of the frame, or its ciphertext.
            let block = try $0.dataBlocks()[3]
            $0.flip(block, at: 0)
            $0.refit(block, .data)
        },
        .bottom("a bit of an index partition", "SST003", says: ["index block"]) {
            $0.flip(try $0.partitions()[1])
        },
        .bottom("every index partition", "SST003") {
            for partition in try $0.partitions() { $0.flip(partition) }
        },
        .bottom("a bit of the index's top level", "SST003", says: ["index block"]) {
            $0.flip($0.footer.index)
        },
        .bottom("a bit of a filter page", "SST003", says: ["filter block"]) {
            $0.flip($0.footer.filterPages.handle(1), at: 66)
        },
        .bottom("two filter pages have changed places", "SST003") {
            let pages = $0.footer.filterPages
            let (first, second) = (Int(pages.handle(0).offset), Int(pages.handle(1).offset))
            let count = second - first
            let other = Array($0.bytes[first..<second])
            let own = Array($0.bytes[second..<(second + count)])
            $0.bytes.replaceSubrange(first..<second, with: own)
            $0.bytes.replaceSubrange(second..<(second + count), with: other)
        },
        .bottom("a bit of the dictionary", "SST003", says: ["dictionary block"]) {
            $0.flip($0.properties.dictionary)
        },
        .bottom("a bit of the properties that name the dictionary", "SST003") {
            $0.flip($0.footer.properties)
        },
    ]
}
