import FalconSchema

/// One configuration parameter: its type, default and who may change it.
struct SettingDefinition: Sendable {
    enum Kind: Sendable {
        case bool
        /// Bounds, and the unit that a bare number counts ("ms", "s", "min", "kB", "8kB", "").
        case integer(Int64, Int64, unit: String)
        case real(Double, Double)
        case choice([String])
        case text
        /// Validated by ``SessionSettings``.
        case special
    }
    enum Context: Sendable { case user, `internal`, postmaster }

    var name: String
    var kind: Kind
    var initial: String
    var context: Context = .user
    /// Announced to the client by ParameterStatus.
    var isReported = false
    var category = "Client Connection Defaults / Statement Behavior"
    var description = ""

    static let byName: [String: SettingDefinition] = {
        var map: [String: SettingDefinition] = [:]
        for definition in all { map[definition.name.lowercased()] = definition }
        return map
    }()

    /// PostgreSQL's order of the ParameterStatus messages at startup.
    static let reported = all.filter(\.isReported).map(\.name).sorted {
        $0.lowercased() < $1.lowercased()
    }

    private static let ms = Kind.integer(0, 2_147_483_647, unit: "ms")
    private static let isolation = Kind.choice([
        "serializable", "repeatable read", "read committed", "read uncommitted",
    ])

    static let all: [SettingDefinition] = [
        .init(name: "application_name", kind: .text, initial: "", isReported: true),
        .init(name: "client_encoding", kind: .special, initial: "UTF8", isReported: true),
        .init(name: "DateStyle", kind: .special, initial: "ISO, MDY", isReported: true),
        .init(
            name: "default_transaction_read_only", kind: .bool, initial: "off", isReported: true),
        .init(
            name: "in_hot_standby", kind: .bool, initial: "off", context: .internal,
            isReported: true),
        .init(
            name: "integer_datetimes", kind: .bool, initial: "on", context: .internal,
            isReported: true),
        .init(
            name: "IntervalStyle",
            kind: .choice(["postgres", "postgres_verbose", "sql_standard", "iso_8601"]),
            initial: "postgres", isReported: true),
        .init(
            name: "is_superuser", kind: .bool, initial: "on", context: .internal, isReported: true),
        .init(
            name: "server_encoding", kind: .text, initial: "UTF8", context: .internal,
            isReported: true),
        .init(
            name: "server_version", kind: .text, initial: ServerVersion.text, context: .internal,
            isReported: true),
        .init(
            name: "session_authorization", kind: .text, initial: "postgres", isReported: true),
        .init(
            name: "standard_conforming_strings", kind: .bool, initial: "on", isReported: true),
        .init(name: "TimeZone", kind: .special, initial: "UTC", isReported: true),

        .init(
            name: "server_version_num", kind: .text, initial: ServerVersion.number,
            context: .internal),
        .init(name: "extra_float_digits", kind: .integer(-15, 3, unit: ""), initial: "1"),
        .init(name: "bytea_output", kind: .choice(["escape", "hex"]), initial: "hex"),
        .init(
            name: "client_min_messages",
            kind: .choice([
                "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning",
                "error",
            ]), initial: "notice"),
        .init(name: "search_path", kind: .special, initial: "\"$user\", public"),
        .init(name: "statement_timeout", kind: ms, initial: "0"),
        .init(name: "lock_timeout", kind: ms, initial: "0"),
        .init(
            name: "deadlock_timeout", kind: .integer(1, 2_147_483_647, unit: "ms"), initial: "1000"),
        .init(
            name: "transaction_timeout", kind: ms, initial: "0",
            description: "Longest a transaction may last; 0: no limit."),
        .init(
            name: "transaction_priority",
            kind: .choice(TransactionPriority.allCases.map(\.name)), initial: "normal",
            description: "Of a deadlock's transactions one of the lowest priority is ended."),
        .init(
            name: "falcon.tde_status", kind: .text, initial: "off", context: .internal,
            description: "Whether files are encrypted, and how many are still to be."),
        .init(
            name: "falcon.slow_txn_ms", kind: .integer(-1, 2_147_483_647, unit: "ms"),
            initial: "1000",
            description: "Transactions at least so long are listed in falcon.slow_txns; -1: none."),
        .init(
            name: "max_txn_write_keys", kind: .integer(0, 1 << 40, unit: ""), initial: "0",
            description: "Rows and index entries that a transaction may write; 0: no limit."),
        .init(
            name: "max_txn_write_bytes", kind: .integer(0, 1 << 50, unit: "B"), initial: "0",
            description: "Bytes that a transaction may write; 0: no limit."),
        .init(name: "idle_in_transaction_session_timeout", kind: ms, initial: "0"),
        .init(name: "idle_session_timeout", kind: ms, initial: "0"),
        .init(name: "transaction_isolation", kind: isolation, initial: "read committed"),
        .init(name: "transaction_read_only", kind: .bool, initial: "off"),
        .init(name: "transaction_deferrable", kind: .bool, initial: "off"),
        .init(name: "default_transaction_isolation", kind: isolation, initial: "read committed"),
        .init(name: "default_transaction_deferrable", kind: .bool, initial: "off"),
        .init(name: "row_security", kind: .bool, initial: "on"),
        .init(
            name: "session_replication_role", kind: .choice(["origin", "replica", "local"]),
            initial: "origin"),
        .init(name: "check_function_bodies", kind: .bool, initial: "on"),
        .init(name: "xmloption", kind: .choice(["content", "document"]), initial: "content"),
        .init(name: "synchronize_seqscans", kind: .bool, initial: "on"),
        .init(name: "quote_all_identifiers", kind: .bool, initial: "off"),
        .init(name: "default_table_access_method", kind: .text, initial: "heap"),
        .init(name: "default_tablespace", kind: .text, initial: ""),
        .init(name: "temp_tablespaces", kind: .text, initial: ""),
        .init(name: "default_toast_compression", kind: .choice(["pglz", "lz4"]), initial: "pglz"),
        .init(name: "default_text_search_config", kind: .text, initial: "pg_catalog.english"),
        .init(name: "jit", kind: .bool, initial: "off"),
        .init(name: "geqo", kind: .bool, initial: "on"),
        .init(name: "work_mem", kind: .integer(64, 2_147_483_647, unit: "kB"), initial: "4096"),
        .init(
            name: "maintenance_work_mem", kind: .integer(1024, 2_147_483_647, unit: "kB"),
            initial: "65536"),
        .init(
            name: "shared_buffers", kind: .integer(16, 1_073_741_823, unit: "8kB"),
            initial: "16384", context: .postmaster),
        .init(
            name: "effective_cache_size", kind: .integer(1, 2_147_483_647, unit: "8kB"),
            initial: "524288"),
        .init(name: "random_page_cost", kind: .real(0, 1.79e308), initial: "4"),
        .init(name: "seq_page_cost", kind: .real(0, 1.79e308), initial: "1"),
        .init(name: "enable_seqscan", kind: .bool, initial: "on"),
        .init(name: "enable_indexscan", kind: .bool, initial: "on"),
        .init(name: "enable_indexonlyscan", kind: .bool, initial: "on"),
        .init(name: "enable_bitmapscan", kind: .bool, initial: "on"),
        .init(name: "enable_hashjoin", kind: .bool, initial: "on"),
        .init(name: "enable_mergejoin", kind: .bool, initial: "on"),
        .init(name: "enable_nestloop", kind: .bool, initial: "on"),
        .init(name: "enable_hashagg", kind: .bool, initial: "on"),
        .init(name: "enable_sort", kind: .bool, initial: "on"),
        .init(name: "enable_material", kind: .bool, initial: "on"),
        .init(
            name: "max_connections", kind: .integer(1, 262_143, unit: ""), initial: "100",
            context: .postmaster),
        .init(
            name: "max_index_keys", kind: .integer(32, 32, unit: ""), initial: "32",
            context: .internal),
        .init(
            name: "max_identifier_length", kind: .integer(63, 63, unit: ""), initial: "63",
            context: .internal),
        .init(
            name: "max_prepared_transactions", kind: .integer(0, 262_143, unit: ""),
            initial: "100", context: .postmaster),
        .init(
            name: "password_encryption", kind: .choice(["md5", "scram-sha-256"]),
            initial: "scram-sha-256"),
        .init(name: "lc_messages", kind: .text, initial: "C"),
        .init(name: "lc_monetary", kind: .text, initial: "C"),
        .init(name: "lc_numeric", kind: .text, initial: "C"),
        .init(name: "lc_time", kind: .text, initial: "C"),
        .init(name: "lc_collate", kind: .text, initial: "C", context: .internal),
        .init(name: "lc_ctype", kind: .text, initial: "C", context: .internal),
        .init(
            name: "plan_cache_mode",
            kind: .choice(["auto", "force_generic_plan", "force_custom_plan"]), initial: "auto"),
        .init(
            name: "synchronous_commit",
            kind: .choice(["local", "remote_write", "remote_apply", "on", "off"]), initial: "on"),
        .init(
            name: "wal_level", kind: .choice(["minimal", "replica", "logical"]),
            initial: "logical", context: .postmaster),
        .init(name: "fsync", kind: .bool, initial: "on", context: .postmaster),
        .init(name: "full_page_writes", kind: .bool, initial: "on", context: .postmaster),
        .init(
            name: "block_size", kind: .integer(8192, 8192, unit: ""), initial: "8192",
            context: .internal),
        .init(
            name: "port", kind: .integer(0, 65535, unit: ""), initial: "5432", context: .postmaster),
        .init(name: "role", kind: .text, initial: "none"),
        .init(name: "escape_string_warning", kind: .bool, initial: "on"),
        .init(
            name: "backslash_quote", kind: .choice(["safe_encoding", "on", "off"]),
            initial: "safe_encoding"),
        .init(
            name: "log_statement", kind: .choice(["none", "ddl", "mod", "all"]), initial: "none"),
        .init(
            name: "log_min_duration_statement", kind: .integer(-1, 2_147_483_647, unit: "ms"),
            initial: "-1"),
        .init(name: "track_activities", kind: .bool, initial: "on"),
        .init(name: "array_nulls", kind: .bool, initial: "on"),
        .init(name: "transform_null_equals", kind: .bool, initial: "off"),
        .init(
            name: "tcp_keepalives_idle", kind: .integer(0, 2_147_483_647, unit: "s"), initial: "0"),
        .init(
            name: "max_parallel_workers_per_gather", kind: .integer(0, 1024, unit: ""), initial: "2"
        ),
    ]
}

/// What the server claims to be.
public enum ServerVersion {
    public static let text = "15.18 (FalconDB 0.1)"
    public static let number = "150018"
    public static let full =
        "PostgreSQL 15.18 (FalconDB 0.1) on x86_64-pc-linux-gnu, compiled by swiftc 6.3, 64-bit"
}
