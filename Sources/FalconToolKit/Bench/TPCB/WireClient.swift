/// A client of PostgreSQL's wire protocol 3.0: trust authentication, simple queries, COPY in, and
/// named statements with parameters and results as text. For one thread.
final class WireClient {
    typealias Row = [String?]
    /// No message of a benchmark comes near it; more is taken for a peer that is no such server.
    private static let largestMessage = 64 << 20
    private let socket: BlockingSocket
    private(set) var isInTransaction = false

    init(host: String, port: Int, user: String, database: String) throws(WireFailure) {
        socket = try BlockingSocket(host: host, port: port)
        var body = WireMessage(nil)
        body.add(Int32(196_608))
        for text in [
            "user", user, "database", database, "application_name", "falcon-bench",
            "client_encoding", "UTF8",
        ] { body.add(text) }
        body.add(UInt8(0))
        try socket.send(body.framed)
        var failure: WireFailure?
        while true {
            let (tag, body) = try message()
            switch tag {
            case UInt8(ascii: "R") where Self.integer(body, 0) == 0: break
            case UInt8(ascii: "R"):
                throw WireFailure("The server asks for a password; falcon-bench needs 'trust'.")
            case UInt8(ascii: "E"): failure = Self.failure(body)
            case UInt8(ascii: "Z"): return
            default: break
            }
            if let failure { throw failure }
        }
    }

    func close() { try? socket.send([UInt8(ascii: "X"), 0, 0, 0, 4]) }

    // MARK: - Statements

    /// Runs statements without parameters; the rows of all of them.
    @discardableResult
    func query(_ sql: String) throws(WireFailure) -> [Row] {
        var request = WireMessage("Q")
        request.add(sql)
        try socket.send(request.framed)
        return try results()
    }

    func prepare(_ name: String, _ sql: String) throws(WireFailure) {
        var parse = WireMessage("P")
        parse.add(name)
        parse.add(sql)
        parse.add(Int16(0))
        try socket.send(parse.framed + WireMessage("S").framed)
        _ = try results()
    }

    /// Runs a prepared statement.
    @discardableResult
    func execute(_ name: String, _ parameters: [String] = []) throws(WireFailure) -> [Row] {
        var bind = WireMessage("B")
        bind.add("")
        bind.add(name)
        bind.add(Int16(0))
        bind.add(Int16(truncatingIfNeeded: parameters.count))
        for parameter in parameters {
            bind.add(Int32(truncatingIfNeeded: parameter.utf8.count))
            bind.add(bytes: parameter.utf8)
        }
        bind.add(Int16(0))
        var execute = WireMessage("E")
        execute.add("")
        execute.add(Int32(0))
        try socket.send(bind.framed + execute.framed + WireMessage("S").framed)
        return try results()
    }

    /// `COPY … FROM STDIN`; `next` gives rows as text until it gives nil.
    func copyIn(_ sql: String, _ next: () -> String?) throws(WireFailure) {
        var request = WireMessage("Q")
        request.add(sql)
        try socket.send(request.framed)
        let (tag, body) = try message()
        guard tag == UInt8(ascii: "G") else {
            if tag == UInt8(ascii: "E") {
                _ = try results()
                throw Self.failure(body)
            }
            throw WireFailure("The server does not take a COPY.")
        }
        while let text = next() {
            var data = WireMessage("d")
            data.add(bytes: text.utf8)
            try socket.send(data.framed)
        }
        try socket.send(WireMessage("c").framed)
        _ = try results()
    }

    // MARK: - Messages

    /// Everything up to ReadyForQuery; throws the first error after that.
    private func results() throws(WireFailure) -> [Row] {
        var rows: [Row] = []
        var failure: WireFailure?
        while true {
            let (tag, body) = try message()
            switch tag {
            case UInt8(ascii: "D"): rows.append(try Self.row(body))
            case UInt8(ascii: "E"): failure = failure ?? Self.failure(body)
            case UInt8(ascii: "Z"):
                isInTransaction = body.first != UInt8(ascii: "I")
                if let failure { throw failure }
                return rows
            default: break
            }
        }
    }

    private func message() throws(WireFailure) -> (UInt8, [UInt8]) {
        let head = try socket.read(5)
        let length = Self.integer(head, 1) - 4
        guard (0...Self.largestMessage).contains(length) else {
            throw WireFailure("The server sent a message of \(length) bytes.")
        }
        return (head[0], try socket.read(length))
    }

    /// Four bytes at `offset`; -1 when they are not there.
    private static func integer(_ bytes: [UInt8], _ offset: Int) -> Int {
        guard offset >= 0, offset + 4 <= bytes.count else { return -1 }
        let value = bytes[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Int(Int32(bitPattern: value))
    }

    private static func row(_ body: [UInt8]) throws(WireFailure) -> Row {
        guard body.count >= 2 else { throw WireFailure("A row is cut short.") }
        var row: Row = []
        var offset = 2
        for _ in 0..<(Int(body[0]) << 8 | Int(body[1])) {
            guard offset + 4 <= body.count else { throw WireFailure("A row is cut short.") }
            let count = integer(body, offset)
            offset += 4
            guard count >= 0 else {
                row.append(nil)
                continue
            }
            guard count <= body.count - offset else { throw WireFailure("A row is cut short.") }
            row.append(String(decoding: body[offset..<(offset + count)], as: UTF8.self))
            offset += count
        }
        return row
    }

    private static func failure(_ body: [UInt8]) -> WireFailure {
        var fields: [UInt8: String] = [:]
        for field in body.split(separator: 0) {
            guard let kind = field.first else { continue }
            fields[kind] = String(decoding: field.dropFirst(), as: UTF8.self)
        }
        return WireFailure(
            fields[UInt8(ascii: "M")] ?? "no message",
            sqlState: fields[UInt8(ascii: "C")] ?? "XX000")
    }
}

/// A message being put together.
private struct WireMessage {
    private let tag: UInt8?
    private var body: [UInt8] = []

    init(_ tag: Unicode.Scalar?) { self.tag = tag.map { UInt8(ascii: $0) } }

    mutating func add(_ byte: UInt8) { body.append(byte) }
    mutating func add(_ value: Int16) { withUnsafeBytes(of: value.bigEndian) { body += $0 } }
    mutating func add(_ value: Int32) { withUnsafeBytes(of: value.bigEndian) { body += $0 } }
    mutating func add(bytes: some Sequence<UInt8>) { body += bytes }
    /// Text with the zero byte that ends it.
    mutating func add(_ text: String) {
        body += text.utf8
        body.append(0)
    }

    var framed: [UInt8] {
        var bytes = tag.map { [$0] } ?? []
        withUnsafeBytes(of: Int32(truncatingIfNeeded: body.count + 4).bigEndian) { bytes += $0 }
        return bytes + body
    }
}
