import Synchronization

/// Standard error for a run's own thread and for those of its engines.
final class BenchErrorStream: @unchecked Sendable {
    private let lock = Mutex<Void>(())
    private let stream: ToolStream

    init(_ stream: ToolStream) { self.stream = stream }

    func write(_ text: String) {
        lock.withLock { _ in
            stream.write(text)
            stream.flush()
        }
    }
}
