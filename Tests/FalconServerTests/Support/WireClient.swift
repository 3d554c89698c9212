import Glibc

/// A message from the server, as it came.
struct Reply: Equatable, CustomStringConvertible {
    var tag: Character
    var body: [UInt8]

    var description: String { "\(tag)(\(body.count))" }

    /// The fields of an ErrorResponse or NoticeResponse.
    var fields: [Character: String] {
        var result: [Character: String] = [:]
        for field in body.split(separator: 0) {
            guard let code = field.first else { continue }
            result[Character(Unicode.Scalar(code))] = String(
                decoding: field.dropFirst(), as: UTF8.self)
        }
        return result
    }

    /// The zero-terminated text a CommandComplete holds.
    var text: String { String(decoding: body.prefix { $0 != 0 }, as: UTF8.self) }

    /// The columns of a DataRow.
    var columns: [[UInt8]?] {
        var result: [[UInt8]?] = []
        var offset = 2
        while offset + 4 <= body.count {
            let length = Int(Int32(bitPattern: Bytes.uint32(body, offset)))
            offset += 4
            if length < 0 {
                result.append(nil)
            } else {
                result.append(Array(body[offset..<(offset + length)]))
                offset += length
            }
        }
        return result
    }
}

enum Bytes {
    static func uint32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
    static func int32(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: Int32(truncatingIfNeeded: value).bigEndian) { Array($0) }
    }
    static func int16(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: Int16(truncatingIfNeeded: value).bigEndian) { Array($0) }
    }
    static func cstring(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    static func message(_ tag: Character, _ body: [UInt8] = []) -> [UInt8] {
        [tag.asciiValue ?? 0] + int32(body.count + 4) + body
    }
    static func startup(_ parameters: [(String, String)], version: Int = 196_608) -> [UInt8] {
        let body =
            int32(version) + parameters.flatMap { cstring($0.0) + cstring($0.1) } + [0]
        return int32(body.count + 4) + body
    }
    static func query(_ sql: String) -> [UInt8] { message("Q", cstring(sql)) }
    static func parse(_ sql: String, name: String = "") -> [UInt8] {
        message("P", cstring(name) + cstring(sql) + int16(0))
    }
    static func bind(
        portal: String = "", statement: String = "", resultFormats: [Int] = []
    ) -> [UInt8] {
        message(
            "B",
            cstring(portal) + cstring(statement) + int16(0) + int16(0)
                + int16(resultFormats.count) + resultFormats.flatMap(int16))
    }
    static func describe(_ kind: Character, _ name: String = "") -> [UInt8] {
        message("D", [kind.asciiValue ?? 0] + cstring(name))
    }
    static func close(_ kind: Character, _ name: String = "") -> [UInt8] {
        message("C", [kind.asciiValue ?? 0] + cstring(name))
    }
    static func execute(_ portal: String = "", max: Int = 0) -> [UInt8] {
        message("E", cstring(portal) + int32(max))
    }
    static let sync = message("S")
    static let flush = message("H")
}

struct WireClientError: Error, CustomStringConvertible {
    var description: String
}

/// A client that sends exactly the bytes a test wants, on a blocking socket with a time limit.
final class WireClient {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var offset = 0

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw WireClientError(description: "connect: errno \(errno)") }
    }

    deinit { Glibc.close(descriptor) }

    /// Sends a start-up packet and reads up to ReadyForQuery.
    static func started(
        port: Int, _ parameters: [(String, String)] = [("user", "u"), ("database", "d")]
    ) throws -> WireClient {
        let client = try WireClient(port: port)
        try client.send(Bytes.startup(parameters))
        _ = try client.readUntilReady()
        return client
    }

    /// False when the server has closed.
    @discardableResult
    func trySend(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func send(_ bytes: [UInt8]) throws {
        guard trySend(bytes) else { throw WireClientError(description: "send: errno \(errno)") }
    }

    func shutdownWrites() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether bytes arrive within `milliseconds`.
    func hasInput(within milliseconds: Int32) -> Bool {
        if offset < buffer.count { return true }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    private func fill() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &piece, piece.count, 0)
        if count == 0 || (count < 0 && errno == ECONNRESET) { return false }
        guard count > 0 else { throw WireClientError(description: "recv: errno \(errno)") }
        if offset == buffer.count {
            buffer = []
            offset = 0
        }
        buffer += piece[..<count]
        return true
    }

    func readByte() throws -> UInt8? {
        while offset >= buffer.count { guard try fill() else { return nil } }
        defer { offset += 1 }
        return buffer[offset]
    }

    /// The next message; nil when the server has closed.
    func read() throws -> Reply? {
        while buffer.count - offset < 5 { guard try fill() else { return nil } }
        let length = Int(Bytes.uint32(buffer, offset + 1))
        while buffer.count - offset < length + 1 { guard try fill() else { return nil } }
        defer { offset += length + 1 }
        return Reply(
            tag: Character(Unicode.Scalar(buffer[offset])),
            body: Array(buffer[(offset + 5)..<(offset + 1 + length)]))
    }

    /// Messages up to and with the first one tagged `tag`.
    func read(until tag: Character) throws -> [Reply] {
        var replies: [Reply] = []
        while true {
            guard let reply = try read() else {
                throw WireClientError(description: "closed after \(replies)")
            }
            replies.append(reply)
            if reply.tag == tag { return replies }
        }
    }

    func readUntilReady() throws -> [Reply] { try read(until: "Z") }

    func readToEnd() throws -> [Reply] {
        var replies: [Reply] = []
        while let reply = try read() { replies.append(reply) }
        return replies
    }

    func query(_ sql: String) throws -> [Reply] {
        try send(Bytes.query(sql))
        return try readUntilReady()
    }
}

extension [Reply] {
    var tags: String { String(map(\.tag)) }
}
