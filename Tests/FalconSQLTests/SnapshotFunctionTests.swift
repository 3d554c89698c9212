import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// pg_current_snapshot(), beside the script snapshot-functions.
struct SnapshotFunctionTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair("CREATE TABLE t (number xid8)")
    }

    private func snapshot(_ session: TestSession) throws -> TransactionSnapshot {
        try #require(TransactionSnapshot(try session.query("SELECT pg_current_snapshot()")))
    }

    @Test func listsWhoIsUnderWay() throws {
        try a.run("BEGIN; INSERT INTO t VALUES (pg_current_xact_id())")
        let number = try #require(UInt64(try a.query("SELECT txid_current()")))
        // As in PostgreSQL: of who asks, and of what has only begun, the list says nothing.
        #expect(try snapshot(a).text == "\(number):\(number):")
        #expect(try snapshot(b).shows(number) == false)
        try b.run("SELECT txid_current()")
        let seen = try snapshot(b)
        #expect(seen.lowest == number && seen.underWay == [number] && seen.next > number)
        try a.run("COMMIT")
        #expect(try snapshot(b).shows(number))
        #expect(try snapshot(b).underWay.isEmpty)
    }

    /// A reader that goes by the numbers misses nothing: what its snapshot does not show is above its lower
    /// end or listed, also when it has been committed since.
    @Test func agreesWithTheRows() throws {
        try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        try a.run("INSERT INTO t VALUES (pg_current_xact_id())")
        let number = try #require(UInt64(try a.query("SELECT number FROM t")))
        #expect(try b.query("SELECT count(*) FROM t") == "0")
        #expect(try snapshot(b).shows(number) == false)
        let kept = try b.query("SELECT pg_current_snapshot()")
        try a.run("INSERT INTO t VALUES (pg_current_xact_id())")
        #expect(try b.query("SELECT pg_current_snapshot()") == kept)
        try b.run("COMMIT")
        #expect(try snapshot(b).shows(number))
    }

    @Test func knowsPreparedOnes() throws {
        try a.run("BEGIN; INSERT INTO t VALUES (pg_current_xact_id())")
        let number = try #require(UInt64(try a.query("SELECT txid_current()")))
        try a.run("PREPARE TRANSACTION 'p'")
        try database.restart()
        let c = try database.session()
        #expect(try snapshot(c).shows(number) == false)
        #expect(try snapshot(c).lowest <= number)
        try c.run("COMMIT PREPARED 'p'")
        #expect(try snapshot(c).shows(number))
    }

    /// What is not known any more of old snapshots counts as not ended.
    @Test func oldOnesShowLess() throws {
        let commits = CommitsUnderWay()
        for number in 1...10_000 as ClosedRange<UInt64> {
            commits.begin(number * 16)
            commits.end(
                number * 16,
                .success(
                    CommitReceipt(timestamp: Timestamp(number), lsn: LSN(number))))
        }
        #expect(commits.unseen(at: Timestamp(9_999)).numbers == [160_000])
        #expect(commits.unseen(at: Timestamp(9_999)).unknownFrom == nil)
        #expect(commits.unseen(at: Timestamp(1)).unknownFrom == 16)
        commits.begin(7)
        #expect(commits.unseen(at: Timestamp(10_000)).numbers == [7])
        #expect(commits.contains(7) && !commits.contains(16))
    }
}
