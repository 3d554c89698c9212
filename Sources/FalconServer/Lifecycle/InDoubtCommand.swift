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
        // As the engine's files and the sockets are: the command inherits none, and does not keep the data
        // directory's lock when the server is killed.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(writing) }
            child = try spawn(transaction, output: writing)
        }
        let deadline = ContinuousClock.now + limit
        let output = read(reading, until: deadline)
        let status = wait(for: child, until: deadline)
        guard let status else {
            throw Failure(description: "in_doubt_command ran for more than \(limit)")
        }
        guard status == 0 else {
            throw Failure(description: "in_doubt_command failed with wait status \(status)")
        }
        switch String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace).first {
        case "commit": return .commit
        case "rollback": return .rollback
        case "undecided": return .undecided
        default:
            throw Failure(
                description: "in_doubt_command must print commit, rollback or undecided")
        }
    }

    private func spawn(_ transaction: InDoubtTransaction, output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard posix_spawn_file_actions_init(&actions) == 0 else {
            throw Self.failure("posix_spawn", ENOMEM)
        }
        defer { posix_spawn_file_actions_destroy(&actions) }
        guard posix_spawnattr_init(&attributes) == 0 else {
            throw Self.failure("posix_spawn", ENOMEM)
        }
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        // A group of its own, to be killed with what it starts; signals as a shell expects them.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var environment = Self.environment.filter { !$0.hasPrefix("FALCON_") }
        environment += [
            "FALCON_GID=\(transaction.gid)", "FALCON_DATABASE=\(transaction.database)",
            "FALCON_USER=\(transaction.user)", "FALCON_TXID=\(transaction.number)",
        ]
        return try stage.withLock { stage in
            if case .stopped = stage { throw Failure(description: "the server stops") }
            var child: pid_t = 0
            let code = Self.withCStrings(["/bin/sh", "-c", command]) { arguments in
                Self.withCStrings(environment) { environment in
                    posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environment)
                }
            }
            guard code == 0 else { throw Self.failure("posix_spawn", code) }
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

    /// Its wait status; nil when it had to be killed.
    private func wait(for child: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        var isKilled = false
        while true {
            let found = waitpid(child, &status, isKilled ? 0 : WNOHANG)
            if found == child || (found < 0 && errno != EINTR) { break }
            if !isKilled, Self.milliseconds(until: deadline) == 0 {
                kill(-child, SIGKILL)
                isKilled = true
            } else if !isKilled {
                usleep(5000)
            }
        }
        stage.withLock { if case .running = $0 { $0 = .idle } }
        return isKilled ? nil : status
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
