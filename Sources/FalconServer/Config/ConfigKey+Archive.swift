import FalconStorage

/// The keys that say where the log is archived.
extension ConfigKey {
    static let archive: [ConfigKey] = [
        ConfigKey(
            "archive", "directory", "\"\"",
            "Backup repository: the log is archived there, and SELECT falcon.backup('label') makes base "
                + "backups in it. Made when absent; on another device than data_dir. Empty: no archive."
        ) { (config, value) throws(ConfigError) in
            config.archiveDirectory = try value.string("a path")
        },
        ConfigKey(
            "archive", "backup_max_rate", "0",
            "Bytes a second that a base backup may copy, from 32KiB to 1GiB, unless falcon.backup is told "
                + "another rate. 0: as fast as it can."
        ) { (config, value) throws(ConfigError) in
            let rate = try value.bytes(0...Int(clamping: BackupRate.range.upperBound))
            guard rate == 0 || BackupRate.range.contains(UInt64(rate)) else {
                throw ConfigError("must be 0, or 32KiB or more")
            }
            config.backupBytesPerSecond = rate
        },
        ConfigKey(
            "archive", "max_pending_bytes", "\"16GiB\"",
            "Log that may wait to be archived, from 64MiB; beyond, the archive is given up until the next "
                + "base backup, and the log is released."
        ) { (config, value) throws(ConfigError) in
            config.archiveMaxPendingBytes = try value.bytes((64 << 20)...(1 << 50))
        },
        ConfigKey(
            "archive", "timeout", "\"1min\"",
            "A commit is archived after so long at the latest, as far as the repository keeps up. 0: when its "
                + "log file is full."
        ) { (config, value) throws(ConfigError) in
            config.archiveTimeoutMillis = try value.millis(0...86_400_000)
        },
    ]
}

extension ServerConfig {
    /// What the engine is told; nil: the log is not archived.
    var archive: ArchiveOptions? {
        guard !archiveDirectory.isEmpty else { return nil }
        var options = ArchiveOptions(directory: archiveDirectory)
        options.maximumPendingBytes = UInt64(archiveMaxPendingBytes)
        options.timeoutMicros = UInt64(archiveTimeoutMillis) * 1000
        options.backupBytesPerSecond = UInt64(backupBytesPerSecond)
        return options
    }
}
