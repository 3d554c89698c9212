import FalconToolKit
import Testing

@testable import FalconStorage

/// What a live writer adds while the tail is judged is no damage, whenever it comes.
@Suite struct WALLiveTailTests {
    /// The log as the reader finds it, and what is written before its n-th read.
    private func expectNoDamage(
        _ what: String, _ shorten: (LogForge) throws -> Void
    ) throws {
        let whole = try LogScenarios.plain()
        whole.seal()
        try whole.write(rest: 2048)
        let full = whole.fileSystem.snapshotContents()
        try shorten(whole)
        var reads = 0
        while reads < 100 {
            let memory = whole.fileSystem.crashClone(.keepUnsynced)
            let growing = GrowingFileSystem(memory, beforeRead: reads) {
                // A writer's order: the older segment's bytes are there before the newer's header.
                for (path, bytes) in full.sorted(by: { $0.key < $1.key }) {
                    guard let file = try? memory.open("/" + path, .createIfMissing) else {
                        continue
                    }
                    try? file.write(bytes, at: 0)
                }
            }
            let run = ToolRun(
                WALInspect.self, ["/db"],
                environment: StorageEnvironment(fileSystem: growing, clock: ManualClock()))
            if growing.isUntouched { break }
            #expect(
                run.exit == .clean || run.exit == .benign, "\(what), read \(reads): \(run.output)")
            reads += 1
        }
        #expect(reads > 5 && reads < 100, "\(what): \(reads)")
    }

    @Test func chunksThatAreAdded() throws {
        try expectNoDamage("three chunks and a seal") { log in
            try log.zero(3) { $0.chunks[3].offset..<($0.bytes.count) }
        }
    }

    @Test func aRotation() throws {
        try expectNoDamage("the rest of a segment, its seal and the next") { log in
            try log.fileSystem.remove(log.segments[2].path)
            try log.patch(2) { bytes, found in
                for index in found.chunks[3].offset..<bytes.count { bytes[index] = 0 }
            }
        }
    }
}
