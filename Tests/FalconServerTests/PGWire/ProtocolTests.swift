import FalconSchema
import FalconTestKit
import Testing

@testable import FalconServer

/// The rules that servers of this protocol get wrong, each as a client sees it.
@Suite struct ProtocolTests {
    let server: WireServer
    let client: WireClient

    init() throws {
        server = try WireServer()
        client = try server.client()
    }

    @Test func simpleQueries() throws {
        let rows = try client.query("rows 3")
        #expect(rows.tags == "TDDDCZ")
        #expect(rows[4].text == "SELECT 3")
        #expect(rows[1...3].map { $0.columns[0] } == ["1", "2", "3"].map { Array($0.utf8) })
        #expect(try client.query("").tags == "IZ")
        #expect(try client.query("begin; rows 1; commit").tags == "CTDCCZ")
        #expect(try client.query("set a b").tags == "SCZ")
        #expect(try client.query("notice").tags == "NCZ")
    }

    @Test func rowDescriptionHasEveryField() throws {
        let description = try client.query("rows 0")[0]
        #expect(
            description.body == Bytes.int16(1) + Bytes.cstring("n") + Bytes.int32(0)
                + Bytes.int16(0) + Bytes.int32(23) + Bytes.int16(4) + Bytes.int32(-1)
                + Bytes.int16(0))
    }

    @Test func nullsAndEmptyTextsDiffer() throws {
        #expect(try client.query("nul")[1].columns == [nil, []])
    }

    @Test func rowsWithoutColumnsAreRows() throws {
        let replies = try client.query("zero 2")
        #expect(replies.tags == "TDDCZ")
        #expect(replies[0].body == [0, 0])
        #expect(replies[1].body == [0, 0])
    }

    /// Rule 9: the first failure of a Query ends it.
    @Test func anErrorEndsTheWholeQuery() throws {
        let replies = try client.query("rows 1; error; rows 1")
        #expect(replies.tags == "TDCEZ")
        #expect(replies[3].fields["P"] == "3")
        #expect(try client.query("begin; error").last?.body == [UInt8(ascii: "E")])
        #expect(try client.query("commit").last?.body == [UInt8(ascii: "I")])
    }

    /// Rule 1: Execute sends no RowDescription and ends with exactly one of its four ends.
    @Test func executeEndsOnce() throws {
        for (sql, tags) in [
            ("rows 2", "12DDCZ"), ("", "12IZ"), ("begin", "12CZ"), ("error", "12EZ"),
        ] {
            try client.send(Bytes.parse(sql) + Bytes.bind() + Bytes.execute() + Bytes.sync)
            #expect(try client.readUntilReady().tags == tags, "\(sql)")
        }
    }

    /// Rule 2: every Describe answers.
    @Test func describeAlwaysAnswers() throws {
        for (sql, tag) in [("rows 1", "T"), ("begin", "n"), ("set a b", "n"), ("", "n")] {
            try client.send(
                Bytes.parse(sql) + Bytes.describe("S") + Bytes.bind() + Bytes.describe("P")
                    + Bytes.sync)
            #expect(try client.readUntilReady().tags == "1t\(tag)2\(tag)Z", "\(sql)")
        }
        try client.send(Bytes.describe("S", "none") + Bytes.sync)
        let replies = try client.readUntilReady()
        #expect(replies.tags == "EZ")
        #expect(replies[0].fields["C"] == "26000")
        try client.send(Bytes.describe("P", "none") + Bytes.sync)
        #expect(try client.readUntilReady()[0].fields["C"] == "34000")
    }

    /// Rule 3: suspension, also when exactly all rows were taken.
    @Test func portalsSuspend() throws {
        try client.send(
            Bytes.parse("rows 3") + Bytes.bind(portal: "p") + Bytes.execute("p", max: 2)
                + Bytes.execute("p", max: 1) + Bytes.execute("p", max: 1) + Bytes.sync)
        let replies = try client.readUntilReady()
        #expect(replies.tags == "12DDsDsCZ")
        #expect(replies[7].text == "SELECT 0")
        // The implicit transaction has ended, and with it the portal.
        try client.send(Bytes.execute("p") + Bytes.sync)
        #expect(try client.readUntilReady()[0].fields["C"] == "34000")
    }

    /// Rule 4: after an error everything up to Sync is skipped, and the error is not held back.
    @Test func errorsSkipToSync() throws {
        try client.send(Bytes.parse("bad syntax"))
        let error = try client.read()
        #expect(error?.fields["C"] == "42601")
        #expect(error?.fields["P"] == "5")
        try client.send(
            Bytes.bind() + Bytes.execute() + Bytes.query("rows 1") + Bytes.flush + Bytes.sync)
        #expect(try client.readUntilReady().tags == "Z")
        #expect(try client.query("rows 1").tags == "TDCZ")
    }

    @Test func flushSendsWhatThereIs() throws {
        try client.send(Bytes.parse("rows 1") + Bytes.describe("S") + Bytes.flush)
        #expect(try client.read(until: "T").tags == "1tT")
        try client.send(Bytes.bind() + Bytes.execute())
        // Nothing is owed before Sync or Flush.
        #expect(!client.hasInput(within: 50))
        try client.send(Bytes.sync)
        #expect(try client.readUntilReady().tags == "2DCZ")
    }

    /// Rule 6: formats per column, binary as well as text.
    @Test func resultFormats() throws {
        try client.send(
            Bytes.parse("rows 1") + Bytes.bind(resultFormats: [1]) + Bytes.describe("P")
                + Bytes.execute() + Bytes.sync)
        let replies = try client.readUntilReady()
        #expect(replies.tags == "12TDCZ")
        #expect(replies[2].body.suffix(2) == [0, 1])
        #expect(replies[3].columns == [[0, 0, 0, 1]])
        try client.send(Bytes.parse("rows 1") + Bytes.bind(resultFormats: [2]) + Bytes.sync)
        #expect(try client.readUntilReady()[1].fields["C"] == "22023")
    }

    @Test func pipelinesAnswerInOrder() throws {
        var flight: [UInt8] = []
        for n in 0..<200 {
            let sql = n % 7 == 3 ? "wait rows 1" : n % 5 == 2 ? "worker rows 1" : "rows \(n % 3)"
            flight += Bytes.parse(sql) + Bytes.bind() + Bytes.execute() + Bytes.sync
        }
        server.source.sessions.last?.shared.release()
        try client.send(flight)
        for n in 0..<200 {
            let rows = n % 7 == 3 || n % 5 == 2 ? 1 : n % 3
            let tags = try client.readUntilReady().tags
            #expect(tags == "12" + String(repeating: "D", count: rows) + "CZ", "request \(n)")
        }
    }

    @Test func statementsWaitWithoutHoldingTheLoop() throws {
        try client.send(Bytes.query("wait rows 1; rows 2"))
        let shared = try #require(server.source.sessions.first?.shared)
        try eventually { shared.isWaiting }
        // Whoever shares the loop goes on; so does every other one.
        for _ in 0..<4 { #expect(try server.client().query("rows 1").tags == "TDCZ") }
        shared.release()
        #expect(try client.readUntilReady().tags == "TDCTDDCZ")
    }

    @Test func largeResultsPauseUntilTheClientReads() throws {
        let count = 40_000
        try client.send(Bytes.query("worker wide \(count)"))
        var rows = 0
        while let reply = try client.read() {
            if reply.tag == "D" { rows += 1 }
            if reply.tag == "Z" { break }
        }
        #expect(rows == count)
        // The same on the loop, through a portal.
        try client.send(
            Bytes.parse("wide 5000") + Bytes.bind() + Bytes.execute() + Bytes.sync)
        #expect(try client.readUntilReady().filter { $0.tag == "D" }.count == 5000)
    }

    /// Rule 7: COPY.
    @Test func copyIn() throws {
        try client.send(Bytes.query("copyin; rows 1"))
        let response = try #require(try client.read())
        #expect(response.tag == "G")
        #expect(response.body == [0] + Bytes.int16(2) + Bytes.int16(0) + Bytes.int16(0))
        try client.send(
            Bytes.message("d", Array("1\t2\n3".utf8)) + Bytes.flush + Bytes.sync
                + Bytes.message("d", Array("\t4\n".utf8)) + Bytes.message("c"))
        let replies = try client.readUntilReady()
        #expect(replies.tags == "CTDCZ")
        #expect(replies[0].text == "COPY 2")
    }

    @Test func copyInFailures() throws {
        try client.send(Bytes.query("copyin") + Bytes.message("f", Bytes.cstring("no more")))
        var replies = try client.readUntilReady()
        #expect(replies.tags == "GEZ")
        #expect(replies[1].fields["C"] == "57014")
        #expect(replies[1].fields["M"] == "COPY from stdin failed: no more")

        // The rest of the data of a failed COPY is dropped.
        let rest = (0..<50).flatMap { _ in Bytes.message("d", Array("x\n".utf8)) }
        try client.send(
            Bytes.query("copyin") + Bytes.message("d", Array("bad\n".utf8)) + rest
                + Bytes.message("c") + Bytes.query("rows 1"))
        replies = try client.readUntilReady()
        #expect(replies.tags == "GEZ")
        #expect(replies[1].fields["C"] == "22P04")
        #expect(try client.readUntilReady().tags == "TDCZ")

    }

    /// Anything else than COPY data: client and server no longer agree on what is said.
    @Test(arguments: [Bytes.query("rows 1"), Bytes.bind()])
    func anythingElseDuringCopyInEndsTheConnection(_ message: [UInt8]) throws {
        try client.send(Bytes.query("copyin") + message)
        let replies = try client.readToEnd()
        #expect(replies.tags == "GEE")
        #expect(replies[1].fields["C"] == "08P01")
        let tag = String(message[0], radix: 16)
        #expect(replies[1].fields["M"] == "unexpected message type 0x\(tag) during COPY from stdin")
        #expect(replies[2].fields["S"] == "FATAL")
        #expect(
            replies[2].fields["M"]
                == "terminating connection because protocol synchronization was lost")
    }

    @Test func theEndOfInputDuringCopyInIsSaid() throws {
        try client.send(Bytes.query("copyin") + Bytes.message("d", Array("1\t2\n".utf8)))
        client.shutdownWrites()
        let replies = try client.readToEnd()
        #expect(replies.tags == "GEE")
        #expect(replies[1].fields["C"] == "08006")
        #expect(replies[2].fields["C"] == "08P01")
    }

    @Test func copyInExtendedSkipsToSync() throws {
        try client.send(
            Bytes.parse("copyin") + Bytes.bind() + Bytes.execute()
                + Bytes.message("d", Array("bad\n".utf8)) + Bytes.message("c") + Bytes.bind()
                + Bytes.sync)
        #expect(try client.readUntilReady().tags == "12GEZ")
        try client.send(
            Bytes.parse("copyin") + Bytes.bind() + Bytes.execute()
                + Bytes.message("d", Array("1\n".utf8)) + Bytes.message("c") + Bytes.sync)
        #expect(try client.readUntilReady().tags == "12GCZ")
    }

    @Test func copyOut() throws {
        let replies = try client.query("copyout 2")
        #expect(replies.tags == "HddcCZ")
        #expect(replies[1].body == Array("0\n".utf8))
    }

    /// Rule 8: a CancelRequest with the right key stops the statement.
    @Test func cancelRequests() throws {
        func cancel(_ secret: Int) throws {
            let other = try WireClient(port: server.port)
            try other.send(
                Bytes.int32(16) + Bytes.int32(80_877_102) + Bytes.int32(4711)
                    + Bytes.int32(secret))
            #expect(try other.readToEnd().isEmpty)
        }
        try client.send(Bytes.query("hang"))
        try cancel(1)
        #expect(!client.hasInput(within: 50))
        let clock = ContinuousClock()
        let start = clock.now
        try cancel(815)
        let replies = try client.readUntilReady()
        #expect(replies.tags == "EZ")
        #expect(replies[0].fields["C"] == "57014")
        #expect(clock.now - start < .milliseconds(100))
        #expect(try client.query("rows 1").tags == "TDCZ")
    }

    @Test(arguments: ["hang", "wait rows 1", "wide 1000000", "copyin"])
    func aClientThatLeavesEndsItsSession(_ sql: String) throws {
        let shared: ScriptedSession.Shared
        do {
            let leaving = try server.client()
            shared = try #require(server.source.sessions.last?.shared)
            try leaving.send(Bytes.query(sql))
            if sql.hasPrefix("wait") { try eventually { shared.isWaiting } }
            if sql == "copyin" { #expect(try leaving.read()?.tag == "G") }
            if sql.hasPrefix("wide") { #expect(try leaving.read()?.tag == "T") }
        }
        try eventually { shared.isClosed }
        try eventually { server.context.registry.sessionCount <= 1 }
    }

    @Test func functionCallsAnswerWithOneValue() throws {
        func call(_ function: Int, format: Int) throws -> [Reply] {
            try client.send(
                Bytes.message(
                    "F",
                    Bytes.int32(function) + Bytes.int16(0) + Bytes.int16(0) + Bytes.int16(format)))
            return try client.readUntilReady()
        }
        let text = try call(1, format: 0)
        #expect(text.tags == "VZ")
        #expect(text[0].body == Bytes.int32(1) + Array("1".utf8))
        let binary = try call(1, format: 1)
        #expect(binary.tags == "VZ")
        #expect(binary[0].body == Bytes.int32(4) + Bytes.int32(1))
        #expect(try call(2, format: 1).tags == "EZ")
        // The next request's rows are rows.
        #expect(try client.query("rows 1").tags == "TDCZ")
    }

    @Test func functionCallsOfNoSenseAreErrors() throws {
        let call = Bytes.int32(177) + Bytes.int16(0)
        let bodies: [[UInt8]] = [
            [1, 2, 3], call + Bytes.int16(1) + Bytes.int32(-7) + Bytes.int16(0),
            call + Bytes.int16(0), call + Bytes.int16(0) + Bytes.int16(0) + [0],
        ]
        for body in bodies {
            try client.send(Bytes.message("F", body))
            let replies = try client.readUntilReady()
            #expect(replies.tags == "EZ")
            #expect(replies[0].fields["C"] == "08P01")
        }
    }

    @Test func malformedBodiesAreErrorsAndTheStreamGoesOn() throws {
        for message in [
            Bytes.message("P", [65]), Bytes.message("B", [0, 0, 0]),
            Bytes.message("D", Bytes.cstring("Z")), Bytes.message("E", [0, 0]),
            Bytes.message("P", Bytes.cstring("") + Bytes.cstring("x") + Bytes.int16(-1)),
            Bytes.message("B", [0, 0] + Bytes.int16(0) + Bytes.int16(1) + Bytes.int32(-7)),
        ] {
            try client.send(message + Bytes.sync)
            let replies = try client.readUntilReady()
            #expect(replies.tags == "EZ")
            #expect(replies[0].fields["C"] == "08P01")
        }
        try client.send(Bytes.message("Q", [0xFF, 0xFE, 0]))
        let replies = try client.readUntilReady()
        #expect(replies.tags == "EZ")
        #expect(replies[0].fields["C"] == "22021")
        #expect(
            replies[0].fields["M"] == "invalid byte sequence for encoding \"UTF8\": 0xff")
    }

    private static let unfollowable: [[UInt8]] = [
        Bytes.message("?"), [UInt8(ascii: "Q")] + Bytes.int32(3),
        [UInt8(ascii: "Q")] + Bytes.int32(-5), [UInt8(ascii: "Q")] + Bytes.int32(100 << 20),
        [UInt8(ascii: "S")] + Bytes.int32(20_000), [UInt8](repeating: 0, count: 9),
    ]

    @Test(arguments: unfollowable)
    func anUnfollowableStreamIsFatal(_ bytes: [UInt8]) throws {
        try client.send(bytes)
        let replies = try client.readToEnd()
        #expect(replies.tags == "E")
        #expect(replies.first?.fields["C"] == "08P01")
        #expect(replies.first?.fields["S"] == "FATAL")
    }

    @Test func drainEndsIdleSessionsAndLetsStatementsFinish() throws {
        let busy = try server.client()
        let shared = try #require(server.source.sessions.last?.shared)
        try busy.send(Bytes.query("wait rows 1"))
        try eventually { shared.isWaiting }
        server.context.registry.drain {}
        #expect(try client.readToEnd().first?.fields["C"] == "57P01")
        #expect(!busy.hasInput(within: 50))
        shared.release()
        let replies = try busy.readToEnd()
        #expect(replies.tags == "TDCZE")
        #expect(replies.last?.fields["C"] == "57P01")
        let late = try WireClient(port: server.port)
        try late.send(Bytes.startup([("user", "u")]))
        #expect(try late.readToEnd().first?.fields["C"] == "57P03")
    }

    @Test func aSessionAskedToEndTellsItsClient() throws {
        let error = SQLError(SQLState("57P05"), "terminating connection")
        let idle = try #require(server.source.sessions.last?.shared)
        let busy = try server.client()
        let shared = try #require(server.source.sessions.last?.shared)
        try busy.send(Bytes.query("wait rows 1"))
        try eventually { shared.isWaiting }
        idle.askToEnd(error)
        let replies = try client.readToEnd()
        #expect(replies.tags == "E")
        #expect(replies.first?.fields["C"] == "57P05")
        #expect(replies.first?.fields["S"] == "FATAL")
        try eventually { idle.isClosed }
        // A statement that does not notice ends first.
        shared.askToEnd(error)
        #expect(!busy.hasInput(within: 50))
        shared.release()
        #expect(try busy.readToEnd().tags == "TDCZE")
    }

    @Test func terminationCancels() throws {
        try client.send(Bytes.query("hang"))
        try eventually { server.workers.activeJobs > 0 }
        server.context.registry.terminateAll()
        let replies = try client.readToEnd()
        #expect(replies.first?.fields["C"] == "57014")
        #expect(replies.last?.fields["C"] == "57P01")
    }
}
