import FalconSchema
import FalconStorage

/// falcon.pitr_status and falcon.pitr_backups: how the archive of the log stands, and the base backups in it.
extension SystemCatalog {
    static let backupTables: [VirtualTable] = [
        VirtualTable(
            12_906, "pitr_status", schema: "falcon",
            "directory text,state text,detail text,last_lsn pg_lsn,last_segment text,"
                + "last_archived timestamptz,archived_segments int8,archived_bytes int8,"
                + "pending_segments int8,pending_bytes int8,failures int8,backup text,"
                + "backup_copied_bytes int8,backup_total_bytes int8,backup_max_rate int8"
        ) { source in
            guard let status = engine(source)?.archiveStatus() else {
                let none = [Datum](repeating: .null, count: 13)
                return [[.null, .text("off")] + none]
            }
            let state: (String, Datum) =
                switch status.state {
                case .active: ("active", .null)
                case .failing(let reason): ("failing", .text(reason))
                case .lost(let since, let reason): ("lost", .text("since \(since): \(reason)"))
                }
            let isBegun = status.lastMicros > 0
            let row: [Datum] = [
                .text(status.directory), .text(state.0), state.1,
                isBegun ? lsn(status.lastLSN) : .null,
                isBegun ? .text(status.lastName) : .null,
                isBegun ? time(status.lastMicros) : .null, count(status.archivedSegments),
                count(status.archivedBytes), count(UInt64(clamping: status.pendingSegments)),
                count(status.pendingBytes), count(status.failures),
            ]
            return [row + backup(status.backup)]
        },
        VirtualTable(
            12_907, "pitr_backups", schema: "falcon",
            "id text,label text,start_lsn pg_lsn,end_lsn pg_lsn,began timestamptz,ended timestamptz,"
                + "newest_commit timestamptz,files int8,bytes int8,new_bytes int8,encrypted bool"
        ) { source throws(SQLError) in
            guard let engine = engine(source) else { return [] }
            let backups: [BackupManifest]
            do throws(StorageError) {
                backups = try engine.backups()
            } catch {
                throw SQLError(storage: error)
            }
            return backups.map { backup in
                [
                    .text(backup.id), .text(backup.label), lsn(backup.startLSN),
                    lsn(backup.endLSN), time(backup.beganMicros), time(backup.endedMicros),
                    time(backup.newestMicros), count(UInt64(clamping: backup.files.count)),
                    count(backup.byteCount), count(backup.newBytes), .bool(backup.isEncrypted),
                ]
            }
        },
    ]

    /// The columns of the one that is being made.
    private static func backup(_ progress: BackupProgress?) -> [Datum] {
        guard let progress else { return [Datum](repeating: .null, count: 4) }
        return [
            .text(progress.id), count(progress.copiedBytes), count(progress.totalBytes),
            progress.maxBytesPerSecond > 0 ? count(progress.maxBytesPerSecond) : .null,
        ]
    }

    private static func engine(_ source: VirtualSource) -> StorageEngine? {
        (source.session as? SessionBridge)?.session?.database.engine
    }
    private static func lsn(_ lsn: LSN) -> Datum { .int(Int64(bitPattern: lsn.rawValue)) }
    private static func count(_ value: UInt64) -> Datum { .int(Int64(clamping: value)) }

    /// - Parameter micros: since 1970.
    private static func time(_ micros: UInt64) -> Datum {
        .int(Int64(clamping: micros) &- Int64(Timestamp.epochMicrosSince1970))
    }
}
