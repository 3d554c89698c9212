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
    12954|falcon.backup|falcon_backup|ftfv|0|0|25|25||
    """#
