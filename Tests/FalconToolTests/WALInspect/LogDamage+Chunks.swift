import FalconToolKit

@testable import FalconStorage

extension LogDamage {
    /// Bytes that were durable and are not what was written: bit rot, lost and misdirected writes.
    static let chunks: [LogDamage] = [
        LogDamage(
            "a bit of a payload", "WAL001", .corruption,
            says: ["one bit is flipped, bit 4 of the byte at offset", "vouches for it up to"]
        ) { try $0.flip(1, chunk: 2, byte: 300) },
        LogDamage(
            "two bits of a payload", "WAL001", .corruption, says: ["the checksum is", "is stored"]
        ) {
            try $0.flip(1, chunk: 2, byte: 300)
            try $0.flip(1, chunk: 2, byte: 901, bit: 1)
        },
        LogDamage(
            "a bit of a chunk header's LSN", "WAL001", .corruption,
            says: ["a chunk header; one bit is flipped, bit 0"]
        ) { try $0.flip(1, chunk: 1, byte: 24, bit: 0) },
        LogDamage(
            "a bit of a chunk's magic number", "WAL001", .corruption,
            says: ["a chunk header; one bit is flipped, bit 7"]
        ) { try $0.flip(2, chunk: 0, byte: 1, bit: 7) },
        LogDamage(
            "a bit of the payload's checksum", "WAL001", .corruption, says: ["one bit is flipped"]
        ) { try $0.flip(1, chunk: 1, byte: 53) },
        LogDamage(
            "a bit of the header's checksum", "WAL001", .corruption,
            says: ["one bit of the stored checksum is flipped"]
        ) { try $0.flip(1, chunk: 1, byte: 61) },
        LogDamage(
            "a chunk header overwritten with noise", "WAL001", .corruption,
            says: ["no chunk header; the bytes begin ababab"]
        ) { try $0.replace(1, chunk: 3, with: [UInt8](repeating: 0xAB, count: 64)) },
        LogDamage(
            "a sector of a payload lost", "WAL001", .corruption, says: ["zeros from offset"]
        ) { log in
            try log.zero(1) { segment in
                let start = segment.chunks[2].offset + 64
                let sector = (start + 511) / 512 * 512
                return sector..<(sector + 512)
            }
        },
        LogDamage(
            "a whole chunk zeroed", "WAL002", .corruption, says: ["zero bytes, up to offset"]
        ) { log in
            try log.zero(1) { $0.chunks[2].offset..<$0.chunks[3].offset }
        },
        LogDamage(
            "a chunk header zeroed", "WAL002", .corruption, says: ["64 zero bytes, up to offset"]
        ) { log in
            try log.zero(2) { $0.chunks[1].offset..<($0.chunks[1].offset + 64) }
        },
        LogDamage(
            "everything from a chunk on zeroed", "WAL002", .corruption,
            says: ["zeros up to the end of the file", "vouches for it"]
        ) { log in try log.zero(1) { $0.chunks[3].offset..<$0.bytes.count } },
        LogDamage(
            "a segment cut between two chunks", "WAL002", .corruption,
            says: ["the file ends at offset", "vouches for it"]
        ) { log in try log.cut(1) { $0.chunks[3].offset } },
        LogDamage(
            "a segment cut in a payload", "WAL001", .corruption, says: ["bytes the file holds 36"]
        ) { log in try log.cut(1) { $0.chunks[3].offset + 100 } },
        LogDamage(
            "a segment cut in a chunk header", "WAL001", .corruption,
            says: ["the file ends after 20 bytes of a chunk header"]
        ) { log in try log.cut(2) { $0.chunks[3].offset + 20 } },
        LogDamage(
            "an older life shows through", "WAL003", .corruption,
            says: ["a chunk of segment 0000000000000001, an older life"],
            log: { try LogScenarios.plain(recycled: true) }
        ) { try $0.replace(3, chunk: 1, with: $0.bytes(1, chunk: 1)) },
        LogDamage(
            "a chunk of a later segment", "WAL004", .corruption,
            says: ["a chunk of segment 0000000000000003, a later one"]
        ) { try $0.replace(1, chunk: 2, with: $0.bytes(3, chunk: 2)) },
        LogDamage(
            "a chunk of another log's segment of that number", "WAL004", .corruption,
            says: ["another segment 0000000000000001, uid ending in"]
        ) { log in try log.recode(1, chunk: 2) { $0.tag ^= 0xFFFF } },
        LogDamage(
            "a chunk written to another's place", "WAL001", .corruption,
            says: ["a chunk of this segment that was written for offset"]
        ) { try $0.replace(1, chunk: 2, with: $0.bytes(1, chunk: 1)) },
        LogDamage(
            "an unknown chunk kind", "WAL001", .corruption, says: ["a chunk header"]
        ) { try $0.flip(1, chunk: 2, byte: 4, bit: 3) },
        LogDamage(
            "a chunk that is compressed by a newer program", "WAL009", .usage
        ) { log in try log.recode(1, chunk: 2) { $0.recordBytes += 8 } },
        LogDamage(
            "LSNs that jump", "WAL008", .corruption, says: ["is expected"], count: 2
        ) { log in
            try log.recode(1, chunk: 2) { $0.firstLSN = $0.firstLSN.advanced(by: 4096) }
        },
        LogDamage("two segments damaged", "WAL001", .corruption, count: 2) {
            try $0.flip(1, chunk: 1, byte: 200)
            try $0.flip(2, chunk: 4, byte: 200)
        },
        LogDamage("two chunks of one segment damaged", "WAL001", .corruption, count: 2) {
            try $0.flip(1, chunk: 1, byte: 200)
            try $0.flip(1, chunk: 4, byte: 200)
        },
    ]
}
