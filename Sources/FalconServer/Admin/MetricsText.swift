/// Writes Prometheus' text exposition format.
struct MetricsText {
    private(set) var text = ""

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        header(name, help, "counter")
        text += "\(name) \(value)\n"
    }

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        counter(name, help, UInt64(clamping: value))
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        header(name, help, "gauge")
        text += "\(name) \(Self.number(value))\n"
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        header(name, help, "gauge")
        text += "\(name) \(value)\n"
    }

    /// One gauge with a label that tells its values apart.
    mutating func gauge(
        _ name: String, _ help: String, label: String, _ values: [(String, UInt64)]
    ) {
        header(name, help, "gauge")
        for (key, value) in values { text += "\(name){\(label)=\"\(key)\"} \(value)\n" }
    }

    private mutating func header(_ name: String, _ help: String, _ type: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
