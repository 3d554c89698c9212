import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// MANIFEST: header, chunks, and the end that a crash may leave.
    static let manifests: [FileDamage] = [
        .manifest("a bit of MANIFEST's header", "SST104", says: ["header is damaged"]) {
            $0.flip(50)
        },
        .manifest("MANIFEST's magic", "SST104") { $0.bytes[0] = 0 },
        .manifest("a bit of the header's checksum of MANIFEST", "SST104") { $0.flip(80) },
        .manifest("MANIFEST of another number", "SST104", says: ["says it is number"]) {
            $0.rehead { $0[36] ^= 0x40 }
        },
        .manifest("MANIFEST of another shard", "SST104", says: ["another shard"]) {
            $0.rehead { $0[61] ^= 1 }
        },
        .manifest("MANIFEST of a newer format", "GEN009", .usage, says: ["format version 9"]) {
            $0.rehead { $0[8] = 9 }
        },
        .manifest("MANIFEST with a feature that readers must know", "GEN009", .usage) {
            $0.rehead { $0[21] |= 1 }
        },
        .manifest(
            "a bit of MANIFEST's wrapped key", "SST104", says: ["wrapped key is damaged"],
            onlyEncrypted: true
        ) { $0.flip(84 + 20) },
        .manifest("a bit of the first chunk", "SST104", says: ["not a torn tail"]) {
            $0.flip($0.chunks[0].lowerBound + 30)
        },
        .manifest("a bit of a chunk in the middle", "SST104", says: ["not a torn tail"]) {
            $0.flip($0.chunks[1].upperBound - 1)
        },
        .manifest("a bit of a chunk's checksum", "SST104") {
            $0.flip($0.chunks[1].lowerBound + 17)
        },
        .manifest("a bit of a chunk's sequence", "SST104") { $0.flip($0.chunks[1].lowerBound + 8) },
        .manifest("a bit of a chunk's length", "SST104") { $0.flip($0.chunks[1].lowerBound + 4) },
        .manifest("a chunk of zeros", "SST104") {
            let chunk = $0.chunks[2]
            $0.bytes.replaceSubrange(chunk, with: [UInt8](repeating: 0, count: chunk.count))
        },
        .manifest(
            "another ciphertext of a chunk", "SST104", says: ["fails its authentication"],
            withoutKey: .nothing, onlyEncrypted: true
        ) {
            $0.flip($0.chunks[1].upperBound - 20)
            $0.refit($0.chunks[1])
        },
        .manifest("an edit is missing between others", "SST104") {
            var edits = $0.contents.edits
            edits.remove(at: 1)
            let sequences = [1] + (0..<(edits.count - 1)).map { UInt64($0 + 3) }
            try $0.rebuild(edits, sequences: sequences)
        },
        .manifest("MANIFEST cut behind its header", "SST104", says: ["holds no whole edit"]) {
            $0.bytes.removeSubrange($0.chunks[0].lowerBound...)
        },
        .manifest("MANIFEST cut in its first chunk", "SST104", says: ["holds no whole edit"]) {
            $0.bytes.removeSubrange(($0.chunks[0].upperBound - 5)...)
        },
        .manifest("MANIFEST cut in its header", "SST104") { $0.bytes.removeSubrange(60...) },
        .manifest("an empty MANIFEST", "SST104") { $0.bytes = [] },
        .manifest(
            "MANIFEST cut in its last chunk", "SST105", .benign, also: ["SST102"],
            withoutKey: .nothing,
            salvage: .rows
        ) { $0.bytes.removeLast(3) },
        .manifest(
            "a bit of the last chunk, which looks like a torn one", "SST105", .benign,
            also: ["SST102"], withoutKey: .nothing, salvage: .rows
        ) { $0.flip($0.bytes.count - 2) },
        .manifest(
            "the last chunk is there twice", "SST105", .benign, also: ["SST102"],
            withoutKey: .nothing,
            salvage: .rows
        ) { $0.bytes += Array($0.bytes[$0.chunks[$0.chunks.count - 1]]) },
        .manifest(
            "zeros behind the last chunk", "SST105", .benign, also: ["SST102"],
            withoutKey: .nothing,
            salvage: .rows
        ) { $0.bytes += [UInt8](repeating: 0, count: 100) },
        .manifest(
            "every edit but the first is gone: the log has it all", "SST102", .benign,
            withoutKey: .nothing, salvage: .rows
        ) { $0.bytes.removeSubrange($0.chunks[1].lowerBound...) },
    ]

    /// Edits under right checksums that make no sense, or speak of other files than there are.
    static let edits: [FileDamage] = [
        edit("an edit that cannot be decoded", "SST104", says: ["makes no sense"]) {
            try $0.append(raw: [0, 0])
        },
        edit("an edit whose field is cut", "SST104") { try $0.append(raw: [7, 8, 1]) },
        edit("an edit with a field that readers must know", "GEN009", .usage, says: ["(99)"]) {
            try $0.append(raw: [99, 0])
        },
        edit("an edit with a field that readers may pass over", nil, .clean, salvage: .rows) {
            try $0.append(raw: [98, 1, 7])
        },
        edit("a second snapshot", "SST104", says: ["makes no sense"]) {
            try $0.append { $0.isSnapshot = true }
        },
        edit("a first edit that is no snapshot", "SST104") {
            var edits = $0.contents.edits
            edits[0].isSnapshot = false
            try $0.rebuild(edits)
        },
        edit("a table that is nowhere", "SST101", salvage: .notAsked) { forge in
            let path = try Self.source(forge).newest
            var addition = try forge.addition(path)
            addition.file.number = FileNumber(0xFFF0)
            addition.file.blobUses = []
            try forge.append { $0.added = [addition] }
        },
        edit("a blob file that is nowhere", "BLB101", salvage: .notAsked) { forge in
            let path = try Self.source(forge).newestBlob
            var addition = try forge.addition(path)
            addition.file.number = FileNumber(0xFFF0)
            try forge.append { $0.added = [addition] }
        },
        edit("a table moved onto others of a level", "SST103", salvage: .notAsked) { forge in
            let source = try Self.source(forge)
            var addition = try forge.addition(source.middle)
            let removal = VersionEdit.Removal(level: addition.level, number: addition.file.number)
            addition.level = try forge.addition(source.bottom).level
            try forge.append {
                $0.removed = [removal]
                $0.added = [addition]
            }
        },
        edit("a table out of service that is sound", "SST106", .benign, salvage: .rows) { forge in
            let source = try Self.source(forge)
            let record = QuarantineRecord(
                .corruption("The data block fails its checksum.", path: source.newest, offset: 64),
                file: try forge.addition(source.newest).file.number, finder: .read, wallMicros: 1)
            try forge.append { $0.quarantined = [record] }
        },
        edit(
            "a log that was closed further on", "GEN011", says: ["where it was closed"],
            salvage: .notAsked
        ) { try $0.append { $0.logEnd = LSN(1 << 40) } },
        edit(
            "a log that has had later segments", "GEN011", says: ["there was segment"],
            salvage: .notAsked
        ) { try $0.append { $0.logSegment = WALSegmentNumber(1000) } },
        stated("another uid of a table", "SST010", says: ["the uid"], salvage: .rows) {
            $0.uid = UID(high: 9, low: 9)
        },
        stated("another size of a table", "SST010", says: ["the file's size"], salvage: .rows) {
            $0.byteCount += 1
        },
        stated("another count of entries", "SST010", says: ["the entry count"]) {
            $0.entryCount += 1
        },
        stated("another count of tombstones", "SST010", says: ["the tombstone count"]) {
            $0.tombstoneCount += 1
        },
        stated("another count of range tombstones", "SST010", says: ["range tombstone count"]) {
            $0.rangeTombstoneCount += 1
        },
        stated("another least timestamp", "SST010", says: ["least timestamp"]) {
            $0.minTimestamp = Timestamp($0.minTimestamp.rawValue - 1)
        },
        stated("another greatest timestamp", "SST010", says: ["greatest timestamp"]) {
            $0.maxTimestamp = Timestamp($0.maxTimestamp.rawValue + 1)
        },
        stated("another least key", "SST010", says: ["key bounds"]) { $0.smallest[15] -= 1 },
        stated("another greatest key", "SST010", says: ["key bounds"]) { $0.largest += [0] },
        stated("another hash of a table", "SST011", salvage: .rows) { $0.contentHash ^= 1 },
        stated("a hash that was never computed", nil, .clean, salvage: .rows) {
            $0.contentHash = 0
        },
        stated(
            "other uses of a blob file", "SST010", says: ["refers to in blob files"],
            also: ["BLB004"]
        ) { $0.blobUses[0].records += 1 },
        statedBlob("another uid of a blob file", "BLB004", also: ["BLB007"]) {
            $0.uid = UID(high: 9, low: 9)
        },
        statedBlob("another size of a blob file", "BLB004", also: ["BLB007"], salvage: .rows) {
            $0.byteCount += 1
        },
        statedBlob("another count of records", "BLB004", says: ["count of records"]) {
            $0.entryCount += 1
        },
        statedBlob("another hash of a blob file", "BLB005", salvage: .rows) {
            $0.contentHash ^= 1
        },
    ]

    private static func edit(
        _ name: String, _ code: String?, _ exit: ToolExit = .corruption, says: [String] = [],
        also: Set<String> = [], salvage: Salvage = .refused,
        _ mutilate: @escaping @Sendable (inout ManifestForge) throws -> Void
    ) -> FileDamage {
        manifest(
            name, code, exit, says: says, also: also, withoutKey: .nothing, salvage: salvage,
            mutilate)
    }

    /// What MANIFEST says of the newest table.
    private static func stated(
        _ name: String, _ code: String?, _ exit: ToolExit = .corruption, says: [String] = [],
        also: Set<String> = [], salvage: Salvage = .notAsked,
        _ change: @escaping @Sendable (inout FileMetadata) -> Void
    ) -> FileDamage {
        edit("MANIFEST says: " + name, code, exit, says: says, also: also, salvage: salvage) {
            try $0.change(try source($0).newest, change)
        }
    }

    /// What MANIFEST says of the newest blob file.
    private static func statedBlob(
        _ name: String, _ code: String, says: [String] = [], also: Set<String> = [],
        salvage: Salvage = .notAsked,
        _ change: @escaping @Sendable (inout FileMetadata) -> Void
    ) -> FileDamage {
        edit("MANIFEST says: " + name, code, says: says, also: also, salvage: salvage) {
            try $0.change(try source($0).newestBlob, change)
        }
    }

    /// The sound directory that a manifest is a copy of.
    private static func source(_ forge: ManifestForge) throws -> DamageSource {
        try DamageSource.shared(isEncrypted: forge.contents.envelope != nil)
    }
}
