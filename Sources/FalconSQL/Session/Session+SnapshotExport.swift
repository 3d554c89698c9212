import FalconSchema
import FalconStorage

/// pg_export_snapshot and SET TRANSACTION SNAPSHOT.
extension Session {
    func exportSnapshot() throws(SQLError) -> String {
        guard transaction.savepoints.isEmpty else {
            throw SQLError(
                .activeSQLTransaction, "cannot export a snapshot from a subtransaction")
        }
        let snapshot: Snapshot
        if let current = transaction.kept ?? runningSnapshot {
            snapshot = current
        } else {
            snapshot = try transaction.statementSnapshot()
        }
        let identifier = transaction.exports.next(processID: processID, database.exportedSnapshots)
        database.exportedSnapshots.add(
            ExportedSnapshots.Export(
                snapshot: snapshot, database: state.oid, isolation: transaction.isolation,
                isReadOnly: transaction.isReadOnly, isTracked: transaction.serializable != nil),
            as: identifier)
        return identifier
    }

    /// What the statement that runs now reads at.
    private var runningSnapshot: Snapshot? {
        let run: StatementRun? =
            switch work {
            case .simple(let simple): simple.run
            case .execute(let execute): execute.portal.run
            case .none, .parse, .bind, .sync: nil
            }
        return run?.inner?.snapshot ?? run?.snapshot
    }

    /// Nobody can import its snapshots from now on. Before the transaction's end begins: until then what is
    /// tracked of it serves those that import.
    func endExports() {
        if transaction.exports.isEmpty { return }
        database.exportedSnapshots.remove(transaction.exports.identifiers)
        transaction.exports = OwnExports()
    }

    func importSnapshot(_ identifier: String) throws(SQLError) {
        let isBegun = transaction.hasSnapshot || transactionNumber != nil
        if isBegun || !transaction.savepoints.isEmpty {
            throw SQLError(
                .activeSQLTransaction, "SET TRANSACTION SNAPSHOT must be called before any query")
        }
        guard transaction.isolation.keepsSnapshot else {
            throw SQLError(
                .featureNotSupported,
                "a snapshot-importing transaction must have isolation level SERIALIZABLE or "
                    + "REPEATABLE READ")
        }
        try database.exportedSnapshots.with(identifier) { export throws(SQLError) in
            guard let export else {
                throw SQLError(
                    .invalidParameterValue, "invalid snapshot identifier: \"\(identifier)\"")
            }
            try self.checkImportable(export)
            try self.transaction.adopt(export)
        }
    }

    private func checkImportable(_ export: ExportedSnapshots.Export) throws(SQLError) {
        let isSerializable = transaction.isolation == .serializable
        if isSerializable {
            if export.isolation != .serializable {
                throw SQLError(
                    .featureNotSupported,
                    "a serializable transaction cannot import a snapshot from a non-serializable "
                        + "transaction")
            }
            if export.isReadOnly, !transaction.isReadOnly {
                throw SQLError(
                    .featureNotSupported,
                    "a non-read-only serializable transaction cannot import a snapshot from a "
                        + "read-only transaction")
            }
        }
        if export.database != state.oid {
            throw SQLError(
                .featureNotSupported, "cannot import a snapshot from a different database")
        }
        if isSerializable, transaction.isReadOnly, transaction.isDeferrable {
            throw SQLError(
                .featureNotSupported,
                "a snapshot-importing transaction must not be READ ONLY DEFERRABLE")
        }
    }
}

extension Transaction {
    /// Reads at the exported snapshot from its first statement on.
    fileprivate func adopt(_ export: ExportedSnapshots.Export) throws(SQLError) {
        guard let snapshot = engine.makeSnapshot(like: export.snapshot, owner: snapshotOwner) else {
            throw SQLError(
                .objectNotInPrerequisiteState, "could not import the requested snapshot")
        }
        if isolation == .serializable, export.isTracked {
            serializable = serializables.begin(isReadOnly: false) { snapshot }.node
        }
        kept = snapshot
    }
}
