import FalconSchema

/// The options of CREATE DATABASE. Every database is UTF8 with the locale C: what says so is accepted,
/// what says otherwise is refused.
struct DatabaseOptions {
    var template = DatabaseEntry.template1
    var owner: String?
    var isTemplate = false
    var allowsConnections = true
    var connectionLimit: Int32 = -1
    private var encoding: String?
    private var locales: [String] = []

    init(
        _ options: [AST.Option], notice: (SQLError) -> Void
    ) throws(SQLError) {
        var seen: Set<String> = []
        for option in options {
            let place = option.location >= 0 ? option.location : nil
            guard seen.insert(option.name).inserted else {
                throw SQLError(
                    .syntaxError, "conflicting or redundant options", byteOffset: place)
            }
            try take(option, place, notice)
        }
    }

    private mutating func take(
        _ option: AST.Option, _ place: Int?, _ notice: (SQLError) -> Void
    ) throws(SQLError) {
        // DEFAULT says nothing.
        guard let value = option.value else { return }
        switch option.name {
        case "owner": owner = option.stringValue
        case "template": template = option.stringValue ?? template
        case "encoding": encoding = try Self.encoding(option, place)
        case "locale", "lc_collate", "lc_ctype": locales.append(option.stringValue ?? "")
        case "is_template": isTemplate = try option.flag()
        case "allow_connections": allowsConnections = try option.flag()
        case "connection_limit":
            guard case .integer(let limit) = value, let limit = Int32(exactly: limit) else {
                throw SQLError(.syntaxError, "connection_limit requires an integer value")
            }
            if limit < -1 {
                throw SQLError(.invalidParameterValue, "invalid connection limit: \(limit)")
            }
            connectionLimit = limit
        case "tablespace":
            let name = option.stringValue ?? ""
            if name != "pg_default" {
                throw SQLError(.undefinedObject, "tablespace \"\(name)\" does not exist")
            }
        case "strategy":
            let name = option.stringValue ?? ""
            if !["wal_log", "file_copy"].contains(name.lowercased()) {
                throw SQLError(
                    .invalidParameterValue, "invalid create database strategy \"\(name)\"",
                    hint: "Valid strategies are \"wal_log\" and \"file_copy\".")
            }
        case "location":
            notice(
                SQLError(
                    .featureNotSupported, "LOCATION is not supported anymore",
                    hint: "Consider using tablespaces instead.", byteOffset: place,
                    severity: .warning))
        default: try Self.takeRare(option, place)
        }
    }

    private static func takeRare(_ option: AST.Option, _ place: Int?) throws(SQLError) {
        switch option.name {
        case "locale_provider":
            let name = option.stringValue ?? ""
            if name.lowercased() == "libc" { return }
            if name.lowercased() == "icu" {
                throw SQLError(.featureNotSupported, "ICU is not supported in this build")
            }
            throw SQLError(.invalidObjectDefinition, "unrecognized locale provider: \(name)")
        case "icu_locale":
            throw SQLError(
                .invalidObjectDefinition,
                "ICU locale cannot be specified unless locale provider is ICU")
        case "collation_version": return
        case "oid":
            if case .integer(let oid)? = option.value, oid < Int64(CatalogKeys.firstUserOID) {
                throw SQLError(
                    .invalidParameterValue,
                    "OIDs less than \(CatalogKeys.firstUserOID) are reserved for system objects")
            }
            throw SQLError(
                .featureNotSupported, "the OID of a database cannot be chosen", byteOffset: place)
        default:
            throw SQLError(
                .syntaxError, "option \"\(option.name)\" not recognized", byteOffset: place)
        }
    }

    // MARK: Encoding and locale

    /// PostgreSQL's names of encodings, without what is no letter or digit.
    private static let encodings: Set<String> = {
        var names: Set<String> = [
            "abc", "alt", "big5", "euccn", "eucjis2004", "eucjp", "euckr", "euctw", "gb18030",
            "gbk", "johab", "koi8", "koi8r", "koi8u", "mskanji", "muleinternal", "shiftjis",
            "shiftjis2004", "sjis", "sqlascii", "tcvn", "tcvn5712", "uhc", "unicode", "utf8",
            "vscii", "win", "win866", "win874", "win932", "win936", "win949", "win950",
        ]
        for number in 1...16 { names.insert("iso8859\(number)") }
        for number in 1...10 { names.insert("latin\(number)") }
        for number in 1250...1258 {
            names.insert("win\(number)")
            names.insert("windows\(number)")
        }
        return names
    }()

    private static func encoding(_ option: AST.Option, _ place: Int?) throws(SQLError) -> String {
        if case .integer(let code)? = option.value {
            if code == 6 { return "UTF8" }
            if (0...41).contains(code) { return String(code) }
            throw SQLError(
                .undefinedObject, "\(code) is not a valid encoding code", byteOffset: place)
        }
        let name = option.stringValue ?? ""
        let plain = String(
            name.lowercased().unicodeScalars.filter {
                $0.properties.isAlphabetic
                    || ("0"..."9").contains($0)
            })
        guard encodings.contains(plain) else {
            throw SQLError(
                .undefinedObject, "\(name) is not a valid encoding name", byteOffset: place)
        }
        return ["utf8", "unicode"].contains(plain) ? "UTF8" : name.uppercased()
    }

    /// Refuses what no database here is.
    func checkEncoding() throws(SQLError) {
        for locale in locales where !["C", "POSIX"].contains(locale) {
            throw SQLError(.wrongObjectType, "invalid locale name: \"\(locale)\"")
        }
        guard let encoding, encoding != "UTF8" else { return }
        if template != DatabaseEntry.template0 {
            throw SQLError(
                .invalidParameterValue,
                "new encoding (\(encoding)) is incompatible with the encoding of the template "
                    + "database (UTF8)",
                hint: "Use the same encoding as in the template database, or use template0 as "
                    + "template.")
        }
        throw SQLError(.featureNotSupported, "encoding \"\(encoding)\" is not supported")
    }
}
