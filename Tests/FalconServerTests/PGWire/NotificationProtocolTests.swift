import FalconTestKit
import Testing

@testable import FalconServer

/// When a client gets its NotificationResponses.
@Suite struct NotificationProtocolTests {
    let server: WireServer
    let client: WireClient

    init() throws {
        server = try WireServer()
        client = try server.client()
    }

    private var shared: ScriptedSession.Shared {
        get throws { try #require(server.source.sessions.first).shared }
    }

    private static func body(_ payload: String) -> [UInt8] {
        Bytes.int32(4712) + Bytes.cstring("ch") + Bytes.cstring(payload)
    }

    @Test func anIdleClientIsToldAtOnce() throws {
        try shared.notify("one")
        let reply = try client.read()
        #expect(reply?.tag == "A" && reply?.body == Self.body("one"))
        #expect(try client.query("rows 1").tags == "TDCZ")
    }

    @Test func withinATransactionAtItsEndBeforeReadyForQuery() throws {
        #expect(try client.query("begin").tags == "CZ")
        try shared.notify("one")
        try shared.notify("two")
        #expect(try client.query("rows 1").tags == "TDCZ")
        let replies = try client.query("commit")
        #expect(replies.tags == "CAAZ")
        #expect(replies[1].body == Self.body("one") && replies[2].body == Self.body("two"))
    }

    @Test func duringARequestBehindItsAnswer() throws {
        try client.send(Bytes.query("wait rows 2"))
        let shared = try shared
        try eventually { shared.isWaiting }
        shared.notify("one")
        shared.release()
        #expect(try client.readUntilReady().tags == "TDDCAZ")
    }

    @Test func notWithinTheAnswerOfAWorker() throws {
        try client.send(Bytes.query("hang"))
        let shared = try shared
        try eventually { shared.isHanging }
        // The loop hears of it before it hears of the worker's end.
        shared.notify("one")
        #expect(server.source.cancel(processID: 4711, secret: 815))
        #expect(try client.readUntilReady().tags == "EAZ")
    }

    /// Answers of workers, pipelined, while notifications come: each message is whole, and nothing stands
    /// within an answer.
    @Test func pipelinedAnswersAreNotTorn() throws {
        let shared = try shared
        let count = 200
        for number in 0..<count {
            try client.send(
                Bytes.parse("worker rows 50") + Bytes.bind() + Bytes.execute() + Bytes.sync)
            shared.notify("\(number)")
        }
        var heard = 0
        for _ in 0..<count {
            let tags = try client.readUntilReady().tags
            heard += tags.filter { $0 == "A" }.count
            let answer = tags.drop { $0 == "A" }
            #expect(
                answer.filter { $0 != "A" } == "12" + String(repeating: "D", count: 50) + "CZ")
            let rows = answer.drop { $0 != "D" }.prefix { $0 != "C" }
            #expect(rows.allSatisfy { $0 == "D" })
        }
        while heard < count {
            #expect(try client.read()?.tag == "A")
            heard += 1
        }
    }

    /// More than a client that does not read is sent: the rest comes as it reads.
    @Test func manyComeInTheirOrder() throws {
        let shared = try shared
        let padding = String(repeating: "x", count: 4000)
        let count = 2000
        for number in 0..<count { shared.notify("\(number) \(padding)") }
        for number in 0..<count {
            let reply = try client.read()
            #expect(reply?.tag == "A" && reply?.body == Self.body("\(number) \(padding)"))
        }
        #expect(try client.query("rows 1").tags == "TDCZ")
    }
}
