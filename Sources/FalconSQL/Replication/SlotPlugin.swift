import FalconChanges
import FalconSchema
import FalconStorage

/// An output plugin of logical slots: one of the forms that cdc-tail has.
struct SlotPlugin {
    let dialect: DialectName

    /// The plugins by name; `wal2json` is the name that consumers of PostgreSQL's know.
    init(_ name: String) throws(SQLError) {
        if name == "wal2json" {
            dialect = .wal2json
        } else if let known = DialectName(rawValue: name) {
            dialect = known
        } else {
            let names = DialectName.allCases.map(\.rawValue).joined(separator: ", ")
            throw SQLError(
                SQLState("58P01"), "could not access file \"\(name)\": No such file or directory",
                hint: "The output plugins are \(names).")
        }
    }

    /// What a call's options ask for.
    struct Options {
        var dialect = ChangeDialect.Options()
        var selection = ChangeSelection()
    }

    /// - Parameters:
    ///   - slot: for errors.
    ///   - words: names and values in turn.
    func options(_ words: [String], slot: String) throws(SQLError) -> Options {
        var options = Options()
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            do throws(SQLError) {
                try apply(words[index], words[index + 1], to: &options)
            } catch {
                var error = error
                error.context =
                    "slot \"\(slot)\", output plugin \"\(dialect.rawValue)\", in the startup callback"
                throw error
            }
        }
        return options
    }

    private func apply(
        _ name: String, _ value: String, to options: inout Options
    ) throws(SQLError) {
        switch (name, dialect) {
        case ("tables", _), ("add-tables", .wal2json):
            options.selection.tables = value.split(separator: ",").map {
                TableGlob(String($0.drop { $0 == " " }))
            }
        case ("rows-only", _):
            let isSet = try Self.flag(name, value)
            options.selection.showsTransactions = !isSet
            options.selection.showsSchema = !isSet
        case ("include-transaction", _):
            options.selection.showsTransactions = try Self.flag(name, value)
        case ("include-schema-changes", _):
            options.selection.showsSchema = try Self.flag(name, value)
        case ("numbers-as-strings", .falcon), ("numbers-as-strings", .cloudevents),
            ("numeric-data-types-as-string", .wal2json):
            options.dialect.numbersAsStrings = try Self.flag(name, value)
        case ("format-version", .wal2json):
            guard value == "2" else { throw Self.unsupported(name, value) }
        // What its lines always have.
        case ("include-xids", .wal2json), ("include-timestamp", .wal2json),
            ("include-lsn", .wal2json), ("include-schemas", .wal2json),
            ("include-types", .wal2json):
            guard try Self.flag(name, value) else { throw Self.unsupported(name, value) }
        case ("pretty-print", .wal2json), ("write-in-chunks", .wal2json):
            guard try !Self.flag(name, value) else { throw Self.unsupported(name, value) }
        default:
            throw SQLError(
                .invalidParameterValue, "option \"\(name)\" = \"\(value)\" is unknown")
        }
    }

    private static func flag(_ name: String, _ value: String) throws(SQLError) -> Bool {
        switch value.lowercased() {
        case "1", "t", "true", "on", "yes", "y": return true
        case "0", "f", "false", "off", "no", "n": return false
        default:
            throw SQLError(
                .invalidParameterValue,
                "could not parse value \"\(value)\" for parameter \"\(name)\"")
        }
    }

    private static func unsupported(_ name: String, _ value: String) -> SQLError {
        SQLError(.featureNotSupported, "option \"\(name)\" = \"\(value)\" is not supported")
    }
}
