import Dispatch
import FalconStorage
import Glibc
import Logging
import Synchronization

/// The server as a process: signals, limits, logging and the exit status.
enum ServerProcess {
    /// Runs until SIGTERM or SIGINT; returns the exit status.
    static func run(_ config: ServerConfig, warnings: [String]) -> Int32 {
        // A client that has gone is an error on write, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        // Blocked in every thread; one thread below takes them with sigwait.
        var signals = endingSignals()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        raiseFileLimit()

        let level = Logger.Level(rawValue: config.logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "falcondb")
        for warning in warnings { logger.warning("\(warning)") }
        logger.info("FalconDB \(FalconVersion.current), process \(getpid())")

        let server: RunningServer
        do {
            server = try RunningServer.start(config, logger: logger)
        } catch {
            say("falcondb: \(error)")
            return 1
        }
        let host = config.pgAddress.host == "0.0.0.0" ? "127.0.0.1" : config.pgAddress.host
        logger.info(
            "admin: http://\(NetworkAddress(host: config.adminAddress.host, port: server.adminPort))/health and /metrics"
        )
        logger.notice("ready: psql -h \(host) -p \(server.pgPort) -U postgres postgres")

        let name = waitForSignal()
        logger.info("received \(name)")
        // A second signal does not wait: the log recovers everything that was acknowledged.
        let impatient = WorkerPool(threadCount: 1)
        impatient.submit {
            _ = waitForSignal()
            say("falcondb: second signal, leaving at once")
            _exit(130)
        }
        return server.stop() ? 0 : 1
    }

    private static func endingSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        return signals
    }

    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func waitForSignal() -> String {
        var signals = endingSignals()
        var number: Int32 = 0
        while sigwait(&signals, &number) != 0 {}
        return number == SIGINT ? "SIGINT" : "SIGTERM"
    }

    /// Every connection and table file is a descriptor.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
