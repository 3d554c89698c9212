import FalconSchema

@testable import FalconStorage

/// Logs that the golden outputs and the table of damages are about.
enum LogScenarios {
    static let accounts = TestTable("accounts", storage: 1001)
    static let journal = TestTable("journal", storage: 1002, keyed: false)

    /// A shop's day: two tables, a large transaction in parts, a restore point, a second incarnation.
    static func shop() throws -> LogForge {
        let log = try LogForge()
        log.group([
            LogForge.record(
                .incarnation,
                IncarnationRecord(
                    branch: UID(high: 3, low: 1), parent: .zero, forkLSN: .zero, incarnation: 1,
                    epoch: 1, wallMicros: log.clock.wallMicros(),
                    transactionFloor: TransactionID(1), timestampFloor: .zero
                ).encoded())
        ])
        log.group(log.commit([TestTable.database("shop", 5), accounts.create, journal.create]))
        log.group(log.commit([try accounts.put(1, "alice"), try accounts.put(2, "bob")]))
        // Two commits that one flush carried.
        log.group(
            log.commit([
                try accounts.put(1, "alice b.", .update, before: try accounts.row(1, "alice"))
            ]) + log.commit([try journal.put(1, "1 changed")]))
        log.group(
            log.commit(
                try (10..<22).map { try accounts.put($0, "bulk \($0)") }, parts: 2))
        log.group([
            LogForge.record(
                .restorePoint,
                RestorePointRecord(
                    name: "before the purge", timestamp: log.timestamp,
                    wallMicros: log.clock.wallMicros()
                ).encoded()),
            LogForge.record(
                .closedTimestamp,
                ClosedTimestampRecord(
                    timestamp: log.timestamp, wallMicros: log.clock.wallMicros()
                ).encoded()),
        ])
        log.rotate()
        log.group(log.commit([try accounts.delete(2), index(2), journal.truncate()]))
        log.seal()
        log.reopen()
        log.group(log.commit([try accounts.put(1, "alice c.", .update)]))
        log.group(log.commit([try accounts.put(3, "carol")]))
        return log
    }

    /// An entry of an index that no descriptor names.
    static func index(_ id: Int) -> LogBuilder.Operation {
        LogBuilder.Operation(
            operationClass: .index, key: TestTable("i", storage: 1003).descriptor.prefix + [7, 7],
            value: [])
    }

    /// Many commits of one row each, in three segments of which the last is open: what the table of
    /// damages mutilates.
    static func plain(perSegment: Int = 6, recycled: Bool = false) throws -> LogForge {
        let log = try LogForge()
        for segment in 0..<3 {
            for number in 0..<perSegment {
                let id = segment * perSegment + number
                log.group(
                    log.commit([
                        .init(sql: .insert, key: Array("key \(id)".utf8), value: filler(id))
                    ]))
            }
            if segment < 2 { log.rotate(recycled: recycled) }
        }
        return log
    }

    /// 1200 bytes without a zero: a whole sector of 512 lies in it.
    private static func filler(_ id: Int) -> [UInt8] {
        (0..<1200).map { UInt8(truncatingIfNeeded: 1 + ($0 &* 7 &+ id) % 250) }
    }
}

extension TableDescriptor {
    /// What the keys of its rows begin with.
    var prefix: [UInt8] { KeyCodec.prefix(database: database, storage: storageID) }
}
