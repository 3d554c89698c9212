import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers GET and HEAD of /health, /metrics and /corruption.
final class AdminHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let source: AdminSource
    private var request: HTTPRequestHead?

    init(source: AdminSource) { self.source = source }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        // Bodies mean nothing here; they are read past.
        case .body: break
        case .end:
            guard let head = request else { return }
            request = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) ?? "/"
        guard head.method == .GET || head.method == .HEAD else {
            return send(.methodNotAllowed, "text/plain", "GET only\n", head, context)
        }
        switch path {
        case "/health":
            let report = source.health()
            send(
                report.httpStatusIsOK ? .ok : .serviceUnavailable, "application/json",
                report.json(), head, context)
        case "/metrics":
            send(.ok, "text/plain; version=0.0.4; charset=utf-8", source.metrics(), head, context)
        case "/corruption": send(.ok, "application/json", source.corruption(), head, context)
        default:
            send(.notFound, "text/plain", "try /health, /metrics or /corruption\n", head, context)
        }
    }

    private func send(
        _ status: HTTPResponseStatus, _ type: String, _ body: String, _ request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: type)
        headers.add(name: "Content-Length", value: String(body.utf8.count))
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: request.version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let buffer = context.channel.allocator.buffer(string: body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        if request.isKeepAlive {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } else {
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                channel.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Accepts HTTP on the admin address.
final class AdminListener: Sendable {
    let channel: any Channel

    init(source: AdminSource, host: String, port: Int, group: any EventLoopGroup) throws {
        channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(AdminHandler(source: source))
                }
            }
            .bind(host: host, port: port).wait()
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    func close() { try? channel.close().wait() }
}
