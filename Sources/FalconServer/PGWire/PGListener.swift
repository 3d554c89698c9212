import NIOCore
import NIOPosix

/// Accepts PostgreSQL clients on an address.
final class PGListener: Sendable {
    let channel: any Channel

    private init(channel: any Channel) { self.channel = channel }

    static func bind(
        _ server: PGServerContext, host: String, port: Int, group: any EventLoopGroup
    ) throws -> PGListener {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 64 << 10, high: 512 << 10)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PGConnection(server: server, channel: channel))
                }
            }
        return PGListener(channel: try bootstrap.bind(host: host, port: port).wait())
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    func close() { try? channel.close().wait() }
}
