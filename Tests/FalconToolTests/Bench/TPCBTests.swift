import FalconStorage
import Testing

@testable import FalconToolKit

@Suite struct TPCBTests {
    private func run(_ server: TPCBServer, _ more: [String] = []) -> BenchRun {
        BenchRun(
            TPCBCommand.self,
            [
                "--port=\(server.port)", "--clients=3", "--transactions=20",
                "--accounts-per-branch=700", "--scale=2",
            ] + more)
    }

    @Test func transactionsAreCountedAndTheSumsAgree() throws {
        let server = try #require(TPCBServer())
        defer { server.stop() }
        let result = run(server, ["--init"])
        #expect(result.run.exit == .clean, "\(result.run.output)\(result.run.diagnostics)")
        #expect(result.figure("tpcb", "operations") == 60)
        #expect(result.figure("tpcb", "latency", "count") == 60)
        #expect(result.figure("tpcb", "retries") == 0)
        #expect(result.run.output.contains("60 rows of history: they agree"))
        #expect(server.tables.historyRows == 60)
        #expect(server.tables.copied == 2 + 20 + 1400)
        #expect(server.tables.prepared == Set(TPCBTables.statements.map(\.0)))
        #expect(server.tables.sums["account"] == server.tables.sums["history"])
    }

    @Test func conflictsAreTriedAgain() throws {
        let server = try #require(TPCBServer(.conflicts))
        defer { server.stop() }
        let result = run(server, ["--retries=100"])
        #expect(result.run.exit == .clean, "\(result.run.output)\(result.run.diagnostics)")
        #expect(result.figure("tpcb", "operations") == 60)
        #expect((result.figure("tpcb", "retries") ?? 0) > 0)
        #expect(result.figure("tpcb", "failed") == 0)
    }

    @Test func aTransactionIsGivenUpInTheEnd() throws {
        let server = try #require(TPCBServer(.alwaysConflicts))
        defer { server.stop() }
        let result = run(server, ["--retries=2"])
        #expect(result.run.exit == .clean, "\(result.run.output)\(result.run.diagnostics)")
        #expect(result.figure("tpcb", "failed") == 60)
        #expect(result.figure("tpcb", "retries") == 120)
        #expect(server.tables.historyRows == 0)
    }

    @Test func aLostUpdateIsFound() throws {
        let server = try #require(TPCBServer(.losesAnUpdate))
        defer { server.stop() }
        let result = run(server)
        #expect(result.run.exit == .corruption)
        #expect(result.run.output.contains("THEY DO NOT AGREE"))
        #expect(result.run.output.contains("BEN001"))
    }

    @Test func aServerThatIsNoneIsUnreachable() throws {
        let closed = try #require(TPCBServer(.hangsUp))
        defer { closed.stop() }
        #expect(run(closed).run.exit == .unreachable)
        let locked = try #require(TPCBServer(.wantsPassword))
        defer { locked.stop() }
        let result = run(locked)
        #expect(result.run.exit == .unreachable)
        #expect(result.run.output.contains("password"))
        #expect(run(closed, ["--admin-addr=nowhere"]).run.exit == .unreachable)
    }

    @Test func metricsSayWhyWritersWait() {
        let text = """
            # HELP falcon_write_delay Why
            falcon_write_delay{reason="none"} 0
            falcon_write_delay{reason="level0-files"} 1
            falcon_errors_total 12
            other 5
            """
        let metrics = ServerMetrics(text: text)
        #expect(metrics.delayReason == "level0-files")
        #expect(metrics["falcon_errors_total"] == 12)
        #expect(metrics["other"] == nil)
        #expect(
            ServerMetrics(text: "falcon_write_delay{reason=\"none\"} 1\n").delayReason == nil)
        #expect(
            ServerMetrics(text: "falcon_write_delay{reason=\"disk-full\"} 0\n").delayReason == nil)
    }

    @Test func wrongFlagsAreUsageErrors() {
        for flag in ["--clients=0", "--port=0", "--scale=0", "--seconds=0"] {
            #expect(ToolRun(TPCBCommand.self, [flag]).exit == .usage, "\(flag)")
        }
    }
}
