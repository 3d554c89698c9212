import FalconStorage

/// The keys that bound replication slots.
extension ConfigKey {
    static let replication: [ConfigKey] = [
        ConfigKey(
            "replication", "max_slots", "64", "Most replication slots at once; 53400 beyond."
        ) { (config, value) throws(ConfigError) in
            config.maxSlots = try value.int(0...10_000)
        },
        ConfigKey(
            "replication", "max_slot_bytes", "\"1GiB\"",
            "Log that slots may hold; a slot that needs more is lost, and the log is released."
        ) { (config, value) throws(ConfigError) in
            config.maxSlotBytes = try value.bytes((1 << 20)...(1 << 50))
        },
        ConfigKey(
            "replication", "max_slot_age", "\"7d\"",
            "A slot that nobody has used for so long, since the server's start at the earliest, is lost. 0: never."
        ) { (config, value) throws(ConfigError) in
            config.maxSlotAgeMillis = try value.millis(0...(3650 * 86_400_000))
        },
    ]
}

extension ServerConfig {
    /// What the engine is told.
    var slots: ReplicationSlotOptions {
        var options = ReplicationSlotOptions()
        options.maximumSlots = maxSlots
        options.maximumBytes = UInt64(clamping: maxSlotBytes)
        options.maximumAgeMicros = UInt64(clamping: maxSlotAgeMillis) * 1000
        return options
    }
}
