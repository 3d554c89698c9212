import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// Blob files: header, records, footer, and the files as such.
    static let blobs: [FileDamage] = [
        .blob("a bit of a blob file's header", "BLB001", says: ["header is damaged"]) {
            $0.flip(30)
        },
        .blob("a blob file's header magic", "BLB001") { $0.bytes[0] = 0 },
        .blob("a reserved byte of a blob file's header", "BLB001") { $0.flip(44) },
        .blob("a blob header of zeros", "BLB001") {
            $0.bytes.replaceSubrange(0..<64, with: [UInt8](repeating: 0, count: 64))
        },
        .blob("a bit of a blob file's wrapped key", "BLB001", onlyEncrypted: true) {
            $0.flip(64 + 30)
        },
        .blob(
            "a blob file of a newer format", "SST013", withoutKey: .this("SST013", .usage),
            salvage: .refused
        ) { $0.rehead { $0[8] = 9 } },
        .blob(
            "a blob file with a feature that readers must know", "SST013",
            withoutKey: .this("SST013", .usage), salvage: .refused
        ) { $0.rehead { $0[16] |= 4 } },
        .blob("a bit of a blob file's footer", "BLB001", says: ["footer is damaged"]) {
            $0.flip($0.bytes.count - 60)
        },
        .blob("a blob file's footer magic", "BLB001") { $0.flip($0.bytes.count - 3) },
        .blob("a blob footer of zeros", "BLB001") {
            $0.bytes.replaceSubrange(
                ($0.bytes.count - 64)..., with: [UInt8](repeating: 0, count: 64))
        },
        .blob("a blob footer of another file", "BLB001", says: ["footer's uid"]) {
            $0.refoot { $0.uid = UID(high: 9, low: 9) }
        },
        .blob(
            "a blob footer that counts another record", "BLB003", says: ["count of records"],
            also: ["BLB004"]
        ) { $0.refoot { $0.recordCount += 1 } },
        .blob("a blob footer of more key bytes", "BLB003", says: ["count of key bytes"]) {
            $0.refoot { $0.keyBytes += 1 }
        },
        .blob("a blob footer of fewer value bytes", "BLB003", says: ["count of value bytes"]) {
            $0.refoot { $0.valueBytes -= 1 }
        },
        .blob("a bit of the first record", "BLB002", says: ["fails its checksum"]) {
            $0.flip($0.records[0].lowerBound + 50)
        },
        .blob("a bit of a record in the middle", "BLB002") {
            $0.flip($0.records[$0.records.count / 2].lowerBound + 60)
        },
        .blob("a bit of the last record", "BLB002") {
            $0.flip($0.records[$0.records.count - 1].upperBound - 1)
        },
        .blob("a bit of every record", "BLB002") {
            for record in $0.records { $0.flip(record.lowerBound + 50) }
        },
        .blob("a bit of a record's checksum", "BLB002") { $0.flip($0.records[1].lowerBound + 3) },
        .blob("a bit of a record's key", "BLB002") { $0.flip($0.records[1].lowerBound + 30) },
        .blob("a bit of a record's length", "BLB002") { $0.flip($0.records[1].lowerBound + 12) },
        .blob(
            "a record whose length leads out of the file", "BLB002", says: ["leads out"]
        ) { $0.bytes[$0.records[1].lowerBound + 15] = 0x7F },
        .blob("a record of zeros", "BLB002") {
            let record = $0.records[2]
            $0.bytes.replaceSubrange(record, with: [UInt8](repeating: 0, count: record.count))
        },
        .blob("a sector of zeros over records", "BLB002") {
            $0.bytes.replaceSubrange(1024..<1536, with: [UInt8](repeating: 0, count: 512))
        },
        .blob("a record over another", "BLB002") {
            let (from, to) = ($0.records[1], $0.records[3])
            let count = min(from.count, to.count)
            let other = Array($0.bytes[from.lowerBound..<(from.lowerBound + count)])
            $0.bytes.replaceSubrange(to.lowerBound..<(to.lowerBound + count), with: other)
        },
        .blob("a record of another kind", "BLB002", says: ["is another kind"]) {
            $0.rewrite($0.records[1]) { $0[22] = 9 }
        },
        .blob("a record of an unknown codec", "BLB002", says: ["unknown codec 77"]) {
            $0.rewrite($0.records[1]) { $0[20] = 77 }
        },
        .blob("a record whose value has another size", "BLB002", says: ["has a wrong size"]) {
            $0.rewrite($0.records[1]) { $0[16] ^= 1 }
        },
        .blob("a record that changes whether it is encrypted", "BLB002") {
            $0.rewrite($0.records[1]) { $0[21] ^= 1 }
        },
        .blob(
            "a record of another key", "BLB007", says: ["A value cannot be read"],
            also: ["BLB002"], withoutKey: .nothing
        ) { $0.rewrite($0.records[1]) { $0[30] ^= 1 } },
        .blob(
            "another ciphertext of a record", "BLB002", says: ["fails its authentication"],
            withoutKey: .nothing, onlyEncrypted: true
        ) { $0.rewrite($0.records[1]) { $0[60] ^= 1 } },
        .blob("a reserved byte of a record: the hash alone tells", "BLB005", withoutKey: .nothing) {
            $0.rewrite($0.records[1]) { $0[23] = 1 }
        },
    ]

    private static let anyOfBlob: Set<String> = ["BLB001", "BLB002", "BLB004", "BLB005", "BLB007"]

    /// Blob files that are cut, mixed up, missing or too many.
    static let blobFiles: [FileDamage] = [
        .blob("a blob file cut by a byte", "BLB001", also: anyOfBlob) { $0.bytes.removeLast() },
        .blob("a blob file cut in half", "BLB001", also: anyOfBlob) {
            $0.bytes.removeLast($0.bytes.count / 2)
        },
        .blob(
            "a blob file cut to less than its frame", "BLB001", says: ["too short"], also: anyOfBlob
        ) { $0.bytes.removeLast($0.bytes.count - 100) },
        .blob("an empty blob file", "BLB001", says: ["too short"], also: anyOfBlob) {
            $0.bytes = []
        },
        .blob("a blob file with garbage behind it", "BLB001", also: anyOfBlob) {
            $0.bytes += [UInt8](repeating: 0xA5, count: 16)
        },
        .blob("a blob file of zeros", "BLB001", also: anyOfBlob) {
            $0.bytes = [UInt8](repeating: 0, count: $0.bytes.count)
        },
        .file(
            "a missing blob file", "BLB101", says: ["its blob file is missing"],
            also: ["BLB007"], withoutKey: .nothing, salvage: .rows
        ) { try $0.memory.remove($0.source.newestBlob) },
        .file(
            "all blob files are missing", "BLB101", also: ["BLB007"], withoutKey: .nothing,
            salvage: .rows
        ) { directory in
            for path in directory.source.blobs { try directory.memory.remove(path) }
        },
        .file(
            "two blob files have changed their names", "BLB004",
            says: ["uid is not what it should be"], also: ["BLB005", "BLB007"],
            withoutKey: .nothing, salvage: .rows
        ) { directory in
            let blobs = directory.source.blobs
            try directory.swap(blobs[0], directory.source.newestBlob)
        },
        .file(
            "a blob file of another database", "BLB004", also: ["BLB005", "BLB007"],
            withoutKey: .nothing, salvage: .rows, onlyEncrypted: false
        ) { directory in
            let path = directory.source.newestBlob
            try directory.substitute(path) { $0.newestBlob }
        },
        .file(
            "a blob file of another database, under a key of its own", "SST014",
            says: ["not at hand"], also: ["BLB004", "BLB005", "BLB007"], withoutKey: .nothing,
            salvage: .rows, onlyEncrypted: true
        ) { directory in
            let path = directory.source.newestBlob
            try directory.substitute(path) { $0.newestBlob }
        },
        .file(
            "a blob file under the name of a table", "SST001", also: ["SST011"], salvage: .rows
        ) { directory in
            let blob = directory.source.newestBlob
            try directory.memory.replace(
                directory.source.middle, with: try directory.memory.contents(of: blob))
        },
        .file(
            "a blob file that MANIFEST does not name", "SST102", .benign, withoutKey: .nothing,
            salvage: .rows
        ) { directory in
            let blob = directory.source.newestBlob
            try directory.memory.replace(
                directory.names.blob(FileNumber(0xFFFF)),
                with: try directory.memory.contents(of: blob))
        },
    ]
}
