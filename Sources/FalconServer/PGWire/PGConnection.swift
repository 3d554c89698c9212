import FalconSQL
import FalconSchema
import NIOCore

/// One client's connection: bytes in, requests to its session in order, messages out.
///
/// All state belongs to the channel's event loop, except the session and the sink while a worker runs
/// them; the phase says so. Bounded statements run here, on the loop; what the session declares
/// unbounded goes to the worker pool; waits end by callback. While a request is under way, input
/// stays in the decoder, and beyond a bound in the client's socket.
final class PGConnection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Input held while a request runs; reading stops beyond it.
    static let maximumQueuedInput = 256 << 10

    let server: PGServerContext
    let eventLoop: any EventLoop
    let sink: WireSink
    var context: ChannelHandlerContext?
    var state = ConnectionState()
    var session: (any WireSession)?

    private var decoder: FrontendDecoder
    private var isDriving = false
    private(set) var isWritable = true
    private var isReadHeld = false
    private var isRegistered = false
    private var inputEnded = false
    private var spare = ByteBuffer()
    private var startupTimeout: Scheduled<Void>?
    var drainRequested = false
    var terminationRequested = false
    /// The session was asked to end while a request was under way.
    var isAskedToEnd = false
    /// The message sent when the request in progress completes: ParseComplete, BindComplete.
    var completionTag: UInt8 = 0
    /// The request in progress is one CopyData message: its end is not the COPY's.
    var isCopyDataStep = false
    /// What the failure of the COPY in progress is reported as.
    var copyFailure: SQLError?
    /// The connection ends when the request in progress has failed.
    var endsAfterFailure = false
    /// Where the session was running when it paused.
    var isOnWorker = false
    /// A worker runs the session and writes into `sink`: the loop must not touch it until the worker's
    /// progress has come back, whatever the client sends meanwhile.
    var workerHoldsSink = false
    /// How the connection ends once the worker has given `sink` back.
    var endWhenReturned: (() -> Void)?

    init(server: PGServerContext, channel: any Channel) {
        self.server = server
        eventLoop = channel.eventLoop
        sink = WireSink(channel: channel, metrics: server.metrics)
        decoder = FrontendDecoder(maximumMessageLength: server.maximumMessageLength)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        server.metrics.connectionsOpened.wrappingAdd(1, ordering: .relaxed)
        isRegistered = server.registry.add(self)
        guard isRegistered else {
            server.metrics.connectionsRejected.wrappingAdd(1, ordering: .relaxed)
            context.close(promise: nil)
            return
        }
        startupTimeout = eventLoop.scheduleTask(
            in: .seconds(Int64(server.startupTimeoutSeconds))
        ) { [self] in startupTimedOut() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        server.metrics.bytesReceived.wrappingAdd(bytes.readableBytes, ordering: .relaxed)
        decoder.append(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) { drive() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { drive() }
        context.fireChannelWritabilityChanged()
    }

    /// Reading waits while enough input is queued behind a running request.
    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    func channelInactive(context: ChannelHandlerContext) {
        startupTimeout?.cancel()
        let wasBusy = state.isBusy
        let wasCopyIn: Bool
        if case .copyIn = state.phase { wasCopyIn = true } else { wasCopyIn = false }
        if workerHoldsSink {
            // Its return finds the phase closed and closes the session.
            state.close()
            session?.requestCancel()
        } else if !wasBusy || wasCopyIn {
            state.close()
            closeSession(abandoningCopy: wasCopyIn)
        } else {
            // The request ends first; its progress finds the phase closed and closes the session.
            state.close()
            session?.requestCancel()
        }
        decoder.discardAll()
        unregisterIfOver()
        context.fireChannelInactive()
    }

    /// The client will send nothing more, but may still read. A COPY from it cannot end well; any other
    /// statement of a client that is gone is cancelled, as on a closed connection.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(ChannelEvent.inputClosed) = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        inputEnded = true
        drive()
        switch state.phase {
        case .copyIn, .copyRunning, .closed: break
        default: closeAfterFlush()
        }
    }

    /// No message follows those that have been taken.
    private func endInput() {
        guard case .copyIn = state.phase else { return }
        _ = state.receive(.copyFail)
        loseCopy(
            SQLError(
                SQLState("08006"),
                "unexpected EOF on client connection with an open transaction"))
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        server.logger.debug("connection lost: \(error)")
        context.close(promise: nil)
    }

    private func startupTimedOut() {
        guard state.phase == .startup else { return }
        context?.close(promise: nil)
    }

    private var mayRead: Bool {
        if state.phase == .closed { return false }
        if decoder.bufferedBytes <= Self.maximumQueuedInput { return true }
        return state.acceptsMessage && isWritable || state.phase == .startup
    }

    // MARK: Input

    /// Takes messages while there are any and nothing is under way, then flushes once.
    func drive() {
        guard !isDriving else { return }
        isDriving = true
        takeMessages()
        if state.phase == .idle { appendNotifications() }
        isDriving = false
        if !workerHoldsSink, sink.needsFlush { flush() }
        if state.phase == .idle { continueNotifications() }
        if isReadHeld, mayRead, let context {
            isReadHeld = false
            context.read()
        }
    }

    private func takeMessages() {
        while isWritable {
            if state.phase == .startup {
                guard takeStartup() else { return }
                continue
            }
            guard state.acceptsMessage else { return }
            if drainRequested, state.phase == .idle {
                return endByAdministrator()
            }
            switch decoder.next() {
            case .message(let message): process(message)
            case .malformed(let tag, let error): reject(tag, error)
            case .lost(let error): return endFatally(error)
            case .incomplete, .startup:
                if inputEnded { endInput() }
                return
            }
        }
    }

    /// Takes one start-up packet; false when there is nothing more to do now.
    private func takeStartup() -> Bool {
        switch decoder.next() {
        case .startup(.encryption(let kind)):
            decoder.refuseEncryption(kind)
            sink.out.append(UInt8(ascii: "N"))
            sink.needsFlush = true
            return true
        case .startup(.cancel(let processID, let secret)):
            server.metrics.cancelRequests.wrappingAdd(1, ordering: .relaxed)
            _ = server.source.cancel(processID: processID, secret: secret)
            state.close()
            context?.close(promise: nil)
            return false
        case .startup(.startup(let parameters)):
            begin(parameters)
            return state.phase != .closed
        case .lost(let error):
            endFatally(error)
            return false
        default: return false
        }
    }

    private func begin(_ parameters: StartupParameters) {
        startupTimeout?.cancel()
        do throws(SQLError) {
            try server.registry.reserveSession()
        } catch {
            server.metrics.connectionsRejected.wrappingAdd(1, ordering: .relaxed)
            return endFatally(error)
        }
        let session: any WireSession
        do throws(SQLError) {
            var parameters = parameters
            if let remote = context?.channel.remoteAddress, let address = remote.ipAddress {
                parameters.client = (address, remote.port ?? -1)
            }
            session = try server.source.makeWireSession(parameters)
        } catch {
            server.registry.releaseSession()
            server.metrics.connectionsRejected.wrappingAdd(1, ordering: .relaxed)
            return endFatally(error)
        }
        self.session = session
        sink.session = session
        session.whenAskedToEnd { [weak self] in
            guard let self else { return }
            eventLoop.execute { self.endIfAsked() }
        }
        session.whenNotified { [weak self] in
            guard let self else { return }
            eventLoop.execute { self.drive() }
        }
        if parameters.version > WireProtocol.latestVersion || !parameters.unknownOptions.isEmpty {
            sink.out.appendNegotiateProtocolVersion(unknownOptions: parameters.unknownOptions)
        }
        sink.out.appendAuthenticationOk()
        for (name, value) in session.reportedParameters {
            sink.out.appendParameterStatus(name, value)
        }
        sink.out.appendBackendKeyData(processID: session.processID, secret: session.secretKey)
        sink.out.appendReadyForQuery(session.transactionStatus)
        sink.needsFlush = true
        state.started()
    }

    // MARK: Output

    /// Sends what has gathered; on the event loop.
    func flush() {
        sink.needsFlush = false
        let size = sink.out.count
        guard size > 0, let context else { return }
        if size > WireSink.flushThreshold {
            let buffer = sink.out.takeAll(context.channel.allocator)
            sink.count(sent: size)
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            return
        }
        // The channel lets go of the buffer when it has written it, so that this storage is usually
        // unique again by now.
        spare.clear(minimumCapacity: size)
        spare.writeBytes(sink.out.bytes)
        sink.out.removeAll()
        sink.count(sent: size)
        context.writeAndFlush(wrapOutboundOut(spare), promise: nil)
    }

    /// Sends a FATAL error and closes once it is out.
    func endFatally(_ error: SQLError) {
        guard state.phase != .closed else { return }
        if workerHoldsSink { return endOnceReturned { [self] in endFatally(error) } }
        var error = error
        error.severity = .fatal
        server.metrics.errors.wrappingAdd(1, ordering: .relaxed)
        sink.out.appendError(error)
        closeAfterFlush()
    }

    private func endOnceReturned(_ end: @escaping () -> Void) {
        if endWhenReturned == nil { endWhenReturned = end }
        session?.requestCancel()
    }

    func endByAdministrator() {
        endFatally(
            SQLError(
                .adminShutdown, "terminating connection due to administrator command",
                severity: .fatal))
    }

    func closeAfterFlush() {
        if workerHoldsSink {
            return endOnceReturned { [self] in if state.phase != .closed { closeAfterFlush() } }
        }
        let wasBusy = state.isBusy
        state.close()
        decoder.discardAll()
        if wasBusy { session?.requestCancel() } else { closeSession(abandoningCopy: false) }
        guard let context else { return }
        let channel = context.channel
        let buffer = sink.out.takeAll(channel.allocator)
        sink.needsFlush = false
        channel.writeAndFlush(buffer).whenComplete { _ in channel.close(promise: nil) }
        // A client that reads nothing does not keep its socket.
        eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
    }

    // MARK: The end

    /// Ends the session; no request may be under way.
    func closeSession(abandoningCopy: Bool) {
        guard let session else { return }
        if abandoningCopy {
            // Settled or not, the session is closed next: closing rolls back.
            _ = session.copyFail("client disconnected", sink)
        }
        self.session = nil
        sink.session = nil
        session.close()
        if isRegistered {
            isRegistered = false
            server.registry.remove(self, hadSession: true)
        } else {
            server.registry.releaseSession()
        }
    }

    private func unregisterIfOver() {
        guard session == nil, isRegistered else { return }
        isRegistered = false
        server.registry.remove(self, hadSession: false)
    }

    /// From any thread: end once the statement in progress has ended.
    func requestDrain() {
        eventLoop.execute { [self] in
            drainRequested = true
            if state.phase == .startup {
                endFatally(
                    SQLError(
                        .cannotConnectNow, "the database system is shutting down",
                        severity: .fatal))
            } else if case .copyIn = state.phase {
                endByAdministrator()
            } else if state.phase == .idle {
                endByAdministrator()
            } else {
                session?.terminateIfSleeping()
            }
        }
    }

    /// The session may be to end: another's pg_terminate_backend, or an idle timeout.
    private func endIfAsked() {
        guard let error = session?.endRequest else { return }
        switch state.phase {
        case .idle, .copyIn: endFatally(error)
        // Its statement notices, or has ended without: then it ends behind it.
        default: isAskedToEnd = true
        }
    }

    /// Ends the session between two requests when it was asked to during one, and still is.
    func endIfAskedBefore() {
        guard isAskedToEnd else { return }
        isAskedToEnd = false
        endIfAsked()
    }

    /// From any thread: cancel the statement in progress and end.
    func requestTermination() {
        eventLoop.execute { [self] in
            drainRequested = true
            terminationRequested = true
            if state.isBusy { session?.terminate() } else { endByAdministrator() }
        }
    }
}
