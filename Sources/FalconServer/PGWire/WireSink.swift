import FalconSQL
import FalconSchema
import FalconStorage
import NIOCore
import Synchronization

/// Turns a session's results into messages.
///
/// Belongs to whichever thread runs the session; between requests, to the event loop. Small output
/// stays in the buffer until the connection flushes it, large output is handed to the channel in
/// pieces as it grows, and when the client is slow to take it ``wantsPause`` says so.
final class WireSink: ResultSink, @unchecked Sendable {
    /// Output is handed on when this much has gathered.
    static let flushThreshold = 64 << 10
    /// The session pauses above the first mark and goes on below the second.
    static let highWaterMark = 1 << 20
    static let lowWaterMark = 256 << 10

    var out = OutputBuffer()
    private var scratch = ByteWriter()
    /// The text that error offsets point into, while a request runs.
    var sql: String?
    /// The request in progress is a FunctionCall: its one value is to be sent so, in place of a row.
    var functionResultFormat: Int16?
    /// Something has been said that should not wait for more.
    var needsFlush = false
    /// Nil until the session exists and again when it is closed.
    var session: (any WireSession)?
    private let channel: any Channel
    private var statements = 0
    private let inFlight = Atomic<Int>(0)
    let metrics: WireMetrics

    init(channel: any Channel, metrics: WireMetrics) {
        self.channel = channel
        self.metrics = metrics
    }

    // MARK: ResultSink

    func rowDescription(_ columns: [ResultColumn]) {
        if functionResultFormat != nil { return }
        out.appendRowDescription(columns, formats: [])
    }

    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        let session = session
        if let format = functionResultFormat {
            return try out.appendFunctionResult(
                values, columns, format: format, scratch: &scratch
            ) { session?.displaySettings ?? DisplaySettings() }
        }
        try out.appendDataRow(values, columns, formats: formats, scratch: &scratch) {
            session?.displaySettings ?? DisplaySettings()
        }
        if out.count >= Self.flushThreshold { handOn() }
    }

    func commandComplete(_ tag: String) {
        statements &+= 1
        if functionResultFormat != nil { return }
        out.appendCommandComplete(tag)
    }

    func emptyQuery() { out.appendEmptyMessage(BackendTag.emptyQueryResponse) }
    func portalSuspended() { out.appendEmptyMessage(BackendTag.portalSuspended) }

    func notice(_ notice: SQLError) {
        out.appendError(notice, isNotice: true, sql: sql)
        needsFlush = true
    }

    func parameterStatus(_ name: String, _ value: String) {
        out.appendParameterStatus(name, value)
    }

    func copyInResponse(_ format: CopyFormat, columnCount: Int) {
        out.appendCopyResponse(BackendTag.copyInResponse, format, columnCount: columnCount)
        needsFlush = true
    }

    func copyOutResponse(_ format: CopyFormat, columnCount: Int) {
        out.appendCopyResponse(BackendTag.copyOutResponse, format, columnCount: columnCount)
    }

    func copyData(_ bytes: [UInt8]) {
        out.appendCopyData(bytes)
        if out.count >= Self.flushThreshold { handOn() }
    }

    func copyDone() { out.appendEmptyMessage(BackendTag.copyDone) }

    var wantsPause: Bool { inFlight.load(ordering: .relaxed) > Self.highWaterMark }

    // MARK: Output

    /// True when a paused session may go on.
    var hasDrained: Bool { inFlight.load(ordering: .acquiring) <= Self.lowWaterMark }

    /// Called on the event loop when output has drained below the low mark; set there.
    var onDrained: (() -> Void)?

    /// Gives what has gathered to the channel. From any thread: order is kept, because what a worker
    /// wrote is queued on the loop before its progress is.
    func handOn() {
        guard out.count > 0 else { return }
        let size = out.count
        let buffer = out.takeAll(channel.allocator)
        count(sent: size)
        inFlight.wrappingAdd(size, ordering: .relaxed)
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in self.sent(size) }
        channel.writeAndFlush(buffer, promise: promise)
    }

    /// Adds to the shared counters: once a flush, not once a statement.
    func count(sent size: Int) {
        metrics.bytesSent.wrappingAdd(size, ordering: .relaxed)
        if statements > 0 {
            metrics.statements.wrappingAdd(statements, ordering: .relaxed)
            statements = 0
        }
    }

    private func sent(_ size: Int) {
        inFlight.wrappingSubtract(size, ordering: .releasing)
        if hasDrained, let resume = onDrained {
            onDrained = nil
            resume()
        }
    }
}
