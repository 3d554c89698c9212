import Dispatch
import FalconStorage
import Glibc
import Logging
import Synchronization

/// The server as a process: signals, limits, logging and the exit status.
enum ServerProcess {
    /// Runs until SIGTERM or SIGINT; returns the exit status.
    static func run(_ given: ServerConfig, warnings: [String]) -> Int32 {
        var config = given
        var warnings = warnings
        // A client that has gone is an error on write, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        // Without a meaning here, and by default deadly.
        signal(SIGUSR1, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
        // Blocked in every thread; one thread below takes them with sigwait.
        var signals = endingSignals()
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        if let warning = ProcessLimits.adopt(&config) { warnings.append(warning) }

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
            try ProcessLimits.check(config)
            server = try RunningServer.start(config, logger: logger)
        } catch {
            say("falcondb: \(error)")
            return (error as? ServerStartError)?.exitStatus ?? 1
        }
        let host = config.pgAddress.host == "0.0.0.0" ? "127.0.0.1" : config.pgAddress.host
        logger.info(
            "admin: http://\(NetworkAddress(host: config.adminAddress.host, port: server.adminPort))/health and /metrics"
        )
        logger.notice("ready: psql -h \(host) -p \(server.pgPort) -U postgres postgres")

        let name = waitForSignal(logger)
        let received = ContinuousClock.now
        logger.info("received \(name)")
        if name == "SIGQUIT" {
            say("falcondb: SIGQUIT, leaving at once; the next start recovers from the log")
            _exit(131)
        }
        // A second signal does not wait: the log recovers everything that was acknowledged. Programs
        // that signal the process and its group at once (timeout, a terminal) mean one signal.
        let impatient = WorkerPool(threadCount: 1)
        impatient.submit {
            repeat {
                _ = waitForSignal(logger)
            } while received.duration(to: .now) < .milliseconds(200)
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
        sigaddset(&signals, SIGQUIT)
        sigaddset(&signals, SIGHUP)
        return signals
    }

    static func say(_ line: String) { _ = put(line + "\n", to: STDERR_FILENO) }

    /// Writes all of `text`; false with `errno` set when that fails.
    static func put(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let count = write(descriptor, piece.baseAddress, piece.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// The next signal that ends the server. SIGHUP does not: it is what log rotation and service
    /// managers send to have a file read again, and the configuration is read at the start only.
    private static func waitForSignal(_ logger: Logger) -> String {
        var signals = endingSignals()
        var number: Int32 = 0
        while true {
            guard sigwait(&signals, &number) == 0 else { continue }
            switch number {
            case SIGHUP:
                logger.notice(
                    "SIGHUP: the configuration is read at the start; restart to change it")
            case SIGINT: return "SIGINT"
            case SIGQUIT: return "SIGQUIT"
            default: return "SIGTERM"
            }
        }
    }
}
