import Glibc

/// What the operating system lets this process have, looked at before anything needs it: event loops
/// and threads that cannot be made end the process, or wait for ever.
enum ProcessLimits {
    /// Descriptors for log, tables, event loops and listeners, beside one for each client.
    static let reservedFiles = 96
    private static let minimumFiles = 128
    /// Beside the configured memory: code, stacks of the runtime's own threads, allocator arenas.
    private static let reservedAddressBytes = 1 << 30

    /// Raises the limit of open files as far as allowed, and lowers `maxConnections` to what it
    /// leaves: a client beyond it is told so instead of waiting. Returns a warning when it did.
    static func adopt(_ config: inout ServerConfig) -> String? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return nil
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // The engine keeps a quarter for its data files.
        let room = openFiles - max(reservedFiles, openFiles / 4 + 32)
        guard room > 0, room < config.maxConnections else { return nil }
        let wanted = config.maxConnections
        config.maxConnections = room
        return "the limit of \(openFiles) open files leaves room for \(room) connections, not "
            + "\(wanted): raise it with ulimit -n"
    }

    /// Throws when the limits are too low to start with.
    static func check(_ config: ServerConfig) throws(ServerStartError) {
        if openFiles < minimumFiles {
            throw ServerStartError(
                "the limit of \(openFiles) open files is too low: the server needs \(minimumFiles) "
                    + "or more. Raise it with ulimit -n.")
        }
        let needed = addressBytes(config)
        if let limit = softLimit(RLIMIT_AS), limit < needed {
            throw ServerStartError(
                "the limit of \(limit >> 20) MiB of address space is too low: with this "
                    + "configuration the server needs \(needed >> 20) MiB or more. Raise it with "
                    + "ulimit -v, or lower memtable_size and block_cache_size.")
        }
    }

    private static var openFiles: Int { softLimit(RLIMIT_NOFILE) ?? .max }

    /// A soft limit; nil for none.
    private static func softLimit(_ resource: __rlimit_resource) -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    /// Memtables reserve more than they fill, threads their whole stacks.
    private static func addressBytes(_ config: ServerConfig) -> Int {
        let threads = max(config.workerThreads, 8)
        let parts = [
            config.memtableBytes.multipliedReportingOverflow(by: 8).partialValue,
            config.blockCacheBytes, threads * WorkerPool.stackBytes,
        ]
        return parts.reduce(reservedAddressBytes) { $0.addingReportingOverflow($1).partialValue }
    }
}
