/// A value from the configuration file, before a key has said what it should be.
enum ConfigValue: Equatable, Sendable {
    case string(String)
    case int(Int)
    case double(Double)
    case bool(Bool)
    /// A TOML type that no key takes, by name.
    case other(String)

    var shown: String {
        switch self {
        case .string(let value): "\"\(value)\""
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .bool(let value): String(value)
        case .other(let name): "a TOML \(name)"
        }
    }

    func string(_ expectation: String) throws(ConfigError) -> String {
        guard case .string(let value) = self else {
            throw ConfigError("must be \(expectation), not \(shown)")
        }
        return value
    }

    func int(_ range: ClosedRange<Int>) throws(ConfigError) -> Int {
        guard case .int(let value) = self else {
            throw ConfigError("must be a whole number, not \(shown)")
        }
        guard range.contains(value) else {
            throw ConfigError(
                "must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
        }
        return value
    }

    func bool() throws(ConfigError) -> Bool {
        guard case .bool(let value) = self else {
            throw ConfigError("must be true or false, not \(shown)")
        }
        return value
    }

    /// Bytes: a number, or a string with a unit (kB, MB, GB are 1024-based, as PostgreSQL's are).
    func bytes(_ range: ClosedRange<Int>) throws(ConfigError) -> Int {
        try quantity(
            range, kind: "a size such as \"64MiB\"", plainUnit: 1,
            units: [
                "b": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20,
                "gb": 1 << 30, "gib": 1 << 30, "tb": 1 << 40, "tib": 1 << 40,
            ],
            show: Self.showBytes)
    }

    /// Milliseconds: a number of seconds, or a string with a unit.
    func millis(_ range: ClosedRange<Int>) throws(ConfigError) -> Int {
        try quantity(
            range, kind: "a duration such as \"10s\"", plainUnit: 1000,
            units: [
                "ms": 1, "s": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
            ],
            show: { "\($0)ms" })
    }

    private func quantity(
        _ range: ClosedRange<Int>, kind: String, plainUnit: Int, units: [String: Int],
        show: (Int) -> String
    ) throws(ConfigError) -> Int {
        let number: Int
        let unit: Int
        switch self {
        case .int(let value): (number, unit) = (value, plainUnit)
        case .string(let text):
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let name = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
            guard let value = Int(digits), let factor = name.isEmpty ? plainUnit : units[name]
            else { throw ConfigError("must be \(kind), not \(shown)") }
            (number, unit) = (value, factor)
        default: throw ConfigError("must be \(kind), not \(shown)")
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow, range.contains(product) else {
            throw ConfigError(
                "must be between \(show(range.lowerBound)) and \(show(range.upperBound)), "
                    + "not \(shown)")
        }
        return product
    }

    static func showBytes(_ value: Int) -> String {
        for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        where value >= unit && value % unit == 0 {
            return "\(value / unit)\(name)"
        }
        return "\(value)B"
    }
}
