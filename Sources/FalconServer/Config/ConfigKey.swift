import FalconStorage

/// One key of the configuration file: its name, what it does, its default as TOML, and how it is
/// checked and stored. The printed default configuration and the parser both come from ``all``.
struct ConfigKey: Sendable {
    let section: String
    let name: String
    let help: String
    let defaultText: String
    let apply: @Sendable (inout ServerConfig, ConfigValue) throws(ConfigError) -> Void

    var path: String { section.isEmpty ? name : "\(section).\(name)" }

    init(
        _ section: String, _ name: String, _ defaultText: String, _ help: String,
        _ apply:
            @escaping @Sendable (inout ServerConfig, ConfigValue) throws(ConfigError) -> Void
    ) {
        self.section = section
        self.name = name
        self.defaultText = defaultText
        self.help = help
        self.apply = apply
    }

    /// Former names of keys: still read, with a warning.
    static let deprecated: [String: String] = [
        "data_directory": "data_dir",
        "server.listen_addr": "server.pg_addr",
        "server.http_addr": "server.admin_addr",
        "storage.cache_size": "storage.block_cache_size",
        "storage.wal_keep_size": "storage.wal_retain_size",
    ]

    static let all: [ConfigKey] =
        general + server + storage + encryption + archive + replication + sql

    private static let general: [ConfigKey] = [
        ConfigKey(
            "", "data_dir", "\"./falcon_data\"",
            "Where the database lives. Made when absent. One server at a time."
        ) { (config, value) throws(ConfigError) in
            let path = try value.string("a path")
            guard !path.isEmpty else { throw ConfigError("must not be empty") }
            config.dataDirectory = path
        }
    ]

    private static let server: [ConfigKey] = [
        ConfigKey(
            "server", "pg_addr", "\"127.0.0.1:5433\"",
            "Address for PostgreSQL clients, host:port. Every connection is trusted: keep it local."
        ) { (config, value) throws(ConfigError) in config.pgAddress = try address(value) },
        ConfigKey(
            "server", "admin_addr", "\"127.0.0.1:8080\"",
            "Address of the HTTP endpoints /health and /metrics."
        ) { (config, value) throws(ConfigError) in config.adminAddress = try address(value) },
        ConfigKey(
            "server", "max_connections", "500",
            "Most sessions at once; further clients get SQLSTATE 53300."
        ) { (config, value) throws(ConfigError) in
            config.maxConnections = try value.int(1...100_000)
        },
        ConfigKey(
            "server", "event_loop_threads", "0",
            "Threads that own connections and run short statements; 0 means one per core."
        ) { (config, value) throws(ConfigError) in
            config.eventLoopThreads = try value.int(0...1024)
        },
        ConfigKey(
            "server", "worker_threads", "0",
            "Threads for statements that may run long; 0 means twice the cores, at least 4."
        ) { (config, value) throws(ConfigError) in
            config.workerThreads = try value.int(0...1024)
        },
        ConfigKey(
            "server", "max_message_size", "\"256MiB\"",
            "Longest message (statement, parameters) a client may send. 1MiB to 1GiB."
        ) { (config, value) throws(ConfigError) in
            config.maxMessageBytes = try value.bytes((1 << 20)...(1 << 30))
        },
        ConfigKey(
            "server", "startup_timeout", "\"60s\"",
            "A client that has not finished its start-up by then is cut off."
        ) { (config, value) throws(ConfigError) in
            config.startupTimeoutMillis = try value.millis(1000...3_600_000)
        },
        ConfigKey(
            "server", "shutdown_grace", "\"10s\"",
            "How long running statements may take to end after SIGTERM before they are cancelled."
        ) { (config, value) throws(ConfigError) in
            config.shutdownGraceMillis = try value.millis(0...3_600_000)
        },
        ConfigKey(
            "server", "log_level", "\"info\"",
            "trace, debug, info, notice, warning, error or critical. Logs go to stderr."
        ) { (config, value) throws(ConfigError) in
            config.logLevel = try choice(
                value, ["trace", "debug", "info", "notice", "warning", "error", "critical"])
        },
    ]

    private static let storage: [ConfigKey] = [
        ConfigKey(
            "storage", "durability", "\"synced\"",
            "What COMMIT waits for: synced (on the device), written (survives a killed server, not "
                + "a power cut) or buffered."
        ) { (config, value) throws(ConfigError) in
            switch try choice(value, ["synced", "written", "buffered"]) {
            case "written": config.durability = .written
            case "buffered": config.durability = .buffered
            default: config.durability = .synced
            }
        },
        ConfigKey(
            "storage", "memtable_size", "\"64MiB\"",
            "Size at which a memtable is flushed to a table file. 1MiB to 2GiB."
        ) { (config, value) throws(ConfigError) in
            config.memtableBytes = try value.bytes((1 << 20)...(2 << 30))
        },
        ConfigKey(
            "storage", "block_cache_size", "\"256MiB\"",
            "Memory for uncompressed blocks of table files."
        ) { (config, value) throws(ConfigError) in
            config.blockCacheBytes = try value.bytes((1 << 20)...(1 << 42))
        },
        ConfigKey(
            "storage", "memory_budget", "0",
            "Memory for memtables, table metadata, transactions, locks, queries and the block cache "
                + "together, from 64MiB: the cache gets what the others leave, whatever block_cache_size "
                + "says; what a transaction writes beyond its share goes to files, other statements that want "
                + "more fail with SQLSTATE 53200. 0: no such bound."
        ) { (config, value) throws(ConfigError) in
            config.memoryBudgetBytes = try value.bytes(0...(1 << 42))
        },
        ConfigKey(
            "storage", "compression", "\"lz4\"",
            "Codec of the upper levels' blocks: none, lz4 or zstd."
        ) { (config, value) throws(ConfigError) in config.compression = try codec(value) },
        ConfigKey(
            "storage", "bottom_compression", "\"lz4\"",
            "Codec of the last level's blocks, where most data is: none, lz4 or zstd."
        ) { (config, value) throws(ConfigError) in config.bottomCompression = try codec(value) },
        ConfigKey(
            "storage", "bottom_dictionary", "0",
            "With bottom_compression zstd: size of each table's dictionary, 16KiB for small rows that are "
                + "alike. 0: none."
        ) { (config, value) throws(ConfigError) in
            let bytes = try value.bytes(0...(1 << 20))
            guard bytes == 0 || bytes >= 256 else {
                throw ConfigError("must be 0, or 256 bytes or more")
            }
            config.bottomDictionaryBytes = bytes
        },
        ConfigKey(
            "storage", "filter_bits_per_key", "10",
            "Bloom filter bits per key; 0 writes no filters."
        ) { (config, value) throws(ConfigError) in
            config.filterBitsPerKey = try value.int(0...64)
        },
        ConfigKey(
            "storage", "compaction_threads", "1", "Threads that compact table files."
        ) { (config, value) throws(ConfigError) in
            config.compactionThreads = try value.int(1...16)
        },
        ConfigKey(
            "storage", "background_write_rate", "0",
            "Bytes a second that flushes and compactions may write, from 1MiB, flushes first; lifted "
                + "while commits wait for them. 0: as fast as they can."
        ) { (config, value) throws(ConfigError) in
            let rate = try value.bytes(0...(1 << 40))
            guard rate == 0 || rate >= 1 << 20 else {
                throw ConfigError("must be 0, or 1MiB or more")
            }
            config.backgroundBytesPerSecond = rate
        },
        ConfigKey(
            "storage", "wal_segment_size", "\"64MiB\"", "Size of one write-ahead log file."
        ) { (config, value) throws(ConfigError) in
            config.walSegmentBytes = try value.bytes((1 << 20)...(4 << 30))
        },
        ConfigKey(
            "storage", "wal_retain_size", "\"1GiB\"",
            "Log kept after its rows are in table files, for cdc-tail and pitr-restore."
        ) { (config, value) throws(ConfigError) in
            config.walRetainBytes = try value.bytes(0...(1 << 50))
        },
    ]

    private static let sql: [ConfigKey] = [
        ConfigKey(
            "sql", "max_locks", "8000000",
            "Most row locks held at once by all transactions; SQLSTATE 53200 beyond."
        ) { (config, value) throws(ConfigError) in
            config.maxLocks = try value.int(1000...1_000_000_000)
        },
        ConfigKey(
            "sql", "in_doubt_command", "\"\"",
            "Shell command asked about prepared transactions that were left alone: it prints commit, "
                + "rollback or undecided for $FALCON_GID. Empty: nobody is asked."
        ) { (config, value) throws(ConfigError) in
            config.inDoubtCommand = try value.string("a shell command")
        },
        ConfigKey(
            "sql", "in_doubt_after", "\"1min\"",
            "Age at which in_doubt_command is asked about a prepared transaction."
        ) { (config, value) throws(ConfigError) in
            config.inDoubtAfterMillis = try value.millis(100...(30 * 86_400_000))
        },
        ConfigKey(
            "sql", "in_doubt_rate", "10", "Most times per second that in_doubt_command is run."
        ) { (config, value) throws(ConfigError) in
            config.inDoubtRate = try value.int(1...1000)
        },
    ]

    private static func address(_ value: ConfigValue) throws(ConfigError) -> NetworkAddress {
        let text = try value.string("an address such as \"127.0.0.1:5433\"")
        guard let address = NetworkAddress(text) else {
            throw ConfigError("must be an address such as \"127.0.0.1:5433\", not \"\(text)\"")
        }
        return address
    }

    private static func codec(_ value: ConfigValue) throws(ConfigError) -> BlockCodec {
        switch try choice(value, ["none", "lz4", "zstd"]) {
        case "none": .none
        case "zstd": .zstd
        default: .lz4
        }
    }

    private static func choice(
        _ value: ConfigValue, _ choices: [String]
    ) throws(ConfigError) -> String {
        let listed = choices.joined(separator: ", ")
        let text = try value.string("one of \(listed)")
        guard choices.contains(text) else {
            let near = NearestName.find(text, in: choices).map { " Did you mean \"\($0)\"?" } ?? ""
            throw ConfigError("must be one of \(listed), not \"\(text)\".\(near)")
        }
        return text
    }
}
