import FalconSQL
import FalconSchema
import Synchronization

@testable import FalconServer

/// A session whose statements say what the session does, so that the wire can be tested without SQL:
///
/// `rows N` (one int4 column `n`), `wide N` (N rows of 1000 characters), `error`, `set A B`,
/// `notice`, `begin`, `commit`, `worker STATEMENT`, `wait STATEMENT` (until ``release()``), `hang` (on
/// a worker until cancelled), `copyin` (errors at a row `bad`), `copyout N`, `nul` (a NULL and an
/// empty text), `zero` (a row without columns), anything else: just a command tag.
final class ScriptedSession: WireSession, @unchecked Sendable {
    let processID: Int32 = 4711
    let secretKey: Int32 = 815
    var transactionStatus = TransactionStatus.idle
    var reportedParameters: [(String, String)] { [("server_version", "15.18")] }
    var displaySettings: DisplaySettings { DisplaySettings() }

    private struct Portal {
        var sql: String
        var formats: [Int16]
        var next = 0
    }
    private struct Stream {
        var sql: String
        var next: Int
        var end: Int
        var stop: Int
        var formats: [Int16]
        var portal: String?
    }

    private var statements: [String: String] = [:]
    private var portals: [String: Portal] = [:]
    private var queue: [String] = []
    private var stream: Stream?
    private var isSimple = false
    private var copied = ""
    private var afterWait: String?
    let shared: Shared

    /// What tests reach from their thread.
    final class Shared: Sendable {
        struct State {
            var isCancelled = false
            var isClosed = false
            var isReleased = false
            /// `hang` has come to its worker.
            var isHanging = false
            var callback: (@Sendable () -> Void)?
            var whenAskedToEnd: (@Sendable () -> Void)?
            var endRequest: SQLError?
            var whenNotified: (@Sendable () -> Void)?
            var notifications: [SessionNotification] = []
        }
        let state = Mutex(State())

        /// What pg_terminate_backend of another session does.
        func askToEnd(_ error: SQLError) {
            let callback: (@Sendable () -> Void)? = state.withLock { state in
                state.endRequest = error
                return state.whenAskedToEnd
            }
            callback?()
        }

        /// What another session's NOTIFY comes to.
        func notify(_ payload: String) {
            let callback: (@Sendable () -> Void)? = state.withLock { state in
                state.notifications.append(
                    SessionNotification(processID: 4712, channel: "ch", payload: payload))
                return state.whenNotified
            }
            callback?()
        }

        func release() {
            let callback: (@Sendable () -> Void)? = state.withLock { state in
                state.isReleased = true
                defer { state.callback = nil }
                return state.callback
            }
            callback?()
        }
        var isWaiting: Bool { state.withLock { $0.callback != nil } }
        var isHanging: Bool { state.withLock { $0.isHanging } }
        var isClosed: Bool { state.withLock { $0.isClosed } }
    }

    init(shared: Shared) { self.shared = shared }

    /// Function 1 gives 1, others fail.
    func callFunction(
        _ oid: OID, _ arguments: [WireParameter], _ sink: any ResultSink
    ) -> SessionProgress { simpleQuery(oid == 1 ? "rows 1" : "error", sink) }

    func whenAskedToEnd(_ callback: @escaping @Sendable () -> Void) {
        shared.state.withLock { $0.whenAskedToEnd = callback }
    }
    var endRequest: SQLError? { shared.state.withLock { $0.endRequest } }

    func whenNotified(_ callback: @escaping @Sendable () -> Void) {
        shared.state.withLock { $0.whenNotified = callback }
    }
    var hasNotifications: Bool {
        transactionStatus == .idle && shared.state.withLock { !$0.notifications.isEmpty }
    }
    func takeNotifications(maximumBytes: Int) -> [SessionNotification] {
        shared.state.withLock { state in
            var bytes = 0
            let taken = state.notifications.prefix { notification in
                defer { bytes += notification.payload.utf8.count }
                return bytes < maximumBytes
            }
            state.notifications.removeFirst(taken.count)
            return Array(taken)
        }
    }

    private static let error = SQLError(.divisionByZero, "division by zero", byteOffset: 2)
    private static let cancelled = SQLError(
        .queryCanceled, "canceling statement due to user request")

    private static func columns(_ sql: String) -> [ResultColumn]? {
        switch words(sql).first {
        case "rows": [ResultColumn(name: "n", type: .int4)]
        case "wide": [ResultColumn(name: "w", type: .text)]
        case "nul": [ResultColumn(name: "a", type: .int8), ResultColumn(name: "b", type: .text)]
        case "zero": []
        case "worker", "wait": columns(words(sql).dropFirst().joined(separator: " "))
        default: nil
        }
    }
    private static func words(_ sql: String) -> [String] {
        sql.split(separator: " ").map(String.init)
    }

    // MARK: Simple

    func simpleQuery(_ sql: String, _ sink: any ResultSink) -> SessionProgress {
        isSimple = true
        portalStart = nil
        queue = sql.split(separator: ";").map(String.init).reversed()
        if queue.isEmpty { sink.emptyQuery() }
        return runQueue(sink)
    }

    private func runQueue(_ sink: any ResultSink) -> SessionProgress {
        while let sql = queue.popLast() {
            let trimmed = Self.words(sql).joined(separator: " ")
            let progress = run(trimmed, formats: [], maxRows: 0, portal: nil, from: 0, sink)
            guard case .finished = progress else {
                if case .failed = progress { queue = [] }
                return progress
            }
        }
        return .finished
    }

    private func run(
        _ sql: String, formats: [Int16], maxRows: Int, portal: String?, from: Int,
        _ sink: any ResultSink
    ) -> SessionProgress {
        let words = Self.words(sql)
        let count = words.count > 1 ? Int(words[1]) ?? 0 : 0
        switch words.first {
        case nil:
            sink.emptyQuery()
            return .finished
        case "rows", "wide", "nul", "zero":
            if isSimple { sink.rowDescription(Self.columns(sql) ?? []) }
            let end = words.count > 1 ? count : 1
            stream = Stream(
                sql: sql, next: from, end: end,
                stop: maxRows == 0 ? end : min(end, from + maxRows), formats: formats,
                portal: portal)
            return runStream(sink, limited: maxRows != 0)
        case "error":
            if transactionStatus == .inTransaction { transactionStatus = .failed }
            return .failed(Self.error)
        case "notice":
            sink.notice(SQLError(.warning, "careful", severity: .warning))
        case "set":
            sink.parameterStatus(words[1], words[2])
        case "begin": transactionStatus = .inTransaction
        case "commit": transactionStatus = .idle
        case "worker", "wait":
            afterWait = words.dropFirst().joined(separator: " ")
            if words.first == "worker" { return .needsWorker }
            return .waiting(
                SessionWait { [shared] callback in
                    let isReady = shared.state.withLock { state in
                        if state.isReleased || state.isCancelled { return true }
                        state.callback = callback
                        return false
                    }
                    if isReady { callback() }
                })
        case "hang":
            afterWait = "spin"
            return .needsWorker
        case "spin":
            shared.state.withLock { $0.isHanging = true }
            defer { shared.state.withLock { $0.isHanging = false } }
            while !shared.state.withLock({ $0.isCancelled }) {}
            shared.state.withLock { $0.isCancelled = false }
            return .failed(Self.cancelled)
        case "copyin":
            copied = ""
            sink.copyInResponse(.text, columnCount: 2)
            return .copyIn
        case "copyout":
            sink.copyOutResponse(.text, columnCount: 1)
            for n in 0..<count { sink.copyData(Array("\(n)\n".utf8)) }
            sink.copyDone()
            sink.commandComplete("COPY \(count)")
            return .finished
        default: break
        }
        sink.commandComplete(words[0].uppercased())
        return .finished
    }

    private func runStream(_ sink: any ResultSink, limited: Bool) -> SessionProgress {
        guard var current = stream else { return .finished }
        let columns = Self.columns(current.sql) ?? []
        let wide = String(repeating: "w", count: 1000)
        while current.next < current.stop {
            let values: [Datum] =
                switch current.sql.prefix(3) {
                case "row": [.int(Int64(current.next + 1))]
                case "wid": [.text(wide)]
                case "nul": [.null, .text("")]
                default: []
                }
            do throws(SQLError) {
                try sink.row(values, columns, formats: current.formats)
            } catch {
                return .failed(error)
            }
            current.next += 1
            if sink.wantsPause {
                stream = current
                if shared.state.withLock({ $0.isCancelled }) { return .failed(Self.cancelled) }
                return .paused
            }
        }
        stream = nil
        if let portal = current.portal { portals[portal]?.next = current.next }
        // Stopped by the limit: PostgreSQL does not look whether a row follows.
        if limited, current.next - (portalStart ?? 0) == limitRows {
            sink.portalSuspended()
        } else {
            sink.commandComplete("SELECT \(current.next - (portalStart ?? 0))")
        }
        return .finished
    }
    private var portalStart: Int?
    private var limitRows = 0

    // MARK: Extended

    func parse(
        name: String, sql: String, parameterTypes: [OID], _ sink: any ResultSink
    ) -> SessionProgress {
        if sql == "bad syntax" {
            return .failed(SQLError(.syntaxError, "syntax error", byteOffset: 4))
        }
        statements[name] = Self.words(sql).joined(separator: " ")
        return .finished
    }

    func describeStatement(_ name: String) throws(SQLError) -> StatementDescription {
        guard let sql = statements[name] else {
            throw SQLError(
                .invalidSQLStatementName, "prepared statement \"\(name)\" does not exist")
        }
        return StatementDescription(parameterTypes: [.int4], columns: Self.columns(sql))
    }

    func describePortal(
        _ name: String
    ) throws(SQLError) -> (columns: [ResultColumn]?, formats: [Int16]) {
        guard let portal = portals[name] else {
            throw SQLError(.invalidCursorName, "portal \"\(name)\" does not exist")
        }
        return (Self.columns(portal.sql), portal.formats)
    }

    func bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16],
        _ sink: any ResultSink
    ) -> SessionProgress {
        guard let sql = statements[statement] else {
            return .failed(
                SQLError(
                    .invalidSQLStatementName, "prepared statement \"\(statement)\" does not exist"))
        }
        portals[portal] = Portal(sql: sql, formats: resultFormats)
        return .finished
    }

    func execute(portal: String, maxRows: Int, _ sink: any ResultSink) -> SessionProgress {
        guard let found = portals[portal] else {
            return .failed(SQLError(.invalidCursorName, "portal \"\(portal)\" does not exist"))
        }
        isSimple = false
        portalStart = found.next
        limitRows = maxRows
        return run(
            found.sql, formats: found.formats, maxRows: maxRows, portal: portal, from: found.next,
            sink)
    }

    func closeStatement(_ name: String) { statements[name] = nil }
    func closePortal(_ name: String) { portals[name] = nil }

    func sync(_ sink: any ResultSink) -> SessionProgress {
        if transactionStatus == .idle { portals = [:] }
        return .finished
    }

    func protocolError() {
        if transactionStatus == .inTransaction { transactionStatus = .failed }
    }

    // MARK: COPY

    func copyData(_ bytes: [UInt8], _ sink: any ResultSink) -> SessionProgress {
        copied += String(decoding: bytes, as: UTF8.self)
        if copied.contains("bad\n") {
            return .failed(SQLError(.badCopyFileFormat, "bad row"))
        }
        return .finished
    }

    func copyDone(_ sink: any ResultSink) -> SessionProgress {
        sink.commandComplete("COPY \(copied.split(separator: "\n").count)")
        return isSimple ? runQueue(sink) : .finished
    }

    func copyFail(_ message: String, _ sink: any ResultSink) -> SessionProgress {
        .failed(SQLError(.queryCanceled, "COPY from stdin failed: \(message)"))
    }

    func resume(_ sink: any ResultSink) -> SessionProgress {
        if let sql = afterWait {
            afterWait = nil
            if shared.state.withLock({ $0.isCancelled }), sql != "spin" {
                shared.state.withLock { $0.isCancelled = false }
                return .failed(Self.cancelled)
            }
            portalStart = portalStart ?? 0
            let progress = run(sql, formats: [], maxRows: 0, portal: nil, from: 0, sink)
            guard case .finished = progress, isSimple else { return progress }
            return runQueue(sink)
        }
        let progress = runStream(sink, limited: false)
        guard case .finished = progress, isSimple else { return progress }
        return runQueue(sink)
    }

    func requestCancel() {
        let callback: (@Sendable () -> Void)? = shared.state.withLock { state in
            state.isCancelled = true
            defer { state.callback = nil }
            return state.callback
        }
        callback?()
    }

    func close() { shared.state.withLock { $0.isClosed = true } }
}

/// Makes scripted sessions and remembers them.
final class ScriptedSource: WireSessionSource {
    private let state = Mutex<[ScriptedSession]>([])

    var sessions: [ScriptedSession] { state.withLock { $0 } }

    func makeWireSession(_ startup: StartupParameters) throws(SQLError) -> any WireSession {
        guard startup.database != "nowhere" else {
            throw SQLError(.invalidCatalogName, "database \"nowhere\" does not exist")
        }
        let session = ScriptedSession(shared: .init())
        state.withLock { $0.append(session) }
        return session
    }

    func cancel(processID: Int32, secret: Int32) -> Bool {
        guard processID == 4711, secret == 815 else { return false }
        for session in sessions { session.requestCancel() }
        return true
    }
}
