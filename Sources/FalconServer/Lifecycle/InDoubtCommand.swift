import Dispatch
import FalconSQL
import Glibc
import Synchronization

/// Asks the operator's command what became of a distributed transaction: `[sql] in_doubt_command`.
///
/// `/bin/sh -c` runs it with FALCON_GID, FALCON_DATABASE, FALCON_USER and FALCON_TXID in its environment;
/// it prints `commit`, `rollback` or `undecided` and exits 0. It gets 10 seconds.
final class InDoubtCommand: InDoubtSource {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private enum Stage { case idle, running(pid_t), stopped }

    private static let outputBytes = 256
    private let command: String
    private let limit: Duration
    private let stage = Mutex(Stage.idle)
    private let queue = DispatchQueue(label: "in-doubt command")

    init(_ command: String, limit: Duration = .seconds(10)) {
        self.command = command
        self.limit = limit
    }

    func stop() {
        stage.withLock { stage in
            if case .running(let child) = stage { kill(-child, SIGKILL) }
            stage = .stopped
        }
    }

    func ask(
        _ transaction: InDoubtTransaction,
        answer: @escaping @Sendable (Result<InDoubtDecision, any Error>) -> Void
    ) {
        queue.async {
            do {
                answer(.success(try self.decision(of: transaction)))
            } catch { answer(.failure(error)) }
        }
    }

    private func decision(of transaction: InDoubtTransaction) throws -> InDoubtDecision {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Self.failure("pipe", errno) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(writing) }
            // As the engine's files and the sockets are: the command inherits none, and does not keep the
            // data directory's lock when the server is killed.
            for end in ends where fcntl(end, F_SETFD, FD_CLOEXEC) != 0 {
                throw Self.failure("fcntl", errno)
            }
            child = try spawn(transaction, output: writing)
        }
        let deadline = ContinuousClock.now + limit
        let output = read(reading, until: deadline)
        let status = try wait(for: child, until: deadline)
        guard status == 0 else {
            let signal = status & 0x7f
            throw Failure(
                description: "in_doubt_command "
                    + (signal == 0
                        ? "exited with status \(status >> 8)" : "was killed by signal \(signal)"))
        }
        // The word and nothing else: "commit: not found" is no decision.
        switch String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace) {
        case ["commit"]: return .commit
        case ["rollback"]: return .rollback
        case ["undecided"]: return .undecided
        default:
            throw Failure(
                description: "in_doubt_command must print commit, rollback or undecided")
        }
    }

    private func spawn(_ transaction: InDoubtTransaction, output: Int32) throws -> pid_t {
        func check(_ code: Int32) throws {
            if code != 0 { throw Self.failure("posix_spawn", code) }
        }
        var actions = posix_spawn_file_actions_t()
        try check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try check(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
        try check(posix_spawn_file_actions_adddup2(&actions, output, 1))
        var attributes = posix_spawnattr_t()
        try check(posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, to be killed with what it starts; signals as a shell expects them.
        var signals = sigset_t()
        sigemptyset(&signals)
        try check(posix_spawnattr_setsigmask(&attributes, &signals))
        sigfillset(&signals)
        try check(posix_spawnattr_setsigdefault(&attributes, &signals))
        try check(posix_spawnattr_setpgroup(&attributes, 0))
        try check(
            posix_spawnattr_setflags(
                &attributes,
                Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)))
        var environment = Self.environment.filter { !$0.hasPrefix("FALCON_") }
        environment += [
            "FALCON_GID=\(transaction.gid)", "FALCON_DATABASE=\(transaction.database)",
            "FALCON_USER=\(transaction.user)", "FALCON_TXID=\(transaction.number)",
        ]
        return try stage.withLock { stage in
            if case .stopped = stage { throw Failure(description: "the server stops") }
            var child: pid_t = 0
            try check(
                Self.withCStrings(["/bin/sh", "-c", command]) { arguments in
                    Self.withCStrings(environment) { environment in
                        posix_spawn(
                            &child, "/bin/sh", &actions, &attributes, arguments, environment)
                    }
                })
            stage = .running(child)
            return child
        }
    }

    /// What it prints, up to the end of its output or the deadline.
    private func read(_ file: Int32, until deadline: ContinuousClock.Instant) -> [UInt8] {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: Self.outputBytes)
        while true {
            var request = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Self.milliseconds(until: deadline))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return output }
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return output }
            output += piece[..<count].prefix(Self.outputBytes - output.count)
        }
    }

    /// Its wait status. What it started and left behind is killed with it.
    private func wait(for child: pid_t, until deadline: ContinuousClock.Instant) throws -> Int32 {
        var isLate = false
        while Self.isRunning(child) {
            if !isLate, Self.milliseconds(until: deadline) == 0 {
                kill(-child, SIGKILL)
                isLate = true
            }
            usleep(5000)
        }
        let status = try stage.withLock { stage in
            // Its number is also its group's, and nobody else's before it is waited for here.
            kill(-child, SIGKILL)
            var status: Int32 = 0
            var found = waitpid(child, &status, 0)
            while found < 0, errno == EINTR { found = waitpid(child, &status, 0) }
            if case .running = stage { stage = .idle }
            guard found == child else { throw Self.failure("waitpid", errno) }
            return status
        }
        if isLate { throw Failure(description: "in_doubt_command ran for more than \(limit)") }
        return status
    }

    /// False once it can be waited for, which this does not do.
    private static func isRunning(_ child: pid_t) -> Bool {
        var info = siginfo_t()
        if waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 {
            return info.si_signo == 0
        }
        return errno == EINTR
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
        let left = ContinuousClock.now.duration(to: deadline).components
        let total = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
        return Int32(max(0, min(total, 60_000)))
    }

    private static var environment: [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            result.append(String(cString: text))
            entry += 1
        }
        return result
    }

    /// NULL-terminated, for the call.
    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }

    private static func failure(_ call: String, _ code: Int32) -> Failure {
        Failure(description: "in_doubt_command: \(call): \(String(cString: strerror(code)))")
    }
}
