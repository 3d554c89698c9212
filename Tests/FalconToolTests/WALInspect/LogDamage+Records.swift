import FalconToolKit

@testable import FalconStorage

extension LogDamage {
    /// Whole chunks whose records make no sense, or that this program does not know.
    static let records: [LogDamage] = [
        LogDamage("a record longer than its chunk", "WAL007", .corruption) { log in
            try log.rewrite(1, chunk: 1) { $0[1] = 0xFF }
        },
        LogDamage("a record without a tag", "WAL007", .corruption) { log in
            try log.rewrite(1, chunk: 1) { $0[4] = 0 }
        },
        LogDamage(
            "a COMMIT whose operations end too early", "WAL013", .corruption,
            says: [
                "The COMMIT record at", "recovery refuses",
                ", transaction 1 of 2026-01-01T00:00:01.000000Z; 16 commits behind it can be read",
            ]
        ) { log in
            // Before the key: kind, statement, its length, the value's (two bytes), the version.
            try log.rewrite(1, chunk: 1) { bytes in
                if let place = bytes.firstIndex(of: UInt8(ascii: "k")) { bytes[place - 4] = 0x7F }
            }
        },
        LogDamage("an operation of no kind", "WAL013", .corruption) { log in
            try log.rewrite(2, chunk: 1) { bytes in
                if let place = bytes.firstIndex(of: UInt8(ascii: "k")) { bytes[place - 6] = 0x1F }
            }
        },
        LogDamage("an operation that no recovery replays", "WAL013", .corruption) { log in
            try log.rewrite(2, chunk: 1) { bytes in
                if let place = bytes.firstIndex(of: UInt8(ascii: "k")) { bytes[place - 6] = 0x15 }
            }
        },
        LogDamage(
            "a transaction whose first part is missing", "WAL013", .corruption,
            log: {
                let log = try LogScenarios.plain()
                log.group(Array(log.commit(operations(9), parts: 2).dropFirst()))
                return log
            }),
        LogDamage(
            "a large transaction without its COMMIT", "WAL011", .clean,
            says: ["1 large transactions were under way"],
            log: {
                let log = try LogScenarios.plain()
                log.group(log.commit(operations(9), parts: 2, lacksCommit: true))
                return log
            }),
        LogDamage(
            "a record of an unknown kind", "WAL012", .clean, says: ["UNKNOWN(66)"],
            log: {
                let log = try LogScenarios.plain()
                log.group([LogForge.record(WALRecordTag(rawValue: 0x42), [1, 2, 3])])
                return log
            }),
        LogDamage(
            "a critical record of an unknown kind", "WAL009", .usage,
            says: ["critical tag UNKNOWN(194)", "recovery refuses"],
            log: {
                let log = try LogScenarios.plain()
                log.group([LogForge.record(WALRecordTag(rawValue: 0xC2), [1, 2, 3])])
                return log
            }),
        LogDamage(
            "an INCARNATION that is cut short", "WAL013", .corruption,
            log: {
                let log = try LogScenarios.plain()
                log.group([LogForge.record(.incarnation, [1, 2, 3])])
                return log
            }),
        LogDamage(
            "a CHECKPOINT that is cut short", "WAL013", .corruption, recovers: true,
            log: {
                let log = try LogScenarios.plain()
                log.group([LogForge.record(.checkpoint, [1, 2, 3])])
                return log
            }),
        LogDamage(
            "an INGEST that is cut short", "WAL013", .corruption,
            log: {
                let log = try LogScenarios.plain()
                log.group([LogForge.record(.ingest, [1, 2, 3])])
                return log
            }),
    ]

    private static func operations(_ count: Int) -> [LogBuilder.Operation] {
        (0..<count).map { .init(key: [0x6B, UInt8($0)], value: [1]) }
    }
}
