import FalconToolKit

@testable import FalconStorage

extension LogDamage {
    /// Files that are missing, mixed up, or begin with a damaged header.
    static let segments: [LogDamage] = [
        LogDamage(
            "a segment in the middle is missing", "WAL005", .corruption,
            says: ["no such file", "after a hole", "1 links broken"]
        ) { try $0.fileSystem.remove($0.segments[1].path) },
        LogDamage(
            "a segment was taken for a spare", "WAL005", .corruption,
            says: ["0000000000000009.spare still has its header"]
        ) {
            try $0.fileSystem.rename(
                $0.segments[1].path, to: $0.root + "/wal/0000000000000009.spare")
        },
        LogDamage(
            "the oldest segment went, as when it is released", nil, .clean, says: ["unbroken"]
        ) { try $0.fileSystem.remove($0.segments[0].path) },
        LogDamage(
            "the newest segments are missing: the log alone cannot tell", nil, .clean,
            says: ["unbroken"]
        ) {
            try $0.fileSystem.remove($0.segments[1].path)
            try $0.fileSystem.remove($0.segments[2].path)
        },
        LogDamage("a bit of a segment header", "WAL006", .corruption, says: ["one bit is flipped"])
        { log in try log.patch(2) { bytes, _ in bytes[130] ^= 1 } },
        LogDamage(
            "a bit of a segment header's checksum", "WAL006", .corruption,
            says: ["one bit of the stored checksum"]
        ) { log in try log.patch(2) { bytes, _ in bytes[4093] ^= 8 } },
        LogDamage(
            "a segment header's magic number", "WAL006", .corruption,
            says: ["the magic number is wrong"]
        ) { log in try log.patch(2) { bytes, _ in bytes[0] = 0 } },
        LogDamage("a blank segment header", "WAL002", .corruption, says: ["4096 zero bytes"]) {
            log in try log.zero(2) { _ in 0..<4096 }
        },
        LogDamage(
            "a segment cut in its header", "WAL006", .corruption,
            says: ["the header has 100 of 4096 bytes"]
        ) { log in try log.cut(3) { _ in 100 } },
        LogDamage("an empty segment file", "WAL006", .corruption, says: ["0 of 4096"]) { log in
            try log.cut(3) { _ in 0 }
        },
        LogDamage("the first segment's header", "WAL006", .corruption) { log in
            try log.patch(1) { bytes, _ in bytes[200] ^= 1 }
        },
        LogDamage(
            "two segments have changed their names", "WAL006", .corruption,
            says: ["he header is of segment"], count: 2
        ) { log in
            let (second, third) = (log.segments[1].path, log.segments[2].path)
            try log.fileSystem.rename(second, to: log.root + "/wal/x.tmp")
            try log.fileSystem.rename(third, to: second)
            try log.fileSystem.rename(log.root + "/wal/x.tmp", to: third)
        },
        LogDamage(
            "a segment of another log", "WAL004", .corruption,
            says: ["does not name segment", "names another predecessor"]
        ) { log in
            try log.rehead(2) { header in
                header.predecessor?.uid = UID(high: 9, low: 9)
                header.identity.shard = UID(high: 9, low: 1)
            }
        },
        LogDamage(
            "a segment without a predecessor in the middle", "WAL004", .corruption,
            says: ["no predecessor"]
        ) { log in try log.rehead(3) { $0.predecessor = nil } },
        LogDamage(
            "a successor that vouches for more than there is", "WAL002", .corruption,
            says: ["vouches for it up to", "vouches for more than its predecessor holds"]
        ) { log in
            try log.rehead(2) { header in
                guard var named = header.predecessor else { return }
                named.lastLSN = named.lastLSN.advanced(by: 256)
                header.predecessor = named
                header.firstLSN = header.firstLSN.advanced(by: 256)
            }
        },
        LogDamage(
            "a segment that begins before the one before it ends", "WAL008", .corruption, count: 2
        ) {
            log in try log.rehead(2) { $0.firstLSN = LSN(16) }
        },
        LogDamage(
            "a newer segment format", "WAL009", .usage, says: ["format version 7"]
        ) { log in try log.rehead(3) { $0.version = 7 } },
        LogDamage(
            "a feature that readers must know", "WAL009", .usage, says: ["features 4"]
        ) { log in try log.rehead(3) { $0.readIncompatibleFeatures = 4 } },
        LogDamage("a seal is gone that the next segment makes up for", nil, .clean) { log in
            try log.cut(1) { segment in segment.chunks.last?.offset ?? 0 }
        },
        LogDamage("files that are no segments", nil, .clean) { log in
            _ = try log.fileSystem.open(log.root + "/wal/notes.txt", .create)
            _ = try log.fileSystem.open(log.root + "/wal/0000000000000007.spare", .create)
        },
    ]
}
