import FalconToolKit

@testable import FalconStorage

extension LogDamage {
    /// How a log may end: what nothing vouches for is a torn tail, whatever it looks like.
    static let tails: [LogDamage] = [
        LogDamage("nothing", nil, .clean, says: ["verdict: clean", "unbroken"]),
        LogDamage("nothing, with zeros behind", nil, .clean, rest: 8192),
        LogDamage(
            "the last chunk cut in its payload", "WAL010", .benign,
            says: ["torn tail", "nothing behind them states", "the file holds"]
        ) { log in try log.cut(3) { $0.bytes.count - 30 } },
        LogDamage("the last chunk cut in its header", "WAL010", .benign, says: ["after 40 bytes"]) {
            log in try log.cut(3) { last($0).offset + 40 }
        },
        LogDamage("the last chunk's end not written", "WAL010", .benign, rest: 4096) { log in
            try log.zero(3) { last($0).offset + 700..<$0.bytes.count }
        },
        LogDamage("the last chunk's beginning not written", "WAL010", .benign, rest: 4096) { log in
            try log.zero(3) { last($0).offset..<last($0).offset + 512 }
        },
        LogDamage("the last chunk not written at all", nil, .clean, rest: 4096) { log in
            try log.zero(3) { last($0).offset..<$0.bytes.count }
        },
        LogDamage(
            "a bit of the last chunk, that nothing vouches for", "WAL010", .benign,
            says: ["one bit is flipped"], rest: 4096
        ) { log in try log.flip(3, chunk: 5, byte: 100) },
        LogDamage(
            "a bit of the last chunk before a watermark", "WAL001", .corruption,
            says: ["one bit is flipped", "the chunk at offset", "vouches for it up to"],
            log: {
                let log = try LogScenarios.plain()
                log.watermark()
                return log
            }
        ) { log in try log.flip(3, chunk: 5, byte: 100) },
        LogDamage(
            "a bit of the last chunk of a sealed log", "WAL001", .corruption,
            says: ["vouches for it up to"], log: { try sealed() }
        ) { log in try log.flip(3, chunk: 5, byte: 100) },
        LogDamage(
            "a bit of the last seal", "WAL010", .benign, log: { try sealed() }
        ) { log in try log.flip(3, chunk: 6, byte: 30) },
        LogDamage("noise behind the end of a zeroed segment", "WAL010", .benign, rest: 4096) {
            log in try log.patch(3) { bytes, _ in bytes[bytes.count - 700] = 0xEE }
        },
        LogDamage(
            "an older life behind the end of a recycled segment", nil, .clean, rest: 4096,
            log: { try LogScenarios.plain(recycled: true) }
        ) { log in
            let old = log.bytes(1, chunk: 2)
            try log.patch(3) { bytes, found in
                bytes.replaceSubrange(
                    found.bytes.count..<(found.bytes.count + old.count), with: old)
            }
        },
        LogDamage(
            "a torn header in a recycled segment", "WAL010", .benign, rest: 4096,
            log: { try LogScenarios.plain(recycled: true) }
        ) { log in
            try log.zero(3) { last($0).offset + 24..<$0.bytes.count }
        },
        LogDamage(
            "a tail that the next incarnation rejected", nil, .clean,
            says: ["LSNs skipped before it"],
            log: {
                let log = try LogScenarios.plain()
                log.reopen()
                log.group(log.commit([.init(key: [1], value: [2])]))
                return log
            }
        ) { log in
            // The recovery before incarnation 2 did not see the last chunk.
            try log.rehead(4) { header in
                header.predecessor?.lastLSN = log.segments[2].chunks[5].first
            }
        },
        LogDamage(
            "damage that a later incarnation vouches against", "WAL001", .corruption,
            log: {
                let log = try LogScenarios.plain()
                log.reopen()
                log.group(log.commit([.init(key: [1], value: [2])]))
                return log
            }
        ) { log in try log.flip(3, chunk: 5, byte: 100) },
    ]

    private static func last(_ segment: LogForge.Segment) -> LogForge.Chunk {
        segment.chunks.last ?? LogForge.Chunk(offset: 0, bytes: 0, first: .zero, end: .zero)
    }

    private static func sealed() throws -> LogForge {
        let log = try LogScenarios.plain()
        log.seal()
        return log
    }
}
