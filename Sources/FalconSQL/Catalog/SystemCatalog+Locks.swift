import FalconSchema

/// pg_locks: relation and advisory locks, the locks of transactions on themselves, and who waits.
///
/// Row locks that are held are not shown, as in PostgreSQL: who waits for a row waits for the
/// transaction of its holder.
extension SystemCatalog {
    static let lockTables: [VirtualTable] = [
        VirtualTable(
            12073, "pg_locks",
            "locktype text,database oid,relation oid,page int4,tuple int2,virtualxid text,"
                + "transactionid xid,classid oid,objid oid,objsubid int2,"
                + "virtualtransaction text,pid int4,mode text,granted bool,fastpath bool,"
                + "waitstart timestamptz"
        ) { source in
            guard let session = (source.session as? SessionBridge)?.session else { return [] }
            return lockRows(session.database)
        }
    ]

    /// The columns that differ from one kind of lock to the next.
    private struct LockedObject {
        var kind: String
        var database: UInt32?
        var relation: OID?
        var virtualTransaction: String?
        var transaction: UInt64?
        var advisory: AdvisoryKey?
    }

    /// pg_locks, and pg_lock_status().
    static func lockRows(_ database: SQLDatabase) -> [[Datum]] {
        let oids = Dictionary(
            database.databaseList.map { ($0.id.rawValue, $0.oid.rawValue) },
            uniquingKeysWith: { first, _ in first })
        var rows: [[Datum]] = []
        for entry in database.locks.entries(databaseOID: { oids[$0] }) {
            let object: LockedObject
            switch entry.subject {
            case .relation(let oid, let database):
                object = LockedObject(kind: "relation", database: database, relation: oid)
            case .advisory(let key):
                object = LockedObject(kind: "advisory", database: key.database, advisory: key)
            case .other: object = LockedObject(kind: "object")
            case nil:
                let holder = entry.wait.flatMap { database.locks.blockers(of: $0).first }
                object = LockedObject(
                    kind: "transactionid",
                    transaction: holder.map { database.locks.transactionNumber(of: $0) })
            }
            // A row's waiter wants a share of the holder's transaction, whatever it wants of the row.
            let mode = entry.subject == nil ? LockMode.share.name : entry.mode.name
            rows.append(
                row(
                    object, entry.owner, mode, waitStart: entry.wait?.start,
                    isFast: entry.isFast))
        }
        // After the waiters, which give the transactions that they wait for a number.
        return rows + transactionRows(database)
    }

    /// What each transaction holds of itself until it ends.
    private static func transactionRows(_ database: SQLDatabase) -> [[Datum]] {
        let active = database.activities.filter { $0.current.transactionStart != nil }
        let mode = LockMode.exclusive.name
        return active.flatMap { session -> [[Datum]] in
            let own = LockedObject(
                kind: "virtualxid", virtualTransaction: virtualTransaction(session.owner))
            var rows = [row(own, session.owner, mode, isFast: true)]
            if let number = session.owner.transactionNumber.withLock({ $0 }) {
                rows.append(
                    row(
                        LockedObject(kind: "transactionid", transaction: number),
                        session.owner, mode))
            }
            return rows
        }
            + database.prepared.all.map { entry in
                row(
                    LockedObject(kind: "transactionid", transaction: entry.header.number),
                    entry.owner, mode)
            }
    }

    private static func row(
        _ object: LockedObject, _ owner: LockOwner, _ mode: String, waitStart: Int64? = nil,
        isFast: Bool = false
    ) -> [Datum] {
        func number(_ value: (some BinaryInteger)?) -> Datum {
            value.map { .int(Int64($0)) } ?? .null
        }
        func text(_ value: String?) -> Datum { value.map { .text($0) } ?? .null }
        let transaction = object.transaction.map { UInt32(truncatingIfNeeded: $0) }
        return [
            .text(object.kind), number(object.database), number(object.relation?.rawValue),
            .null, .null, text(object.virtualTransaction), number(transaction),
            number(object.advisory?.high), number(object.advisory?.low),
            number(object.advisory?.count), text(virtualTransaction(owner)),
            owner.isDetached ? .null : .int(Int64(owner.processID)), .text(mode),
            .bool(waitStart == nil), .bool(isFast && !owner.isDetached), number(waitStart),
        ]
    }

    /// PostgreSQL's is backend/number; one transaction at a time runs in a session here.
    private static func virtualTransaction(_ owner: LockOwner) -> String {
        guard owner.isDetached else { return "\(owner.processID)/1" }
        let number = owner.transactionNumber.withLock { $0 } ?? 0
        return "-1/\(UInt32(truncatingIfNeeded: number))"
    }
}
