import FalconStorage
import FalconTestKit
import Testing

@testable import FalconToolKit

/// A log whose oldest kept segment begins within a transaction that was logged in parts: nothing is
/// damaged, and what follows is all there.
@Suite struct TrimmedTransactionTests {
    @Test func theFirstTransactionMayLackItsParts() throws {
        let history = try EngineHistory(seed: 41) {
            $0.walSegmentBytes = 64 << 10
            $0.batchPartBytes = 2 << 10
            $0.walRetainBytes = 0
        }
        // Until a segment's border has fallen between the parts and their COMMIT.
        for attempt in 0..<400 {
            let batch = WriteBatch()
            for number in 0..<30 {
                try history.put(
                    "large \(number)", String(repeating: "x", count: 2_000 + attempt * 7),
                    into: batch)
            }
            _ = try history.engine.commitAndWait(batch)
            try history.engine.flush()
            // A segment may be released while it is looked at: then the next attempt tells.
            let reader = try? WALReader(directory: "/db/wal", fileSystem: history.fileSystem)
            if let first = try? reader?.next(), first.tag == .commit { break }
        }
        let after = WriteBatch()
        try history.put("after", "1", into: after)
        let receipt = try history.engine.commitAndWait(after)
        try history.close()
        let records = ToolRun(
            WALInspect.self, ["/db", "--records"], environment: history.environment)
        #expect(records.exit == .clean, "\(records.output)")
        #expect(records.output.contains("some no longer kept"), "\(records.output.prefix(2000))")
        for arguments in [["/db"], ["/db", "--from-lsn", receipt.lsn.description]] {
            let changes = ToolRun(CDCTail.self, arguments, environment: history.environment)
            #expect(changes.exit == .clean, "\(changes.output)\(changes.diagnostics)")
        }
    }
}
