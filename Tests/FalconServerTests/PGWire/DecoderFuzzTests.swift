import FalconTestKit
import NIOCore
import Testing

@testable import FalconServer

/// A small generator of the test's own, so that a seed means the same bytes for ever.
struct FuzzRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct DecoderFuzzTests {
    private static let exemplars: [[UInt8]] = [
        Bytes.query("select 1"), Bytes.parse("select $1", name: "s"),
        Bytes.bind(portal: "p", statement: "s", resultFormats: [0, 1]), Bytes.describe("S", "s"),
        Bytes.execute("p", max: 5), Bytes.close("P", "p"), Bytes.sync, Bytes.flush,
        Bytes.message("d", [1, 2, 3]), Bytes.message("c"), Bytes.message("f", Bytes.cstring("x")),
        Bytes.message(
            "B",
            [0, 0] + Bytes.int16(2) + Bytes.int16(1) + Bytes.int16(0) + Bytes.int16(2)
                + Bytes.int32(2) + [7, 7] + Bytes.int32(-1) + Bytes.int16(0)),
    ]

    /// Whatever comes, however it is cut, the decoder answers without trapping and always moves on.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedStreamsNeverTrap(seed: UInt64) {
        var random = FuzzRandom(state: seed)
        for _ in 0..<4000 {
            var stream: [UInt8] = []
            var hasStarted = false
            if Int.random(in: 0..<4, using: &random) > 0 {
                stream += Bytes.startup([("user", "u"), ("options", "-c a=b")])
                hasStarted = true
            }
            for _ in 0..<Int.random(in: 1..<8, using: &random) {
                stream += Self.exemplars.randomElement(using: &random) ?? []
            }
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                let index = Int.random(
                    in: (hasStarted && Bool.random(using: &random) ? 20 : 0)..<stream.count,
                    using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: stream[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: stream.remove(at: index)
                case 2: stream.insert(UInt8.random(in: 0...3, using: &random), at: index)
                default: stream[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            feed(stream, &random, seed)
        }
    }

    private func feed(_ stream: [UInt8], _ random: inout FuzzRandom, _ seed: UInt64) {
        var decoder = FrontendDecoder(maximumMessageLength: 1 << 20)
        var rest = stream[...]
        var items = 0
        feeding: while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &random))
            rest = rest.dropFirst(piece.count)
            decoder.append(ByteBuffer(bytes: piece))
            while true {
                items += 1
                guard items <= stream.count + 100 else {
                    Issue.record("seed \(seed): the decoder does not move on")
                    return
                }
                switch decoder.next() {
                case .incomplete: continue feeding
                case .lost: return
                default: break
                }
            }
        }
        #expect(decoder.bufferedBytes <= stream.count, "seed \(seed)")
    }

    /// The same message comes out whole, however the network cut it.
    @Test func cutsDoNotMatter() {
        let stream =
            Bytes.startup([("user", "u")]) + Self.exemplars.reduce([], +) + Bytes.message("X")
        for size in 1...64 {
            var decoder = FrontendDecoder(maximumMessageLength: 1 << 20)
            var tags = ""
            var rest = stream[...]
            while !rest.isEmpty {
                decoder.append(ByteBuffer(bytes: rest.prefix(size)))
                rest = rest.dropFirst(size)
                loop: while true {
                    switch decoder.next() {
                    case .startup: tags += "!"
                    case .message: tags += "m"
                    case .malformed(let tag, let error): Issue.record("\(tag): \(error)")
                    case .lost(let error): Issue.record("\(error)")
                    case .incomplete: break loop
                    }
                }
            }
            #expect(tags == "!" + String(repeating: "m", count: Self.exemplars.count + 1))
        }
    }

    /// A live server under damaged streams keeps serving everyone else.
    @Test func damagedClientsDoNotHurtOthers() throws {
        let server = try WireServer()
        let good = try server.client()
        var random = FuzzRandom(state: 99)
        for _ in 0..<150 {
            let bad = try WireClient(port: server.port)
            var stream = Bytes.startup([("user", "u")])
            for _ in 0..<6 { stream += Self.exemplars.randomElement(using: &random) ?? [] }
            for _ in 0..<4 {
                let index = Int.random(in: 0..<stream.count, using: &random)
                stream[index] = UInt8.random(in: .min ... .max, using: &random)
            }
            bad.trySend(stream)
            bad.shutdownWrites()
            while (try? bad.readByte()) ?? nil != nil {}
        }
        #expect(try good.query("rows 1").tags == "TDCZ")
        try eventually { server.context.registry.sessionCount <= 1 }
    }
}
