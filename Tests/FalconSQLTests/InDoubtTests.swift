import Dispatch
import FalconSchema
import Synchronization
import Testing

@testable import FalconSQL

/// Who ends prepared transactions that were left alone. The server's command is in InDoubtCommandTests.
@Suite struct InDoubtTests {
    private let database: TestDatabase
    private let s: TestSession

    init() throws {
        database = try TestDatabase(durability: .synced)
        s = try database.session()
        try s.run(
            "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)"
        )
    }

    private static let patience = DispatchTimeInterval.seconds(30)

    /// Keeps the questions for the test, which answers them from its own thread.
    private final class Source: InDoubtSource {
        typealias Answer = @Sendable (Result<InDoubtDecision, any Error>) -> Void
        struct Question: Sendable {
            let transaction: InDoubtTransaction
            let time: ContinuousClock.Instant
            let answer: Answer
        }
        private let questions = Mutex<[Question]>([])
        private let asked = DispatchSemaphore(value: 0)
        let isStopped = Atomic(false)

        func ask(_ transaction: InDoubtTransaction, answer: @escaping Answer) {
            questions.withLock {
                $0.append(Question(transaction: transaction, time: .now, answer: answer))
            }
            asked.signal()
        }
        func stop() { isStopped.store(true, ordering: .relaxed) }

        func next() throws -> Question {
            guard asked.wait(timeout: .now() + InDoubtTests.patience) == .success else {
                throw Silence()
            }
            return questions.withLock { $0.removeFirst() }
        }
    }

    private struct Silence: Error {}
    private struct NoLog: Error {}

    /// A resolver that asks at once, with what it complains about.
    private func resolver(
        _ source: Source, firstPause: Int = 1000,
        whenFailing: @escaping @Sendable (String) -> Void = { Issue.record("\($0)") }
    ) -> InDoubtResolver {
        var options = InDoubtOptions()
        options.afterMilliseconds = 0
        options.questionsPerSecond = 1000
        options.firstPauseMilliseconds = firstPause
        options.longestPauseMilliseconds = 4 * firstPause
        return InDoubtResolver(database.sql, source, options, whenFailing: whenFailing)
    }

    private func prepare(_ gid: String, id: Int) throws {
        try s.run("BEGIN; UPDATE t SET n = n + 1 WHERE id = \(id); PREPARE TRANSACTION '\(gid)'")
    }

    @Test func theOldestIsAskedAboutFirst() throws {
        defer { database.close() }
        try prepare("a", id: 1)
        try prepare("b", id: 2)
        try prepare("c", id: 3)
        let number = try s.query("SELECT transaction FROM pg_prepared_xacts WHERE gid = 'a'")
        let source = Source()
        let resolver = resolver(source)
        defer { resolver.stop() }
        let first = try source.next()
        #expect(first.transaction.gid == "a")
        #expect(first.transaction.database == "falcon")
        #expect(first.transaction.user == "postgres")
        #expect(String(first.transaction.number) == number)
        #expect(first.transaction.ageSeconds >= 0)
        first.answer(.success(.commit))
        let second = try source.next()
        #expect(second.transaction.gid == "b")
        second.answer(.success(.rollback))
        // One question at a time: the earlier ones are dealt with.
        let third = try source.next()
        #expect(third.transaction.gid == "c")
        #expect(try s.query("SELECT id, n FROM t ORDER BY id") == "1|1\n2|0\n3|0")
        #expect(try s.query("SELECT gid FROM pg_prepared_xacts") == "c")
        #expect(try s.query("SELECT falcon.txn_status(\(number))") == "committed")
        // Their locks are gone.
        try s.run("SET lock_timeout = '5ms'; UPDATE t SET n = 9 WHERE id < 3")
        #expect(s.failure("UPDATE t SET n = 9")?.state == .lockNotAvailable)
        var expected = InDoubtCounts()
        (expected.questions, expected.committed, expected.rolledBack) = (3, 1, 1)
        #expect(resolver.counts == expected)
    }

    @Test func undecidedOnesAreLeftAloneForLongerEachTime() throws {
        defer { database.close() }
        try prepare("a", id: 1)
        let source = Source()
        let resolver = resolver(source, firstPause: 20)
        defer { resolver.stop() }
        var question = try source.next()
        for pause in [20, 40, 80, 80] {
            let answered = ContinuousClock.now
            question.answer(.success(.undecided))
            question = try source.next()
            #expect(question.transaction.gid == "a")
            #expect(question.time - answered >= .milliseconds(pause))
        }
        #expect(resolver.counts.undecided == 4)
        #expect(resolver.counts.questions == 5)
    }

    @Test func failuresAreReported() throws {
        defer { database.close() }
        try prepare("a", id: 1)
        let source = Source()
        let reports = Mutex<[String]>([])
        let resolver = resolver(source, firstPause: 1) { text in
            reports.withLock { $0.append(text) }
        }
        defer { resolver.stop() }
        try source.next().answer(.failure(NoLog()))
        // It is asked about again.
        try source.next().answer(.success(.rollback))
        try s.run("SET lock_timeout = '30s'; UPDATE t SET n = 5 WHERE id = 1")
        #expect(try s.query("SELECT n FROM t WHERE id = 1") == "5")
        #expect(resolver.counts.failures == 1)
        let expected = "prepared transaction \"a\" stays in doubt: NoLog()"
        #expect(reports.withLock { $0 } == [expected])
    }

    @Test func whatItsClientDecidedMeanwhileStaysDecided() throws {
        defer { database.close() }
        try prepare("a", id: 1)
        let source = Source()
        let resolver = resolver(source, firstPause: 60_000)
        defer { resolver.stop() }
        let late = try source.next()
        try s.run("COMMIT PREPARED 'a'")
        // Another transaction has the name now, and is not what the answer is about.
        try prepare("a", id: 2)
        try prepare("b", id: 3)
        late.answer(.success(.rollback))
        #expect(try source.next().transaction.gid == "b")
        #expect(try s.query("SELECT gid FROM pg_prepared_xacts") == "a\nb")
        #expect(try s.query("SELECT n FROM t WHERE id = 1") == "1")
        var expected = InDoubtCounts()
        expected.questions = 2
        #expect(resolver.counts == expected)
    }

    @Test func nothingIsDecidedAfterStop() throws {
        defer { database.close() }
        try prepare("a", id: 1)
        let source = Source()
        let resolver = resolver(source)
        let question = try source.next()
        resolver.stop()
        let isStopped = source.isStopped.load(ordering: .relaxed)
        #expect(isStopped)
        question.answer(.success(.commit))
        // Nobody decides about it, nor has.
        #expect(try s.tag("ROLLBACK PREPARED 'a'") == "ROLLBACK PREPARED")
        #expect(resolver.counts.committed == 0)
    }
}
