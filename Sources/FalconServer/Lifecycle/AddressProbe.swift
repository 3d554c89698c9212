import NIOCore
import NIOPosix

/// Tries an address before anything is made on disk.
enum AddressProbe {
    /// Binds `address` and lets it go; throws what binding it in earnest would.
    static func check(
        _ address: NetworkAddress, what: String, flag: String
    ) throws(ServerStartError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        do {
            let channel = try ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: address.host, port: address.port).wait()
            try channel.close().wait()
        } catch {
            throw .listener(error, what: what, address: address, flag: flag)
        }
    }
}
