import FalconSchema
import FalconStorage

/// The log's place and segments as in PostgreSQL, restore points, and falcon.backup(label, max_rate).
extension FunctionLibrary {
    mutating func addBackup() {
        nullary("pg_current_wal_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn") {
            c throws(SQLError) in
            try Self.withEngine(c) { engine throws(StorageError) in
                Self.datum(try engine.currentLSN())
            }
        }
        nullary("pg_last_wal_replay_lsn") { c throws(SQLError) in
            let replayed = try Self.bridged(c).database.engine.replayedLSN
            return replayed.map { Self.datum($0) } ?? .null
        }
        nullary("pg_switch_wal") { c throws(SQLError) in
            try Self.checkMayCall("pg_switch_wal", c)
            return try Self.withEngine(c) { engine throws(StorageError) in
                Self.datum(try engine.switchLogSegment())
            }
        }
        unary("pg_walfile_name") { (lsn, c) throws(SQLError) in
            try Self.withEngine(c) { engine throws(StorageError) in
                let name = try engine.logSegmentName(at: LSN(UInt64(bitPattern: lsn.int)))
                return name.map { .text($0) } ?? .null
            }
        }
        unary("pg_create_restore_point") { (name, c) throws(SQLError) in
            try Self.checkMayCall("pg_create_restore_point", c)
            guard name.text.utf8.count < 64 else {
                throw SQLError(
                    .invalidParameterValue,
                    "value too long for restore point (maximum 63 characters)")
            }
            return try Self.withEngine(c) { engine throws(StorageError) in
                Self.datum(try engine.createRestorePoint(name.text))
            }
        }
        unary("falcon_backup") { (label, c) throws(SQLError) in
            try Self.backUp(label, maxRate: nil, c)
        }
        binary("falcon_backup_rated") { (label, rate, c) throws(SQLError) in
            try Self.backUp(label, maxRate: rate, c)
        }
    }

    /// A NULL is refused: who is given one in answer and not an error may think that there is a backup.
    /// - Parameter maxRate: as `BackupRate` reads it; nil: as the configuration says.
    private static func backUp(
        _ label: Datum, maxRate: Datum?, _ c: FunctionContext
    ) throws(SQLError) -> Datum {
        try checkMayCall("backup", c)
        guard case .text(let label) = label else {
            throw SQLError(SQLState("22004"), "backup label must not be null")
        }
        if let maxRate, maxRate.isNull {
            throw SQLError(
                SQLState("22004"), "max_rate must not be null",
                hint: "Leave it out for the configured rate (archive.backup_max_rate).")
        }
        var limit: UInt64?
        do throws(StorageError) {
            try BackupManifest.checkLabel(label)
            if let maxRate { limit = try BackupRate.parse(maxRate.text) }
        } catch {
            throw SQLError(.invalidParameterValue, error.message, hint: error.hint)
        }
        return try withEngine(c) { engine throws(StorageError) in
            let backup = try engine.backup(label: label, maxBytesPerSecond: limit) {
                _, _ throws(StorageError) in
                if c.session?.isCanceled ?? false {
                    throw StorageError(.cancelled, kind: .retryable, "The backup was cancelled.")
                }
            }
            return .text(backup.id)
        }
    }

    private static func datum(_ lsn: LSN) -> Datum { .int(Int64(bitPattern: lsn.rawValue)) }

    /// Superusers may, as after PostgreSQL's own REVOKE.
    private static func checkMayCall(
        _ name: String, _ context: FunctionContext
    ) throws(SQLError) {
        let session = try bridged(context)
        guard session.database.isSuperuser(session.settings.user) else {
            throw SQLError(.insufficientPrivilege, "permission denied for function \(name)")
        }
    }

    private static func withEngine(
        _ context: FunctionContext, _ body: (StorageEngine) throws(StorageError) -> Datum
    ) throws(SQLError) -> Datum {
        let engine = try bridged(context).database.engine
        do throws(StorageError) {
            return try body(engine)
        } catch  where error.code == .cancelled {
            try context.session?.checkInterrupts()
            throw SQLError(storage: error)
        } catch  where error.code == .inUse {
            throw SQLError(
                .objectInUse, "the repository is in use",
                detail:
                    "Another base backup is being made, or pitr-restore retention --apply runs.",
                hint: "Try again when it has ended.")
        } catch  where error.code == .readOnly {
            throw SQLError(
                .objectNotInPrerequisiteState, "recovery is in progress",
                detail: "WAL control functions cannot be executed during recovery.",
                hint: error.hint)
        } catch  where error.code == .invalidArgument {
            throw SQLError(
                .objectNotInPrerequisiteState, error.message, detail: error.cause, hint: error.hint)
        } catch {
            throw SQLError(storage: error)
        }
    }
}
