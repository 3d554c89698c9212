import FalconSchema
import FalconStorage

/// Logical replication slots, with PostgreSQL's names.
extension FunctionLibrary {
    mutating func addSlots() {
        rows("pg_create_logical_replication_slot") { (a, _, c) throws(SQLError) in
            let calls = try SlotCalls(c)
            if a.count > 2, a[2].bool {
                throw SQLError(
                    .featureNotSupported, "temporary replication slots are not supported")
            }
            if a.count > 3, a[3].bool {
                throw SQLError(
                    .featureNotSupported, "two-phase decoding in replication slots is not supported"
                )
            }
            let slot = try calls.create(a[0].text, plugin: a[1].text)
            return RecordSource([[.text(slot.name), Self.datum(slot.confirmedLSN)]])
        }
        unary("pg_drop_replication_slot") { (name, c) throws(SQLError) in
            try SlotCalls(c).drop(name.text)
            return .text("")
        }
        rows("pg_replication_slot_advance") { (a, _, c) throws(SQLError) in
            let end = try SlotCalls(c).advance(a[0].text, to: LSN(UInt64(bitPattern: a[1].int)))
            return RecordSource([[a[0], Self.datum(end)]])
        }
        for (name, confirms, isBinary) in [
            ("pg_logical_slot_get_changes", true, false),
            ("pg_logical_slot_peek_changes", false, false),
            ("pg_logical_slot_get_binary_changes", true, true),
            ("pg_logical_slot_peek_binary_changes", false, true),
        ] {
            rows(name) { (a, _, c) throws(SQLError) in
                SlotRows(try Self.changes(a, c, confirms: confirms), isBinary: isBinary)
            }
        }
        rows("pg_stat_get_replication_slot") { (a, _, c) throws(SQLError) in
            RecordSource([try Self.bridged(c).database.slotStatistics.row(a[0].text)])
        }
        unary("pg_stat_reset_replication_slot") { (name, c) throws(SQLError) in
            try Self.resetStatistics(name, c)
            return .text("")
        }
        rows("pg_get_replication_slots") { (_, _, c) throws(SQLError) in
            RecordSource(try SystemCatalog.slotRows(try Self.bridged(c), withDatabase: false))
        }
    }

    /// - Parameter name: NULL: of all slots.
    private static func resetStatistics(
        _ name: Datum, _ context: FunctionContext
    ) throws(SQLError) {
        let session = try bridged(context)
        let database = session.database
        guard database.isSuperuser(session.settings.user) else {
            throw SQLError(
                .insufficientPrivilege,
                "permission denied for function pg_stat_reset_replication_slot")
        }
        let names = try storage { () throws(StorageError) in
            try database.slots.list().map(\.name)
        }
        let now = context.statementTimestamp
        guard case .text(let name) = name else {
            for name in names { database.slotStatistics.reset(name, at: now) }
            return
        }
        guard names.contains(name) else {
            throw SQLError(
                .invalidParameterValue, "replication slot \"\(name)\" does not exist")
        }
        database.slotStatistics.reset(name, at: now)
    }

    private static func changes(
        _ a: [Datum], _ context: FunctionContext, confirms: Bool
    ) throws(SQLError) -> SlotReading? {
        let calls = try SlotCalls(context)
        guard a.count >= 3, case .text(let name) = a[0] else {
            throw SQLError(SQLState("22004"), "slot name must not be null")
        }
        var limit: LSN?
        if case .int(let lsn) = a[1], lsn != 0 { limit = LSN(UInt64(bitPattern: lsn)) }
        return try calls.changes(
            name, upTo: limit, rowLimit: Int(clamping: a[2].int),
            options: a.count > 3 ? try optionWords(a[3]) : [], confirms: confirms)
    }

    private static func optionWords(_ options: Datum) throws(SQLError) -> [String] {
        guard case .array(let array) = options else {
            throw SQLError(SQLState("22004"), "options array must not be null")
        }
        guard array.dimensions.count <= 1 else {
            throw SQLError(.featureNotSupported, "array must be one-dimensional")
        }
        var words: [String] = []
        for element in array.elements {
            guard case .text(let word) = element else {
                throw SQLError(.featureNotSupported, "array must not contain nulls")
            }
            words.append(word)
        }
        guard words.count % 2 == 0 else {
            throw SQLError(.featureNotSupported, "array must have even number of elements")
        }
        return words
    }

    private static func datum(_ lsn: LSN) -> Datum { .int(Int64(bitPattern: lsn.rawValue)) }
}

/// The lines of a slot as rows: lsn, xid, data.
private final class SlotRows: RowSource {
    private let reading: SlotReading?
    private let isBinary: Bool
    private var next = 0

    init(_ reading: SlotReading?, isBinary: Bool) {
        self.reading = reading
        self.isBinary = isBinary
    }

    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        guard let reading, next < reading.lines.count, columns.count >= 3 else { return false }
        let line = reading.lines[next]
        next += 1
        columns[0] = .int(Int64(bitPattern: line.lsn.rawValue))
        columns[1] = .int(Int64(UInt32(truncatingIfNeeded: line.transaction)))
        columns[2] =
            isBinary ? .bytes(line.bytes) : .text(String(decoding: line.bytes, as: UTF8.self))
        return true
    }
}
