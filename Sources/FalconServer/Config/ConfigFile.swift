import FalconSQL
import FalconSchema
import TOMLKit

/// Reads the configuration file and prints the documented default one.
enum ConfigFile {
    /// Applies the TOML text to `config`; returns warnings (deprecated keys).
    static func apply(
        _ text: String, name: String, to config: inout ServerConfig
    ) throws(ConfigError) -> [String] {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigError(
                "\(name):\(error.source.begin.line):\(error.source.begin.column): "
                    + error.description)
        } catch {
            throw ConfigError("\(name): \(error)")
        }
        var warnings: [String] = []
        for (path, value) in flatten(table, prefix: "") {
            try applyOne(path, value, name: name, to: &config, warnings: &warnings)
        }
        return warnings
    }

    private static func applyOne(
        _ path: String, _ value: ConfigValue, name: String, to config: inout ServerConfig,
        warnings: inout [String]
    ) throws(ConfigError) {
        if path.hasPrefix("settings.") {
            let entry = (String(path.dropFirst(9)), setting(value))
            do throws(SQLError) {
                try SQLDatabaseOptions.check(setting: entry.0, value: entry.1)
            } catch {
                throw ConfigError("\(name): \(path): \(error.message)" + hint(error, entry.0))
            }
            config.settings.append(entry)
            return
        }
        var path = path
        if let current = ConfigKey.deprecated[path] {
            warnings.append("\(name): key \"\(path)\" is deprecated, write \"\(current)\"")
            path = current
        }
        guard let key = ConfigKey.all.first(where: { $0.path == path }) else {
            throw ConfigError("\(name): \(unknown(path))")
        }
        do throws(ConfigError) {
            try key.apply(&config, value)
        } catch {
            throw ConfigError("\(name): \(path) \(error.description)")
        }
    }

    private static func hint(_ error: SQLError, _ setting: String) -> String {
        guard error.state == .undefinedObject else { return error.hint.map { ". \($0)" } ?? "" }
        let near = NearestName.find(setting.lowercased(), in: SQLDatabaseOptions.settingNames)
        return near.map { ". Did you mean \"\($0)\"?" } ?? ""
    }

    private static func unknown(_ path: String) -> String {
        let names = ConfigKey.all.map(\.path)
        if let near = NearestName.find(path, in: names) {
            return "unknown key \"\(path)\". Did you mean \"\(near)\"?"
        }
        // The right name under the wrong section.
        let last = path.split(separator: ".").last.map(String.init) ?? path
        if let near = NearestName.find(last, in: ConfigKey.all.map(\.name)),
            let key = ConfigKey.all.first(where: { $0.name == near })
        {
            return "unknown key \"\(path)\". Did you mean \"\(key.path)\"?"
        }
        return "unknown key \"\(path)\". falcondb --print-default-config lists all keys."
    }

    /// Session settings are text, whatever TOML type they are written in.
    private static func setting(_ value: ConfigValue) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "on" : "off"
        default: value.shown
        }
    }

    private static func flatten(
        _ table: TOMLTable, prefix: String
    ) -> [(String, ConfigValue)] {
        var result: [(String, ConfigValue)] = []
        for key in table.keys.sorted() {
            guard let value = table[key] else { continue }
            let path = prefix.isEmpty ? key : "\(prefix).\(key)"
            switch value.type {
            case .table:
                if let inner = value.table { result += flatten(inner, prefix: path) }
            case .string: result.append((path, .string(value.string ?? "")))
            case .int: result.append((path, .int(value.int ?? 0)))
            case .double: result.append((path, .double(value.double ?? 0)))
            case .bool: result.append((path, .bool(value.bool ?? false)))
            default: result.append((path, .other(value.type.description)))
            }
        }
        return result
    }

    /// A configuration file that says what the server does without one, every key explained.
    static func defaultText() -> String {
        var text = """
            # FalconDB configuration. Every key is here with its default; remove what you do not change.
            # Flags (--data-dir, --pg-addr, --admin-addr) win over this file.


            """
        var section = ""
        for key in ConfigKey.all {
            if key.section != section {
                section = key.section
                text += "\n[\(section)]\n"
            }
            for line in wrapped(key.help) { text += "# \(line)\n" }
            text += "\(key.name) = \(key.defaultText)\n"
        }
        text += """

            [settings]
            # Initial values of session settings (what SET changes), for every session. For example:
            # TimeZone = "UTC"

            """
        return text
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > 96 {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
