import FalconSchema

/// pg_stat_activity: the sessions of the process. `client_addr` is text: there is no inet yet.
extension SystemCatalog {
    static let activityTables: [VirtualTable] = [
        VirtualTable(
            12011, "pg_stat_activity",
            "datid oid,datname name,pid int4,leader_pid int4,usesysid oid,usename name,"
                + "application_name text,client_addr text,client_hostname text,client_port int4,"
                + "backend_start timestamptz,xact_start timestamptz,query_start timestamptz,"
                + "state_change timestamptz,wait_event_type text,wait_event text,state text,"
                + "backend_xid xid,backend_xmin xid,query_id int8,query text,backend_type text"
        ) { source in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            let database = session.database
            return database.activities.map { activity($0, userOID: database.roleOID($0.user)) }
        },
        VirtualTable(
            12012, "pg_prepared_xacts",
            "transaction xid,gid text,prepared timestamptz,owner name,database name"
        ) { source in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            return preparedTransactions(session.database, byName: true)
        },
    ]

    /// What waits for COMMIT or ROLLBACK PREPARED, with role and database by their names
    /// (pg_prepared_xacts) or by their numbers (pg_prepared_xact()).
    static func preparedTransactions(_ database: SQLDatabase, byName: Bool) -> [[Datum]] {
        database.prepared.all.map { entry in
            let header = entry.header
            return [
                .int(Int64(UInt32(truncatingIfNeeded: header.number))), .text(header.gid),
                .int(header.preparedMicros),
                byName ? name(header.user) : oid(database.roleOID(header.user)),
                byName ? name(entry.database.name) : oid(entry.database.oid),
            ]
        }
    }

    private static func activity(_ session: SessionActivity, userOID: OID) -> [Datum] {
        let state = session.current
        let wait = waitEvent(of: session.owner, state)
        func time(_ value: Int64?) -> Datum { value.map { .int($0) } ?? .null }
        func text(_ value: String?) -> Datum { value.map { .text($0) } ?? .null }
        let number = session.owner.transactionNumber.withLock { $0 }
        return [
            oid(session.database.oid), name(session.database.name),
            .int(Int64(session.owner.processID)), .null,
            oid(userOID), name(session.user),
            .text(state.applicationName), text(session.client?.address), .null,
            .int(Int64(session.client?.port ?? -1)), time(session.start),
            time(state.transactionStart), time(state.queryStart), time(state.stateChange),
            text(wait?.kind), text(wait?.name), .text(state.phase.rawValue),
            number.map { .int(Int64(UInt32(truncatingIfNeeded: $0))) } ?? .null, .null, .null,
            .text(state.query), .text("client backend"),
        ]
    }

    private static func waitEvent(
        of owner: LockOwner, _ state: SessionActivity.State
    ) -> (kind: String, name: String)? {
        if state.phase != .active { return ("Client", "ClientRead") }
        guard let wait = owner.currentWait else { return nil }
        switch wait.purpose {
        case .lock: break
        case .timer: return ("Timeout", "PgSleep")
        case .sessionEnd: return ("IPC", "BackendTermination")
        case .safeSnapshot: return ("IPC", "SafeSnapshot")
        }
        switch wait.subject {
        case .relation: return ("Lock", "relation")
        case .advisory: return ("Lock", "advisory")
        case .other: return ("Lock", wait.mode.isRow ? "transactionid" : "object")
        }
    }
}
