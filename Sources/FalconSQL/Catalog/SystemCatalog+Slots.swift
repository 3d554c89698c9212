import FalconSchema
import FalconStorage

/// pg_replication_slots, and falcon.cdc_slots, which says more.
extension SystemCatalog {
    static let slotTables: [VirtualTable] = [
        VirtualTable(
            12_257, "pg_replication_slots",
            "slot_name name,plugin name,slot_type text,datoid oid,database name,temporary bool,"
                + "active bool,active_pid int4,xmin xid,catalog_xmin xid,restart_lsn pg_lsn,"
                + "confirmed_flush_lsn pg_lsn,wal_status text,safe_wal_size int8,two_phase bool"
        ) { source throws(SQLError) in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            return try slotRows(session, withDatabase: true)
        },
        VirtualTable(
            12_262, "pg_stat_replication_slots",
            "slot_name text,spill_txns int8,spill_count int8,spill_bytes int8,stream_txns int8,"
                + "stream_count int8,stream_bytes int8,total_txns int8,total_bytes int8,"
                + "stats_reset timestamptz"
        ) { source throws(SQLError) in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            let slots = try storage {
                () throws(StorageError) in try session.database.slots.list()
            }
            return slots.map { session.database.slotStatistics.row($0.name) }
        },
        VirtualTable(
            12_908, "cdc_slots", schema: "falcon",
            "name text,plugin text,database text,state text,detail text,confirmed_lsn pg_lsn,"
                + "restart_lsn pg_lsn,behind_bytes int8,held_bytes int8,max_held_bytes int8,"
                + "created timestamptz,confirmed timestamptz"
        ) { source throws(SQLError) in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            return try cdcRows(session)
        },
    ]

    /// In the order of pg_get_replication_slots(), which has no database name.
    static func slotRows(
        _ session: Session, withDatabase: Bool
    ) throws(SQLError) -> [[Datum]] {
        let store = session.database.slots
        session.database.noteLostSlots()
        let slots = try storage { () throws(StorageError) in try store.list() }
        return slots.map { slot in
            let database = entry(slot.database, session)
            let isLost = slot.loss != nil
            let room = store.options.maximumBytes
            let held = store.heldBytes(slot)
            var row: [Datum] = [name(slot.name), name(slot.format), .text("logical")]
            row.append(database.map { oid($0.oid) } ?? .null)
            if withDatabase { row.append(database.map { name($0.name) } ?? .null) }
            row += [
                .bool(false), .bool(store.isActive(slot.name)),
                store.activeUser(slot.name).map { .int(Int64($0)) } ?? .null, .null, .null,
                isLost ? .null : place(slot.restartLSN), place(slot.confirmedLSN),
                .text(isLost ? "lost" : "reserved"),
                isLost ? .null : .int(Int64(clamping: room - min(room, held))), .bool(false),
            ]
            return row
        }
    }

    private static func cdcRows(_ session: Session) throws(SQLError) -> [[Datum]] {
        let store = session.database.slots
        session.database.noteLostSlots()
        let found = try storage { () throws(StorageError) in
            // An inspection's log is not known beyond its end.
            let isKnown = !session.database.isReadOnly
            var found: [(slot: ReplicationSlot, behind: UInt64?)] = []
            for slot in try store.list() {
                let behind: UInt64? = isKnown ? try store.behindBytes(slot) : nil
                found.append((slot, behind))
            }
            return found
        }
        return found.map { slot, behind in
            let state = store.isActive(slot.name) ? "active" : "idle"
            let distance: Datum = behind.map { .int(Int64(clamping: $0)) } ?? .null
            return [
                .text(slot.name), .text(slot.format),
                entry(slot.database, session).map { .text($0.name) } ?? .null,
                .text(slot.loss == nil ? state : "lost"),
                slot.loss.map { .text($0.reason) } ?? .null, place(slot.confirmedLSN),
                slot.loss == nil ? place(slot.restartLSN) : .null, distance,
                .int(Int64(clamping: store.heldBytes(slot))),
                .int(Int64(clamping: store.options.maximumBytes)), moment(slot.createdMicros),
                moment(slot.confirmedMicros),
            ]
        }
    }

    private static func entry(_ id: DatabaseID, _ session: Session) -> DatabaseEntry? {
        session.state.cluster.first { $0.id == id }
    }

    private static func place(_ lsn: LSN) -> Datum { .int(Int64(bitPattern: lsn.rawValue)) }

    /// - Parameter micros: since 1970.
    private static func moment(_ micros: UInt64) -> Datum {
        .int(Int64(clamping: micros) &- Int64(Timestamp.epochMicrosSince1970))
    }
}
