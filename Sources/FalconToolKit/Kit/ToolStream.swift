#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a tool writes: standard output or error, or memory in a test. One thread at a time.
public class ToolStream {
    private var buffer: [UInt8] = []
    private let bufferBytes: Int
    /// The reader went away; what is written from now on is dropped. Not an error.
    public internal(set) var isClosed = false
    /// A write failed for another reason; its errno.
    public internal(set) var failure: Int32?

    init(bufferBytes: Int) { self.bufferBytes = bufferBytes }

    /// True when a person is looking.
    public var isTerminal: Bool { false }

    public final func write(_ text: String) {
        guard !isClosed else { return }
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= bufferBytes { flush() }
    }

    public final func write(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        buffer.append(contentsOf: bytes)
        if buffer.count >= bufferBytes { flush() }
    }

    public final func flush() {
        if !buffer.isEmpty, !isClosed { emit(buffer) }
        buffer.removeAll(keepingCapacity: true)
    }

    func emit(_ bytes: [UInt8]) {}
}

/// A stream over a file descriptor. Expects SIGPIPE to be ignored.
public final class DescriptorStream: ToolStream {
    private let descriptor: Int32

    public init(_ descriptor: Int32, bufferBytes: Int = 64 << 10) {
        self.descriptor = descriptor
        super.init(bufferBytes: bufferBytes)
    }

    public override var isTerminal: Bool { isatty(descriptor) == 1 }

    override func emit(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { all in
            var rest = all
            while !rest.isEmpty {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                    let count = Musl.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if count < 0, errno == EINTR || errno == EAGAIN {
                    continue
                } else {
                    if errno != EPIPE { failure = errno }
                    isClosed = true
                    return
                }
            }
        }
    }
}

/// A stream into memory, for tests.
public final class MemoryStream: ToolStream {
    public private(set) var bytes: [UInt8] = []
    private let terminal: Bool
    private let capacity: Int

    /// The reader leaves after `capacity` bytes.
    public init(isTerminal: Bool = false, capacity: Int = .max) {
        terminal = isTerminal
        self.capacity = capacity
        super.init(bufferBytes: 0)
    }

    public override var isTerminal: Bool { terminal }
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    override func emit(_ more: [UInt8]) {
        bytes.append(contentsOf: more.prefix(capacity - bytes.count))
        if bytes.count >= capacity { isClosed = true }
    }
}
