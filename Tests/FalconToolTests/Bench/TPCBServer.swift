import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A peer on loopback that speaks as much of the protocol as TPC-B needs and keeps its tables in
/// memory: what the client does is tested without a server.
final class TPCBServer: @unchecked Sendable {
    /// What it does wrong.
    enum Fault { case none, conflicts, alwaysConflicts, losesAnUpdate, wantsPassword, hangsUp }

    struct Tables {
        var sums = ["account": 0, "teller": 0, "branch": 0, "history": 0]
        var historyRows = 0
        var copied = 0
        var statements = 0
        var tellers = 0
        var prepared: Set<String> = []
    }

    let port: Int
    private let fault: Fault
    private let listener: Int32
    private let state = Mutex(Tables())

    var tables: Tables { state.withLock { $0 } }

    /// Whether the next update of a teller meets another's: each third, whoever sends it.
    private func isConflict() -> Bool {
        let number = state.withLock { tables in
            tables.tellers += 1
            return tables.tellers
        }
        return fault == .alwaysConflicts || (fault == .conflicts && number % 3 == 0)
    }

    init?(_ fault: Fault = .none) {
        self.fault = fault
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isBound else { return nil }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(descriptor, nil, nil)
                if client < 0 { return }
                Thread.detachNewThread { [self] in Session(client, self).run() }
            }
        }
    }

    /// Ends the accepting thread; sessions end with their clients.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private final class Session {
        let descriptor: Int32
        let server: TPCBServer
        var pending: [(String, Int)] = []
        var inTransaction: UInt8 = UInt8(ascii: "I")
        var out: [UInt8] = []

        init(_ descriptor: Int32, _ server: TPCBServer) {
            self.descriptor = descriptor
            self.server = server
        }

        func run() {
            defer { close(descriptor) }
            guard let length = integer(), read(length - 4) != nil else { return }
            if server.fault == .wantsPassword {
                answer("R", [0, 0, 0, 3])
                flush()
                return
            }
            answer("R", [0, 0, 0, 0])
            ready()
            while let tag = read(1)?.first, let length = integer(), let body = read(length - 4) {
                guard handle(tag, body) else { return }
            }
        }

        func handle(_ tag: UInt8, _ body: [UInt8]) -> Bool {
            let texts = body.split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            switch Character(Unicode.Scalar(tag)) {
            case "Q": query(texts[0])
            case "P":
                _ = server.state.withLock { $0.prepared.insert(texts[0]) }
                answer("1", [])
            case "B":
                answer("2", [])
                return statement(texts[1], body)
            case "E": break
            case "S": ready()
            case "d": server.state.withLock { $0.copied += body.count { $0 == 0x0A } }
            case "c":
                complete()
                ready()
            default: return false
            }
            return true
        }

        func query(_ sql: String) {
            if sql.hasPrefix("COPY") {
                answer("G", [0, 0, 0])
                return flush()
            }
            let tables = server.tables
            for (text, value) in [
                ("sum(abalance)", tables.sums["account"]), ("sum(tbalance)", tables.sums["teller"]),
                ("sum(bbalance)", tables.sums["branch"]), ("sum(delta)", tables.sums["history"]),
                ("count(*)", tables.historyRows),
            ] where sql.contains(text) { row(String(value ?? 0)) }
            complete()
            ready()
        }

        /// False ends the session.
        func statement(_ name: String, _ body: [UInt8]) -> Bool {
            let number = server.state.withLock { tables in
                tables.statements += 1
                return tables.statements
            }
            if server.fault == .hangsUp, number == 50 { return false }
            switch name {
            case "begin":
                pending = []
                inTransaction = UInt8(ascii: "T")
            case "account", "teller", "branch", "history":
                if name == "teller", server.isConflict() {
                    inTransaction = UInt8(ascii: "E")
                    answer("E", Array("SERROR\0C40001\0Mcannot serialize\0\0".utf8))
                    return true
                }
                pending.append((name, parameters(body)[name == "history" ? 3 : 0]))
            case "balance": row("0")
            case "commit":
                server.state.withLock { tables in
                    for (table, delta) in pending {
                        if server.fault == .losesAnUpdate, table == "teller",
                            tables.historyRows == 3
                        {
                            continue
                        }
                        tables.sums[table, default: 0] += delta
                        if table == "history" { tables.historyRows += 1 }
                    }
                }
                inTransaction = UInt8(ascii: "I")
            default: inTransaction = UInt8(ascii: "I")
            }
            complete()
            return true
        }

        func parameters(_ body: [UInt8]) -> [Int] {
            guard let first = body.firstIndex(of: 0),
                let second = body[(first + 1)...].firstIndex(of: 0)
            else { return [] }
            var at = second + 3
            let count = Int(body[at]) << 8 | Int(body[at + 1])
            at += 2
            return (0..<count).map { _ in
                let length = body[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
                defer { at += 4 + length }
                return Int(String(decoding: body[(at + 4)..<(at + 4 + length)], as: UTF8.self)) ?? 0
            }
        }

        func row(_ text: String) {
            let size = UInt8(text.utf8.count)
            answer("D", [0, 1, 0, 0, 0, size] + text.utf8)
        }
        func complete() { answer("C", Array("OK\0".utf8)) }
        func ready() {
            answer("Z", [inTransaction])
            flush()
        }
        func answer(_ tag: Unicode.Scalar, _ body: [UInt8]) {
            out.append(UInt8(ascii: tag))
            withUnsafeBytes(of: UInt32(body.count + 4).bigEndian) { out += $0 }
            out += body
        }
        func flush() {
            _ = send(descriptor, out, out.count, Int32(MSG_NOSIGNAL))
            out = []
        }
        func integer() -> Int? { read(4).map { $0.reduce(0) { $0 << 8 | Int($1) } } }
        func read(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            var done = 0
            while done < count {
                let got = bytes.withUnsafeMutableBytes {
                    recv(descriptor, $0.baseAddress.map { $0 + done }, count - done, 0)
                }
                if got <= 0 { return nil }
                done += got
            }
            return bytes
        }
    }
}
