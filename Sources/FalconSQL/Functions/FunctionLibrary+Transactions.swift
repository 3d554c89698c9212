import FalconSchema

/// What became of transactions: txid_status() as in PostgreSQL, and falcon.txn_status(), which says more.
extension FunctionLibrary {
    mutating func addTransactions() {
        unary("pg_xact_status") { (a, c) throws(SQLError) in
            switch try Self.status(a, c) {
            case .forgotten: .null
            case let known: .text(known.text)
            }
        }
        unary("falcon_txn_status") { (a, c) throws(SQLError) in
            .text(try Self.status(a, c).text)
        }
        nullary("pg_current_snapshot") { c throws(SQLError) in
            .text(try Self.currentSnapshot(c).text)
        }
        unary("pg_snapshot_xmin") { (a, _) throws(SQLError) in
            .int(Int64(bitPattern: try Self.snapshot(a).lowest))
        }
        unary("pg_snapshot_xmax") { (a, _) throws(SQLError) in
            .int(Int64(bitPattern: try Self.snapshot(a).next))
        }
        rows("pg_snapshot_xip") { (a, _, _) throws(SQLError) in
            ListSource(try Self.snapshot(a[0]).underWay.map { .int(Int64(bitPattern: $0)) })
        }
        binary("pg_visible_in_snapshot") { (number, snapshot, _) throws(SQLError) in
            .bool(try Self.snapshot(snapshot).shows(UInt64(bitPattern: number.int)))
        }
    }

    /// The same all through a statement, and through a transaction that keeps its snapshot.
    private static func currentSnapshot(
        _ context: FunctionContext
    ) throws(SQLError) -> TransactionSnapshot {
        if let shown = context.shownSnapshot { return shown }
        guard let session = (context.session as? SessionBridge)?.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        let database = session.database
        let timestamp = context.readTimestamp ?? database.engine.publishedTimestamp
        guard
            let shown = database.transactionSnapshot(at: timestamp, for: session.transactionNumber)
        else { throw SQLError(.internalError, "the transactions' numbers are in disorder") }
        context.shownSnapshot = shown
        return shown
    }

    private static func snapshot(_ value: Datum) throws(SQLError) -> TransactionSnapshot {
        guard let snapshot = TransactionSnapshot(value.text) else {
            throw SQLError(
                .invalidTextRepresentation,
                "invalid input syntax for type pg_snapshot: \"\(value.text)\"")
        }
        return snapshot
    }

    private static func status(
        _ number: Datum, _ context: FunctionContext
    ) throws(SQLError) -> SQLDatabase.TransactionStatus {
        guard let session = (context.session as? SessionBridge)?.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        return try session.database.status(ofTransaction: UInt64(bitPattern: number.int))
    }
}

/// Our own functions, in the form of PostgreSQL's facts. Their names begin with their schema's.
let falconFunctionFacts = #"""
    12951|falcon.txn_status|falcon_txn_status|ftfv|0|0|25|20||
    12954|falcon.txn_status|falcon_txn_status|ftfv|0|0|25|5069||
    12952|falcon.rotate_data_keys|falcon_rotate_data_keys|ftfv|0|0|2278|||
    12953|falcon.rotate_master_key|falcon_rotate_master_key|ftfv|0|0|2278|25,25||
    12955|falcon.backup|falcon_backup|fffv|0|0|25|25|label|
    12956|falcon.backup|falcon_backup_rated|fffv|0|0|25|25,25|label,max_rate|
    """#
