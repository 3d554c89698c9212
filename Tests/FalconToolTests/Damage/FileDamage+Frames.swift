import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// Headers and footers of tables.
    static let frames: [FileDamage] = [
        .table("a bit of the uid in a table's header", "SST002", says: ["header is damaged"]) {
            $0.flip(30)
        },
        .table("a table's header magic", "SST002") { $0.bytes[0] = 0 },
        .table("a reserved byte of a table's header", "SST002") { $0.flip(44) },
        .table("a bit of the header's checksum", "SST002") { $0.flip(60) },
        .table("a header of zeros", "SST002") {
            $0.bytes.replaceSubrange(0..<64, with: [UInt8](repeating: 0, count: 64))
        },
        .file(
            "the header of another table", "SST002", says: ["name different tables"],
            also: ["SST011"], salvage: .rows
        ) { directory in
            let other = try directory.memory.contents(of: directory.source.newest)
            try directory.patch(directory.source.middle) {
                $0.replaceSubrange(0..<64, with: other[..<64])
            }
        },
        .table(
            "a bit of a table's wrapped key", "SST002", says: ["wrapped key is damaged"],
            onlyEncrypted: true
        ) { $0.flip(64 + 30) },
        .table("a bit of an index handle in a table's footer", "SST001") {
            $0.flip($0.bytes.count - 128 + 3)
        },
        .table("a bit of the uid in a table's footer", "SST001") {
            $0.flip($0.bytes.count - 128 + 75)
        },
        .table("a table's footer magic", "SST001", says: ["no table's magic"]) {
            $0.flip($0.bytes.count - 2)
        },
        .table("a bit of the footer's checksum", "SST001", says: ["fails its checksum"]) {
            $0.flip($0.bytes.count - 12)
        },
        .table("a footer of zeros", "SST001") {
            $0.bytes.replaceSubrange(
                ($0.bytes.count - 128)..., with: [UInt8](repeating: 0, count: 128))
        },
        .table("a footer that speaks of another size", "SST001", says: ["speaks of"]) {
            $0.patchFooter { $0[104] ^= 1 }
        },
        .table("a footer of three index levels", "SST001", says: ["names 3 index levels"]) {
            $0.patchFooter { $0[64] = 3 }
        },
        .table("a footer with filter pages of a wrong size", "SST001", says: ["filter pages"]) {
            $0.patchFooter { $0[68] = 3 }
        },
        .table(
            "a table of a newer format", "SST013", says: ["format 9"],
            withoutKey: .this("SST013", .usage), salvage: .refused
        ) { $0.patchFooter { $0[88] = 9 } },
        .table(
            "a table with a feature that readers must know", "SST013",
            withoutKey: .this("SST013", .usage), salvage: .refused
        ) { $0.patchFooter { $0[96] |= 4 } },
        .table(
            "an index handle that leads out of the file", "SST003",
            says: ["lies outside the file"], withoutKey: .nothing
        ) { $0.refoot { $0.index.offset += 1 << 30 } },
        .table(
            "an index handle that leads to another block", "SST003",
            says: ["index block fails its checksum"], withoutKey: .nothing
        ) { $0.refoot { $0.index = $0.properties } },
        .table(
            "a footer that forgets the index", "SST009", also: ["SST008", "SST010"],
            withoutKey: .nothing
        ) { $0.refoot { $0.index = .absent } },
        .table(
            "a footer that forgets the filter", "SST009", says: ["belong to nothing"],
            withoutKey: .nothing
        ) { $0.refoot { $0.filter = .absent } },
        .table(
            "a footer that forgets the range tombstones", "SST009", also: ["SST008"],
            withoutKey: .nothing
        ) { $0.refoot { $0.rangeTombstones = .absent } },
        .table(
            "bytes between the last block and the footer", "SST009",
            says: ["before the footer belong to nothing"], also: ["SST010"],
            withoutKey: .this("SST003", .corruption)
        ) { forge in
            forge.bytes.insert(
                contentsOf: [UInt8](repeating: 0, count: 40), at: forge.bytes.count - 128)
            forge.refoot { _ in }
        },
    ]

    /// Tables that are cut, mixed up, missing or too many.
    static let tableFiles: [FileDamage] = [
        .table("a table cut by a byte", "SST001") { $0.bytes.removeLast() },
        .table("a table cut in half", "SST001") { $0.bytes.removeLast($0.bytes.count / 2) },
        .table("a table cut to less than its frame", "SST001", says: ["too short"]) {
            $0.bytes.removeLast($0.bytes.count - 100)
        },
        .table("an empty table", "SST001", says: ["too short"]) { $0.bytes = [] },
        .table("a table with garbage behind it", "SST001") {
            $0.bytes += [UInt8](repeating: 0xA5, count: 16)
        },
        .table("a table of zeros", "SST001") {
            $0.bytes = [UInt8](repeating: 0, count: $0.bytes.count)
        },
        .file(
            "a missing table", "SST101", says: ["MANIFEST names a table that is not there"],
            withoutKey: .nothing, salvage: .rows
        ) { try $0.memory.remove($0.source.middle) },
        .file(
            "a missing table of the deepest level", "SST101", withoutKey: .nothing,
            salvage: .rows
        ) { try $0.memory.remove($0.source.bottom) },
        .file(
            "all tables are missing", "SST101", withoutKey: .nothing, salvage: .rows
        ) { directory in
            for path in [directory.source.bottom, directory.source.middle, directory.source.newest]
            {
                try directory.memory.remove(path)
            }
        },
        .file(
            "two tables have changed their names", "SST010", says: ["differ about the uid"],
            also: ["SST011"], withoutKey: .nothing, salvage: .rows
        ) { try $0.swap($0.source.middle, $0.source.newest) },
        .file(
            "a table under the name of a blob file", "BLB001",
            also: ["BLB002", "BLB004", "BLB005", "BLB007"], salvage: .rows
        ) { directory in
            let blob = directory.source.newestBlob
            try directory.memory.replace(
                blob, with: try directory.memory.contents(of: directory.source.middle))
        },
        .file(
            "a table of another database", "SST010", says: ["differ about the uid"],
            also: ["SST011", "BLB007"], withoutKey: .nothing, salvage: .rows, onlyEncrypted: false
        ) { try $0.substitute($0.source.middle) { $0.middle } },
        .file(
            "a table of another database, under a key of its own", "SST014",
            says: ["differ about the uid", "not at hand"], also: ["SST010", "SST011"],
            withoutKey: .nothing, salvage: .rows, onlyEncrypted: true
        ) { try $0.substitute($0.source.middle) { $0.middle } },
        .file(
            "a table that MANIFEST does not name", "SST102", .benign, withoutKey: .nothing,
            salvage: .rows
        ) { directory in
            try directory.memory.replace(
                directory.names.table(FileNumber(0xFFFF)),
                with: try directory.memory.contents(of: directory.source.newest))
        },
        .file(
            "files among the tables that are none", "SST102", .benign, withoutKey: .nothing,
            salvage: .rows
        ) { directory in
            for name in ["notes.txt", "0000000000000001.sst.tmp", "x.bak"] {
                try directory.memory.replace(
                    directory.names.sstDirectory + "/" + name, with: Array("notes".utf8))
            }
        },
    ]
}
