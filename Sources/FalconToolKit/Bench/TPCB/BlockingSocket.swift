import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A TCP connection whose calls wait. For one thread.
final class BlockingSocket {
    /// A peer that says nothing for this long is gone.
    private static let timeoutSeconds = 120
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var start = 0
    private var end = 0

    init(host: String, port: Int) throws(WireFailure) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw WireFailure("\(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let made = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
            guard made >= 0 else {
                reason = Self.reason(errno)
                continue
            }
            if connect(made, address.ai_addr, address.ai_addrlen) == 0 {
                descriptor = made
                configure()
                return
            }
            reason = Self.reason(errno)
            Self.shut(made)
        }
        throw WireFailure("\(host):\(port) does not answer: \(reason)")
    }

    deinit { Self.shut(descriptor) }

    private static func shut(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Musl.close(descriptor)
        #endif
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private func configure() {
        var on: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var time = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    func send(_ bytes: [UInt8]) throws(WireFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[done...])
                return system_send(descriptor, rest)
            }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw WireFailure("The server cannot be written to: \(Self.reason(errno))")
            }
        }
    }

    /// What has arrived and was not read, at least one byte; nil at the peer's end.
    func receive() throws(WireFailure) -> ArraySlice<UInt8>? {
        if start == end, try !fill() { return nil }
        defer { start = end }
        return buffer[start..<end]
    }

    func read(_ count: Int) throws(WireFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            if start == end, try !fill() { throw WireFailure("The server closed the connection.") }
            let piece = min(count - bytes.count, end - start)
            bytes += buffer[start..<(start + piece)]
            start += piece
        }
        return bytes
    }

    private func fill() throws(WireFailure) -> Bool {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 {
                (start, end) = (0, count)
                return count > 0
            }
            if errno != EINTR {
                throw WireFailure("The server cannot be read from: \(Self.reason(errno))")
            }
        }
    }
}

private func system_send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
}
