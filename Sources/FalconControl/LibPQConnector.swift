import CLibPQ
import FalconToolKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Connects through libpq, which knows of environment, password and service files, sockets and TLS what psql does.
struct LibPQConnector: ControlConnector {
    /// How often a wait looks whether the user wants to stop.
    static let tickMilliseconds: Int32 = 100

    func connect(
        _ settings: [(String, String)], _ watch: ControlWatch
    ) throws(ControlFailure) -> any ControlServer {
        guard let handle = Self.start(settings) else {
            throw .unreachable("libpq has no memory for a connection.")
        }
        let server = LibPQServer(handle, watch)
        // The SQLSTATE of what the server answers then stands in libpq's message, in every language.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        try finish(handle, watch)
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        return server
    }

    private static func start(_ settings: [(String, String)]) -> OpaquePointer? {
        let keywords = settings.map { strdup($0.0) }
        let values = settings.map { strdup($0.1) }
        defer { for text in keywords + values { free(text) } }
        var keywordList = keywords.map { UnsafePointer($0) } + [nil]
        var valueList = values.map { UnsafePointer($0) } + [nil]
        // expand_dbname: a connection string may be given as the database's name.
        return PQconnectStartParams(&keywordList, &valueList, 1)
    }

    private func finish(_ handle: OpaquePointer, _ watch: ControlWatch) throws(ControlFailure) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw LibPQServer.failure(handle) }
        let limit = Self.timeout(handle)
        let began = Self.milliseconds()
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            if wanted == PGRES_POLLING_FAILED { throw LibPQServer.failure(handle) }
            let isReady = LibPQServer.wait(
                PQsocket(handle), wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT)
            if watch.isInterrupted() {
                throw .interrupted("Interrupted while connecting; nothing was asked of the server.")
            }
            if isReady {
                wanted = PQconnectPoll(handle)
            } else if let limit, Self.milliseconds() - began >= limit {
                throw .unreachable("There was no connection within \(limit / 1000) s.")
            }
        }
    }

    /// What the option, the environment or a service file gives for connect_timeout; nil without a limit. As with
    /// psql one second is two.
    private static func timeout(_ handle: OpaquePointer) -> Int64? {
        guard let options = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if strcmp(keyword, "connect_timeout") == 0, let value = option.pointee.val {
                guard let seconds = Int32(String(cString: value)), seconds > 0 else { return nil }
                return Int64(max(2, seconds)) * 1000
            }
            option += 1
        }
        return nil
    }

    /// Of a clock that only goes on.
    static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
