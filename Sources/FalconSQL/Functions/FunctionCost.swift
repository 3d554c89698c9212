import FalconSchema

/// Which functions may take long on one row, whatever the number of rows. Decided when a statement is
/// planned: such a statement runs on a worker, not on an event loop.
extension FunctionDescriptor {
    /// Constant time, or linear in what the row holds with a small factor.
    var isCheap: Bool {
        if volatility == .volatile { return Self.cheapVolatile.contains(name) }
        if Self.cheap.contains(name) { return true }
        if Self.costly.contains(name) { return false }
        if resultType == .bool, !Self.isPattern(name) { return true }
        return Self.isFixed(resultType) && argumentTypes.allSatisfy(Self.isFixed)
    }

    /// A costly function that comes to an end soon with these constants.
    func isQuick(with arguments: [BoundExpression]) -> Bool {
        !Self.isPattern(name) && !Self.steep.contains(name)
            && arguments.allSatisfy { argument in
                guard let constant = argument as? ConstantExpression else { return false }
                switch constant.value {
                case .null, .bool, .float, .interval: return true
                case .int(let value): return value.magnitude <= 1000
                case .text(let text): return text.utf8.count <= 1000
                case .bytes(let bytes): return bytes.count <= 1000
                case .numeric(let value): return value.isFinite && value.digitSpan <= 40
                case .array(let array): return array.elements.count <= 100
                }
            }
    }

    /// Arithmetic on constants so long that one operation takes a while.
    func isLong(with arguments: [BoundExpression]) -> Bool {
        arguments.contains { argument in
            (argument as? ConstantExpression).map { Self.isLong($0.value) } ?? false
        }
    }

    static func isLong(_ value: Datum) -> Bool {
        if case .numeric(let value) = value { return value.isFinite && value.digitSpan > 1000 }
        return false
    }

    /// Whose results are long for short arguments.
    private static let steep: Set<String> = [
        "exp", "numeric_exp", "power", "pow", "numeric_power", "factorial", "numeric_fac",
    ]

    private static func isPattern(_ name: String) -> Bool {
        name.contains("like") || name.contains("regex") || name.contains("similar")
    }

    /// Types whose values have a fixed size.
    private static func isFixed(_ type: OID) -> Bool { fixedTypes.contains(type.rawValue) }

    private static let fixedTypes: Set<UInt32> = [
        16, 18, 19, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 2205, 2278, 2950,
    ]

    private static let costly: Set<String> = [
        "pg_sleep", "pg_sleep_for", "pg_sleep_until", "falcon.rotate_master_key",
        "falcon.rotate_data_keys", "falcon.backup", "pg_switch_wal", "pg_create_restore_point",
    ]

    private static let cheapVolatile: Set<String> = [
        "nextval", "currval", "lastval", "setval", "random", "setseed", "clock_timestamp",
        "timeofday", "set_config", "gen_random_uuid", "txid_current", "pg_current_xact_id",
        "pg_notify", "pg_export_snapshot", "pg_current_wal_lsn", "pg_current_wal_insert_lsn",
        "pg_current_wal_flush_lsn", "pg_last_wal_replay_lsn",
        "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock",
        "pg_advisory_unlock_all", "pg_advisory_unlock_shared", "pg_advisory_xact_lock",
        "pg_advisory_xact_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
        "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
    ]

    private static let cheap: Set<String> = [
        "textcat", "textanycat", "anytextcat", "length", "char_length", "character_length",
        "octet_length", "lower", "upper", "substr", "substring", "btrim", "ltrim", "rtrim", "left",
        "right", "concat", "ascii", "chr", "md5", "numeric_add", "numeric_sub", "numeric_mul",
        "numeric_div", "numeric_mod", "mod", "abs", "numeric_abs", "numeric_uminus",
        "numeric_uplus", "round", "trunc", "ceil", "ceiling", "floor", "sign", "numeric", "int2",
        "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "name", "date", "time",
        "timestamp", "timestamptz", "timetz", "interval", "bool", "char", "date_part", "extract",
        "date_trunc", "to_char", "to_date", "to_timestamp", "now", "version", "current_database",
        "current_schema", "current_user", "session_user", "current_setting", "pg_typeof",
        "format_type", "array_append", "array_prepend", "array_length", "cardinality",
        "array_upper", "array_lower", "json_object_field", "json_object_field_text",
        "json_array_element", "json_array_element_text", "jsonb_object_field",
        "jsonb_object_field_text", "jsonb_array_element", "jsonb_array_element_text",
        "jsonb_extract_path", "jsonb_extract_path_text", "quote_ident", "quote_literal",
    ]
}
