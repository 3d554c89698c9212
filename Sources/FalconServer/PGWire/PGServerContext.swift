import Logging

/// What all connections of a listener share.
final class PGServerContext: Sendable {
    let source: any WireSessionSource
    let registry: ConnectionRegistry
    let workers: WorkerPool
    let metrics = WireMetrics()
    let logger: Logger
    let maximumMessageLength: Int
    /// A client that has not finished its start-up by then is cut off.
    let startupTimeoutSeconds: Int

    init(
        source: any WireSessionSource, workers: WorkerPool, logger: Logger, maxConnections: Int,
        maximumMessageLength: Int, startupTimeoutSeconds: Int
    ) {
        self.source = source
        self.workers = workers
        self.logger = logger
        self.maximumMessageLength = maximumMessageLength
        self.startupTimeoutSeconds = startupTimeoutSeconds
        registry = ConnectionRegistry(maxSessions: maxConnections)
    }
}
