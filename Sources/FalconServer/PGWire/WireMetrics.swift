import Synchronization

/// What the listeners count; read by /metrics.
final class WireMetrics: Sendable {
    let connectionsOpened = Atomic<Int>(0)
    let connectionsRejected = Atomic<Int>(0)
    let cancelRequests = Atomic<Int>(0)
    /// CommandComplete messages.
    let statements = Atomic<Int>(0)
    let errors = Atomic<Int>(0)
    let bytesReceived = Atomic<Int>(0)
    let bytesSent = Atomic<Int>(0)
    /// Statements that moved to the worker pool.
    let workerJobs = Atomic<Int>(0)
}
