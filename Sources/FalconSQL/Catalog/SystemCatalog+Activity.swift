import FalconSchema

/// pg_stat_activity: the sessions of the process. `client_addr` is text: there is no inet yet.
extension SystemCatalog {
    static let activityTables: [VirtualTable] = [
        VirtualTable(
            12077, "pg_cursors",
            "name text,statement text,is_holdable bool,is_binary bool,is_scrollable bool,"
                + "creation_time timestamptz"
        ) { source in
            (source.session as? SessionBridge)?.session.map(cursorRows) ?? []
        },
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
            return database.activities.map { entry in
                let row = activity(entry, userOID: database.roleOID(entry.user))
                return isShown(entry.user, to: source) ? row : hidden(row)
            }
        },
        VirtualTable(
            12012, "pg_prepared_xacts",
            "transaction xid,gid text,prepared timestamptz,owner name,database name"
        ) { source in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            return preparedTransactions(session.database, byName: true)
        },
    ]

    /// Superusers see what everybody does, others what their own role's sessions do.
    static func isShown(_ user: String, to source: VirtualSource) -> Bool {
        guard let session = (source.session as? SessionBridge)?.session else { return false }
        let own = session.settings.user
        return user == own || session.database.isSuperuser(own)
    }

    private static let insufficientPrivilege = Datum.text("<insufficient privilege>")

    /// The text of a statement of `user`, for whoever may see it.
    static func shown(_ query: String, of user: String, to source: VirtualSource) -> Datum {
        isShown(user, to: source) ? .text(query) : insufficientPrivilege
    }

    /// What pg_stat_activity tells of others' sessions: that they are there, and whose.
    private static func hidden(_ row: [Datum]) -> [Datum] {
        let known: Set<Int> = [0, 1, 2, 4, 5, 6, 17, 18]
        return row.indices.map {
            $0 == 20 ? insufficientPrivilege : known.contains($0) ? row[$0] : .null
        }
    }

    /// The session's own cursors, and portals of the extended protocol.
    static func cursorRows(_ session: Session) -> [[Datum]] {
        let now = session.activity.current.queryStart ?? 0
        return session.portals.values.sorted { $0.number < $1.number }.map {
            [
                .text($0.name), .text($0.prepared.sql), .bool($0.isHold), .bool($0.isBinary),
                .bool($0.isScrollable), .int($0.name.isEmpty ? now : $0.creationTime),
            ]
        }
    }

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
