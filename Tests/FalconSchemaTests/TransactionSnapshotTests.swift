import FalconStorage
import Testing

@testable import FalconSchema

struct TransactionSnapshotTests {
    @Test func readsAndWritesText() throws {
        let snapshot = try #require(TransactionSnapshot("10:20:10,14,14,15"))
        #expect(snapshot.lowest == 10 && snapshot.next == 20)
        #expect(snapshot.underWay == [10, 14, 15])
        #expect(snapshot.text == "10:20:10,14,15")
        #expect(TransactionSnapshot("7:7:")?.text == "7:7:")
    }

    @Test(arguments: [
        "", "1", "1:2", "0:1:", "31:12:", "12:13:14", "12:16:14,13", "12:16:11", "a:b:", "1:2:x",
        "1:9:3,,4",
    ])
    func refuses(text: String) {
        #expect(TransactionSnapshot(text) == nil)
    }

    @Test func showsWhatHasEnded() throws {
        let snapshot = try #require(TransactionSnapshot("10:20:10,14"))
        let shown: [UInt64] = [9, 11, 19]
        let hidden: [UInt64] = [10, 14, 20, 21]
        #expect(shown.allSatisfy(snapshot.shows))
        #expect(!hidden.contains(where: snapshot.shows))
    }

    @Test func survivesItsBinaryForm() throws {
        let snapshot = try #require(TransactionSnapshot("10:20:10,14"))
        var writer = ByteWriter()
        TypeIO.appendBinary(.text(snapshot.text), type: .pgSnapshot, to: &writer)
        let bytes = writer.bytes
        #expect(bytes.count == 4 + 4 * 8)
        let read = try bytes.withUnsafeBytes {
            try TypeIO.decodeBinary($0, type: SQLType(.pgSnapshot), settings: DisplaySettings())
        }
        guard case .text(let text) = read else {
            Issue.record("read as \(read)")
            return
        }
        #expect(text == snapshot.text)
        for length in 0..<bytes.count {
            let cut = bytes[..<length].withUnsafeBytes { TransactionSnapshot(binary: $0) }
            #expect(cut == nil)
        }
    }
}
