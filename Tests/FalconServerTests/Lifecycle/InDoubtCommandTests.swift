import Dispatch
import FalconSQL
import Foundation
import Glibc
import Synchronization
import Testing

@testable import FalconServer

/// `[sql] in_doubt_command`, with a real shell.
@Suite struct InDoubtCommandTests {
    private struct Silence: Error {}

    private static let transaction = InDoubtTransaction(
        gid: "it's $(x) \"y\"", database: "d", user: "u", number: 4816, ageSeconds: 1)

    /// What a question will have been answered with.
    private final class Asked: Sendable {
        private let result = Mutex<Result<InDoubtDecision, any Error>?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        init(_ command: InDoubtCommand) {
            command.ask(InDoubtCommandTests.transaction) { answer in
                self.result.withLock { $0 = answer }
                self.isThere.signal()
            }
        }

        func answer() throws -> InDoubtDecision {
            guard isThere.wait(timeout: .now() + 60) == .success,
                let result = result.withLock({ $0 })
            else { throw Silence() }
            return try result.get()
        }

        func failure() -> String {
            do { return "answered \(try answer())" } catch { return "\(error)" }
        }
    }

    private func ask(_ command: String, limit: Duration = .seconds(60)) -> Asked {
        Asked(InDoubtCommand(command, limit: limit))
    }

    @Test(arguments: [
        ("echo commit", InDoubtDecision.commit), ("printf rollback", .rollback),
        ("echo; echo '  undecided '", .undecided),
        ("echo said on stderr >&2; echo commit", .commit),
    ])
    func itsWordIsTheAnswer(command: String, decision: InDoubtDecision) throws {
        #expect(try ask(command).answer() == decision)
    }

    @Test func itIsToldWhatItIsAskedAbout() throws {
        let test =
            #"test "$FALCON_DATABASE $FALCON_USER $FALCON_TXID $FALCON_GID" = 'd u 4816 it'\''s $(x) "y"'"#
        #expect(try ask(test + " && cat && echo commit").answer() == .commit)
    }

    @Test(arguments: [
        "true", "echo maybe", "echo commit failed", "echo commit; echo rollback", "echo COMMIT",
        "yes commit | head -c 100000",
    ])
    func whateverElseItPrintsIsNoDecision(command: String) {
        #expect(
            ask(command).failure() == "in_doubt_command must print commit, rollback or undecided")
    }

    @Test func itsFailureIsNoDecision() {
        #expect(ask("echo commit; exit 3").failure() == "in_doubt_command exited with status 3")
        #expect(
            ask("echo commit; kill -9 $$").failure() == "in_doubt_command was killed by signal 9")
    }

    @Test func itIsAskedAgainAndAgain() throws {
        let command = InDoubtCommand("echo undecided")
        for _ in 0..<5 { #expect(try Asked(command).answer() == .undecided) }
    }

    // MARK: What it starts

    @Test func whatOutlivesItsLimitIsKilled() throws {
        let witness = try Witness()
        let asked = ask(
            "echo commit; \(witness.begin); sleep 300 & sleep 300", limit: .seconds(2))
        #expect(asked.failure() == "in_doubt_command ran for more than 2.0 seconds")
        #expect(try witness.sawBeginning())
        #expect(try witness.sawEnd())
    }

    @Test func whatItLeavesBehindIsKilled() throws {
        let witness = try Witness()
        #expect(
            try ask("\(witness.begin); sleep 300 >/dev/null & echo commit").answer() == .commit)
        #expect(try witness.sawEnd())
    }

    @Test func stopKillsIt() throws {
        let witness = try Witness()
        let command = InDoubtCommand(
            "\(witness.begin); sleep 300 & sleep 300", limit: .seconds(200))
        let asked = Asked(command)
        #expect(try witness.sawBeginning())
        command.stop()
        #expect(asked.failure() == "in_doubt_command was killed by signal 9")
        #expect(try witness.sawEnd())
        #expect(Asked(command).failure() == "the server stops")
    }

    /// A named pipe that processes hold open: it tells when the last of them is gone.
    private final class Witness {
        private let path: String
        private let file: Int32

        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/in-doubt-\(UUID().uuidString)"
            guard mkfifo(path, 0o600) == 0 else { throw Silence() }
            file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { throw Silence() }
        }

        deinit {
            close(file)
            unlink(path)
        }

        /// For the shell, which from here on holds it open, with all that it starts.
        var begin: String { "exec 3>'\(path)'; echo >&3" }

        func sawBeginning() throws -> Bool { try poll() & Int16(POLLIN) != 0 }

        func sawEnd() throws -> Bool {
            var byte: UInt8 = 0
            while read(file, &byte, 1) == 1 {}
            return try poll() & Int16(POLLHUP) != 0
        }

        private func poll() throws -> Int16 {
            var request = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&request, 1, 30_000) == 1 else { throw Silence() }
            return request.revents
        }
    }
}
