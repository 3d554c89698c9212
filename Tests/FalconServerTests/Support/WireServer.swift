import Logging
import NIOPosix

@testable import FalconServer

/// The wire part of a server in this process, on a free port, with scripted sessions.
final class WireServer {
    let source = ScriptedSource()
    let context: PGServerContext
    let workers = WorkerPool(threadCount: 2)
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let listener: PGListener
    var port: Int { listener.port }

    init(maxConnections: Int = 50, maximumMessageLength: Int = 8 << 20) throws {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        context = PGServerContext(
            source: source, workers: workers, logger: logger, maxConnections: maxConnections,
            maximumMessageLength: maximumMessageLength, startupTimeoutSeconds: 60)
        listener = try PGListener.bind(context, host: "127.0.0.1", port: 0, group: group)
    }

    func client() throws -> WireClient { try WireClient.started(port: port) }

    deinit {
        listener.close()
        try? group.syncShutdownGracefully()
        workers.stop()
    }
}
