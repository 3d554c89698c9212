import FalconSchema

/// A session's configuration parameters, with PostgreSQL's transactional SET and SET LOCAL.
///
/// A value is what SET LOCAL gave it in this transaction, else what the session SET, else the
/// startup value, else the default. Copies are cheap; a transaction keeps one to go back to.
struct SessionSettings {
    /// What a transaction or savepoint can bring back.
    struct Saved {
        fileprivate var session: [String: String]
        fileprivate var local: [String: String]
    }

    private var startup: [String: String] = [:]
    private var session: [String: String] = [:]
    private var local: [String: String] = [:]

    // Parsed forms of what execution asks for often.
    private(set) var display = DisplaySettings()
    private(set) var statementTimeoutMS = 0
    private(set) var lockTimeoutMS = 0
    private(set) var transactionTimeoutMS = 0
    private(set) var transactionPriority = TransactionPriority.normal
    /// Transactions at least so long are listed as slow; negative: none.
    private(set) var slowTransactionMS = 1000
    private(set) var maxWriteKeys = 0
    private(set) var maxWriteBytes = 0
    private(set) var idleInTransactionTimeoutMS = 0
    private(set) var idleSessionTimeoutMS = 0
    private(set) var searchPathNames: [String] = []
    private(set) var isSynchronousCommitOff = false
    private(set) var defaultIsolation = IsolationLevel.readCommitted
    private(set) var isDefaultReadOnly = false
    private(set) var isDefaultDeferrable = false
    private(set) var user: String
    /// Rises whenever something derived may have changed.
    private(set) var generation: UInt64 = 0
    private(set) var pathGeneration: UInt64 = 0

    init(user: String) {
        self.user = user
        startup["session_authorization"] = user
        refresh()
    }

    var saved: Saved { Saved(session: session, local: local) }
    var hasLocals: Bool { !local.isEmpty }

    mutating func restore(_ saved: Saved) {
        session = saved.session
        local = saved.local
        refresh()
    }

    mutating func restoreIfChanged(_ saved: Saved) {
        if session != saved.session || local != saved.local { restore(saved) }
    }

    /// The transaction commits: SET LOCAL ends.
    mutating func dropLocals() {
        guard !local.isEmpty else { return }
        local.removeAll()
        refresh()
    }

    // MARK: Reading

    private static func unknown(_ name: String) -> SQLError {
        SQLError(.undefinedObject, "unrecognized configuration parameter \"\(name)\"")
    }

    private func raw(_ key: String) -> String? {
        local[key] ?? session[key] ?? startup[key]
            ?? SettingDefinition.byName[key]?.initial
    }

    /// The raw value by any spelling of the name, as set_config and pg_settings store it.
    func value(_ name: String) -> String? { raw(Self.key(name)) }

    /// As SHOW prints it; 42704 for a name that is not known.
    func shown(_ name: String) throws(SQLError) -> String {
        let key = Self.key(name)
        guard let value = raw(key) else { throw Self.unknown(name) }
        return Self.display(value, SettingDefinition.byName[key])
    }

    /// The canonical spelling, for the column SHOW returns.
    static func canonicalName(_ name: String) -> String {
        SettingDefinition.byName[key(name)]?.name ?? name.lowercased()
    }

    private static func key(_ name: String) -> String {
        let lower = name.lowercased()
        switch lower {
        case "time zone", "time_zone": return "timezone"
        case "transaction isolation level": return "transaction_isolation"
        case "session authorization": return "session_authorization"
        default: return lower
        }
    }

    private static func display(_ value: String, _ definition: SettingDefinition?) -> String {
        guard case .integer(_, _, let unit)? = definition?.kind, let number = Int64(value),
            number > 0
        else { return value }
        let steps: [(String, Int64)]
        switch unit {
        case "ms":
            steps = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)]
        case "s": steps = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        case "kB": steps = [("TB", 1 << 30), ("GB", 1 << 20), ("MB", 1024), ("kB", 1)]
        case "8kB":
            let kilobytes = number &* 8
            for (name, factor) in [("TB", Int64(1) << 30), ("GB", 1 << 20), ("MB", 1024)]
            where kilobytes % factor == 0 { return "\(kilobytes / factor)\(name)" }
            return "\(kilobytes)kB"
        default: return value
        }
        for (name, factor) in steps where number % factor == 0 {
            return "\(number / factor)\(name)"
        }
        return value
    }

    /// Every parameter: name, value as shown, description; for SHOW ALL.
    func all() -> [(name: String, value: String, description: String)] {
        SettingDefinition.all.sorted { $0.name.lowercased() < $1.name.lowercased() }.map {
            ($0.name, Self.display(raw($0.name.lowercased()) ?? "", $0), $0.description)
        }
    }

    /// The reported parameters with their values.
    func reported() -> [(String, String)] {
        SettingDefinition.reported.map { ($0, raw($0.lowercased()) ?? "") }
    }

    // MARK: Writing

    /// A startup parameter or configuration file value: what RESET goes back to.
    mutating func setStartup(_ name: String, _ value: String) throws(SQLError) {
        let key = Self.key(name)
        startup[key] = try validate(name, key, value, isStartup: true)
        refresh()
    }

    mutating func set(_ name: String, _ value: String, isLocal: Bool) throws(SQLError) {
        let key = Self.key(name)
        let valid = try validate(name, key, value, isStartup: false)
        if isLocal {
            local[key] = valid
        } else {
            session[key] = valid
            local[key] = nil
        }
        refresh()
    }

    mutating func reset(_ name: String, isLocal: Bool) throws(SQLError) {
        let key = Self.key(name)
        guard let definition = SettingDefinition.byName[key] else {
            guard key.contains(".") else { throw Self.unknown(name) }
            session[key] = nil
            local[key] = nil
            return
        }
        if definition.context != .user { throw Self.cannotChange(definition) }
        if isLocal {
            local[key] = startup[key] ?? definition.initial
        } else {
            session[key] = nil
            local[key] = nil
        }
        refresh()
    }

    mutating func resetAll() {
        let kept = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"]
        session = session.filter { kept.contains($0.key) }
        local = local.filter { kept.contains($0.key) }
        refresh()
    }

    /// What the server was started with, which no session changes.
    mutating func setServer(_ key: String, _ value: String) { startup[key] = value }

    /// Values the server sets itself (transaction_isolation at BEGIN); no validation, no undo.
    mutating func setInternal(_ key: String, _ value: String?) {
        local[key] = value
    }

    private static func cannotChange(_ definition: SettingDefinition) -> SQLError {
        let how =
            definition.context == .internal
            ? "parameter \"\(definition.name)\" cannot be changed"
            : "parameter \"\(definition.name)\" cannot be changed without restarting the server"
        return SQLError(SQLState("55P02"), how)
    }

    private static func invalid(
        _ definition: SettingDefinition, _ value: String, hint: String? = nil,
        detail: String? = nil
    ) -> SQLError {
        SQLError(
            .invalidParameterValue,
            "invalid value for parameter \"\(definition.name)\": \"\(value)\"", detail: detail,
            hint: hint)
    }

    private func validate(
        _ name: String, _ key: String, _ value: String, isStartup: Bool
    ) throws(SQLError) -> String {
        guard let definition = SettingDefinition.byName[key] else {
            if key.contains(".") { return value }
            throw Self.unknown(name)
        }
        if definition.context != .user, !isStartup { throw Self.cannotChange(definition) }
        switch definition.kind {
        case .text: return value
        case .bool:
            guard let flag = Self.parseBool(value) else {
                throw SQLError(
                    .invalidParameterValue,
                    "parameter \"\(definition.name)\" requires a Boolean value")
            }
            return flag ? "on" : "off"
        case .choice(let choices):
            let lower = value.lowercased()
            if choices.contains(lower) { return lower }
            // Boolean spellings of a choice that has on and off.
            if choices.contains("on"), let flag = Self.parseBool(value) {
                return flag ? "on" : "off"
            }
            throw Self.invalid(
                definition, value,
                hint: "Available values: \(choices.joined(separator: ", ")).")
        case .integer(let low, let high, let unit):
            guard let number = Self.parseInteger(value, unit: unit) else {
                throw Self.invalid(definition, value, hint: Self.unitsHint(value, unit))
            }
            guard (low...high).contains(number) else {
                throw SQLError(
                    .invalidParameterValue,
                    "\(number)\(unit.isEmpty ? "" : " \(unit)") is outside the valid range for "
                        + "parameter \"\(definition.name)\" (\(low) .. \(high))")
            }
            return String(number)
        case .real(let low, let high):
            guard let number = Double(value), number >= low, number <= high else {
                throw Self.invalid(definition, value)
            }
            return value
        case .special: return try validateSpecial(definition, key, value)
        }
    }

    /// For a number with a unit that nobody knows.
    private static func unitsHint(_ value: String, _ unit: String) -> String? {
        let text = value.drop { $0 == " " || $0 == "+" || $0 == "-" }
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard !unit.isEmpty, !digits.isEmpty, digits.count < text.count else { return nil }
        return ["B", "kB", "8kB"].contains(unit)
            ? "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
            : "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
    }

    private func validateSpecial(
        _ definition: SettingDefinition, _ key: String, _ value: String
    ) throws(SQLError) -> String {
        switch key {
        case "client_encoding":
            let plain = value.lowercased().filter { $0.isLetter || $0.isNumber }
            guard ["utf8", "unicode", "auto"].contains(plain) else {
                throw Self.invalid(definition, value)
            }
            return "UTF8"
        case "timezone":
            let lower = value.lowercased()
            if lower == "default" || lower == "local" { return startup[key] ?? definition.initial }
            guard let zone = TimeZoneRules.named(value) else {
                throw Self.invalid(definition, value)
            }
            return zone.name
        case "datestyle":
            return try Self.parseDateStyle(value, current: display, definition).text
        case "search_path": return value
        default: return value
        }
    }

    static func parseBool(_ text: String) -> Bool? {
        let lower = text.lowercased()
        guard !lower.isEmpty else { return nil }
        if lower == "1" { return true }
        if lower == "0" { return false }
        for (word, flag) in [("true", true), ("false", false), ("yes", true), ("no", false)]
        where word.hasPrefix(lower) { return flag }
        if lower == "on" { return true }
        if lower == "off" || lower == "of" { return false }
        return nil
    }

    /// A number with an optional unit, in the parameter's own unit.
    static func parseInteger(_ text: String, unit: String) -> Int64? {
        let trimmed = String(text.drop { $0 == " " })
        let digits = trimmed.prefix { $0.isNumber || "+-.eE".contains($0) }
        guard let number = Double(digits) else { return nil }
        var suffix = String(trimmed.dropFirst(digits.count))
        while suffix.hasPrefix(" ") { suffix.removeFirst() }
        while suffix.hasSuffix(" ") { suffix.removeLast() }
        if suffix.isEmpty { return Int64(exactly: number.rounded()) }
        let times: [String: Double] = [
            "us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
        ]
        let sizes: [String: Double] = [
            "B": 1.0 / 1024, "kB": 1, "MB": 1024, "GB": 1_048_576, "TB": 1_073_741_824,
        ]
        if let own = times[unit], let given = times[suffix] {
            return Int64(exactly: (number * given / own).rounded())
        }
        let ownSize = unit == "8kB" ? 8 : sizes[unit]
        if let ownSize, let given = sizes[suffix] {
            return Int64(exactly: (number * given / ownSize).rounded())
        }
        return nil
    }

    private static func parseDateStyle(
        _ value: String, current: DisplaySettings, _ definition: SettingDefinition
    ) throws(SQLError) -> (
        text: String, output: DisplaySettings.DateOutput, order: DisplaySettings.DateOrder
    ) {
        var output = current.dateOutput
        var order = current.dateOrder
        var hasOrder = false
        for part in value.split(whereSeparator: { ", ".contains($0) }) {
            switch part.lowercased() {
            case "iso": output = .iso
            case "sql": output = .sql
            case let word where word.hasPrefix("postgres"): output = .postgres
            case "german":
                output = .german
                if !hasOrder { order = .dmy }
            case "ymd":
                order = .ymd
                hasOrder = true
            case "dmy", "euro", "european":
                order = .dmy
                hasOrder = true
            case "mdy", "us", "noneuro", "noneuropean":
                order = .mdy
                hasOrder = true
            case "default":
                output = .iso
                order = .mdy
            default:
                throw invalid(
                    definition, value,
                    detail: "Unrecognized key word: \"\(part.lowercased())\".")
            }
        }
        let names: String =
            switch output {
            case .iso: "ISO"
            case .sql: "SQL"
            case .postgres: "Postgres"
            case .german: "German"
            }
        let orders: String =
            switch order {
            case .mdy: "MDY"
            case .dmy: "DMY"
            case .ymd: "YMD"
            }
        return ("\(names), \(orders)", output, order)
    }

    /// The schema names of a search_path text, `$user` resolved, quotes removed.
    static func parsePath(_ text: String, user: String) -> [String] {
        var names: [String] = []
        var name = ""
        var wasQuoted = false
        var inQuotes = false
        func flush() {
            let word = wasQuoted ? name : name.filter { !$0.isWhitespace }.lowercased()
            if !word.isEmpty { names.append(word == "$user" ? user : word) }
            name = ""
            wasQuoted = false
        }
        var characters = text.makeIterator()
        while let c = characters.next() {
            if c == "\"" {
                inQuotes.toggle()
                wasQuoted = true
            } else if c == ",", !inQuotes {
                flush()
            } else if inQuotes || !c.isWhitespace {
                name.append(c)
            }
        }
        flush()
        return names
    }

    private mutating func refresh() {
        statementTimeoutMS = Int(raw("statement_timeout") ?? "") ?? 0
        lockTimeoutMS = Int(raw("lock_timeout") ?? "") ?? 0
        transactionTimeoutMS = Int(raw("transaction_timeout") ?? "") ?? 0
        transactionPriority =
            TransactionPriority(name: raw("transaction_priority") ?? "") ?? .normal
        slowTransactionMS = Int(raw("falcon.slow_txn_ms") ?? "") ?? 1000
        maxWriteKeys = Int(raw("max_txn_write_keys") ?? "") ?? 0
        maxWriteBytes = Int(raw("max_txn_write_bytes") ?? "") ?? 0
        idleInTransactionTimeoutMS =
            Int(raw("idle_in_transaction_session_timeout") ?? "") ?? 0
        idleSessionTimeoutMS = Int(raw("idle_session_timeout") ?? "") ?? 0
        isSynchronousCommitOff = raw("synchronous_commit") == "off"
        user = raw("session_authorization") ?? user
        var path = Self.parsePath(raw("search_path") ?? "", user: user)
        if !path.contains("pg_catalog") { path.insert("pg_catalog", at: 0) }
        if searchPathNames != path {
            searchPathNames = path
            pathGeneration += 1
        }
        generation += 1
        defaultIsolation =
            IsolationLevel(rawValue: raw("default_transaction_isolation") ?? "") ?? .readCommitted
        isDefaultReadOnly = raw("default_transaction_read_only") == "on"
        isDefaultDeferrable = raw("default_transaction_deferrable") == "on"
        if let definition = SettingDefinition.byName["datestyle"],
            let style = try? Self.parseDateStyle(
                raw("datestyle") ?? "", current: DisplaySettings(), definition)
        {
            display.dateOutput = style.output
            display.dateOrder = style.order
        }
        switch raw("intervalstyle") {
        case "postgres_verbose": display.intervalStyle = .postgresVerbose
        case "sql_standard": display.intervalStyle = .sqlStandard
        case "iso_8601": display.intervalStyle = .iso8601
        default: display.intervalStyle = .postgres
        }
        let zone = raw("timezone") ?? "UTC"
        if zone != display.timeZone.name {
            display.timeZone = TimeZoneRules.named(zone) ?? .utc
        }
        display.extraFloatDigits = Int32(raw("extra_float_digits") ?? "") ?? 1
        display.byteaOutputIsHex = raw("bytea_output") != "escape"
    }

    mutating func setTransactionTimestamp(_ micros: Int64) {
        display.transactionTimestamp = micros
    }
    mutating func setNames(_ names: any CatalogNames) { display.names = names }
}
