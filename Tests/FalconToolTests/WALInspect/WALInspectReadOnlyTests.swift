import FalconSchema
import FalconTestKit
import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// The tool only reads: no byte and no time stamp of the directory changes, nothing is locked.
@Suite struct WALInspectReadOnlyTests {
    static let views: [[String]] = [
        [], ["--records"], ["--data"], ["--stats", "--table", "*"], ["--extract", "1", "--data"],
        ["--follow", "--limit", "3"], ["--format", "json"], ["--operations", "--op", "insert"],
    ]

    @Test func noByteAndNoTimeStampChanges() throws {
        let root = NSTemporaryDirectory() + "wal-inspect-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let fileSystem = PosixFileSystem()
        let environment = StorageEnvironment(fileSystem: fileSystem)
        try fileSystem.createDirectory(root)
        for damages in [false, true] {
            let directory = root + (damages ? "/damaged" : "/sound")
            var options = EngineOptions()
            options.closedTimestampMicros = 0
            let engine = try StorageEngine.open(
                at: directory, options: options, environment: environment)
            for id in 0..<20 {
                let batch = WriteBatch()
                try Array("key \(id)".utf8).withRaw { key throws(StorageError) in
                    try batch.put(key: key, value: key)
                }
                _ = try engine.commitAndWait(batch)
            }
            try engine.close()
            if damages {
                let name = try #require(
                    try fileSystem.list(directory + "/wal").first { $0.hasSuffix(".wal") })
                try LogFixture.patch(fileSystem, directory + "/wal/" + name) { $0[5000] ^= 1 }
            }
            let before = try directoryState(directory)
            // Who follows a damaged log waits for its writer.
            for view in Self.views where !damages || view.first != "--follow" {
                let run = ToolRun(WALInspect.self, [directory] + view, environment: environment)
                #expect(run.exit == .clean || damages, "\(view): \(run.output)")
                #expect(try directoryState(directory) == before, "\(view)")
            }
            let report = root + "/report-\(damages).json"
            let run = ToolRun(
                WALInspect.self, [directory, "--format", "json", "--out", report],
                environment: environment)
            #expect(run.output.isEmpty)
            let text = try String(contentsOfFile: report, encoding: .utf8)
            #expect(text.hasPrefix("{\"schema_version\":1") && text.hasSuffix("}\n"))
            #expect(try directoryState(directory) == before)
        }
    }

    /// Beside a writer its own changes are seen: so the tool's calls are looked at.
    @Test func besideALiveWriterItOnlyReads() throws {
        let history = try EngineHistory(seed: 4)
        try history.run(40, maintains: false)
        let stop = Atomic<Bool>(false)
        let ended = DispatchSemaphore(value: 0)
        let engine = history.engine
        let writer = Thread {
            var id = 0
            while !stop.load(ordering: .relaxed), id < 3000 {
                id += 1
                let batch = WriteBatch()
                try? Array("live \(id)".utf8).withRaw { key throws(StorageError) in
                    try batch.put(key: key, value: key)
                }
                _ = try? engine.commitAndWait(batch)
            }
            ended.signal()
        }
        writer.start()
        for view in Self.views {
            let traced = TracingFileSystem(history.fileSystem, recordsReads: true)
            let run = ToolRun(
                WALInspect.self, ["/db"] + view,
                environment: StorageEnvironment(fileSystem: traced, clock: ManualClock()))
            #expect(run.exit == .clean || run.exit == .benign, "\(view): \(run.output)")
            let wrong = traced.events.filter { $0.operation.isMutating || $0.operation == .lock }
            #expect(wrong.isEmpty, "\(view): \(wrong.prefix(5))")
            #expect(traced.events.contains { $0.operation == .read })
        }
        stop.store(true, ordering: .relaxed)
        ended.wait()
        try history.close()
    }
}
