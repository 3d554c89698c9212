import FalconTestKit
import Testing

@testable import FalconServer

@Suite struct StartupTests {
    private static let badPackets: [([UInt8], String)] = [
        (Bytes.startup([("user", "u")], version: 2 << 16), "0A000"),
        (Bytes.startup([("database", "d")]), "28000"),
        (Bytes.startup([("user", "u"), ("database", "nowhere")]), "3D000"),
        (Bytes.startup([("user", "u"), ("replication", "true")]), "0A000"),
        (Bytes.int32(9) + Bytes.int32(196_608) + [65], "08P01"),
        (Bytes.int32(10_001) + Bytes.int32(196_608), "08P01"),
        (Bytes.int32(3) + Bytes.int32(196_608), "08P01"),
        (Bytes.int32(-1) + Bytes.int32(196_608), "08P01"),
        (Bytes.startup([("user", "u"), ("options", "-x")]), "42601"),
    ]

    @Test func startupAnswersInOrder() throws {
        let server = try WireServer()
        let client = try WireClient(port: server.port)
        try client.send(Bytes.startup([("user", "u"), ("application_name", "t")]))
        let replies = try client.readUntilReady()
        #expect(replies.tags == "RSKZ")
        #expect(replies[0].body == [0, 0, 0, 0])
        #expect(replies[1].body == Bytes.cstring("server_version") + Bytes.cstring("15.18"))
        #expect(replies[2].body == Bytes.int32(4711) + Bytes.int32(815))
        #expect(replies[3].body == [UInt8(ascii: "I")])
    }

    /// Each kind, in either order; one kind twice is an unknown protocol.
    @Test func encryptionRequestsAreAnsweredWithN() throws {
        let server = try WireServer()
        let (ssl, gss) = (80_877_103, 80_877_104)
        for codes in [[ssl], [gss], [ssl, gss], [gss, ssl]] {
            let client = try WireClient(port: server.port)
            for code in codes {
                try client.send(Bytes.int32(8) + Bytes.int32(code))
                #expect(try client.readByte() == UInt8(ascii: "N"))
            }
            try client.send(Bytes.startup([("user", "u")]))
            #expect(try client.readUntilReady().tags == "RSKZ")
        }
        for code in [ssl, gss] {
            let client = try WireClient(port: server.port)
            try client.send(Bytes.int32(8) + Bytes.int32(code))
            #expect(try client.readByte() == UInt8(ascii: "N"))
            try client.send(Bytes.int32(8) + Bytes.int32(code))
            let replies = try client.readToEnd()
            #expect(replies.tags == "E")
            #expect(replies.first?.fields["C"] == "0A000")
        }
    }

    @Test func newerMinorVersionsAndOptionsAreNegotiated() throws {
        let server = try WireServer()
        let client = try WireClient(port: server.port)
        try client.send(
            Bytes.startup([("user", "u"), ("_pq_.thing", "1")], version: 3 << 16 | 2))
        let replies = try client.readUntilReady()
        #expect(replies.tags == "vRSKZ")
        #expect(
            replies[0].body
                == Bytes.int32(3 << 16) + Bytes.int32(1) + Bytes.cstring("_pq_.thing"))
    }

    @Test(arguments: badPackets)
    func badStartupIsFatal(_ packet: [UInt8], _ state: String) throws {
        let server = try WireServer()
        let client = try WireClient(port: server.port)
        try client.send(packet)
        let replies = try client.readToEnd()
        #expect(replies.tags == "E")
        #expect(replies.first?.fields["C"] == state)
        #expect(replies.first?.fields["S"] == "FATAL")
    }

    @Test func optionsBecomeSettings() throws {
        let packet = Bytes.startup([
            ("user", "u"), ("options", "-c a=b\\ c --x-y=1 -cz=2"), ("TimeZone", "UTC"),
        ])
        let request = try packet.withUnsafeBytes {
            try FrontendParser.parseStartup(
                UnsafeRawBufferPointer(rebasing: $0[4...]), refused: nil)
        }
        guard case .startup(let parameters) = request else {
            Issue.record("not a startup packet")
            return
        }
        #expect(parameters.database == "u")
        #expect(
            parameters.settings.map { "\($0.0)=\($0.1)" } == [
                "TimeZone=UTC", "a=b c", "x_y=1", "z=2",
            ])
    }

    @Test func tooManyClientsAreToldSo() throws {
        let server = try WireServer(maxConnections: 2)
        let first = try server.client()
        let second = try server.client()
        let third = try WireClient(port: server.port)
        try third.send(Bytes.startup([("user", "u")]))
        #expect(try third.readToEnd().first?.fields["C"] == "53300")
        // A place is free again once a client has left.
        try second.send(Bytes.message("X"))
        #expect(try second.readToEnd().isEmpty)
        try eventually { server.context.registry.sessionCount <= 1 }
        #expect(try server.client().query("x").tags == "CZ")
        #expect(try first.query("x").tags == "CZ")
    }
}
