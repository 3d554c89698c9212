/// Figures of a server's `/metrics`, as far as a benchmark looks at them.
struct ServerMetrics {
    private let values: [String: Double]

    /// Asks `address` (`host:port`).
    init(from address: String) throws(WireFailure) {
        let (host, port) = try Self.split(address)
        let socket = try BlockingSocket(host: host, port: port)
        try socket.send(
            Array("GET /metrics HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while let piece = try socket.receive() { bytes += piece }
        self.init(text: String(decoding: bytes, as: UTF8.self))
        guard !values.isEmpty else { throw WireFailure("\(address) has no /metrics.") }
    }

    /// Prometheus text; lines that are none are passed over.
    init(text: String) {
        var values: [String: Double] = [:]
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("falcon_") {
            guard let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { continue }
            values[String(line[..<space])] = value
        }
        self.values = values
    }

    private static func split(_ address: String) throws(WireFailure) -> (String, Int) {
        guard let colon = address.lastIndex(of: ":"),
            let port = Int(address[address.index(after: colon)...]), (1...65_535).contains(port)
        else { throw WireFailure("'\(address)' is not HOST:PORT.") }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }

    subscript(_ name: String) -> Double? { values[name] }

    /// Why writers are being held back at this moment; nil when they are not.
    var delayReason: String? {
        let prefix = "falcon_write_delay{reason=\""
        let found = values.first { name, value in
            value == 1 && name.hasPrefix(prefix) && name != prefix + "none\"}"
        }
        return found.map { String($0.key.dropFirst(prefix.count).dropLast(2)) }
    }
}
