import FalconSchema
import Glibc

/// The server and the session: names, settings, privileges, catalog helpers.
extension FunctionLibrary {
    /// What version() says; clients look for `PostgreSQL 15`.
    static let versionText =
        "PostgreSQL 15.18 (FalconDB) on x86_64-pc-linux-gnu, compiled by swiftc, 64-bit"

    static func session(_ context: FunctionContext) throws(SQLError) -> any SessionFunctions {
        guard let session = context.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        return session
    }

    mutating func addSession() {
        nullary("pgsql_version") { _ throws(SQLError) in .text(Self.versionText) }
        nullary("current_database") { c throws(SQLError) in .text(try Self.session(c).databaseName)
        }
        nullary("current_user") { c throws(SQLError) in .text(try Self.session(c).userName) }
        nullary("session_user") { c throws(SQLError) in .text(try Self.session(c).sessionUserName) }
        nullary("current_schema") { c throws(SQLError) in
            try Self.session(c).schemas(includingImplicit: false).first.map { .text($0) } ?? .null
        }
        unary("current_schemas") { (a, c) throws(SQLError) in
            let names = try Self.session(c).schemas(includingImplicit: a.bool)
            return .array(ArrayValue(elementType: .name, names.map { .text($0) }))
        }
        nullary("pg_backend_pid") { c throws(SQLError) in .int(Int64(try Self.session(c).processID))
        }
        nullary("current_txid", "txid_current", "pg_current_xact_id") { c throws(SQLError) in
            .int(Int64(bitPattern: try Self.session(c).transactionID))
        }
        nullary("pg_current_xact_id_if_assigned") { c throws(SQLError) in
            try Self.session(c).assignedTransactionID.map { .int(Int64(bitPattern: $0)) } ?? .null
        }
        many("show_config_by_name", "show_config_by_name_missing_ok") { (a, c) throws(SQLError) in
            if let value = try Self.session(c).setting(a[0].text) { return .text(value) }
            if a.count > 1, a[1].bool { return .null }
            throw SQLError(
                .undefinedObject, "unrecognized configuration parameter \"\(a[0].text)\"")
        }
        ternary("set_config_by_name") { (a, b, c, context) throws(SQLError) in
            if a.isNull {
                throw SQLError(SQLState("22004"), "SET requires parameter name")
            }
            return .text(
                try Self.session(context).setSetting(
                    a.text, to: b.isNull ? "" : b.text, isLocal: !c.isNull && c.bool))
        }
        unary("pg_sleep") { (a, c) throws(SQLError) in
            try Self.session(c).sleep(seconds: a.float)
            return .text("")
        }
        unary("#3935") { (a, c) throws(SQLError) in
            try Self.session(c).sleep(seconds: Double(a.interval.span) / 1e6)
            return .text("")
        }
        unary("#3936") { (a, c) throws(SQLError) in
            try Self.session(c).sleep(seconds: Double(a.int - Self.clock()) / 1e6)
            return .text("")
        }
        nullary("pg_is_in_recovery", "pg_is_wal_replay_paused") { c throws(SQLError) in
            .bool((c.session as? SessionBridge)?.session?.database.isReadOnly ?? false)
        }
        nullary("pg_jit_available") { _ throws(SQLError) in .bool(false) }
        nullary("pg_postmaster_start_time", "pg_conf_load_time") { c throws(SQLError) in
            .int(try Self.bridged(c).database.startMicros)
        }
        nullary(
            "inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port",
            "pg_my_temp_schema_none"
        ) { _ throws(SQLError) in .null }
        nullary("pg_my_temp_schema") { _ throws(SQLError) in .int(0) }
        nullary("pg_client_encoding") { _ throws(SQLError) in .text("UTF8") }
        nullary("getdatabaseencoding") { _ throws(SQLError) in .text("UTF8") }
        unary("PG_encoding_to_char") { (a, _) throws(SQLError) in
            .text(a.int == 6 ? "UTF8" : (a.int == 0 ? "SQL_ASCII" : ""))
        }
        unary("PG_char_to_encoding") { (a, _) throws(SQLError) in
            let name = a.text.uppercased().filter { $0.isLetter || $0.isNumber }
            return .int(name == "UTF8" || name == "UNICODE" ? 6 : -1)
        }
        addTypeFunctions()
        addPrivileges()
        addCatalogStubs()
        addCatalogFunctions()
    }

    private mutating func addTypeFunctions() {
        typed("pg_typeof") { (_, types, _) throws(SQLError) in .int(Int64(types[0].rawValue)) }
        many("format_type") { (a, context) throws(SQLError) in
            guard !a[0].isNull else { return .null }
            let oid = OID(UInt32(truncatingIfNeeded: a[0].int))
            let modifier = a[1].isNull ? -1 : Int32(truncatingIfNeeded: a[1].int)
            if oid == .invalid { return .text("-") }
            if TypeRegistry.descriptor(oid) == nil {
                return .text(context.settings.names?.text(of: oid, as: .regtype) ?? "???")
            }
            if oid == .bpchar, !a[1].isNull, modifier < 0 { return .text("bpchar") }
            return .text(FalconSchema.TypeNames.format(SQLType(oid, modifier: modifier)))
        }
        for (name, type) in [
            ("to_regclass", OID.regclass), ("to_regtype", .regtype), ("to_regproc", .regproc),
            ("to_regprocedure", .regprocedure), ("to_regnamespace", .regnamespace),
            ("to_regrole", .regrole), ("to_regoper", .regoper), ("to_regoperator", .regoperator),
            ("to_regcollation", .regcollation),
        ] {
            unary(name) { (a, context) throws(SQLError) in
                if a.text.utf8.first?.isDigit == true { return .null }
                do throws(SQLError) {
                    return try TypeIO.parseText(
                        a.text, type: SQLType(type), settings: context.settings)
                } catch {
                    switch error.state {
                    case .undefinedTable, .undefinedObject, .undefinedFunction, .invalidSchemaName,
                        SQLState("42P01"), SQLState("3F000"):
                        return .null
                    default: throw error
                    }
                }
            }
        }
        unary("text_regclass") { (a, context) throws(SQLError) in
            try TypeIO.parseText(a.text, type: SQLType(.regclass), settings: context.settings)
        }
        typed("pg_column_size") { (a, types, context) throws(SQLError) in
            guard !a[0].isNull else { return .null }
            let length = TypeRegistry.descriptor(types[0])?.length ?? -1
            if length > 0 { return .int(Int64(length)) }
            switch a[0] {
            case .text(let value): return .int(Int64(value.utf8.count) + 1)
            case .bytes(let value): return .int(Int64(value.count) + 1)
            default:
                return .int(
                    Int64(TypeIO.text(a[0], type: types[0], settings: context.settings).utf8.count))
            }
        }
        nullary("gen_random_uuid") { _ throws(SQLError) in
            var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
            bytes[6] = (bytes[6] & 0x0F) | 0x40
            bytes[8] = (bytes[8] & 0x3F) | 0x80
            return .bytes(bytes)
        }
        many("num_nulls", "pg_num_nulls") { (a, _) throws(SQLError) in
            .int(Int64(a.count { $0.isNull }))
        }
        many("num_nonnulls", "pg_num_nonnulls") { (a, _) throws(SQLError) in
            .int(Int64(a.count { !$0.isNull }))
        }
        unary("pg_size_pretty", "#2288") { (a, _) throws(SQLError) in .text(Self.pretty(a.int)) }
        unary("#3166", "pg_size_pretty_numeric") { (a, _) throws(SQLError) in
            .text(a.numeric.roundedInt64.map(Self.pretty) ?? "\(a.numeric) bytes")
        }
        unary("pg_size_bytes") { (a, _) throws(SQLError) in .int(try Self.bytes(a.text)) }
        many("parse_ident") { (a, _) throws(SQLError) in
            let strict = a.count < 2 || a[1].bool
            let parts = try IdentifierList.parse(a[0].text, strict: strict)
            return .array(ArrayValue(elementType: .text, parts.map { .text($0) }))
        }
    }

    /// 10 kB and up in the next unit, halves rounded away.
    static func pretty(_ size: Int64) -> String {
        var units = ["bytes", "kB", "MB", "GB", "TB", "PB"][...]
        if size.magnitude < 10240 { return "\(size) bytes" }
        // Twice the value in the unit, so that the last halving rounds.
        var value = size / 512
        units = units.dropFirst()
        while value.magnitude >= 20479, units.count > 1 {
            value /= 1024
            units = units.dropFirst()
        }
        let rounded = value >= 0 ? (value + 1) / 2 : (value - 1) / 2
        return "\(rounded) \(units.first ?? "PB")"
    }

    private static func bytes(_ text: String) throws(SQLError) -> Int64 {
        let trimmed = text.split(separator: " ").joined(separator: " ")
        let number = trimmed.prefix { $0.isNumber || "+-.eE".contains($0) }
        let unit = trimmed.dropFirst(number.count).filter { $0 != " " }.lowercased()
        let shift: Int
        switch unit {
        case "", "bytes": shift = 0
        case "kb": shift = 10
        case "mb": shift = 20
        case "gb": shift = 30
        case "tb": shift = 40
        case "pb": shift = 50
        default:
            throw SQLError(
                .invalidParameterValue, "invalid size: \"\(text)\"",
                detail: "Invalid size unit: \"\(unit)\".",
                hint: "Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".")
        }
        guard let value = try? NumericValue(parsing: String(number)),
            let product = try? NumericValue.multiply(value, NumericValue(Int64(1) << Int64(shift))),
            let exact = product.roundedInt64
        else { throw SQLError(.invalidParameterValue, "invalid size: \"\(text)\"") }
        return exact
    }

    private mutating func addPrivileges() {
        let forms = ["name_name", "name_id", "id_name", "id_id", "name", "id"]
        for object in PrivilegeInquiry.Object.allCases {
            for form in forms {
                many("has_\(object.rawValue)_privilege_\(form)") { (a, c) throws(SQLError) in
                    try PrivilegeInquiry.answer(object, a, c)
                }
            }
        }
        for form in ["name", "name_name", "id_name"] {
            many("has_parameter_privilege_\(form)") { (_, _) throws(SQLError) in .bool(true) }
        }
        for form in [
            "name_name_name", "name_name_attnum", "name_id_name", "name_id_attnum", "id_name_name",
            "id_name_attnum", "id_id_name", "id_id_attnum", "name_name", "name_attnum", "id_name",
            "id_attnum",
        ] {
            many("has_column_privilege_\(form)") { (a, c) throws(SQLError) in
                try PrivilegeInquiry.columnAnswer(a, c)
            }
        }
        for form in forms {
            many("pg_has_role_\(form)") { (a, c) throws(SQLError) in
                try PrivilegeInquiry.roleAnswer(a, c)
            }
        }
        unary("pg_table_is_visible") { (a, c) throws(SQLError) in
            let oid = OID(UInt32(truncatingIfNeeded: a.int))
            return c.session?.isVisible(relation: oid).map { .bool($0) } ?? .null
        }
        for kind in [
            "type", "function", "operator", "opclass", "opfamily", "conversion",
            "statistics_obj", "ts_parser", "ts_dict", "ts_template", "ts_config", "collation",
        ] {
            unary("pg_\(kind)_is_visible") { (_, _) throws(SQLError) in .bool(true) }
        }
        many("row_security_active", "row_security_active_name") { (_, _) throws(SQLError) in
            .bool(false)
        }
    }

    /// Functions that ask the catalog through the session.
    private mutating func addCatalogFunctions() {
        @Sendable func oid(_ datum: Datum) -> OID { OID(UInt32(truncatingIfNeeded: datum.int)) }
        @Sendable func text(_ value: String?) -> Datum { value.map { .text($0) } ?? .null }
        many("pg_get_indexdef", "pg_get_indexdef_ext") { (a, c) throws(SQLError) in
            text(c.session?.indexDefinition(oid(a[0]), column: a.count > 1 ? Int(a[1].int) : 0))
        }
        many("pg_get_constraintdef", "pg_get_constraintdef_ext") { (a, c) throws(SQLError) in
            text(c.session?.constraintDefinition(oid(a[0])))
        }
        many("pg_get_viewdef", "pg_get_viewdef_ext", "pg_get_viewdef_wrap") {
            (a, c) throws(SQLError) in
            text(c.session?.viewDefinition(oid(a[0])))
        }
        many("pg_get_viewdef_name", "pg_get_viewdef_name_ext") { (a, c) throws(SQLError) in
            let view = try TypeIO.parseText(
                a[0].text, type: SQLType(.regclass), settings: c.settings)
            return text(c.session?.viewDefinition(oid(view)))
        }
        // Stored expressions are SQL text already.
        many("pg_get_expr", "pg_get_expr_ext") { (a, _) throws(SQLError) in a[0] }
        many(
            "pg_relation_size", "pg_total_relation_size", "pg_table_size", "#2325", "#2332",
            "#2286", "#2997"
        ) { (a, c) throws(SQLError) in
            c.session?.relationSize(oid(a[0])).map { .int($0) } ?? .null
        }
        many("pg_indexes_size", "#2998") { (_, _) throws(SQLError) in .int(0) }
        many("pg_database_size_oid", "pg_database_size_name") { (_, c) throws(SQLError) in
            .int(c.session?.databaseSize() ?? 0)
        }
        many("pg_tablespace_size_oid", "pg_tablespace_size_name") { (_, _) throws(SQLError) in
            .int(0)
        }
        unary("nextval_oid") { (a, c) throws(SQLError) in
            .int(try Self.session(c).nextSequenceValue(oid(a)))
        }
        unary("currval_oid") { (a, c) throws(SQLError) in
            .int(try Self.session(c).currentSequenceValue(oid(a)))
        }
        nullary("lastval") { c throws(SQLError) in .int(try Self.session(c).lastSequenceValue()) }
        many("setval_oid", "setval3_oid") { (a, c) throws(SQLError) in
            try Self.session(c).setSequenceValue(
                oid(a[0]), to: a[1].int, isCalled: a.count < 3 || a[2].bool)
            return a[1]
        }
        binary("pg_get_serial_sequence") { (a, b, c) throws(SQLError) in
            text(try Self.session(c).serialSequence(table: a.text, column: b.text))
        }
    }

    /// Functions of the catalog whose answer is the same for every object here.
    private mutating func addCatalogStubs() {
        unary("pg_get_userbyid") { (a, context) throws(SQLError) in
            let oid = OID(UInt32(truncatingIfNeeded: a.int))
            if let name = context.settings.names?.text(of: oid, as: .regrole) {
                return .text(name)
            }
            if oid == 10, let session = context.session { return .text(session.sessionUserName) }
            return .text("unknown (OID=\(oid))")
        }
        unary("pg_encoding_max_length_sql") { (a, _) throws(SQLError) in
            a.int == 6 ? .int(4) : .int(1)
        }
        unary("pg_tablespace_location") { (_, _) throws(SQLError) in .text("") }
        unary("pg_relation_is_publishable") { (_, _) throws(SQLError) in .bool(true) }
        unary("pg_is_other_temp_schema") { (_, _) throws(SQLError) in .bool(false) }
        many("pg_relation_is_updatable") { (_, _) throws(SQLError) in .int(28) }
        many("pg_column_is_updatable") { (_, _) throws(SQLError) in .bool(true) }
        nullary("pg_notification_queue_usage") { c throws(SQLError) in
            .float(try Self.sqlSession(of: c).database.notifications.usage)
        }
        nullary("pg_export_snapshot") { c throws(SQLError) in
            .text(try Self.sqlSession(of: c).exportSnapshot())
        }
        // Not strict: NULL is an empty name, an empty payload.
        many("pg_notify") { (a, c) throws(SQLError) in
            try Self.sqlSession(of: c).notify(a[0].text, a[1].text)
            return .text("")
        }
        nullary("pg_reload_conf", "pg_rotate_logfile") { _ throws(SQLError) in .bool(true) }
        many(
            "pg_stat_get_numscans", "pg_stat_get_live_tuples", "pg_stat_get_dead_tuples",
            "pg_stat_get_tuples_inserted", "pg_stat_get_tuples_updated",
            "pg_stat_get_tuples_deleted", "pg_stat_get_tuples_returned",
            "pg_stat_get_tuples_fetched"
        ) { (_, _) throws(SQLError) in .int(0) }
        for (name, withDefaults) in [
            ("pg_get_function_identity_arguments", false), ("pg_get_function_arguments", true),
        ] {
            unary(name) { (a, _) throws(SQLError) in
                let oid = OID(UInt32(truncatingIfNeeded: a.int))
                let function = FunctionTable.shared.function(oid: oid)
                return function.map { .text($0.argumentText(withDefaults: withDefaults)) } ?? .null
            }
        }
        unary("pg_get_function_result") { (a, _) throws(SQLError) in
            guard
                let function = FunctionTable.shared.function(
                    oid: OID(UInt32(truncatingIfNeeded: a.int)))
            else { return .null }
            return .text(
                (function.isDeclaredSet ? "SETOF " : "")
                    + FalconSchema.TypeNames.format(function.resultType))
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
}

/// A dotted, possibly quoted name in its parts.
public enum IdentifierList {
    public static func parse(_ text: String, strict: Bool = true) throws(SQLError) -> [String] {
        var parts: [String] = []
        let scalars = Array(text.unicodeScalars)
        var index = 0
        func invalid(_ detail: String? = nil) -> SQLError {
            SQLError(
                .invalidParameterValue, "string is not a valid identifier: \"\(text)\"",
                detail: detail)
        }
        func skipSpaces() {
            while index < scalars.count, scalars[index].properties.isWhitespace { index += 1 }
        }
        skipSpaces()
        while true {
            var part = String.UnicodeScalarView()
            if index < scalars.count, scalars[index] == "\"" {
                index += 1
                var isClosed = false
                while index < scalars.count {
                    let scalar = scalars[index]
                    index += 1
                    if scalar == "\"" {
                        if index < scalars.count, scalars[index] == "\"" {
                            part.append("\"")
                            index += 1
                            continue
                        }
                        isClosed = true
                        break
                    }
                    part.append(scalar)
                }
                guard isClosed else {
                    throw invalid("String has unclosed double quotes.")
                }
                guard !part.isEmpty else { throw invalid("Quoted identifier must not be empty.") }
                parts.append(String(part))
            } else {
                while index < scalars.count {
                    let scalar = scalars[index]
                    let isStart =
                        scalar == "_" || scalar.value >= 0x80 || scalar.properties.isAlphabetic
                    let isLater = scalar == "$" || (scalar.value >= 0x30 && scalar.value <= 0x39)
                    guard isStart || (isLater && !part.isEmpty) else { break }
                    part.append(scalar)
                    index += 1
                }
                guard !part.isEmpty else { throw invalid() }
                parts.append(TextMath.lower(String(part)))
            }
            skipSpaces()
            if index < scalars.count, scalars[index] == "." {
                index += 1
                skipSpaces()
                continue
            }
            if index < scalars.count, strict { throw invalid() }
            return parts
        }
    }
}
