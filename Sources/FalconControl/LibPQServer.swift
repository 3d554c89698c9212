import CLibPQ
import FalconToolKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A connection of libpq's. One thread at a time.
final class LibPQServer: ControlServer {
    /// So long a cancelled statement may take to end before the connection is left to itself.
    private static let cancelMilliseconds: Int64 = 10_000

    private var handle: OpaquePointer?
    private let watch: ControlWatch

    /// Takes over `handle`.
    init(_ handle: OpaquePointer, _ watch: ControlWatch) {
        self.handle = handle
        self.watch = watch
        // Not retained: libpq calls it only while this object's methods run, and close() ends that.
        PQsetNoticeProcessor(
            handle,
            { argument, message in
                guard let argument, let message else { return }
                Unmanaged<LibPQServer>.fromOpaque(argument).takeUnretainedValue()
                    .notice(String(cString: message))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { close() }

    func close() {
        if let handle { PQfinish(handle) }
        handle = nil
    }

    private func notice(_ message: String) {
        watch.notice(message.hasSuffix("\n") ? String(message.dropLast()) : message)
    }

    func query(_ sql: String, _ parameters: [String?]) throws(ControlFailure) -> ControlRows {
        guard let handle else { throw .lost("The connection is closed.") }
        guard send(handle, sql, parameters) else { throw Self.lost(handle) }
        var answer: ControlRows?
        var failure: ControlFailure?
        var cancelled: Int64?
        while true {
            try awaitResult(handle, &cancelled)
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            do throws(ControlFailure) {
                answer = try Self.rows(result, handle)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure {
            if cancelled != nil, case .refused(let refusal) = failure,
                refusal.sqlState == "57014"
            {
                throw .interrupted("Interrupted; the server cancelled the statement.")
            }
            throw failure
        }
        guard let answer else { throw Self.lost(handle) }
        if cancelled != nil {
            throw .interrupted("Interrupted, too late: the statement was carried out.")
        }
        return answer
    }

    private func send(_ handle: OpaquePointer, _ sql: String, _ parameters: [String?]) -> Bool {
        let values = parameters.map { $0.map { strdup($0) } ?? nil }
        defer { for value in values { free(value) } }
        let pointers = values.map { $0.map { UnsafePointer($0) } }
        return PQsendQueryParams(
            handle, sql, Int32(clamping: parameters.count), nil, pointers, nil, nil, 0) == 1
    }

    /// Waits until a result can be taken without waiting; asks the server once to cancel when the user wants to stop.
    private func awaitResult(_ handle: OpaquePointer, _ cancelled: inout Int64?)
        throws(ControlFailure)
    {
        while PQisBusy(handle) == 1 {
            if watch.isInterrupted(), cancelled == nil {
                cancelled = LibPQConnector.milliseconds()
                cancel(handle)
            }
            if Self.wait(PQsocket(handle), POLLIN), PQconsumeInput(handle) == 0 {
                throw Self.lost(handle)
            }
            if let cancelled,
                LibPQConnector.milliseconds() - cancelled > Self.cancelMilliseconds
            {
                throw .interrupted(
                    "Interrupted; the server was asked to cancel the statement and has not answered."
                )
            }
        }
    }

    private func cancel(_ handle: OpaquePointer) {
        guard let request = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(request) }
        var text = [CChar](repeating: 0, count: 256)
        let isSent = text.withUnsafeMutableBufferPointer { buffer in
            PQcancel(request, buffer.baseAddress, Int32(buffer.count)) == 1
        }
        if !isSent { watch.notice("The statement cannot be cancelled: \(Self.text(text))") }
    }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// True when the socket is ready, also for an error; false after a while or a signal.
    static func wait(_ socket: Int32, _ events: Int32) -> Bool {
        var request = pollfd(fd: socket, events: Int16(truncatingIfNeeded: events), revents: 0)
        return poll(&request, 1, LibPQConnector.tickMilliseconds) > 0
    }
}
