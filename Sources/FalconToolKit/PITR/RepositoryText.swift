import FalconStorage

/// How the things of a repository are shown.
enum RepositoryText {
    static func text(_ backup: BackupManifest) -> String {
        (backup.label.isEmpty ? backup.id : "\(backup.id) '\(BackupManifest.shown(backup.label))'")
            + ", LSN \(backup.startLSN), \(ToolTime.format(backup.endedMicros)), "
            + "\(backup.files.count) files, \(backup.byteCount) bytes"
    }

    static func json(_ backup: BackupManifest) -> JSONValue {
        .object([
            ("id", .string(backup.id)), ("label", .string(backup.label)),
            ("start_lsn", .text(backup.startLSN)), ("end_lsn", .text(backup.endLSN)),
            ("began", .string(ToolTime.format(backup.beganMicros))),
            ("ended", .string(ToolTime.format(backup.endedMicros))),
            ("newest_commit", .string(ToolTime.format(backup.newestMicros))),
            ("branch", .text(backup.branch)), ("files", .count(backup.files.count)),
            ("bytes", .unsigned(backup.byteCount)), ("new_bytes", .unsigned(backup.newBytes)),
            ("encrypted", .bool(backup.isEncrypted)), ("version", .string(backup.version)),
        ])
    }

    static func text(_ gap: RepositoryTimeline.Gap) -> String {
        "Segments \(gap.firstSegment) to \(gap.lastSegment) are not in the repository: LSN "
            + "\(gap.from) to \(gap.to), before \(ToolTime.format(gap.untilMicros))."
    }

    static func json(_ gap: RepositoryTimeline.Gap) -> JSONValue {
        .object([
            ("from_lsn", .text(gap.from)), ("to_lsn", .text(gap.to)),
            ("first_segment", .text(gap.firstSegment)), ("last_segment", .text(gap.lastSegment)),
            ("until", .string(ToolTime.format(gap.untilMicros))),
        ])
    }

    /// Something unfinished, and what it takes.
    static func leftover(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> Finding {
        let count = try byteCount(path, fileSystem)
        return Finding(
            .pitrLeftover, "This is unfinished, and takes \(count) bytes.", file: path)
    }

    /// Of a file, or of all in a directory; 0 where it has gone meanwhile.
    private static func byteCount(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> UInt64 {
        do throws(StorageError) {
            guard try fileSystem.isDirectory(path) else { return try fileSystem.fileSize(path) }
            var total: UInt64 = 0
            for name in try fileSystem.list(path) {
                total &+= try byteCount(path + "/" + name, fileSystem)
            }
            return total
        } catch  where error.code == .notFound {
            return 0
        }
    }

    /// Why a target cannot be reached.
    static func finding(_ error: StorageError) -> Finding {
        let kind: FindingKind =
            switch error.code {
            case .noBackup: .pitrNoBase
            case .logGap: .pitrGap
            case .targetPassed: .pitrPassed
            default: .pitrUnreachable
            }
        var message = error.message
        if let cause = error.cause {
            message += " " + cause.prefix(1).uppercased() + cause.dropFirst()
            if !message.hasSuffix(".") { message += "." }
        }
        return Finding(kind, message, file: error.location?.path, advice: error.hint)
    }
}
